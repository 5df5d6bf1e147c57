import Coordinator
import Crystal
import NumericalCore
import Potential
import StructureFormats

/// `polymorph grade POT TRAINING INPUT`: how far structures lie outside the training set.
enum GradeVerb: Verb {
  static let name = "grade"
  static let summary = "extrapolation grade of every structure"
  static let syntax = CommandSyntax(
    arguments: [
      .init("POT", "a moment tensor potential (.mtp)"),
      .init("TRAINING", "the structures it was trained on"),
      .init("INPUT", "the structures to grade"),
    ],
    options: [
      .init(
        "output", "OUTPUT", "where to write them with their grade (MV_grade)", isRequired: true),
      ExtrapolationOptions.mode,
    ] + StructureInput.options + StructureInput.outputOptions + [
      .init("json", nil, "prints one JSON object")
    ],
    notes: [
      "Up to grade 1 a structure is interpolated. " + ExtrapolationOptions.note,
      "Runs under mpirun too; the output is the same for any number of ranks.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let output = try arguments.required("output")
    let options = try ExtrapolationOptions(arguments)
    let file = try StructureInput.potential(arguments)
    let potential = try ExtrapolationOptions.momentTensor(file, arguments.argument("POT"))
    let input = try StructureInput(arguments, for: file)
    try input.checkOutput(output)
    let trainingPath = arguments.argument("TRAINING")
    let training = try input.records(trainingPath)
    let path = arguments.argument("INPUT")
    let records = try input.records(path)

    let grader = try options.grader(
      potential, trainedOn: training, path: trainingPath, session: session)
    let batch = Batch(path: path, records: records, session: session)
    guard let (successes, status) = try batch.results({ Grade(try grader.grade(of: $0.structure)) })
    else { return .done }
    let graded = successes.map { success in
      var record = records[success.index]
      record.features.removeAll { $0.key == "MV_grade" }
      record.features.append((key: "MV_grade", value: "\(success.value.number)"))
      return record
    }
    try input.write(graded, to: output)
    let grades = successes.map(\.value.number)
    if arguments.has("json") {
      session.say(
        .object([
          .init("grades", .numbers(grades)), .init("maximum", .optional(grades.max())),
          .init("active_rows", .integer(grader.activeSet.filledCount())),
          .init("parameters", .integer(potential.parameterCount)),
        ]))
    } else {
      for success in successes {
        session.say("structure \(success.index + 1): \(short(success.value.number))")
      }
    }
    return status
  }

  private struct Grade: Sendable, ByteCodable {
    let number: Double

    init(_ number: Double) { self.number = number }

    func encode(to encoder: inout ByteEncoder) { encoder.encode(number) }

    init(from decoder: inout ByteDecoder) throws(ByteCodingError) { number = try decoder.decode() }
  }
}

/// How the verbs build an active set.
struct ExtrapolationOptions {
  static let mode = CommandSyntax.Option(
    "mode", "MODE",
    "what a grade belongs to: configuration (default) or neighbourhood (the worst atom's)")
  static let note =
    "Mode configuration grades a structure as a whole, as MLIP does, with the same starting rows; "
    + "neighbourhood is what searches use."

  let mode: ExtrapolationMode
  let options: ActiveSet.Options

  /// Reads the options.
  init(_ arguments: ParsedArguments) throws(CommandLineError) {
    self.init(try arguments.word("mode", as: ExtrapolationMode.self) ?? .configuration)
  }

  /// What a search grades by.
  static let search = ExtrapolationOptions(.neighbourhood)

  private init(_ mode: ExtrapolationMode) {
    self.mode = mode
    options = mode == .configuration ? .mlip : ActiveSet.Options()
  }

  /// The moment tensor potential that these verbs need.
  ///
  /// - Throws: `InputError` for any other potential.
  static func momentTensor(
    _ file: PotentialFile, _ path: String
  ) throws(InputError) -> MomentTensorPotential {
    guard case .momentTensor(let potential) = file else {
      throw InputError("\(path): found a classical potential, allowed: a .mtp file")
    }
    return potential
  }

  /// The rows of structures, computed on all ranks.
  ///
  /// - Returns: The rows by structure, on every rank.
  /// - Throws: `InputError` for a structure that the potential cannot treat.
  func rows(
    _ potential: MomentTensorPotential, of records: [StructureRecord], path: String,
    session: Session
  ) throws -> [Matrix] {
    let empty = try ExtrapolationGrader(
      potential: potential, mode: mode,
      activeSet: ActiveSet(dimension: potential.parameterCount, options: options))
    let outcomes = try ParallelMap(session.communicator).resultsEverywhere(of: records.count) {
      index in ItemOutcome { try empty.rows(of: records[index].structure) }
    }
    return try outcomes.enumerated().map { index, outcome in
      switch outcome {
      case .done(let rows): return rows
      case .failed(let reason):
        throw InputError("\(path): structure \(index + 1): \(reason)")
      }
    }
  }

  /// The active set of a training set.
  func activeSet(_ rows: [Matrix], dimension: Int) throws -> ActiveSet {
    var elements: [Double] = []
    var origins: [ActiveSet.Origin] = []
    for (index, matrix) in rows.enumerated() {
      elements += matrix.elements
      for atom in 0..<matrix.rows {
        origins.append(.init(structure: index, atom: mode == .neighbourhood ? atom : nil))
      }
    }
    let pool = Matrix(rows: origins.count, columns: dimension, elements: elements)
    return try ActiveSet(covering: pool, origins: origins, options: options)
  }

  /// The grader of a training set, equal on all ranks.
  func grader(
    _ potential: MomentTensorPotential, trainedOn records: [StructureRecord], path: String,
    session: Session
  ) throws -> ExtrapolationGrader {
    let rows = try rows(potential, of: records, path: path, session: session)
    return try ExtrapolationGrader(
      potential: potential, mode: mode,
      activeSet: try activeSet(rows, dimension: potential.parameterCount))
  }
}
