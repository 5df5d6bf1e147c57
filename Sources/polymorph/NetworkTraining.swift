import Coordinator
import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats

/// `polymorph train nnp SETTINGS.yaml DATA… --output POT`: trains a network, or a committee of them.
enum NetworkTraining {
  /// What belongs to moment tensor potentials alone.
  private static let others = [
    "level", "cutoff", "minimum-distance", "radial-basis", "starts", "continuation", "trials",
  ]

  /// A network that was trained, and how well.
  private struct Fit {
    let report: NetworkTrainingReport?
    let potential: NeuralNetworkPotential
    let seconds: Double
    var errors: ErrorStatistics?
    var validation: ErrorStatistics?
  }

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let output = try arguments.required("output")
    guard output.lowercased().hasSuffix(".nnp") else {
      throw CommandLineError("train: --output: found '\(output)', allowed: a name ending in .nnp")
    }
    for option in others where arguments.has(option) {
      throw CommandLineError(
        "train: --\(option) belongs to mtp; what networks look like stands in SETTINGS.yaml")
    }
    var paths = arguments.arguments("DATA")
    guard paths.count > 1, [".yaml", ".yml"].contains(where: paths[0].hasSuffix) else {
      throw CommandLineError(
        "train: found '\(paths.first ?? "")', allowed: train nnp SETTINGS.yaml DATA… (settings, then structures)"
      )
    }
    var settings = try NetworkTrainingSettings(path: paths.removeFirst())
    if let seed = try arguments.integer("seed", in: 0...Int.max) { settings.seed = UInt64(seed) }
    let start = try arguments.option("start").map { path in
      guard case .network(let potential) = try PotentialFile(path: path) else {
        throw CommandLineError("train: --start: found '\(path)', allowed: a network")
      }
      return potential
    }
    let input = try StructureInput(arguments, for: start.map { .network($0) })
    let data = try LabelledData(
      paths.flatMap { try input.records($0) }, path: paths.joined(separator: ", "),
      session: session)
    let validation = try arguments.option("validation").map { path in
      try LabelledData(try input.records(path), path: path, session: session)
    }
    let elements =
      start?.elements ?? Set(data.labelled.flatMap(\.structure.species)).sorted()
    var repulsion = start?.repulsion
    if case .changed(let other) = try RepulsionOption(arguments) { repulsion = other }
    let problem = try TrainingProblem(
      data.labelled, elements: elements, repulsion: repulsion,
      settings: TrainingStarts.common(arguments))
    let functions =
      start?.networks.map(\.functions)
      ?? elements.map { _ in settings.functions.functions(for: elements) }
    let members = try arguments.integer("ensemble", in: 2...1000)
    var fits: [Fit] = []
    for member in 0..<(members ?? 1) {
      var own = settings
      own.seed += UInt64(member)
      let prefix = members == nil ? "" : "member \(member + 1), "
      let progress = NetworkProgress(
        isAsked: arguments.has("progress"), prefix: prefix, epochs: own.epochs)
      let begin = Date()
      let report = try ParallelNetworkTraining(session.communicator).run(
        on: problem, functions: functions, settings: own, start: start, progress: progress.report)
      if session.isRoot { progress.finish() }
      // All ranks know the potential that rank 0 has found.
      var encoder = ByteEncoder()
      if let report { encoder.encode(report.potential.nnpText) }
      var decoder = ByteDecoder(try session.communicator.broadcast(encoder.bytes))
      let potential = try NeuralNetworkPotential(
        nnpText: try decoder.decode(String.self), path: output)
      var fit = Fit(
        report: report, potential: potential, seconds: Date().timeIntervalSince(begin))
      fit.errors = try ErrorsVerb.statistics(potential, data, session)?.0
      fit.validation = try validation.flatMap {
        try ErrorsVerb.statistics(potential, $0, session)?.0
      }
      fits.append(fit)
    }
    guard session.isRoot else { return .done }
    for (index, fit) in fits.enumerated() {
      let name =
        members == nil ? output[...] : output.dropLast(4) + "-\(index + 1)" + output.suffix(4)
      try AtomicFile.write(fit.potential.nnpText, to: String(name))
      if arguments.has("json") { continue }
      if index > 0 { session.say("") }
      lines(fit, String(name), problem).forEach { session.say($0) }
    }
    if arguments.has("json") {
      session.say(
        members == nil ? json(fits[0]) : .object([.init("members", .list(fits.map(json)))]))
    }
    return .done
  }

  private static func lines(
    _ fit: Fit, _ output: String, _ problem: TrainingProblem
  ) -> [String] {
    let parameters = fit.potential.networks.reduce(0) { $0 + $1.network.parameterCount }
    var lines = ["potential       \(output), \(parameters) parameters"]
    if let repulsion = fit.potential.repulsion {
      lines.append(
        "repulsion       ZBL, \(repulsion.inner) to \(repulsion.outer) of the sum of covalent radii"
      )
    }
    lines.append(
      "trained on      \(problem.usedCount()) of \(problem.structures.count) structures")
    if let report = fit.report {
      lines += [
        "                \(report.teachers.count) of them teach, \(report.judges.count) judge",
        "epochs          best \(report.best.epoch), last \(report.last.epoch)"
          + (report.isGoalReached ? ": the goal is reached" : ""),
        "updates         \(report.updates), \(short(Double(report.updates) / fit.seconds)) per second",
      ]
      if let judged = NetworkProgress.errors(report.best.validation) {
        lines.append("judged          \(judged)")
      }
    }
    if let errors = fit.errors { lines += ["", "training set"] + ErrorsVerb.lines(errors) }
    if let validation = fit.validation {
      lines += ["", "validation set"] + ErrorsVerb.lines(validation)
    }
    return lines
  }

  private static func json(_ fit: Fit) -> JSONValue {
    .object([
      .init("epochs", .integer(fit.report?.last.epoch ?? 0)),
      .init("best_epoch", .integer(fit.report?.best.epoch ?? 0)),
      .init("updates", .integer(fit.report?.updates ?? 0)), .init("seconds", .number(fit.seconds)),
      .init("goal_reached", .flag(fit.report?.isGoalReached ?? false)),
      .init("training", fit.errors.map(ErrorsVerb.json) ?? .null),
      .init("validation", fit.validation.map(ErrorsVerb.json) ?? .null),
    ])
  }
}

