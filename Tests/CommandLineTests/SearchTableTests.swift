import Foundation
import TestSupport
import Testing

@Suite("Tables of searches")
struct SearchTableTests {
  // Weeks in remission of 42 patients with leukemia, with and without 6-mercaptopurine; a minus marks
  // those still in remission: E. J. Freireich et al., Blood 21, 699 (1963), the textbook example
  // of D. R. Cox, J. R. Stat. Soc. B 34, 187 (1972).
  private static let treated = [
    6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35,
  ]
  private static let control = [
    1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23,
  ]

  @Test("Medians, means and the log-rank test of the textbook's example")
  func textbook() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("search-table-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let reference = try String(
      contentsOf: fixtures.appendingPathComponent("tio2.yaml"), encoding: .utf8)
    let campaign = "composition: TiO2\npotential: {kind: reference}\n" + reference
    try campaign.write(
      to: folder.appendingPathComponent("campaign.yaml"), atomically: true, encoding: .utf8)
    try """
    X:
      campaign: campaign.yaml
      targets: [{name: rutile, composition: TiO2, enthalpy: -13.2667}]
      budget: 40
    """.write(to: folder.appendingPathComponent("cases.yaml"), atomically: true, encoding: .utf8)
    let lines = try records("full", Self.treated) + records("control", Self.control)
    try lines.joined(separator: "\n").write(
      to: folder.appendingPathComponent("runs.jsonl"), atomically: true, encoding: .utf8)
    let program = BuiltProgram("Benchmarks")
    let outcome = try program.run(
      ["search-table", "runs.jsonl", "--cases", "cases.yaml", "--output", "page.md"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let page = try String(
      contentsOf: folder.appendingPathComponent("page.md"), encoding: .utf8)
    // Kaplan–Meier medians 23 and 8; 359 weeks for 9 relapses, 182 for 21; χ² = 16.79.
    #expect(page.contains("| full | 21 | 23 | 9/21 (22–66 %) | 40 |"))
    #expect(page.contains("| control | 21 | 8 | 21/21 (84–100 %) | 9 | 4.2e-05 |"))
    #expect(page.contains("| 0.22× | 4.2e-05 |"))
    // S(10) = 0.7529 (Kaplan–Meier), so a quarter had relapsed.
    #expect(page.contains("| full | 0 % | 25 % |"))
  }

  @Test("A search uses nets only where it is told to, and knows the templates it leaves out")
  func nets() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("search-nets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try """
    composition: Si
    formula_units: [4]
    potential: {kind: reference}
    reference:
      kind: stillinger-weber
      parameters:
        - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4, q: 0, a: 1.80, lambda: 21.0, gamma: 1.20}
    search: {candidates: 40, population: 10, window: 4, topologies: none}
    rerank: {top: 0}
    """.write(
      to: folder.appendingPathComponent("silicon.yaml"), atomically: true, encoding: .utf8)
    func run(_ variant: String, templates: String) throws -> BuiltProgram.Outcome {
      try """
      Y:
        campaign: silicon.yaml
        targets: [{name: none, composition: Si, enthalpy: -9}]
        templates: \(templates)
        budget: 40
      """.write(to: folder.appendingPathComponent("cases.yaml"), atomically: true, encoding: .utf8)
      return try BuiltProgram("Benchmarks").run(
        ["search", "Y", "--seeds", "1-2", "--variant", variant, "--cases", "cases.yaml"], in: folder
      )
    }
    let full = try run("full", templates: "[dia, lon]")
    #expect(full.status == 0, "\(full.errors)")
    #expect(full.output.contains("guided_random") && !full.output.contains("topological"))
    let nets = try run("with-nets", templates: "[dia, lon]")
    #expect(nets.status == 0 && nets.output.contains("topological"), "\(nets.errors)")
    let unknown = try run("with-nets", templates: "[diamond]")
    #expect(unknown.status == 2)
    #expect(unknown.errors.contains("cases.yaml:4: Y.templates[1]: found diamond"))
  }

  private func records(_ variant: String, _ weeks: [Int]) throws -> [String] {
    try weeks.enumerated().map { seed, week in
      let object: [String: Any] = [
        "name": "X", "variant": variant, "seed": seed, "relaxations": abs(week),
        "isFound": week > 0, "evaluations": 10, "allRelaxations": abs(week),
        "hits": week > 0 ? 1 : 0, "finds": [Int](), "children": [Int](repeating: 1, count: 32),
        "operatorHits": [Int](repeating: 0, count: 32), "seconds": 0.1, "input": "a",
        "build": "b",
      ]
      return String(
        decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }
  }
}
