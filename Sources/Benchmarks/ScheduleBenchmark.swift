import Coordinator
import Crystal
import Evolution
import Foundation

/// `Benchmarks schedule --workers N`: what the coordinator itself costs.
enum ScheduleBenchmark: Benchmark {
  static let syntax = Syntax(
    "schedule", "microseconds of rank 0 per commit, with workers that only pretend",
    reason: "rank 0 alone decides, so its time per commit limits the number of workers: where a "
      + "relaxation takes 20 ms and a commit 100 µs, 200 workers can be kept busy. Counts "
      + "decisions, duplicates, ranking and the journal on disk; messages of MPI are not counted.",
    options: [
      .init("workers", "N", "pretended workers", isRequired: true),
      .init("candidates", "M", "candidates of the campaign; default 500"), .repetitions,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let workers = try arguments.integer("workers", in: 1...100_000, default: 1)
    let candidates = try arguments.integer("candidates", in: 1...1_000_000, default: 500)
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    var (values, elapsed): ([Double], [Double]) = ([], [])
    var commits = 0
    for run in 0..<runs {
      let work = PretendedWork()
      let log = try DatabaseLog(path: scratch.path + "/\(run).db", access: .create)
      let transport = SimulatedTransport(workers: workers, seed: UInt64(run), executor: work)
      let runner = CampaignRunner(
        Schedule(try settings(workers: workers, candidates: candidates)), transport: transport,
        log: log)
      var ending: RunEnding?
      let wall = ContinuousClock().now
      let seconds = try Stopwatch.seconds { ending = try runner.run() }
      guard ending == .finished else {
        throw BenchmarkFailure(
          "the pretended campaign did not finish: \(String(describing: ending))")
      }
      commits = runner.schedule.state.nextCommit
      values.append(1e6 * (seconds - work.seconds) / Double(commits))
      let passed = (ContinuousClock().now - wall).components
      elapsed.append(Double(passed.seconds) + 1e-18 * Double(passed.attoseconds) - work.seconds)
    }
    let sample = Sample(values)
    return Report([
      .init(
        "microseconds_per_commit", "µs of rank 0 per commit (median)", .number(sample.median)),
      .init("least_microseconds_per_commit", "µs per commit (least)", .number(sample.least)),
      .init(
        "elapsed_microseconds_per_commit", "µs per commit with waiting for the disk (median)",
        .number(1e6 * Sample(elapsed).median / Double(commits))),
      .init("runs", "runs", .integer(runs)),
      .init("commits", "commits", .integer(commits)),
      .init("workers", "workers", .integer(workers)),
      .init("candidates", "candidates", .integer(candidates)),
    ])
  }

  private static func settings(workers: Int, candidates: Int) throws -> ScheduleSettings {
    let cells = try ["Ti2O4", "Ti4O8"].map { try Composition(formula: $0) }
    let window = max(8, workers)
    let population = max(32, window)
    return ScheduleSettings(
      seed: 1, initialStructures: 40, candidates: candidates,
      population: population, window: window, labelDelay: window, refitDelay: window, batch: 8,
      maxLabels: 250, rerankTop: 10,
      search: PopulationSettings(size: population, compositions: cells))
  }
}
