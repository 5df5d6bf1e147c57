import Coordinator
import Crystal

/// `Benchmarks generate`: what a random symmetric structure costs.
enum GenerateBenchmark: Benchmark {
  static let syntax = Syntax(
    "generate", "milliseconds per random structure with a random space group",
    reason:
      "a generator that tries long, or hangs on a group that cannot hold the composition, costs "
      + "more than the relaxation it is for. Tables of space groups are made when first needed: "
      + "the first pass pays for them, the second does not. A third pass asks every feasible group "
      + "for structures, so that none hides behind easy ones.",
    options: [
      .init("composition", "FORMULA", "atoms of the cell; default Ti4O8"),
      .init("structures", "N", "random structures; 7 or more, default 200"),
      .init("each", "N", "structures of every feasible group; default 5"), .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let count = try arguments.integer("structures", in: 7...1_000_000, default: 200)
    let each = try arguments.integer("each", in: 1...100_000, default: 5)
    let composition = try arguments.composition("composition", default: "Ti4O8")
    let peer = try arguments.peer()
    var random = RandomStructures(composition)
    var groups: [Int] = []
    let tables = 1000 * Stopwatch.seconds { groups = random.feasibleGroups() }
    guard !groups.isEmpty else {
      throw BenchmarkFailure("no space group can hold \(composition.formula)")
    }
    random = RandomStructures(composition)
    var made = 0
    func pass() -> Sample {
      made = 0
      return Sample(
        (0..<count).map { number in
          1000 * Stopwatch.seconds { if random.structure(number) != nil { made += 1 } }
        })
    }
    let (cold, warm) = (pass(), pass())
    let results = groups.map { group in
      GroupResult(group: group, attempts: each) { random.structure($0, group: group) != nil }
    }
    let slowest = results.max { $0.milliseconds < $1.milliseconds } ?? results[0]
    let failing = results.filter { $0.made < each }
    let total = results.reduce(0) { $0 + $1.made }
    return Report(
      [
        .init("milliseconds", "ms per structure (median)", .number(warm.median)),
        .init("mean_milliseconds", "ms per structure (mean)", .number(warm.mean)),
        .init("largest_milliseconds", "ms per structure (largest)", .number(warm.largest)),
        .init("cold_mean_milliseconds", "ms per structure, first pass (mean)", .number(cold.mean)),
        .init("attempts", "attempts", .integer(count)),
        .init("made", "structures made", .integer(made)),
        .init("composition", "cell", .text(composition.formula)),
        .init("tables_milliseconds", "ms for the tables of all groups", .number(tables)),
        .init("feasible_groups", "feasible groups", .integer(groups.count)),
        .init(
          "group_mean_milliseconds", "ms per structure over feasible groups (mean)",
          .number(results.reduce(0) { $0 + $1.milliseconds } / Double(results.count))),
        .init("slowest_group", "slowest group", .integer(slowest.group)),
        .init("slowest_group_milliseconds", "its ms (mean)", .number(slowest.milliseconds)),
        .init(
          "group_success_rate", "success rate over feasible groups",
          .number(Double(total) / Double(results.count * each))),
        .init(
          "groups", "groups that fail", .list(results.map(\.json)),
          shown: failing.isEmpty
            ? "none" : failing.map { "\($0.group) (\($0.made) of \(each))" }.joined(separator: ", ")
        ),
      ], peer: peer)
  }

  /// What one space group took.
  private struct GroupResult {
    let group: Int
    let made: Int
    let milliseconds: Double

    init(group: Int, attempts: Int, _ succeeds: (Int) -> Bool) {
      var made = 0
      let seconds = Stopwatch.seconds {
        for number in 0..<attempts where succeeds(number) { made += 1 }
      }
      self.group = group
      self.made = made
      milliseconds = 1000 * seconds / Double(attempts)
    }

    var json: JSONValue {
      .object([
        .init("group", .integer(group)), .init("made", .integer(made)),
        .init("milliseconds", .number(milliseconds)),
      ])
    }
  }
}
