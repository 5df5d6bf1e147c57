import Coordinator
import Crystal
import Potential
import StructureFormats

/// `Benchmarks evaluate POT STRUCTURES`: what one evaluation of a potential costs.
enum EvaluateBenchmark: Benchmark {
  static let syntax = Syntax(
    "evaluate", "microseconds per atom of energy, forces and stress with a potential",
    reason: "a search spends nearly all of its time in this call; everything else is allowed to be "
      + "slow only in comparison with it. The neighbor list is made anew every time, as in a "
      + "relaxation.",
    arguments: ["POT", "STRUCTURES"], options: [.repetitions, .peer])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let file = try PotentialFile(path: arguments.argument("POT"))
    let potential = file.potential
    let structures = try structures(arguments.argument("STRUCTURES"), for: potential)
    let atoms = structures.reduce(0) { $0 + $1.atomCount }
    var energy = 0.0
    let sample = try Stopwatch.sample(runs: runs) {
      energy = 0
      for structure in structures { energy += try potential.evaluation(of: structure).energy }
    }.scaled(by: 1e6 / Double(atoms))
    var report = Report(
      [
        .init("microseconds_per_atom", "µs per atom (median)", .number(sample.median)),
        .init("least_microseconds_per_atom", "µs per atom (least)", .number(sample.least)),
        .init("runs", "runs", .integer(runs)),
        .init("structures", "structures", .integer(structures.count)),
        .init("atoms", "atoms", .integer(atoms)),
        .init("energy_sum", "sum of energies (eV)", .number(energy)),
      ], peer: peer)
    if case .momentTensor(let potential) = file {
      let cutoff = potential.radialBasis.cutoff
      let pairs = structures.reduce(0) { $0 + NeighborList($1, cutoff: cutoff).indices.count }
      report.quantities += [
        .init("parameters", "parameters", .integer(potential.parameterCount)),
        .init("species", "species", .integer(potential.elements.count)),
        .init("neighbors_per_atom", "neighbors per atom", .number(Double(pairs) / Double(atoms))),
      ]
    }
    return report
  }

  private static func structures(
    _ path: String, for potential: any InteratomicPotential
  ) throws -> [Structure] {
    let isNamed = potential.elements.allSatisfy { $0.unnamedType == nil }
    let records = try StructureFile.read(path, elements: isNamed ? potential.elements : nil)
    guard !records.isEmpty else { throw WrongCommandLine("\(path): holds no structure") }
    return records.map(\.structure)
  }
}
