import Coordinator
import Foundation
import NumericalCore

/// The page that tells what searches for known structures took.
struct SearchTable {
  static let casesFile = "inputs/benchmarks/cases.yaml"

  let cases: [SearchCase]
  let results: SearchResults
  let environment: RunEnvironment

  /// Every variant of a case that was run, the full search first, then the control.
  private func variants(of searchCase: SearchCase) -> [(SearchVariant, [SearchRecord])] {
    let all: [SearchVariant] =
      [.full, .control, .withNets] + SearchRecord.operators.map { .withoutOperator($0) }
      + [.withoutScreening, .withoutAntiseeds, .withoutAdaptation]
    return all.map { ($0, results.records(of: searchCase.name, $0)) }.filter { !$0.1.isEmpty }
  }

  /// The page for people.
  func markdown(command: String) -> String {
    var lines = ["# Searches for known ground states", ""]
    lines += wrapped(
      "How many relaxations a search needs until it finds the known ground state, with the "
        + "reference method itself as energy. A run ends at the find, or at the budget (then it is "
        + "censored). The control draws random symmetric structures only, with the same seeds. "
        + "Written by the benchmark; do not edit it.")
    lines += [
      "", "```", "Benchmarks search CASE --seeds 1-40 --variant VARIANT --results RESULTS.jsonl",
      command, "```", "", "- date: \(today)",
    ]
    lines += ["- processor: \(environment.processor), \(coreCount) cores", ""]
    lines += ["## All cases", ""] + overview
    for searchCase in cases {
      let variants = variants(of: searchCase)
      guard !variants.isEmpty else { continue }
      lines += ["", "## \(searchCase.name): \(searchCase.settings.title)", ""]
      lines += section(searchCase, variants)
    }
    lines += ["", "## How to read it", ""]
    lines += wrapped(
      "Median: of the Kaplan–Meier curve. Rate: share of the runs that found the ground state "
        + "within the budget, with its exact 95 % interval (Clopper–Pearson). Mean: all relaxations "
        + "spent over the number of finds, right if finds come at a constant rate. p: log-rank test "
        + "against the full search, both sides. Without-X: X switched off; screening means that the "
        + "better half of \(CampaignSettings.Search.usualDraws) children race for ten steps and the lowest is "
        + "relaxed. With-nets: topological "
        + "structures, too, without the nets and structure types that hold the target; everywhere else "
        + "there are none. Evaluations: energy and force evaluations of a run "
        + "up to its end, on the mean.")
    return lines.joined(separator: "\n") + "\n"
  }

  private var overview: [String] {
    var rows = [
      "| case | goal | median | rate | mean | control: median | rate | mean | fewer by | p |",
      "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for searchCase in cases {
      let full = results.records(of: searchCase.name, .full)
      guard !full.isEmpty else { continue }
      let control = results.records(of: searchCase.name, .control)
      var cells = [searchCase.name, searchCase.goal] + Self.numbers(full)
      cells += control.isEmpty ? ["–", "–", "–", "–", "–"] : Self.numbers(control)
      if !control.isEmpty {
        let (curve, other) = (SurvivalCurve(full), SurvivalCurve(control))
        let test = LogRankTest(curve, other)
        cells += [Self.ratio(other.exponentialMean, curve.exponentialMean), Self.p(test.pValue)]
      }
      rows.append(tableRow(cells))
    }
    return rows
  }

