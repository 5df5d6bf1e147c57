import Coordinator
import Crystal

/// `Benchmarks fingerprint`: what it costs to know a structure again.
enum FingerprintBenchmark: Benchmark {
  static let syntax = Syntax(
    "fingerprint", "milliseconds per fingerprint, microseconds per comparison",
    reason: "every relaxed candidate gets a fingerprint on its worker, and rank 0 compares it with "
      + "all that are known: the first must be small beside a relaxation, the second small enough "
      + "for thousands of candidates.",
    options: [
      .init("composition", "FORMULA", "atoms of the cell; default Ti4O8"),
      .init("structures", "N", "random structures; default 20"), .repetitions, .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let composition = try arguments.composition("composition", default: "Ti4O8")
    let count = try arguments.integer("structures", in: 2...100_000, default: 20)
    var random = RandomStructures(composition)
    let structures = (0..<count).compactMap { random.structure($0) }
    guard structures.count > 1 else { throw BenchmarkFailure("no random structures were made") }
    var prints: [StructureFingerprint] = []
    let making = Stopwatch.sample(runs: runs) {
      prints = structures.map { StructureFingerprint($0) }
    }.scaled(by: 1000 / Double(structures.count))
    var sum = 0.0
    let comparing = Stopwatch.sample(runs: runs) {
      sum = 0
      for a in prints { for b in prints { sum += a.distance(to: b) } }
    }.scaled(by: 1e6 / Double(prints.count * prints.count))
    return Report(
      [
        .init("milliseconds", "ms per fingerprint (median)", .number(making.median)),
        .init("least_milliseconds", "ms per fingerprint (least)", .number(making.least)),
        .init(
          "microseconds_per_comparison", "µs per comparison (median)", .number(comparing.median)),
        .init("runs", "runs", .integer(runs)),
        .init("structures", "structures", .integer(structures.count)),
        .init("mean_distance", "mean distance", .number(sum / Double(prints.count * prints.count))),
        .init("composition", "cell", .text(composition.formula)),
      ], peer: peer)
  }
}
