import Coordinator
import Crystal
import Potential

/// `Benchmarks evaluate POT STRUCTURES`: what one evaluation of a potential costs.
enum EvaluateBenchmark: Benchmark {
  static let syntax = Syntax(
    "evaluate", "microseconds per atom of energy, forces and stress with a potential",
    reason: "a search spends nearly all of its time in this call; everything else is allowed to be "
      + "slow only in comparison with it. The neighbor list is made anew every time, except in a "
      + "series, where it follows the structure as in a relaxation.",
    arguments: PotentialChoice.arguments,
    options: PotentialChoice.options + [
      .init(
        "calls", "WORD",
        "alone (default): one structure a call; together: all in one call; series: each structure again "
          + "and again"),
      .init("copies", "N", "so many copies of every structure; default 1"), .repetitions, .peer,
    ])

  private enum Calls: String, CaseIterable {
    case alone, together, series
  }

  // The fraction of the peak needs it at the same load and clock.
  private static let peakRuns = 7

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let choice = try PotentialChoice(arguments)
    let copies = try arguments.integer("copies", in: 1...10_000, default: 1)
    let structures = Array(repeating: choice.structures, count: copies).flatMap { $0 }
    let calls = try calls(arguments)
    let atoms = choice.atomCount * copies
    let evaluate = try evaluator(choice.file, structures, calls)
    var energy = 0.0
    let seconds = try Stopwatch.sample(runs: runs) { energy = try evaluate() }
    let sample = seconds.scaled(by: 1e6 / Double(atoms))
    var report = Report(
      [
        .init("microseconds_per_atom", "µs per atom (median)", .number(sample.median)),
        .init(
          "microseconds_per_structure", "µs per structure (median)",
          .number(1e6 * seconds.median / Double(structures.count))),
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

  private static func calls(_ arguments: Arguments) throws -> Calls {
    guard let word = arguments.option("calls") else { return .alone }
    guard let calls = Calls(rawValue: word) else {
      throw WrongCommandLine(
        "--calls: found '\(word)', allowed: "
          + Calls.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return calls
  }

  // What is measured: evaluates all structures and returns the sum of their energies.
  private static func evaluator(
    _ file: PotentialFile, _ structures: [Structure], _ calls: Calls
  ) throws -> () throws -> Double {
    let potential = file.potential
    switch calls {
    case .alone:
      return {
        try structures.reduce(0) { try $0 + potential.evaluation(of: $1).energy }
      }
    case .series:
      var series = structures.map { _ in potential.series() }
      return {
        var sum = 0.0
        for (place, structure) in structures.enumerated() {
          sum += try series[place].evaluation(of: structure).energy
        }
        return sum
      }
    case .together:
      guard case .momentTensor(let potential) = file else {
        throw WrongCommandLine(
          "--calls: only moment tensor potentials evaluate structures together")
      }
      return { try potential.evaluations(of: structures).reduce(0) { $0 + $1.energy } }
    }
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
