import Coordinator
import Foundation
import Synchronization

/// `Benchmarks search`: how many relaxations a search needs to find a structure that is known.
enum SearchBenchmark: Benchmark {
  static let syntax = Syntax(
    "search", "how many relaxations a search needs to find a known ground state",
    reason: "one search proves nothing, because it is a game of chance. Many seeds with the "
      + "reference itself as energy tell how many relaxations it takes, and the same with random "
      + "symmetric structures only, or without one of the operators, tell what the search is worth. "
      + "Runs that a results file holds already are not repeated.",
    arguments: ["CASE"],
    options: [
      .init("seeds", "1-20", "the seeds to run", isRequired: true),
      .init("cases", "FILE.yaml", "the case file; default inputs/benchmarks/cases.yaml"),
      .init(
        "variant", "NAME",
        "full, control, with-nets, without-OPERATOR, -antiseeds, -adaptive, -screening; default full"
      ),
      .init("jobs", "N", "runs at a time; default 1"),
      .init("results", "FILE.jsonl", "where runs are kept"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let searchCase = try SearchCase(
      arguments.argument("CASE"), in: arguments.option("cases") ?? SearchTable.casesFile)
    let word = arguments.option("variant") ?? "full"
    guard let variant = SearchVariant(word) else {
      throw WrongCommandLine(
        "search: --variant: found '\(word)', allowed: full, control, with-nets, without-antiseeds, "
          + "without-adaptive, without-screening, "
          + SearchRecord.operators.map { SearchVariant.withoutOperator($0).name }
          .joined(separator: ", "))
    }
    let build = RunEnvironment.current().build
    let input = SearchTrial.inputDigest(searchCase)
    var results = try arguments.option("results").map(SearchResults.init(path:))
    let all = try arguments.integers("seeds")
    let seeds = all.filter { seed in
      results?.holds(searchCase.name, variant, seed: seed, input: input, build: build) != true
    }
    let jobs = try arguments.integer("jobs", in: 1...1000, default: 1)
    var records: [SearchRecord] =
      results?.records(of: searchCase.name, variant).filter {
        all.contains($0.seed) && !seeds.contains($0.seed)
      } ?? []
    // A batch of seeds at a time, so that what is done is kept whatever happens later.
    for start in stride(from: 0, to: seeds.count, by: jobs) {
      let batch = Array(seeds[start..<min(start + jobs, seeds.count)])
      for record in try parallel(batch, searchCase, variant, build: build) {
        StandardError.write(line(record))
        records.append(record)
        try results?.add(record)
      }
    }
    return report(records)
  }

  private static func parallel(
    _ seeds: [Int], _ searchCase: SearchCase, _ variant: SearchVariant, build: String
  ) throws -> [SearchRecord] {
    let outcomes = Mutex<[Result<SearchRecord, any Error>?]>(seeds.map { _ in nil })
    DispatchQueue.concurrentPerform(iterations: seeds.count) { index in
      let trial = SearchTrial(searchCase: searchCase, variant: variant, seed: seeds[index])
      let outcome = Result { try trial.run(build: build) }
      outcomes.withLock { $0[index] = outcome }
    }
    return try outcomes.withLock { try $0.compactMap { try $0?.get() } }
  }

  private static func line(_ record: SearchRecord) -> String {
    let end =
      record.isFound
      ? "found after \(record.relaxations) relaxations by \(record.finder ?? "")"
      : "not found in \(record.relaxations) relaxations"
    let lowest = record.lowest.map { fixed($0, 6) } ?? "none"
    return "\(record.name) \(record.variant) seed \(record.seed): \(end), lowest \(lowest), "
      + "\(fixed(record.seconds, 1)) s\n"
  }

  private static func report(_ records: [SearchRecord]) -> Report {
    let curve = SurvivalCurve(records)
    let interval = BinomialInterval(successes: curve.eventCount, trials: records.count)
    let counts = SearchRecord.operators.indices.map { index in
      (
        records.reduce(0) { $0 + $1.operatorHits[index] },
        records.reduce(0) { $0 + $1.children[index] }
      )
    }
    let operators = zip(SearchRecord.operators, counts).filter { $1.1 > 0 }
    return Report([
      .init("median_relaxations", "relaxations to the find (median)", .optional(curve.median)),
      .init("found", "runs that found it", .integer(curve.eventCount)),
      .init("seeds", "runs", .integer(records.count)),
      .init(
        "interval", "95 % interval of the success rate", .numbers([interval.lower, interval.upper])),
      .init(
        "exponential_mean", "relaxations per find (censored mean)",
        .optional(curve.exponentialMean)),
      .init("hits", "hits", .integer(records.reduce(0) { $0 + $1.hits })),
      .init(
        "relaxations", "relaxations in all", .integer(records.reduce(0) { $0 + $1.allRelaxations })),
      .init(
        "operators", "hits per operator",
        .object(
          operators.map { .init($0.rawValue, .text("\($1.0)/\($1.1)")) })),
      .init("seconds", "processor seconds", .number(records.reduce(0) { $0 + $1.seconds })),
    ])
  }
}