/// Tells on the standard error how a training of networks stands.
final class NetworkProgress {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let isShown: Bool
  private let prefix: String
  private let interval: Int
  private let start = Date()

  init(isAsked: Bool, prefix: String, epochs: Int) {
    isShown = isAsked || isTerminal
    self.prefix = prefix
    interval = max(1, epochs / 50)
  }

  /// Tells of an epoch.
  func report(_ step: NetworkTrainingStep) {
    guard isShown, step.epoch == 1 || step.epoch.isMultiple(of: interval) else { return }
    var parts = ["\(prefix)epoch \(step.epoch)", String(format: "loss %.6f", step.loss)]
    if let errors = Self.errors(step.training) { parts.append("teach \(errors)") }
    if let errors = Self.errors(step.validation) { parts.append("judge \(errors)") }
    parts.append(String(format: "%.1f s", Date().timeIntervalSince(start)))
    let line = parts.joined(separator: ", ")
    FileHandle.standardError.write(Data(((isTerminal ? "\r\u{1B}[K" : "") + line).utf8))
    if !isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
  }

  /// Ends the line.
  func finish() {
    if isShown, isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
  }

  /// Root mean square errors; `nil` where there are none.
  static func errors(_ sums: ResidualSums) -> String? {
    guard let energy = sums.energyPerAtom.rootMeanSquare, let force = sums.force.rootMeanSquare
    else { return nil }
    var text = String(format: "%.2f meV/atom %.4f eV/Å", 1000 * energy, force)
    if let stress = sums.stress.rootMeanSquare { text += String(format: " %.3f GPa", stress) }
    return text
  }
}