  private func section(
    _ searchCase: SearchCase, _ variants: [(SearchVariant, [SearchRecord])]
  ) -> [String] {
    var lines = [
      "- campaign: `\(searchCase.campaignFile)`, budget \(searchCase.budget) relaxations",
      "- found: "
        + searchCase.targets.map {
          "\($0.name) at \($0.enthalpyPerAtom) eV/atom (+ \($0.tolerance))"
        }.joined(separator: ", "),
    ]
    if !searchCase.goal.isEmpty { lines.append("- goal: \(searchCase.goal)") }
    if !searchCase.published.isEmpty { lines.append("- elsewhere: \(searchCase.published)") }
    lines += [
      "", "| variant | runs | median | rate (95 %) | mean | p | evaluations | seconds a run |",
      "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    let full = SurvivalCurve(results.records(of: searchCase.name, .full))
    for (variant, records) in variants {
      let curve = SurvivalCurve(records)
      let p =
        variant == .full || full.observations.isEmpty ? "" : Self.p(LogRankTest(full, curve).pValue)
      let mean = { (value: (SearchRecord) -> Double) in
        records.reduce(0) { $0 + value($1) } / Double(records.count)
      }
      let cells =
        [variant.name, "\(records.count)"] + Self.numbers(records)
        + [p, fixed(mean { Double($0.evaluations) }, 0), fixed(mean(\.seconds), 1)]
      lines.append(tableRow(cells))
    }
    if searchCase.countsAllHits {
      let runs = results.records(of: searchCase.name, .full)
      let (hits, all) = runs.reduce((0, 0)) { ($0.0 + $1.hits, $0.1 + $1.allRelaxations) }
      lines += [
        "",
        "Of all \(all) relaxations of the full search \(hits) ended there, "
          + "\(fixed(100 * Double(hits) / Double(max(1, all)), 1)) %.",
      ]
    }
    lines += ["", "Share of runs that had found it:", ""]
    lines += Self.curves(searchCase.budget, variants.filter { $0.0 == .full || $0.0 == .control })
    lines += ["", "Children and hits of the full search by operator:", ""]
    lines += Self.operators(results.records(of: searchCase.name, .full))
    let builds = Set(variants.flatMap { $0.1.map(\.build) })
    let inputs = Set(variants.flatMap { $0.1.map(\.input) })
    if builds.count > 1 || inputs.count > 1 || !inputs.contains(SearchTrial.inputDigest(searchCase))
    {
      lines += [""]
      lines += wrapped(
        "These runs were made with \(builds.count) builds of the program and \(inputs.count) versions "
          + "of the campaign file"
          + (inputs.contains(SearchTrial.inputDigest(searchCase)) ? "." : ", none of them today's.")
      )
    }
    return lines
  }

  private static func curves(
    _ budget: Int, _ variants: [(SearchVariant, [SearchRecord])]
  ) -> [String] {
    let times = (1...8).map { Int((Double(budget * $0) / 8).rounded()) }
    var rows = [
      tableRow(["relaxations"] + times.map { "\($0)" }),
      "|---|" + String(repeating: "--:|", count: times.count),
    ]
    for (variant, records) in variants {
      let curve = SurvivalCurve(records)
      let shares = times.map { "\(fixed(100 * curve.eventShare(at: Double($0)), 0)) %" }
      rows.append(tableRow([variant.name] + shares))
    }
    return rows
  }

  private static func operators(_ records: [SearchRecord]) -> [String] {
    var rows = ["| operator | children | hits | share | first finds |", "|---|--:|--:|--:|--:|"]
    for (index, kind) in SearchRecord.operators.enumerated() {
      let children = records.reduce(0) { $0 + $1.children[index] }
      guard children > 0 else { continue }
      let hits = records.reduce(0) { $0 + $1.operatorHits[index] }
      let finds = records.count { $0.finder == kind.rawValue }
      rows.append(
        "| \(kind.rawValue) | \(children) | \(hits) | "
          + "\(fixed(100 * Double(hits) / Double(children), 1)) % | \(finds) |")
    }
    return rows
  }

  private static func numbers(_ records: [SearchRecord]) -> [String] {
    let curve = SurvivalCurve(records)
    let interval = BinomialInterval(successes: curve.eventCount, trials: records.count)
    return [
      curve.median.map { fixed($0, 0) } ?? "over the budget",
      "\(curve.eventCount)/\(records.count) (\(fixed(100 * interval.lower, 0))–"
        + "\(fixed(100 * interval.upper, 0)) %)",
      curve.exponentialMean.map { fixed($0, 0) } ?? "–",
    ]
  }

  private static func ratio(_ control: Double?, _ full: Double?) -> String {
    guard let full, full > 0 else { return "–" }
    guard let control else { return "more than can be said" }
    return fixed(control / full, 2) + "×"
  }

  private static func p(_ value: Double) -> String {
    value < 1e-6 ? "< 1e-6" : significant(value, 2)
  }
}

/// `Benchmarks search-table`: writes the page of all searches that were run.
enum SearchTableBenchmark: Benchmark {
  static let syntax = Syntax(
    "search-table", "writes the page that tells what searches for known structures took",
    reason: "a table in a document must come from the runs themselves.",
    arguments: ["RESULTS.jsonl"],
    options: [
      .init("cases", "FILE.yaml", "the case file; default inputs/benchmarks/cases.yaml"),
      .init("output", "FILE.md", "the page", isRequired: true),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let path = arguments.argument("RESULTS.jsonl")
    guard FileManager.default.fileExists(atPath: path) else {
      throw WrongCommandLine("search-table: there is no '\(path)'")
    }
    let results = try SearchResults(path: path)
    let casesFile = arguments.option("cases") ?? SearchTable.casesFile
    let cases = try SearchCase.names(in: casesFile).map { try SearchCase($0, in: casesFile) }
    let table = SearchTable(
      cases: cases, results: results, environment: RunEnvironment.current())
    let command = (["Benchmarks"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
    try AtomicFile.write(table.markdown(command: command), to: arguments.option("output") ?? "")
    return Report([.init("runs", "runs in the table", .integer(results.records.count))])
  }
}
