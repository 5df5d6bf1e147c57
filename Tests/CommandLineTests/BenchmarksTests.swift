import Foundation
import TestSupport
import Testing

@Suite("The benchmark program")
struct BenchmarksTests {
  static let program = BuiltProgram("Benchmarks")
  static let names = [
    "evaluate", "train", "relax", "fingerprint", "generate", "schedule", "campaign", "document",
  ]

  @Test(
    "A wrong command line ends with status 2 and one line",
    arguments: [
      [], ["evaluat"], ["evaluate", "a.mtp"], ["evaluate", "a.mtp", "b.cfg", "--fast"],
      ["evaluate", "a.mtp", "b.cfg", "--repeat", "3"], ["evaluate", "missing.mtp", "b.cfg"],
      ["schedule"], ["schedule", "--workers", "0"], ["generate", "--composition", "Xq2"],
      ["document", "missing.plan", "--output", "page.md"],
    ])
  func wrongWords(_ words: [String]) throws {
    let outcome = try Self.program.run(words)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("Every benchmark says why it exists", arguments: names)
  func help(_ name: String) throws {
    let outcome = try Self.program.run([name, "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("Why: "))
  }

  @Test("The timed evaluations give MLIP-2's energies")
  func evaluate() throws {
    let outcome = try Self.program.run([
      "evaluate", try Polymorph.fixture("MgAlO_08_random.mtp"),
      try Polymorph.fixture("MgAlO_in.cfg"), "--repeat", "7", "--json",
    ])
    #expect(outcome.status == 0)
    let report = try Self.decode(EvaluateReport.self, outcome)
    let golden = try String(
      contentsOfFile: Polymorph.fixture("MgAlO_08_random.efs.cfg"), encoding: .utf8)
    let words = golden.split(whereSeparator: \.isWhitespace)
    let energies = zip(words, words.dropFirst()).filter { $0.0 == "Energy" }
      .compactMap { Double($0.1) }
    #expect(energies.count == 10)
    // Ten energies of some 10² eV, given with twelve decimals.
    #expect(abs(report.energySum - energies.reduce(0, +)) < 1e-8)
    #expect(report.microsecondsPerAtom > 0)
    #expect(report.runs == 7)
  }

  @Test("A pretended campaign comes to its end and costs something")
  func schedule() throws {
    let outcome = try Self.program.run([
      "schedule", "--workers", "4", "--candidates", "40", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try Self.decode(ScheduleReport.self, outcome)
    // 40 labels and 40 candidates are the least that a campaign commits.
    #expect(report.commits >= 80)
    #expect(report.microsecondsPerCommit > 0)
  }

  private static func decode<T: Decodable>(
    _ type: T.Type, _ outcome: BuiltProgram.Outcome
  ) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(outcome.output.utf8))
  }

  private struct EvaluateReport: Decodable {
    let microsecondsPerAtom: Double
    let energySum: Double
    let runs: Int
  }

  private struct ScheduleReport: Decodable {
    let microsecondsPerCommit: Double
    let commits: Int
  }
}
