import Coordinator
import NumericalCore

/// `Benchmarks compare PLAN --baseline FILE`: whether anything has become slower.
enum CompareBenchmark: Benchmark {
  static let syntax = Syntax(
    "compare", "runs the benchmarks of a list and compares them with a stored baseline",
    reason:
      "a slowdown that nobody notices stays. PLAN is a list as for `document`. A case is marked "
      + "where median and best run are both worse than the baseline's by more than the "
      + "tolerance; on another processor the baseline is shown and nothing is marked.",
    arguments: ["PLAN"],
    options: [
      .init("baseline", "FILE.json", "what was found before", isRequired: true),
      .init("renew", nil, "writes what is found as the new baseline"),
      .init("strict", nil, "ends with status 1 where a case is marked"),
      .init("tolerance", "PERCENT", "default 5"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let plan = try BenchmarkPlan(path: arguments.argument("PLAN"))
    let path = arguments.option("baseline") ?? ""
    let allowed = 1 + (try arguments.positiveNumber("tolerance") ?? 5) / 100
    let renews = arguments.has("renew")
    let environment = RunEnvironment.current()
    let old = try Baseline.read(path)
    let isComparable = old?.processor == environment.processor

    var cases: [Baseline.Case] = []
    var quantities: [Report.Quantity] = []
    var slow: [String] = []
    for case .command(let words) in plan.lines {
      let report = try BenchmarkPlan.measured(words)
      guard let value = report.headline, let name = report.quantities.first?.name else { continue }
      let now = Baseline.Case(
        command: words.joined(separator: " "), what: name, value: value,
        best: report.best ?? value)
      let before = old?.cases.first { $0.command == now.command }
      let change = before.map { Change(from: $0, to: now, largerIsBetter: report.largerIsBetter) }
      let isSlow = isComparable && (change?.isAbove(allowed) ?? false)
      if isSlow { slow.append(now.command) }
      cases.append(now)
      quantities.append(row(now, before, change, report, isSlow: isSlow))
    }
    if renews {
      try Baseline(processor: environment.processor, date: today, cases: cases).write(to: path)
    }
    quantities += [
      .init("processor", "processor", .text(environment.processor)),
      .init("baseline_processor", "of the baseline", .text(old?.processor ?? "no baseline")),
      .init("baseline_date", "date of the baseline", .text(old?.date ?? "no baseline")),
      .init("slower", "slower than the baseline", .integer(slow.count)),
    ]
    var report = Report(quantities)
    if arguments.has("strict"), !slow.isEmpty {
      report.failure = "slower than the baseline: " + slow.joined(separator: "; ")
    }
    return report
  }

  // How many times as long a case takes.
  private struct Change {
    let median: Double
    let best: Double

    init(from old: Baseline.Case, to new: Baseline.Case, largerIsBetter: Bool) {
      median = largerIsBetter ? old.value / new.value : new.value / old.value
      best = largerIsBetter ? old.best / new.best : new.best / old.best
    }

    func isAbove(_ allowed: Double) -> Bool { median > allowed && best > allowed }
  }

  private static func row(
    _ now: Baseline.Case, _ before: Baseline.Case?, _ change: Change?, _ report: Report,
    isSlow: Bool
  ) -> Report.Quantity {
    var parts = ["\(significant(now.value)) \(now.what)"]
    var members: [JSONValue.Member] = [
      .init("what", .text(now.what)), .init("value", .number(now.value)),
      .init("best", .number(now.best)),
    ]
    if let before, let change {
      parts.append("before \(significant(before.value)), \(percent(change.median))")
      members += [
        .init("baseline", .number(before.value)), .init("change", .number(change.median)),
        .init("best_change", .number(change.best)), .init("slower", .flag(isSlow)),
      ]
    }
    if let peer = report.peer, let ratio = report.ratio {
      parts.append("\(peer.name) \(significant(peer.value)), \(significant(ratio, 3))×")
      members += [.init("peer", .number(peer.value)), .init("ratio", .number(ratio))]
    }
    if isSlow { parts.append("SLOWER") }
    let words = now.command.split(separator: " ")
    let short = words.map { $0.split(separator: "/").last ?? $0 }.joined(separator: " ")
    return .init(
      now.command, short.components(before: " --peer"), .object(members),
      shown: parts.joined(separator: "; "))
  }

  private static func percent(_ factor: Double) -> String {
    (factor < 1 ? "−" : "+") + fixed(abs(100 * (factor - 1)), 1) + " % time"
  }
}

extension String {
  /// The part before a word, or all.
  fileprivate func components(before word: String) -> String {
    guard let range = firstRange(of: word) else { return self }
    return String(self[..<range.lowerBound])
  }
}
