import Coordinator
import Crystal

/// `polymorph minimum-distance INPUT`: the closest pairs of atoms.
enum MinimumDistanceVerb: Verb {
  static let name = "minimum-distance"
  static let summary = "the shortest distance of every pair of elements"
  static let syntax = CommandSyntax(
    arguments: [.init("INPUT", "structures")],
    options: StructureInput.options + [
      .init("cutoff", "Å", "pairs further apart are not looked for; default 6"),
      .init("json", nil, "prints one JSON object"),
    ])

  /// The closest atoms of two elements.
  private struct Pair {
    let first: ChemicalElement
    let second: ChemicalElement
    let distance: Double

    var name: String { "\(first)-\(second)" }
  }

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let input = try StructureInput(arguments)
    let cutoff = try arguments.number("cutoff", in: 0.1...50) ?? 6
    let records = try input.records(arguments.argument("INPUT"))
    guard session.isRoot else { return .done }
    let pairs = records.map { closest(in: $0.structure, cutoff: cutoff) }
    let overall = merged(pairs.flatMap { $0 })
    guard arguments.has("json") else {
      for (index, list) in pairs.enumerated() {
        session.say("structure \(index + 1): \(text(list, cutoff))")
      }
      if pairs.count > 1 { session.say("all: \(text(overall, cutoff))") }
      return .done
    }
    session.say(
      .object([
        .init("minimum_distance", .optional(overall.map(\.distance).min())),
        .init("pairs", json(overall)),
        .init(
          "structures",
          .list(
            pairs.map { list in
              .object([
                .init("minimum_distance", .optional(list.map(\.distance).min())),
                .init("pairs", json(list)),
              ])
            })),
      ]))
    return .done
  }

  private static func closest(in structure: Structure, cutoff: Double) -> [Pair] {
    let list = NeighborList(structure, cutoff: cutoff)
    var found: [Pair] = []
    for atom in 0..<structure.atomCount {
      for place in list.neighbors(of: atom) {
        let (a, b) = (structure.species[atom], structure.species[Int(list.indices[place])])
        guard a <= b else { continue }
        found.append(
          Pair(first: a, second: b, distance: list.displacements[place].length))
      }
    }
    return merged(found)
  }

  /// The shortest of every pair, by atomic numbers.
  private static func merged(_ pairs: [Pair]) -> [Pair] {
    var shortest: [[ChemicalElement]: Pair] = [:]
    for pair in pairs
    where pair.distance < shortest[[pair.first, pair.second]]?.distance ?? .infinity {
      shortest[[pair.first, pair.second]] = pair
    }
    return shortest.values.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
  }

  private static func text(_ pairs: [Pair], _ cutoff: Double) -> String {
    guard let least = pairs.map(\.distance).min() else { return "no pair within \(cutoff) Å" }
    let list = pairs.map { "\($0.name) \(fixed($0.distance))" }.joined(separator: ", ")
    return "\(fixed(least)) Å (\(list))"
  }

  private static func json(_ pairs: [Pair]) -> JSONValue {
    .object(pairs.map { .init($0.name, .number($0.distance)) })
  }
}
