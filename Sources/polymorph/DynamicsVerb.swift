import Coordinator
import Dynamics
import Foundation

/// `polymorph dynamics`: molecular dynamics, melt and quench.
enum DynamicsVerb: Verb {
  static let name = "dynamics"
  static let summary = "molecular dynamics; melts and quenches"
  static let syntax = CommandSyntax(
    arguments: [.init("PLAN.yaml", "start, potential, and stages or melt_quench")],
    options: [
      .init(
        "directory", "DIR",
        "the folder of the run; default: the plan's name without its ending, and -dynamics"),
      .init("resume", nil, "goes on with what has begun in the folder"),
      .init("time-limit", "TIME", "ends after a time such as 90s, 45m or 2h"),
      .init("quiet", nil, "prints errors only"),
    ],
    notes: [
      "Writes table.csv, frames.extxyz (energies, forces and stresses too), the radial distribution "
        + "of every stage and summary.json; for stages with spectrum: FS the vibrational density of states and "
        + "mean-square displacements. A run that was ended goes on from its last checkpoint with "
        + "--resume, and its files end up the same, byte for byte."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let path = arguments.argument("PLAN.yaml")
    let plan = try DynamicsPlan(path: path)
    // One rank moves the atoms; the others have nothing to do.
    guard session.isRoot else { return .done }
    let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    var options = DynamicsRun.Options(
      directory: arguments.option("directory") ?? name + "-dynamics")
    options.isResumed = arguments.has("resume")
    options.timeLimitSeconds = try arguments.duration("time-limit")
    let isQuiet = arguments.has("quiet")
    let run = try DynamicsRun(plan, options: options) { line in
      if !isQuiet { session.say(line) }
    }
    switch try run.run() {
    case .finished: return .done
    case .stopped(let isInterrupt): return isInterrupt ? .interrupted : .done
    case .failed(let reason): throw CampaignError.failed("\(path): \(reason)")
    }
  }
}
