import Coordinator
import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats

/// `polymorph train mtp DATA… --output POT`: fits a moment tensor potential.
enum TrainVerb: Verb {
  static let name = "train"
  static let summary = "fits a moment tensor potential to labelled structures"
  static let syntax = CommandSyntax(
    arguments: [
      .init("KIND", "mtp"),
      .init("DATA", "structures with energies, forces and stresses", isRepeated: true),
    ],
    options: [
      .init("output", "POT", "where to write the potential (.mtp)", isRequired: true),
      .init("level", "L", "largest level of a basis function, even, 2 to 28; default 12"),
      .init("cutoff", "Å", "cutoff radius; default 5"),
      .init(
        "minimum-distance", "Å",
        "inner end of the radial basis; default: 0.9 times the shortest distance in the data"),
      .init("radial-basis", "N", "number of radial basis functions; default 8"),
      .init("weights", "E,F,S", "weights of energy, force and stress; default 1,0.01,0.001"),
      .init("scaling", "WORD", "vibrations (default), structures or molecules"),
      .init("validation", "DATA", "labelled structures to test the potential on"),
      .init("start", "POT", "starts from this potential; its basis is kept"),
      .init("seed", "S", "starts from random radial functions of this seed"),
      .init("force-cap", "eV/Å", "leaves out structures with a larger force; default: none"),
      .init(
        "energy-window", "eV/atom",
        "leaves out structures so far above the lowest of their composition; default: none"),
      .init("trials", "N", "most steps of the fit; default 60"),
    ] + StructureInput.options + [.init("json", nil, "prints one JSON object")],
    notes: ["Runs under mpirun too; the potential is the same for any number of ranks."])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    _ = try arguments.argument("KIND", among: ["mtp"])
    let output = try arguments.required("output")
    guard output.lowercased().hasSuffix(".mtp") else {
      throw CommandLineError("train: --output: found '\(output)', allowed: a name ending in .mtp")
    }
    let settings = try settings(arguments)
    let shape = try Shape(arguments)
    let start = try arguments.option("start").map { path in
      try ExtrapolationOptions.momentTensor(
        PotentialFile(path: path, elements: try arguments.elements()), path)
    }
    let input = try StructureInput(arguments, for: start.map { .momentTensor($0) })
    let paths = arguments.arguments("DATA")
    let data = try LabelledData(
      paths.flatMap { try input.records($0) }, path: paths.joined(separator: ", "),
      session: session)
    let validation = try arguments.option("validation").map { path in
      try LabelledData(try input.records(path), path: path, session: session)
    }
    let potential = try start ?? shape.potential(for: data, elements: input.elements)
    let problem = try TrainingProblem(data.labelled, for: potential, settings: settings)
    let report = try ParallelTraining(session.communicator).run(potential, on: problem)

