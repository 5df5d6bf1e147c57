import Coordinator
import Crystal
import NumericalCore
import StructureFormats

/// Reads and writes the structure files of the verbs.
struct StructureInput {
  /// The options of all verbs that read structures.
  static let options: [CommandSyntax.Option] = [
    .init(
      "elements", "A,B,...",
      "names of species that a file only numbers (.cfg, .mtp), in the order of the numbers"),
    .init("input-format", "FORMAT", "format of what is read, instead of by its name: \(formats)"),
    .init(
      "usable-steps", nil,
      "leaves out ionic steps of VASP that are incomplete or not converged, instead of refusing "
        + "the file"),
  ]
  /// The options of all verbs that write structures.
  static let outputOptions: [CommandSyntax.Option] = [
    .init(
      "output-format", "FORMAT", "format of what is written, instead of by its name: \(writable)")
  ]

  private static let formats = names(StructureFormat.allCases)
  private static let writable = names(StructureFormat.writable)

  private static func names(_ formats: [StructureFormat]) -> String {
    formats.map(\.rawValue).joined(separator: ", ")
  }

  let arguments: ParsedArguments
  /// Names for numbered species; from `--elements`, else from a potential that names its species.
  let elements: [ChemicalElement]?
  private let potential: PotentialFile?

  /// Prepares reading.
  ///
  /// - Parameters:
  ///   - arguments: The command line.
  ///   - potential: What will treat the structures, so that their species can be matched with its own.
  /// - Throws: `CommandLineError` where `--elements` is no list of elements.
  init(_ arguments: ParsedArguments, for potential: PotentialFile? = nil) throws {
    self.arguments = arguments
    self.potential = potential
    if let given = try arguments.elements() {
      elements = given
    } else if case .momentTensor(let potential)? = potential,
      potential.elements.allSatisfy({ $0.unnamedType == nil })
    {
      elements = potential.elements
    } else {
      elements = nil
    }
  }

  /// Loads the potential of a verb.
  ///
  /// - Throws: `InputError`, `SettingsError` or `PotentialError` with file and line.
  static func potential(
    _ arguments: ParsedArguments, _ name: String = "POT"
  ) throws -> PotentialFile {
    try PotentialFile(path: arguments.argument(name), elements: try arguments.elements())
  }

  /// Reads all structures of a file.
  ///
  /// - Throws: `InputError` with file and line where the file is malformed or empty, or its species
  ///   cannot be matched with the potential's.
  func records(_ path: String) throws -> [StructureRecord] {
    let format = try arguments.word("input-format", as: StructureFormat.self)
    let records: [StructureRecord]
    do {
      records = try StructureFile.read(
        path, format: format, elements: elements,
        steps: arguments.has("usable-steps") ? .usable : .all)
    } catch {
      throw InputError("\(error)")
    }
    guard !records.isEmpty else {
      throw InputError("\(path): found no structure, allowed: one or more structures")
    }
    try checkNames(records, path)
    return records
  }

  /// Writes structures.
  ///
  /// - Throws: `FormatError` where the format cannot hold them or the file cannot be written.
  func write(_ records: [StructureRecord], to path: String) throws {
    let format = try arguments.word("output-format", as: StructureFormat.self)
    try StructureFile.write(records, to: path, format: format, elements: elements)
  }

  /// Checks a name for output before any work is done.
  ///
  /// - Throws: `CommandLineError` where neither name nor option tell a format that can be written.
  func checkOutput(_ path: String) throws {
    let given = try arguments.word("output-format", as: StructureFormat.self)
    guard let format = given ?? StructureFormat.recognized(path: path) else {
      throw CommandLineError(
        "\(arguments.verb): the name '\(path)' does not tell the format; "
          + "add --output-format (\(Self.writable))")
    }
    guard format.isWritable else {
      throw CommandLineError(
        "\(arguments.verb): '\(path)' would be an output of VASP, which only VASP writes; "
          + "choose another name or --output-format (\(Self.writable))")
    }
  }

  private func checkNames(_ records: [StructureRecord], _ path: String) throws {
    guard let potential else { return }
    let species = Set(records.flatMap(\.structure.species)).sorted()
    let known = potential.potential.elements
    let isNamed = { (element: ChemicalElement) in element.unnamedType == nil }
    if known.allSatisfy(isNamed), case .classical = potential, !species.allSatisfy(isNamed) {
      throw InputError(
        "\(path): found numbered species, allowed: named ones for this potential; "
          + "name them in order: --elements \(known.map(\.symbol).joined(separator: ","))")
    }
    if !known.contains(where: isNamed), species.contains(where: isNamed) {
      throw InputError(
        "\(path): found \(species.map(\.symbol).joined(separator: ", ")), but the potential's "
          + "\(known.count) species have no names; name them in order: --elements "
          + species.filter(isNamed).map(\.symbol).joined(separator: ","))
    }
  }
}

/// Work on every structure of a file: spread over the ranks, failures reported one by one.
struct Batch {
  let path: String
  let records: [StructureRecord]
  let session: Session

  /// A structure that gave a result.
  struct Success<Value> {
    /// Its place in the file, from 0.
    let index: Int
    let value: Value
  }

  /// Does the work on all structures.
  ///
  /// - Returns: On rank 0 the results and the status so far; elsewhere `nil`.
  func results<Value: Sendable & ByteCodable>(
    _ work: (StructureRecord) throws -> Value
  ) throws -> (successes: [Success<Value>], status: ExitStatus)? {
    let map = ParallelMap(session.communicator)
    let outcomes = try map.results(of: records.count) { index in
      ItemOutcome { try work(records[index]) }
    }
    guard let outcomes else { return nil }
    var successes: [Success<Value>] = []
    for (index, outcome) in outcomes.enumerated() {
      switch outcome {
      case .done(let value): successes.append(Success(index: index, value: value))
      case .failed(let reason): session.warn("\(path): structure \(index + 1): \(reason)")
      }
    }
    let status: ExitStatus = successes.count == records.count ? .done : .failed
    if status == .failed {
      session.warn("\(records.count - successes.count) of \(records.count) structures failed")
    }
    return (successes, status)
  }
}
