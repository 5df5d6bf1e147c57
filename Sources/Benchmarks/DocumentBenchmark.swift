import Coordinator
import NumericalCore

/// `Benchmarks document PLAN`: runs a list of benchmarks and writes a page.
enum DocumentBenchmark: Benchmark {
  static let syntax = Syntax(
    "document", "runs the benchmarks of a list and writes a page with their numbers",
    reason: "a number in a document is worth something only with the command that gives it. PLAN "
      + "holds one command line of a benchmark per line, without the program's name; lines that "
      + "begin with ## become headings, with # paragraphs.",
    arguments: ["PLAN"], options: [.init("output", "FILE.md", "the page", isRequired: true)])

  static func run(_ arguments: Arguments) throws -> Report {
    let path = arguments.argument("PLAN")
    let plan = try BenchmarkPlan(path: path)
    let environment = RunEnvironment.current()
    var page = [
      "# Performance", "",
      "Written by the benchmarks; do not edit. Processor time of one core, median of the runs; other",
      "work on the machine makes it longer; twofold has been seen.", "",
      "- command: `Benchmarks document \(path) --output \(arguments.option("output") ?? "")`",
      "- date: \(today)",
      "- processor: \(environment.processor), \(coreCount) cores, shared with other work",
      "- kernels of BLAS: \(environment.blasCore)",
    ]
    let before = load
    var count = 0
    var needsHead = true
    for line in plan.lines {
      switch line {
      case .heading(let text): page += ["", "## " + text, ""]
      case .paragraph(let text): page.append(text)
      case .command(let words):
        let report = try BenchmarkPlan.measured(words)
        count += 1
        if needsHead { page += tableHead }
        page.append(row(words, report))
      }
      if case .command = line { needsHead = false } else { needsHead = true }
    }
    page += ["", "Load of the machine in the last minute: \(before), afterwards \(load)."]
    try AtomicFile.write(
      page.joined(separator: "\n") + "\n", to: arguments.option("output") ?? "")
    return Report([.init("benchmarks", "benchmarks run", .integer(count))])
  }

  private static var load: String { MachineLoad.lastMinute().map { fixed($0, 1) } ?? "unknown" }

  private static let tableHead = [
    "", "| command | what | here | elsewhere | ratio | details |", "|---|---|--:|--:|--:|---|",
  ]

  private static func row(_ words: [String], _ report: Report) -> String {
    let head = report.quantities[0]
    let peer = report.peer.map { "\(significant($0.value)) (\($0.name))" } ?? ""
    let details = report.quantities.dropFirst().map { "\($0.name): \($0.valueText)" }
    let cells = [
      "`\(words.joined(separator: " "))`", head.name, head.valueText, peer,
      report.ratio.map { significant($0, 3) } ?? "", details.joined(separator: "; "),
    ]
    return tableRow(cells)
  }
}
