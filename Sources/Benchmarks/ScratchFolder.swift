import Foundation

/// A folder for what a benchmark leaves behind.
struct ScratchFolder {
  let path: String

  /// Makes a folder among the temporary files.
  init() throws {
    path = NSTemporaryDirectory() + "polymorph-benchmark-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Takes the folder away.
  func remove() {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      StandardError.write("Benchmarks: \(path) stays: \(error.localizedDescription)\n")
    }
  }
}

/// Runs other programs.
enum ChildProgram {
  /// Open MPI starts nothing as root without these; elsewhere they mean nothing.
  private static let rootVariables = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
  ]

  /// The words that start a program on some ranks; none for one.
  static func launcher(ranks: Int) -> [String] {
    ranks > 1 ? ["mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none"] : []
  }

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - words: The program, found as a shell would, and its arguments.
  ///   - output: The file that takes what it prints.
  ///   - errors: The file that takes its messages; `nil` for the same.
  /// - Returns: Its exit status.
  /// - Throws: What starting it or making the file throws.
  static func run(
    _ words: [String], output: String, errors: String? = nil
  ) throws -> Int32 {
    let handle = try file(output)
    let errorHandle = try errors.map(file)
    defer {
      handle.closeFile()
      errorHandle?.closeFile()
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(rootVariables) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = errorHandle ?? handle
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static func file(_ path: String) throws -> FileHandle {
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else { throw BenchmarkFailure("\(path): cannot be written") }
    return handle
  }
}
