import Coordinator
import Crystal
import Potential

/// `Benchmarks evaluate POT STRUCTURES`: what one evaluation of a potential costs.
enum EvaluateBenchmark: Benchmark {
  static let syntax = Syntax(
    "evaluate", "microseconds per atom of energy, forces and stress with a potential",
    reason: "a search spends nearly all of its time in this call; everything else is allowed to be "
      + "slow only in comparison with it. The neighbor list is made anew every time, as in a "
      + "relaxation.",
    arguments: PotentialChoice.arguments,
    options: PotentialChoice.options + [.repetitions, .peer])

  // The fraction of the peak needs it at the same load and clock.
  private static let peakRuns = 7

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let choice = try PotentialChoice(arguments)
    let (potential, structures) = (choice.file.potential, choice.structures)
    let atoms = choice.atomCount
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
    if case .momentTensor(let potential) = choice.file {
      report.quantities += operations(of: potential, on: choice, sample)
    }
    return report
  }

  private static func operations(
    of potential: MomentTensorPotential, on choice: PotentialChoice, _ sample: Sample
  ) -> [Report.Quantity] {
    let cutoff = potential.radialBasis.cutoff
    let pairs = choice.structures.reduce(0) { $0 + NeighborList($1, cutoff: cutoff).indices.count }
    let neighbors = Double(pairs) / Double(choice.atomCount)
    let cost = potential.evaluationCost(neighborsPerAtom: neighbors)
    let rate = 1e-3 * cost.total / sample.median
    let peak = MachinePeak.wideMultiplyAdds(runs: peakRuns).median
    let graph = cost.graphForward + cost.graphBackward
    return [
      .init("parameters", "parameters", .integer(potential.parameterCount)),
      .init("species", "species", .integer(potential.elements.count)),
      .init("neighbors_per_atom", "neighbors per atom", .number(neighbors)),
      .init("operations_per_atom", "operations per atom", .number(cost.total)),
      .init("graph_share", "of them in the product graph", .number(graph / cost.total)),
      .init("gigaflops", "GFLOP/s", .number(rate)),
      .init("fraction_of_peak", "fraction of the core's peak", .number(rate / peak)),
    ]
  }
}
