import Coordinator
import Foundation
import NumericalCore

/// `Benchmarks document PLAN`: runs a list of benchmarks and writes a page.
enum DocumentBenchmark: Benchmark {
  static let syntax = Syntax(
    "document", "runs the benchmarks of a list and writes a page with their numbers",
    reason: "a number in a document is worth something only with the command that gives it. PLAN "
      + "holds one command line of a benchmark per line, without the program's name; lines that "
      + "begin with ## become headings, with # paragraphs.",
    arguments: ["PLAN"], options: [.init("output", "FILE.md", "the page", isRequired: true)])

  private struct Entry {
    let words: [String]
    let report: Report
  }

  static func run(_ arguments: Arguments) throws -> Report {
    let plan = arguments.argument("PLAN")
    guard let data = FileManager.default.contents(atPath: plan) else {
      throw WrongCommandLine("\(plan): cannot be read")
    }
    let environment = RunEnvironment.current()
    var page = [
      "# Performance", "",
      "Written by the benchmarks; do not edit. Processor time of one core, median of the runs; other",
      "work on the machine makes it longer; twofold has been seen.", "",
      "- command: `Benchmarks document \(plan) --output \(arguments.option("output") ?? "")`",
      "- date: \(today)",
      "- processor: \(environment.processor), \(coreCount) cores, shared with other work",
      "- kernels of BLAS: \(environment.blasCore)",
    ]
    let before = load
    var count = 0
    var previous = ""
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first else { continue }
      switch first {
      case "##": page += ["", String(line), ""]
      case "#": page.append(words.dropFirst().joined(separator: " "))
      default:
        let report = try measured(words)
        count += 1
        if previous.hasPrefix("#") { page += tableHead }
        page.append(row(words, report))
      }
      previous = first
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

  private static func measured(_ words: [String]) throws -> Report {
    guard let name = words.first, name != syntax.name else {
      throw WrongCommandLine("document: a plan cannot hold '\(syntax.name)'")
    }
    let benchmark = try BenchmarkProgram.benchmark(name)
    let report = try benchmark.run(Arguments(Array(words.dropFirst()), for: benchmark.syntax))
    StandardError.write(words.joined(separator: " ") + "\n" + report.text + "\n")
    return report
  }

  private static func row(_ words: [String], _ report: Report) -> String {
    let head = report.quantities[0]
    let peer = report.peer.map { "\(significant($0.value)) (\($0.name))" } ?? ""
    let details = report.quantities.dropFirst().map { "\($0.name): \($0.valueText)" }
    let cells = [
      "`\(words.joined(separator: " "))`", head.name, head.valueText, peer,
      report.ratio.map { significant($0, 3) } ?? "", details.joined(separator: "; "),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}
