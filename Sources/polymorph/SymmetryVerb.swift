import Coordinator
import Crystal
import NumericalCore
import StructureFormats

/// `polymorph symmetry INPUT`: space groups.
enum SymmetryVerb: Verb {
  static let name = "symmetry"
  static let summary = "space group, point group and Wyckoff letters of every structure"
  static let syntax = CommandSyntax(
    arguments: [.init("INPUT", "structures")],
    options: StructureInput.options + [
      .init(
        "tolerance", "Å", "how far atoms may be from where symmetry puts them; default 0.01"),
      .init("json", nil, "prints one JSON object"),
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let tolerance = try arguments.number("tolerance", in: 1e-6...1) ?? 0.01
    let path = arguments.argument("INPUT")
    let records = try StructureInput(arguments).records(path)
    guard session.isRoot else { return .done }
    var status = ExitStatus.done
    var found: [JSONValue] = []
    for (index, record) in records.enumerated() {
      do {
        let symmetry = try record.structure.symmetry(tolerance: tolerance)
        found.append(json(index, symmetry, record.structure))
        guard !arguments.has("json") else { continue }
        session.say(
          "structure \(index + 1): \(symmetry.internationalSymbol) (\(symmetry.spaceGroupNumber)), "
            + "\(symmetry.crystalSystem.rawValue), \(symmetry.operations.count) operations, "
            + sites(symmetry, record.structure).joined(separator: ", "))
      } catch {
        session.warn("\(path): structure \(index + 1): \(error)")
        status = .failed
      }
    }
    if arguments.has("json") { session.say(.object([.init("structures", .list(found))])) }
    return status
  }

  /// Every set of equivalent atoms: element, number and Wyckoff letter.
  private static func sites(_ symmetry: SymmetryDescription, _ structure: Structure) -> [String] {
    Set(symmetry.equivalentAtoms).sorted().map { first in
      let count = symmetry.equivalentAtoms.count { $0 == first }
      return "\(structure.species[first]) \(count)\(symmetry.wyckoffLetters[first])"
    }
  }

  private static func json(
    _ index: Int, _ symmetry: SymmetryDescription, _ structure: Structure
  ) -> JSONValue {
    .object([
      .init("index", .integer(index + 1)),
      .init("number", .integer(symmetry.spaceGroupNumber)),
      .init("symbol", .text(symmetry.internationalSymbol)),
      .init("point_group", .text(symmetry.pointGroupSymbol)),
      .init("crystal_system", .text(symmetry.crystalSystem.rawValue)),
      .init("operations", .integer(symmetry.operations.count)),
      .init("wyckoff_letters", .list(symmetry.wyckoffLetters.map { .text($0) })),
      .init("equivalent_atoms", .list(symmetry.equivalentAtoms.map { .integer($0 + 1) })),
    ])
  }
}
