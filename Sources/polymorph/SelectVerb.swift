import Coordinator
import Crystal
import Dataset
import NumericalCore
import Potential
import StructureFormats

/// `polymorph select d-optimal POT INPUT`: a subset worth labelling.
enum SelectVerb: Verb {
  static let name = "select"
  static let summary = "a subset of structures that is worth labelling"
  static let syntax = CommandSyntax(
    arguments: [
      .init("METHOD", "d-optimal"), .init("POT", "a moment tensor potential (.mtp)"),
      .init("INPUT", "the structures to choose from"),
    ],
    options: [
      .init("output", "OUTPUT", "where to write the chosen ones", isRequired: true),
      .init("training", "TRAINING", "structures that are labelled already"),
      .init(
        "sparsify", nil,
        "keeps of INPUT, a training set, only the structures that own a row of its active set"),
      .init("threshold", "G", "structures below this grade are not chosen; default 1"),
      .init("limit", "N", "most structures to choose"), ExtrapolationOptions.mode,
    ] + StructureInput.options + StructureInput.outputOptions + [
      .init("json", nil, "prints one JSON object")
    ],
    notes: [
      "Chosen are structures that enlarge the determinant of the active set over TRAINING and INPUT, "
        + "the most extrapolative first; never more than the potential has parameters. "
        + ExtrapolationOptions.note,
      "With --sparsify the structures that the others span already are dropped, labels are kept, and "
        + "the order is that of the file.",
      "Runs under mpirun too; the output is the same for any number of ranks.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    _ = try arguments.argument("METHOD", among: ["d-optimal"])
    let output = try arguments.required("output")
    let options = try ExtrapolationOptions(arguments)
    let threshold = try arguments.number("threshold", in: 1...1e12) ?? 1
    let limit = try arguments.integer("limit", in: 1...Int.max)
    let isSparse = arguments.has("sparsify")
    if isSparse, arguments.has("training") || limit != nil || arguments.has("threshold") {
      throw CommandLineError(
        "select: --sparsify looks at INPUT alone; leave out --training, --limit and --threshold")
    }
    let file = try StructureInput.potential(arguments)
    let potential = try ExtrapolationOptions.momentTensor(file, arguments.argument("POT"))
    let input = try StructureInput(arguments, for: file)
    try input.checkOutput(output)
    let path = arguments.argument("INPUT")
    let records = try input.records(path)
    let trainingPath = arguments.option("training") ?? ""
    let training = trainingPath.isEmpty ? [] : try input.records(trainingPath)

    let rows = try options.rows(potential, of: records, path: path, session: session)
    let known = try options.rows(potential, of: training, path: trainingPath, session: session)
    guard session.isRoot else { return .done }
    let chosen: [Int]
    let activeRows: Int
    if isSparse {
      let pool = rows.enumerated().map { DOptimalSelection.Candidate(identifier: $0, rows: $1) }
      let sparse = try DOptimalSelection.sparsified(pool, options: options.options)
      (chosen, activeRows) = (sparse.kept, sparse.activeRows)
    } else {
      let pool = rows.enumerated().map {
        DOptimalSelection.Candidate(identifier: training.count + $0, rows: $1)
      }
      let start = try options.activeSet(known, dimension: potential.parameterCount)
      let selection = try DOptimalSelection(
        from: pool, extending: start, threshold: threshold, limit: limit)
      chosen = selection.selected.map { $0 - training.count }
      activeRows = selection.activeSet.filledCount()
    }
    try input.write(chosen.map { records[$0] }, to: output)
    if arguments.has("json") {
      session.say(
        .object([
          .init("selected", .list(chosen.map { .integer($0 + 1) })),
          .init("pool", .integer(records.count)),
          .init("active_rows", .integer(activeRows)),
          .init("parameters", .integer(potential.parameterCount)),
        ]))
    } else {
      let word = isSparse ? "kept" : "chosen"
      session.say("\(chosen.count) of \(records.count) structures \(word): \(output)")
      session.say("active set: \(activeRows) rows of \(potential.parameterCount) parameters")
    }
    return .done
  }
}
