import Foundation

/// A program of this package that a test can watch and kill while it runs.
public final class RunningProgram {
  private let process = Process()
  private let output: URL

  /// Starts a program, under `mpirun` where ranks are given.
  ///
  /// - Throws: Where it cannot be started.
  public init(
    _ program: BuiltProgram, _ arguments: [String], ranks: Int? = nil, in directory: URL
  ) throws {
    output = directory.appendingPathComponent("output-\(UUID().uuidString)")
    try Data().write(to: output)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let launcher =
      ranks.map { ["mpirun", "-n", "\($0)", "--oversubscribe", "--bind-to", "none"] } ?? []
    process.arguments = launcher + [program.path] + arguments
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    process.environment = environment
    process.currentDirectoryURL = directory
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: output)
    try process.run()
  }

  /// The process that was started: the launcher, or the program itself.
  public var identifier: Int32 { process.processIdentifier }

  /// Whether it still runs.
  public var isRunning: Bool { process.isRunning }

  /// The ranks' processes, oldest first; rank r is element r.
  public func rankIdentifiers() -> [Int32] {
    let search = Process()
    search.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    search.arguments = ["pgrep", "-P", "\(identifier)"]
    let pipe = Pipe()
    search.standardOutput = pipe
    guard (try? search.run()) != nil else { return [] }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    search.waitUntilExit()
    return text.split(separator: "\n").compactMap { Int32($0) }.sorted()
  }

  /// Waits until a file exists or the program has ended; on a busy machine that may take long.
  ///
  /// - Returns: Whether the file exists.
  public func wait(for file: String) -> Bool {
    while isRunning, !FileManager.default.fileExists(atPath: file) {
      Thread.sleep(forTimeInterval: 0.01)
    }
    return FileManager.default.fileExists(atPath: file)
  }

  /// Waits for the end.
  ///
  /// - Returns: The exit status, or the signal's number where one ended it.
  public func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Everything printed so far.
  public func printed() -> String {
    (try? String(contentsOf: output, encoding: .utf8)) ?? ""
  }
}
