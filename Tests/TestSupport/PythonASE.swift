import Foundation

/// The peer that reads what we write: ASE, as Debian's python3-ase brings it.
public enum PythonASE {
  /// Why a script gave no answer.
  public struct Failure: Error, CustomStringConvertible {
    /// What Python said.
    public let description: String
  }

  /// Runs a Python script that may import ASE.
  ///
  /// - Parameters:
  ///   - script: The program.
  ///   - arguments: What it finds in `sys.argv[1:]`.
  /// - Returns: What it printed.
  /// - Throws: `Failure` where Python or ASE is missing or the script fails.
  public static func run(_ script: String, _ arguments: [String] = []) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", script] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw Failure(
        description: "/usr/bin/python3 is needed for the tests (apt install python3-ase)")
    }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaints = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let message = String(decoding: complaints, as: UTF8.self)
    guard process.terminationStatus == 0 else {
      let hint =
        message.contains("No module named 'ase'")
        ? "the tests need ASE: apt install python3-ase\n" : ""
      throw Failure(description: hint + message)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
