import Coordinator
import Crystal

/// `Benchmarks generate`: what a random symmetric structure costs.
enum GenerateBenchmark: Benchmark {
  static let syntax = Syntax(
    "generate", "milliseconds per random structure with a random space group",
    reason:
      "a generator that tries long, or hangs on a group that cannot hold the composition, costs "
      + "more than the relaxation it is for. Tables of space groups are made when first needed: "
      + "the first pass pays for them, the second does not.",
    options: [
      .init("composition", "FORMULA", "atoms of the cell; default Ti4O8"),
      .init("structures", "N", "random structures; 7 or more, default 200"), .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let count = try arguments.integer("structures", in: 7...1_000_000, default: 200)
    let composition = try arguments.composition("composition", default: "Ti4O8")
    let peer = try arguments.peer()
    var random = RandomStructures(composition)
    var made = 0
    func pass() -> Sample {
      made = 0
      return Sample(
        (0..<count).map { number in
          1000 * Stopwatch.seconds { if random.structure(number) != nil { made += 1 } }
        })
    }
    let (cold, warm) = (pass(), pass())
    return Report(
      [
        .init("milliseconds", "ms per structure (median)", .number(warm.median)),
        .init("mean_milliseconds", "ms per structure (mean)", .number(warm.mean)),
        .init("largest_milliseconds", "ms per structure (largest)", .number(warm.largest)),
        .init("cold_mean_milliseconds", "ms per structure, first pass (mean)", .number(cold.mean)),
        .init("attempts", "attempts", .integer(count)),
        .init("made", "structures made", .integer(made)),
        .init("composition", "cell", .text(composition.formula)),
      ], peer: peer)
  }
}
