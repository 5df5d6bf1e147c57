import Coordinator
import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats

/// `polymorph train mtp DATA… --output POT`: fits a moment tensor potential; `train nnp` a network.
enum TrainVerb: Verb {
  static let name = "train"
  static let summary = "fits a moment tensor potential or networks to labelled structures"
  static let syntax = CommandSyntax(
    arguments: [
      .init("KIND", "mtp, or nnp for neural networks"),
      .init(
        "DATA",
        "structures with energies, forces and stresses; for nnp SETTINGS.yaml before them, which says what networks "
          + "look like and how they are trained", isRepeated: true),
    ],
    options: [
      .init("output", "POT", "where to write the potential (.mtp, .nnp)", isRequired: true),
      .init("level", "L", "largest level of a basis function, even, 2 to 28; default 12"),
      .init("cutoff", "Å", "cutoff radius; default 5"),
      .init(
        "minimum-distance", "Å",
        "inner end of the radial basis; default: 0.9 times the shortest distance in the data"),
      .init("radial-basis", "N", "number of radial basis functions; default 8"),
      .init(
        "repulsion", "INNER,OUTER",
        "adds the repulsion of nuclei (Ziegler, Biersack, Littmark) between atoms closer than OUTER, switched from "
          + "INNER on, fractions of the sum of covalent radii such as 0.4,0.7; none: default, or that of --start"
      ),
      .init("validation", "DATA", "labelled structures to test the potential on"),
      .init("start", "POT", "starts from this potential; its basis is kept"),
      .init("seed", "S", "starts from random radial functions of this seed"),
      .init("starts", "N", "the best of N starts, the first of which is not random; default 1"),
      .init("continuation", nil, "climbs through the levels 8, 12, … below the level"),
      .init("ensemble", "K", "K potentials POT-1.mtp … POT-K.mtp from random starts"),
    ] + TrainingStarts.lossOptions + [
      .init("pressure", "GPa", "of these enthalpies; default 0"),
      .init(
        "progress", nil, "tells of every step on the standard error, also where that is no terminal"
      ),
    ] + StructureInput.options + [.init("json", nil, "prints one JSON object")],
    notes: ["Runs under mpirun too; the potential is the same for any number of ranks."])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    if try arguments.argument("KIND", among: ["mtp", "nnp"]) == "nnp" {
      return try NetworkTraining.run(arguments, session)
    }
    let output = try arguments.required("output")
    guard output.lowercased().hasSuffix(".mtp") else {
      throw CommandLineError("train: --output: found '\(output)', allowed: a name ending in .mtp")
    }
    let starts = try TrainingStarts(arguments)
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
    let potential = try RepulsionOption(arguments).applied(
      to: start ?? shape.potential(for: data, elements: input.elements))
    var fits: [Fit] = []
    for (number, settings) in starts.settings.enumerated() {
      let prefix = starts.settings.count > 1 ? "start \(number + 1), " : ""
      let progress = TrainingProgress(isAsked: arguments.has("progress"), prefix: prefix)
      let problem = try TrainingProblem(data.labelled, for: potential, settings: settings)
      let report = try ParallelTraining(session.communicator).run(
        potential, on: problem, progress: progress.report)
      if session.isRoot { progress.finish() }
      // All ranks know the potential that rank 0 has found.
      var encoder = ByteEncoder()
      if let report {
        encoder.encode(report.potential)
        encoder.encode(report.loss)
      }
      var decoder = ByteDecoder(try session.communicator.broadcast(encoder.bytes))
      let fitted = try decoder.decode(MomentTensorPotential.self)
      fits.append(
        Fit(
          report: report, loss: try decoder.decode(Double.self), potential: fitted,
          usedCount: problem.usedCount(), structureCount: problem.structures.count))
    }
    if !starts.isEnsemble {
      let best = fits.indices.min { (fits[$0].loss, $0) < (fits[$1].loss, $1) } ?? 0
      let losses = fits.map(\.loss)
      fits = [fits[best]]
      fits[0].startLosses = losses
    }
    for index in fits.indices {
      let fitted = fits[index].potential
      fits[index].errors = try ErrorsVerb.statistics(fitted, data, session)?.0
      fits[index].validation = try validation.flatMap {
        try ErrorsVerb.statistics(fitted, $0, session)?.0
      }
    }
    guard session.isRoot else { return .done }
    for (index, fit) in fits.enumerated() {
      let name =
        starts.isEnsemble ? output.dropLast(4) + "-\(index + 1)" + output.suffix(4) : output[...]
      try AtomicFile.write(fit.potential.mtpText, to: String(name))
    }
    let summary = TrainingSummary(fits: fits, output: output, isEnsemble: starts.isEnsemble)
    if arguments.has("json") {
      session.say(summary.json)
    } else {
      summary.lines.forEach { session.say($0) }
    }
    return .done
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
}
