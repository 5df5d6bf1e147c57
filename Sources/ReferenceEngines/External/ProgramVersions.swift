import Foundation
import NumericalCore
import Synchronization

/// What programs say of their versions; each way to start one is asked once in a process.
enum ProgramVersions {
  private static let known = Mutex<[CalculationLaunch: String]>([:])

  /// The version of a program, `unknown` where it cannot be asked.
  static func version(
    of program: any CalculationProgram
  ) throws(ReferenceEngineError) -> String {
    guard let launch = program.versionLaunch else { return "unknown" }
    if let version = known.withLock({ $0[launch] }) { return version }
    let version = try ask(program, launch)
    known.withLock { $0[launch] = version }
    return version
  }

  private static func ask(
    _ program: any CalculationProgram, _ launch: CalculationLaunch
  ) throws(ReferenceEngineError) -> String {
    let folder = NSTemporaryDirectory() + "polymorph-version-\(UUID().uuidString)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .file(path: folder, reason: error.localizedDescription)
    }
    // A folder in the place for temporary files that cannot be removed harms nobody.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let outcome = try ChildProcess.run(launch, in: folder, timeLimitSeconds: 60)
    let bytes = FileManager.default.contents(atPath: "\(folder)/\(launch.output)") ?? Data()
    let output = String(decoding: bytes, as: UTF8.self)
    guard let version = program.version(in: output) else {
      let last = output.split(separator: "\n").last.map { ", it said: \($0)" } ?? ""
      throw .cannotStart(
        program: launch.command.joined(separator: " "),
        reason: "it does not say its version (\(outcome))\(last)".onOneLine(limit: 300))
    }
    return version
  }
}
