import Coordinator
import Crystal
import Potential
import StructureFormats

/// `polymorph errors POT DATA`: how far a potential lies from labels.
enum ErrorsVerb: Verb {
  static let name = "errors"
  static let summary = "RMSE, MAE, maximum of energy/atom, force components, stress components"
  static let syntax = CommandSyntax(
    arguments: [
      .init("POT", "potential: .mtp, or .yaml with a reference: block"),
      .init("DATA", "structures with energies and forces"),
    ],
    options: StructureInput.options + [.init("json", nil, "prints one JSON object")])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let potential = try StructureInput.potential(arguments)
    let path = arguments.argument("DATA")
    let records = try StructureInput(arguments, for: potential).records(path)
    let data = try LabelledData(records, path: path, session: session)
    guard let (statistics, status) = try Self.statistics(potential.potential, data, session) else {
      return .done
    }
    if arguments.has("json") {
      session.say(json(statistics))
    } else {
      lines(statistics).forEach { session.say($0) }
    }
    return status
  }

  /// Compares a potential with labels on all ranks.
  ///
  /// - Returns: On rank 0 the statistics; elsewhere `nil`.
  static func statistics(
    _ potential: any InteratomicPotential, _ data: LabelledData, _ session: Session
  ) throws -> (ErrorStatistics, ExitStatus)? {
    let batch = Batch(path: data.path, records: data.records, session: session)
    guard
      let (successes, status) = try batch.results({ try potential.evaluation(of: $0.structure) })
    else { return nil }
    guard !successes.isEmpty else { throw WorkError("\(data.path): no structure was evaluated") }
    let statistics = ErrorStatistics(
      of: successes.map { data.labelled[$0.index] }, predictions: successes.map(\.value))
    return (statistics, status)
  }

  /// The statistics for people.
  static func lines(_ statistics: ErrorStatistics) -> [String] {
    func line(_ name: String, _ unit: String, _ measure: ErrorMeasure, _ factor: Double) -> String {
      name.padding(16) + unit.padding(10) + short(factor * measure.rootMeanSquare).padding(12)
        + short(factor * measure.meanAbsolute).padding(12) + short(factor * measure.maximum)
    }
    var lines = [
      "structures      \(statistics.structureCount)",
      "".padding(26) + "RMSE".padding(12) + "MAE".padding(12) + "maximum",
      line("energy", "meV/atom", statistics.energyPerAtom, 1000),
      line("force", "eV/Å", statistics.force, 1),
    ]
    if let stress = statistics.stress { lines.append(line("stress", "GPa", stress, 1)) }
    if let relative = statistics.relativeForceError {
      lines.append("force RMSE relative to the forces: \(short(100 * relative, 3)) %")
    }
    return lines
  }

  /// The statistics in eV/atom, eV/Å and GPa.
  static func json(_ statistics: ErrorStatistics) -> JSONValue {
    func object(_ measure: ErrorMeasure) -> JSONValue {
      .object([
        .init("rmse", .number(measure.rootMeanSquare)),
        .init("mae", .number(measure.meanAbsolute)), .init("maximum", .number(measure.maximum)),
      ])
    }
    return .object([
      .init("structures", .integer(statistics.structureCount)),
      .init("energy_per_atom", object(statistics.energyPerAtom)),
      .init("force", object(statistics.force)),
      .init("stress_gpa", statistics.stress.map(object) ?? .null),
      .init("relative_force_error", .optional(statistics.relativeForceError)),
    ])
  }
}

/// The entries of structure files that carry a label.
struct LabelledData {
  let path: String
  let records: [StructureRecord]
  let labelled: [LabelledStructure]

  /// Keeps the labelled ones; the others are counted in a warning.
  ///
  /// - Throws: `InputError` where no entry is labelled.
  init(_ all: [StructureRecord], path: String, session: Session) throws {
    self.path = path
    records = all.filter { $0.labelled != nil }
    labelled = all.compactMap(\.labelled)
    guard !labelled.isEmpty else {
      throw InputError(
        "\(path): found \(all.count) structures without labels, allowed: structures with energy, "
          + "forces and, for crystals, stress")
    }
    if labelled.count < all.count {
      session.warn("\(path): \(all.count - labelled.count) structures without labels left out")
    }
  }
}

extension String {
  /// The text with blanks up to a width.
  func padding(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
