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
  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - words: The program, found as a shell would, and its arguments.
  ///   - extra: Variables of the environment beside those of this process.
  ///   - output: The file that takes what it prints, errors included.
  /// - Returns: Its exit status.
  /// - Throws: What starting it or making the file throws.
  static func run(
    _ words: [String], extra: [String: String] = [:], output: String
  ) throws -> Int32 {
    guard FileManager.default.createFile(atPath: output, contents: nil),
      let handle = FileHandle(forWritingAtPath: output)
    else { throw BenchmarkFailure("\(output): cannot be written") }
    defer { handle.closeFile() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(extra) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
