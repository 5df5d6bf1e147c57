import Crystal
import Foundation
import NumericalCore
import ReferenceEngines

/// A shell script in the place of a program: it prints `energy X` and `done`, or `failed REASON`.
struct StandInProgram: CalculationProgram {
  /// What computes; `$ATTEMPT` in the folder's file `attempt` is `regular` or `safer`.
  var script: String
  /// What a version is asked with.
  var versionScript = "echo version 1"
  /// How it is started; empty where somebody else does.
  var command = ["/bin/sh", "script"]
  /// Variables of the program that is asked for its version.
  var environment: [String: String] = [:]

  var kind: String { "stand-in" }
  var summary: String { "stand-in" }
  var settingsBytes: [UInt8] { [1, 2, 3] }
  var launch: CalculationLaunch {
    CalculationLaunch(command: command, input: nil, output: "out")
  }
  var versionLaunch: CalculationLaunch? {
    CalculationLaunch(
      command: ["/bin/sh", "-c", versionScript], input: nil, output: "out",
      environment: environment)
  }
  var scratch: [String] { ["big"] }

  func version(in output: String) -> String? {
    output.hasPrefix("version ") ? output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }

  func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    [
      CalculationFile(name: "script", content: .text(script)),
      CalculationFile(name: "attempt", content: .text("\(attempt)\n")),
      CalculationFile(name: "shell", content: .link(path: "/bin/sh")),
    ]
  }

  func result(in folder: String, for structure: Structure) -> CalculationResult {
    guard let text = try? String(contentsOfFile: folder + "/out", encoding: .utf8) else {
      return .unfinished(reason: "no output")
    }
    let lines = text.split(separator: "\n")
    if let line = lines.first(where: { $0.hasPrefix("failed ") }) {
      return .failed(reason: String(line.dropFirst(7)))
    }
    guard lines.last == "done", let line = lines.first(where: { $0.hasPrefix("energy ") }),
      let energy = Double(line.dropFirst(7))
    else { return .unfinished(reason: "no end") }
    let forces = (0..<structure.atomCount).map { Vector3(0.1, -1.0 / 3, Double($0) / 7) }
    return .finished(
      Evaluation(
        energy: energy, forces: forces, virial: (energy / 3) * .identity, of: structure),
      details: CalculationDetails(programVersion: "stand-in 1.0", iterations: 7))
  }
}
