/// Starts the programs that become clients of a socket.
public protocol ClientLauncher: Sendable {
  /// Starts a program without waiting for it.
  ///
  /// - Parameters:
  ///   - command: The program, looked up on the PATH, and its arguments.
  ///   - folder: Where it runs.
  ///   - output: The file that takes its standard output and error.
  /// - Returns: The running program.
  /// - Throws: `ReferenceEngineError.cannotStart`.
  func launch(
    _ command: [String], in folder: String, output: String
  ) throws(ReferenceEngineError) -> any LaunchedClient
}

/// A program that was started as a client.
public protocol LaunchedClient: AnyObject {
  /// How it ended, in words; `nil` while it runs.
  func ending() -> String?

  /// Ends it, with everything it started.
  ///
  /// - Parameter seconds: How long it may take to end by itself, having been told so.
  func stop(after seconds: Double)
}
