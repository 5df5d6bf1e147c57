import Foundation
import Testing

extension Tag {
  /// Tests that start `mpirun`.
  @Tag public static var mpi: Tag
  /// Tests that take more than a few seconds.
  @Tag public static var slow: Tag
}

/// A program of this package, as built beside the tests.
public struct BuiltProgram: Sendable {
  /// What a finished program left.
  public struct Outcome: Sendable {
    /// Its exit status.
    public let status: Int32
    /// What it printed.
    public let output: String
    /// What it printed as errors.
    public let errors: String
  }

  /// Where the program is.
  public let path: String

  /// Finds a program beside the test bundle.
  public init(_ name: String) {
    let running = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let beside = running.deletingLastPathComponent().appendingPathComponent(name).path
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let fallback = package.appendingPathComponent(".build/release/\(name)").path
    path = FileManager.default.isExecutableFile(atPath: beside) ? beside : fallback
  }

  /// Names a program of the system.
  public init(at path: String) { self.path = path }

  /// Runs the program and waits for its end.
  ///
  /// - Parameters:
  ///   - arguments: The command line.
  ///   - ranks: Starts it under `mpirun` with so many ranks; without a launcher where `nil`.
  ///   - directory: The working directory.
  ///   - timeoutSeconds: After so long it is killed.
  ///   - variables: Variables beside the inherited ones.
  /// - Returns: What it left.
  /// - Throws: Where it cannot be started.
  public func run(
    _ arguments: [String], ranks: Int? = nil, in directory: URL? = nil,
    timeoutSeconds: Double = 120, environment variables: [String: String] = [:]
  ) throws -> Outcome {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
      "polymorph-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let outputFile = scratch.appendingPathComponent("output")
    let errorFile = scratch.appendingPathComponent("errors")
    try Data().write(to: outputFile)
    try Data().write(to: errorFile)

    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let limit = ["timeout", "-k", "5", "\(timeoutSeconds)"]
    let launcher =
      ranks.map {
        ["mpirun", "-n", "\($0)", "--oversubscribe", "--bind-to", "none"]
      } ?? []
    process.arguments = limit + launcher + [path] + arguments
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    environment.merge(variables) { _, new in new }
    process.environment = environment
    process.currentDirectoryURL = directory ?? scratch
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }
}
