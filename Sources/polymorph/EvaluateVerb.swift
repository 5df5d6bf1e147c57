import Coordinator
import Crystal
import StructureFormats

/// `polymorph evaluate POT INPUT --output OUTPUT`: energies, forces and stresses.
enum EvaluateVerb: Verb {
  static let name = "evaluate"
  static let summary = "energies, forces, stresses of every structure"
  static let syntax = CommandSyntax(
    arguments: [
      .init("POT", "potential: .mtp, or .yaml with a reference: block"),
      .init("INPUT", "structures"),
    ],
    options: [.init("output", "OUTPUT", "where to write them with their results", isRequired: true)]
      + StructureInput.options + StructureInput.outputOptions + [
        .init("json", nil, "prints energy, largest force and pressure of every structure")
      ],
    notes: [
      "Runs under mpirun too; the output is the same for any number of ranks. A structure that "
        + "cannot be evaluated is reported and left out, and the exit status is 1."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let output = try arguments.required("output")
    let potential = try StructureInput.potential(arguments)
    let input = try StructureInput(arguments, for: potential)
    try input.checkOutput(output)
    let path = arguments.argument("INPUT")
    let records = try input.records(path)
    let batch = Batch(path: path, records: records, session: session)
    let model = potential.potential
    guard let (successes, status) = try batch.results({ try model.evaluation(of: $0.structure) })
    else { return .done }
    let evaluated = successes.map { success in
      let record = records[success.index]
      return StructureRecord(
        structure: record.structure, evaluation: success.value, features: record.features,
        comment: record.comment)
    }
    try input.write(evaluated, to: output)
    if arguments.has("json") {
      session.say(.object([.init("structures", .list(successes.map(summary)))]))
    } else {
      session.say("\(successes.count) of \(records.count) structures evaluated: \(output)")
    }
    return status
  }

  private static func summary(_ success: Batch.Success<Evaluation>) -> JSONValue {
    let evaluation = success.value
    return .object([
      .init("index", .integer(success.index + 1)),
      .init("energy", .number(evaluation.energy)),
      .init("energy_per_atom", .number(evaluation.energy / Double(evaluation.forces.count))),
      .init("largest_force", .number(evaluation.largestForce())),
      .init("pressure_gpa", .number(gigapascals(evaluation.pressure))),
    ])
  }
}