    // All ranks test the potential that rank 0 has found.
    let bytes = try session.communicator.broadcast(report?.potential.canonicalBytes ?? [])
    let fitted = try MomentTensorPotential(canonicalBytes: bytes)
    let errors = try ErrorsVerb.statistics(fitted, data, session)?.0
    let test = try validation.flatMap { try ErrorsVerb.statistics(fitted, $0, session)?.0 }
    guard let report, let errors else { return .done }
    try AtomicFile.write(fitted.mtpText, to: output)
    let summary = Summary(report: report, problem: problem, errors: errors, validation: test)
    if arguments.has("json") {
      session.say(summary.json)
    } else {
      summary.lines(output).forEach { session.say($0) }
    }
    return .done
  }

  private static func settings(_ arguments: ParsedArguments) throws -> TrainingSettings {
    var settings = TrainingSettings.plain
    let weights = try arguments.numbers("weights", count: 3) ?? [1, 0.01, 0.001]
    let scaling =
      try arguments.word("scaling", as: TrainingWeights.Scaling.self) ?? .vibrations
    do {
      settings.weights = try TrainingWeights(
        energy: weights[0], force: weights[1], stress: weights[2], scaling: scaling)
    } catch { throw CommandLineError("train: --weights: \(error)") }
    settings.forceCap = try arguments.positiveNumber("force-cap")
    settings.energyWindow = try arguments.positiveNumber("energy-window")
    if let trials = try arguments.integer("trials", in: 1...1_000_000) {
      settings.maximumTrials = trials
    }
    let seed = try arguments.integer("seed", in: 0...Int.max)
    if arguments.has("start") {
      guard seed == nil else {
        throw CommandLineError("train: --start and --seed exclude each other")
      }
      settings.start = .current
    } else if let seed {
      settings.start = .random(seed: UInt64(seed))
    }
    if settings.start != .current {
      // Climbing through lower levels is the safest way from a rough start, and the cheapest.
      let level = try arguments.integer("level", in: 2...28) ?? 12
      settings.continuation = Array(stride(from: 8, to: level, by: 4))
      settings.tolerance = 3e-4
    }
    return settings
  }

  /// The basis that the command line asks for.
  private struct Shape {
    let level: Int
    let cutoff: Double
    let minimumDistance: Double?
    let size: Int

    init(_ arguments: ParsedArguments) throws {
      let given = ["level", "cutoff", "minimum-distance", "radial-basis"]
        .filter { arguments.has($0) }
      guard !arguments.has("start") || given.isEmpty else {
        throw CommandLineError("train: --start keeps its basis; leave out --\(given[0])")
      }
      level = try arguments.integer("level", in: 2...28) ?? 12
      guard level % 2 == 0 else {
        throw CommandLineError(
          "train: --level: found '\(level)', allowed: an even integer from 2 to 28")
      }
      cutoff = try arguments.number("cutoff", in: 1...20) ?? 5
      minimumDistance = try arguments.number("minimum-distance", in: 0...0.9 * cutoff)
      size = try arguments.integer("radial-basis", in: 2...30) ?? 8
    }

    /// A potential to fit to some data.
    ///
    /// - Throws: `InputError` where the data do not tell the inner end of the radial basis.
    func potential(
      for data: LabelledData, elements: [ChemicalElement]?
    ) throws -> MomentTensorPotential {
      let structures = data.labelled.map(\.structure)
      var inner = minimumDistance
      if inner == nil {
        let shortest = structures.compactMap { closest(in: $0) }.min()
        inner = shortest.map { 0.9 * $0 }
      }
      guard let inner else {
        throw InputError(
          "\(data.path): found no two atoms within \(cutoff) Å, allowed: structures with neighbors "
            + "(or give --minimum-distance)")
      }
      let known = elements ?? Set(structures.flatMap(\.species)).sorted()
      return try MomentTensorPotential(
        basis: MomentTensorBasis(level: level),
        radialBasis: RadialBasis(size: size, minimumDistance: inner, cutoff: cutoff, scaling: 1),
        elements: known)
    }

    private func closest(in structure: Structure) -> Double? {
      NeighborList(structure, cutoff: cutoff).displacements.map(\.squaredLength).min()?
        .squareRoot()
    }
  }

  /// What a training prints.
  private struct Summary {
    let report: TrainingReport
    let problem: TrainingProblem
    let errors: ErrorStatistics
    let validation: ErrorStatistics?

    func lines(_ output: String) -> [String] {
      var lines = [
        "potential       \(output), \(report.potential.parameterCount) parameters",
        "trained on      \(problem.usedCount()) of \(problem.structures.count) structures",
        "loss            \(short(report.loss)) after \(report.trials) trials"
          + (report.converged ? "" : ", not converged"),
      ]
      lines += ["", "training set"] + ErrorsVerb.lines(errors)
      if let validation { lines += ["", "validation set"] + ErrorsVerb.lines(validation) }
      return lines
    }

    var json: JSONValue {
      .object([
        .init("parameters", .integer(report.potential.parameterCount)),
        .init("trained_on", .integer(problem.usedCount())),
        .init("loss", .number(report.loss)), .init("trials", .integer(report.trials)),
        .init("converged", .flag(report.converged)),
        .init("training", ErrorsVerb.json(errors)),
        .init("validation", validation.map(ErrorsVerb.json) ?? .null),
      ])
    }
  }
}
