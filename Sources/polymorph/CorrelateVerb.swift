import Coordinator
import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats

/// `polymorph correlate POT POOL`: how good a potential is for structure prediction.
enum CorrelateVerb: Verb {
  static let name = "correlate"
  static let summary = "how well a potential orders a pool of structures with known energies"
  static let syntax = CommandSyntax(
    arguments: [
      .init("POT", "potential: .mtp, or .yaml with a reference: block"),
      .init("POOL", "structures with the reference method's energies"),
    ],
    options: [
      .init("output", "FOLDER", "writes correlate.json and plots (SVG) there"),
      .init(
        "relax", "model", "relaxes every structure with the potential, too, and compares its minima"
      ),
      .init("window", "eV/atom", "how high above the ground state counts as low; default 0.2"),
      .init("pressure", "GPa", "compares enthalpies at this pressure; default 0"),
      .init(
        "training", "DATA",
        "the potential's training set: maps environments of both sets, grades the pool (.mtp only)"),
      .init(
        "learning-curve", nil,
        "refits the potential's basis to growing parts of the training set, in the order of its file"
      ),
      .init("points", "N", "how many parts, each half of the next; default 5"),
    ] + TrainingStarts.lossOptions + StructureInput.options + [
      .init("json", nil, "prints one JSON object")
    ],
    notes: [
      "dE is the energy per atom above that of the ground state: the lowest structure of the same ratio of "
        + "elements by the reference method. The potential's dE is above its own energy of that "
        + "structure, whose error so is in every dE; 'from mean' has it taken away: there the mean difference of "
        + "both methods below the window is the zero. Correlations are within ratios of elements.",
      "--relax model: structures that fail, collapse or explode are listed and not compared, and the exit "
        + "status is 1; those that match their geometry in the pool no more are listed as other structures.",
      "--weights to --trials are for the refits of --learning-curve, as in train. Files of --output: parity.svg, "
        + "parity-relaxed.svg, map-X.svg for every element X, learning-curve.svg.",
      "Runs under mpirun too; the output is the same for any number of ranks.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let request = try Request(arguments)
    let file = try StructureInput.potential(arguments)
    let path = arguments.argument("POT")
    // Refused before anything is computed.
    let momentTensor =
      request.training == nil ? nil : try ExtrapolationOptions.momentTensor(file, path)
    let input = try StructureInput(arguments, for: file)
    let pool = try PoolStructure.entries(
      of: input.records(arguments.argument("POOL")), path: arguments.argument("POOL"),
      pressure: request.pressure)
    let training = try request.training.map { try input.records($0) }
    if session.isRoot, let folder = request.output { try makeFolder(folder) }

    let work = PoolWork(
      pool, window: request.window, pressure: request.pressure, communicator: session.communicator)
    let comparison = try work.comparison(with: file.potential)
    var result = comparison.map {
      PoolCorrelation($0, poolCount: pool.count, pressure: request.pressure)
    }
    // All ranks compute, rank 0 keeps.
    let relaxed = request.relaxes ? try work.relaxed(with: file.potential) : nil
    result?.relaxed = relaxed
    if let momentTensor, let training, let trainingPath = request.training {
      let grader = try ExtrapolationOptions.search.grader(
        momentTensor, trainedOn: training, path: trainingPath, session: session)
      let grades = try work.grades(by: grader, of: comparison)
      let environments = try work.environments(
        of: momentTensor, training: training.map(\.structure))
      result?.grades = grades
      result?.environments = environments
      if let settings = request.fit {
        let curve = try learningCurve(
          momentTensor, training, trainingPath, settings, request.points, work, session)
        result?.learningCurve = curve ?? []
      }
    }
    guard let result else { return .done }
    let files = try request.output.map { try result.write(to: $0) } ?? []
    if arguments.has("json") {
      session.say(result.json)
    } else {
      print(result.text, terminator: "")
      if let folder = request.output {
        session.say("\nwritten to \(folder): \(files.joined(separator: ", "))")
      }
    }
    return result.hasFailures ? .failed : .done
  }

  private static func learningCurve(
    _ potential: MomentTensorPotential, _ training: [StructureRecord], _ path: String,
    _ settings: TrainingSettings, _ points: Int, _ work: PoolWork, _ session: Session
  ) throws -> [LearningCurvePoint]? {
    let data = try LabelledData(training, path: path, session: session)
    let basis = try MomentTensorPotential(
      basis: potential.basis, radialBasis: potential.radialBasis, elements: potential.elements)
    return try work.learningCurve(
      of: basis, training: data.labelled, settings: settings, points: points)
  }

  private static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      throw InputError("correlate: --output: \(Program.message(of: error))")
    }
  }

  private enum RelaxedBy: String, CaseIterable {
    case model
  }

  /// What the command line asks for.
  private struct Request {
    let output: String?
    let relaxes: Bool
    /// In eV per atom.
    let window: Double
    /// In eV/Å³.
    let pressure: Double
    let training: String?
    /// The settings of the refits; `nil` for no learning curve.
    let fit: TrainingSettings?
    let points: Int

    init(_ arguments: ParsedArguments) throws {
      output = arguments.option("output")
      relaxes = try arguments.word("relax", as: RelaxedBy.self) != nil
      window = try arguments.positiveNumber("window") ?? 0.2
      pressure =
        try (arguments.number("pressure", in: -1000...10000) ?? 0)
        / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      training = arguments.option("training")
      points = try arguments.integer("points", in: 2...20) ?? 5
      guard arguments.has("learning-curve") else {
        let own = ["points"] + TrainingStarts.lossOptions.map(\.name)
        if let alone = own.first(where: { arguments.has($0) }) {
          throw CommandLineError(
            "correlate: --\(alone) is of the refits of --learning-curve, which is missing")
        }
        fit = nil
        return
      }
      guard training != nil else {
        throw CommandLineError(
          "correlate: --learning-curve refits to a training set; add --training DATA")
      }
      fit = try TrainingStarts.common(arguments)
    }
  }
}
