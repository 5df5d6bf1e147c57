import Coordinator
import Foundation
import NumericalCore

/// What benchmarks found at another time on a kind of processor.
struct Baseline: Decodable {
  /// A benchmark's first quantity.
  struct Case: Decodable {
    /// The command line.
    let command: String
    /// What the value is.
    let what: String
    let value: Double
    /// The best run, which other work on the machine disturbs least.
    let best: Double
  }

  let processor: String
  let date: String
  let cases: [Case]

  init(processor: String, date: String, cases: [Case]) {
    (self.processor, self.date, self.cases) = (processor, date, cases)
  }

  /// Reads a file; `nil` where there is none.
  ///
  /// - Throws: `WrongCommandLine` where it is no baseline.
  static func read(_ path: String) throws(WrongCommandLine) -> Baseline? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    do { return try JSONDecoder().decode(Baseline.self, from: data) } catch {
      throw WrongCommandLine("\(path): not a baseline: \(error.localizedDescription)")
    }
  }

  /// Writes a file, one case per line.
  func write(to path: String) throws {
    let lines = cases.map { entry in
      "    "
        + JSONValue.object([
          .init("command", .text(entry.command)), .init("what", .text(entry.what)),
          .init("value", .number(entry.value)), .init("best", .number(entry.best)),
        ]).text()
    }
    let head = [("processor", processor), ("date", date)].map {
      "  \(JSONValue.text($0).text()): \(JSONValue.text($1).text()),"
    }
    let text = ["{"] + head + ["  \"cases\": [", lines.joined(separator: ",\n"), "  ]", "}", ""]
    try AtomicFile.write(text.joined(separator: "\n"), to: path)
  }
}
