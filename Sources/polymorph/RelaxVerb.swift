import Coordinator
import Crystal
import Dynamics
import NumericalCore
import StructureFormats

/// `polymorph relax POT INPUT --output OUTPUT`: relaxed structures.
enum RelaxVerb: Verb {
  static let name = "relax"
  static let summary = "structures relaxed at a pressure"
  static let syntax = CommandSyntax(
    arguments: [
      .init("POT", "potential: .mtp, or .yaml with a reference: block"),
      .init("INPUT", "structures"),
    ],
    options: [
      .init("output", "OUTPUT", "where to write them with their results", isRequired: true),
      .init("pressure", "GPa", "external pressure; default 0"),
      .init("force", "eV/Å", "converged below this force; default 0.02"),
      .init("stress", "GPa", "converged below this deviation of the stress; default 0.4"),
      .init("steps", "N", "most evaluations of one relaxation; default 400"),
      .init("fixed-cell", nil, "relaxes the atoms alone"),
    ] + StructureInput.options + StructureInput.outputOptions + [
      .init("json", nil, "prints how each relaxation ended")
    ],
    notes: [
      "A structure that fails, collapses or explodes is reported and left out, and the exit status "
        + "is 1; one that reaches the limit of steps is reported and written.",
      "Runs under mpirun too; the output is the same for any number of ranks.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let output = try arguments.required("output")
    let settings = try settings(arguments)
    let potential = try StructureInput.potential(arguments)
    let input = try StructureInput(arguments, for: potential)
    try input.checkOutput(output)
    let path = arguments.argument("INPUT")
    let records = try input.records(path)
    let batch = Batch(path: path, records: records, session: session)
    let model = potential.potential
    let results = try batch.results { record in
      let result = Relaxation.run(record.structure, with: model, settings: settings)
      switch result.outcome {
      case .converged, .stepLimit: return result
      default: throw WorkError(result.outcome.description)
      }
    }
    guard let (successes, status) = results else { return .done }
    for success in successes where !success.value.hasConverged {
      session.warn("\(path): structure \(success.index + 1): not converged: step limit")
    }
    try input.write(successes.map { relaxed(records[$0.index], $0.value) }, to: output)
    if arguments.has("json") {
      session.say(.object([.init("structures", .list(successes.map(summary)))]))
    } else {
      for success in successes {
        let result = success.value
        session.say(
          "structure \(success.index + 1): \(result.outcome), "
            + "\(fixed(result.enthalpyPerAtom, 6)) eV/atom, \(result.evaluations) evaluations")
      }
    }
    return status
  }

  private static func settings(
    _ arguments: ParsedArguments
  ) throws(CommandLineError) -> RelaxationSettings {
    let stage = RelaxationSettings.Stage.gigapascals(
      force: try arguments.positiveNumber("force") ?? 0.02,
      stress: try arguments.positiveNumber("stress") ?? 0.4,
      evaluations: try arguments.integer("steps", in: 1...10_000_000) ?? 400)
    let pressure = try arguments.number("pressure", in: -1000...10000) ?? 0
    var settings = RelaxationSettings(
      stages: [stage],
      pressure: pressure / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom)
    settings.hasFixedCell = arguments.has("fixed-cell")
    return settings
  }

  private static func relaxed(
    _ record: StructureRecord, _ result: RelaxationResult
  ) -> StructureRecord {
    let own = ["relaxation", "enthalpy"]
    let kept = record.features.filter { !own.contains($0.key) && $0.key != "MV_grade" }
    return StructureRecord(
      structure: result.structure, evaluation: result.evaluation,
      features: kept + [
        (key: "relaxation", value: result.hasConverged ? "converged" : "step_limit"),
        (key: "enthalpy", value: "\(result.enthalpy)"),
      ], comment: record.comment)
  }

  private static func summary(_ success: Batch.Success<RelaxationResult>) -> JSONValue {
    let result = success.value
    return .object([
      .init("index", .integer(success.index + 1)),
      .init("outcome", .text(result.outcome.description)),
      .init("enthalpy", .number(result.enthalpy)),
      .init("enthalpy_per_atom", .number(result.enthalpyPerAtom)),
      .init("energy", .optional(result.evaluation?.energy)),
      .init("volume", .number(result.structure.volume)),
      .init("largest_force", .optional(result.evaluation?.largestForce())),
      .init("evaluations", .integer(result.evaluations)),
    ])
  }
}
