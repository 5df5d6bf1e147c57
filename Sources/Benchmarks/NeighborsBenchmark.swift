import Crystal
import StructureFormats

/// `Benchmarks neighbors STRUCTURES`: what a neighbor list costs.
enum NeighborsBenchmark: Benchmark {
  static let syntax = Syntax(
    "neighbors", "microseconds per atom of finding all neighbors",
    reason:
      "below level 12 the neighbor list is a large part of an evaluation; this is the part by "
      + "itself.",
    arguments: ["STRUCTURES"],
    options: [.init("cutoff", "Å", "cutoff radius; default 5"), .repetitions, .peer])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let cutoff = try arguments.positiveNumber("cutoff") ?? 5
    let path = arguments.argument("STRUCTURES")
    let structures = try StructureFile.read(path).map(\.structure)
    guard !structures.isEmpty else { throw WrongCommandLine("\(path): holds no structure") }
    let atoms = structures.reduce(0) { $0 + $1.atomCount }
    let elements = Set(structures.flatMap(\.species)).sorted()
    let species = structures.map { structure in
      structure.species.map { elements.firstIndex(of: $0) ?? 0 }
    }
    var table = NeighborTable()
    let sample = Stopwatch.sample(runs: runs) {
      for (structure, numbers) in zip(structures, species) {
        table.reset(cutoff: cutoff, speciesCount: elements.count)
        table.add(structure, species: numbers)
      }
    }.scaled(by: 1e6 / Double(atoms))
    var pairs = 0
    let list = Stopwatch.sample(runs: runs) {
      pairs = 0
      for structure in structures { pairs += NeighborList(structure, cutoff: cutoff).indices.count }
    }.scaled(by: 1e6 / Double(atoms))
    return Report(
      [
        .init("microseconds_per_atom", "µs per atom (median)", .number(sample.median)),
        .init("least_microseconds_per_atom", "µs per atom (least)", .number(sample.least)),
        .init(
          "nanoseconds_per_neighbor", "ns per neighbor",
          .number(1000 * sample.median * Double(atoms) / Double(max(1, pairs)))),
        .init(
          "list_microseconds_per_atom", "µs per atom of a list to be read (median)",
          .number(list.median)),
        .init("runs", "runs", .integer(runs)),
        .init("structures", "structures", .integer(structures.count)),
        .init("atoms", "atoms", .integer(atoms)),
        .init(
          "neighbors_per_atom", "neighbors per atom", .number(Double(pairs) / Double(atoms))),
      ], peer: peer)
  }
}
