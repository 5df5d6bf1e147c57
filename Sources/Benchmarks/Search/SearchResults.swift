import Foundation
import NumericalCore

/// The runs of searches that were made so far, one per line of a file.
struct SearchResults {
  private(set) var records: [SearchRecord]
  private let path: String

  /// Reads a file; one that does not exist holds no run.
  ///
  /// - Throws: `WrongCommandLine` where a line cannot be read.
  init(path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      records = []
      return
    }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var records: [SearchRecord] = []
    for (number, line) in text.split(separator: "\n").enumerated() {
      guard let record = try? JSONDecoder().decode(SearchRecord.self, from: Data(line.utf8)) else {
        throw WrongCommandLine("\(path), line \(number + 1): no record of a search")
      }
      records.append(record)
    }
    self.records = records
  }

  /// The runs of one variant of a case, by seed.
  func records(of name: String, _ variant: SearchVariant) -> [SearchRecord] {
    records.filter { $0.name == name && $0.variant == variant.name }.sorted { $0.seed < $1.seed }
  }

  /// Whether a run was made with the same input and program.
  func holds(_ name: String, _ variant: SearchVariant, seed: Int, input: String, build: String)
    -> Bool
  {
    records.contains {
      $0.name == name && $0.variant == variant.name && $0.seed == seed && $0.input == input
        && $0.build == build
    }
  }

  /// Takes in a run in the place of an older one, and writes the file anew.
  mutating func add(_ record: SearchRecord) throws {
    records.removeAll {
      $0.name == record.name && $0.variant == record.variant && $0.seed == record.seed
    }
    records.append(record)
    records.sort { ($0.name, $0.variant, $0.seed) < ($1.name, $1.variant, $1.seed) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let lines = try records.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: path)
  }
}

extension SurvivalCurve {
  /// The curve of relaxations to the find.
  init(_ records: [SearchRecord]) {
    self.init(
      records.map { Observation(time: Double($0.relaxations), isEvent: $0.isFound) })
  }
}
