import Foundation

/// A list of benchmarks to run.
///
/// A line of the file is a command line without the program's name, a heading where it begins with ##,
/// or a paragraph's where it begins with #.
struct BenchmarkPlan {
  /// A line of the plan.
  enum Line {
    case heading(String)
    case paragraph(String)
    case command([String])
  }

  let lines: [Line]

  /// Reads a plan.
  ///
  /// - Throws: `WrongCommandLine` where the file cannot be read or names no benchmark.
  init(path: String) throws(WrongCommandLine) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw WrongCommandLine("\(path): cannot be read")
    }
    lines = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case nil: return nil
      case "##": return .heading(words.dropFirst().joined(separator: " "))
      case "#": return .paragraph(words.dropFirst().joined(separator: " "))
      default: return .command(words)
      }
    }
    for case .command(let words) in lines where [Self.writer, Self.judge].contains(words[0]) {
      throw WrongCommandLine("\(path): a plan cannot hold '\(words[0])'")
    }
  }

  private static let writer = DocumentBenchmark.syntax.name
  private static let judge = CompareBenchmark.syntax.name

  /// Runs one command line and tells on the way what it found.
  static func measured(_ words: [String]) throws -> Report {
    let benchmark = try BenchmarkProgram.benchmark(words.first ?? "")
    let report = try benchmark.run(Arguments(Array(words.dropFirst()), for: benchmark.syntax))
    StandardError.write(words.joined(separator: " ") + "\n" + report.text + "\n")
    return report
  }
}
