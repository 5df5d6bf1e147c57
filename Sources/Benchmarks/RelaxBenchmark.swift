import Coordinator
import Crystal
import Dynamics
import StructureFormats

/// `Benchmarks relax POT`: what the relaxation of a random structure costs.
enum RelaxBenchmark: Benchmark {
  static let syntax = Syntax(
    "relax", "evaluations and milliseconds of relaxations from random structures",
    reason: "the price of a candidate is the number of evaluations times the price of one; starts "
      + "are random symmetric structures, as in a search, because they have the largest forces. "
      + "Tolerances are those of a search: 0.1 eV/Å and 2 GPa, then 0.02 eV/Å and 0.4 GPa.",
    arguments: ["POT"],
    options: RandomStructures.options + [
      .init("write", "FILE", "writes the starts, in a format that its name tells"), .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let peer = try arguments.peer()
    let potential = try PotentialFile(path: arguments.argument("POT")).potential
    let (starts, source) = try RandomStructures.starts(arguments)
    if let path = arguments.option("write") {
      try StructureFile.write(starts.map { StructureRecord(structure: $0) }, to: path)
    }
    let settings = RelaxationSettings(
      stages: [.coarse, .tight], minimumDistances: source.minimumDistances)
    var (milliseconds, evaluations): ([Double], [Double]) = ([], [])
    var (converged, lowest) = (0, Double.infinity)
    for start in starts {
      var result: RelaxationResult?
      let seconds = Stopwatch.seconds {
        result = Relaxation.run(start, with: potential, settings: settings)
      }
      guard let result else { continue }
      milliseconds.append(1000 * seconds)
      evaluations.append(Double(result.evaluations))
      guard result.hasConverged else { continue }
      converged += 1
      lowest = min(lowest, result.enthalpyPerAtom)
    }
    let (times, counts) = (Sample(milliseconds), Sample(evaluations))
    return Report(
      [
        .init("milliseconds", "ms per relaxation (median)", .number(times.median)),
        .init("mean_milliseconds", "ms per relaxation (mean)", .number(times.mean)),
        .init("evaluations", "evaluations per relaxation (median)", .number(counts.median)),
        .init("mean_evaluations", "evaluations per relaxation (mean)", .number(counts.mean)),
        .init(
          "milliseconds_per_evaluation", "ms per evaluation",
          .number(times.mean / max(1, counts.mean))),
        .init("starts", "relaxations", .integer(milliseconds.count)),
        .init("converged", "converged", .integer(converged)),
        .init("lowest_ev_per_atom", "lowest energy (eV/atom)", .number(lowest)),
        .init("composition", "cell", .text(source.composition.formula)),
      ], peer: peer)
  }
}

/// The work failed; the program ends with status 1.
struct BenchmarkFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
