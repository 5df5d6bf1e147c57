import Foundation
import TestSupport
import Testing

@Suite("Campaign of variable composition", .serialized)
struct VariableCompositionTests {
  private let place: Workplace

  init() throws { place = try Workplace("alloy") }

  private func json(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try place.polymorph.run(arguments, in: place.folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test("With everything switched on there is still one digest, also after kills", .tags(.mpi))
  func everything() throws {
    let place = try Workplace("everything")
    let first = try place.search("alone")
    #expect(first.status == 0, "\(first.errors)")
    let expected = try place.digest("alone")
    for ranks in [2, 4] {
      #expect(try place.search("ranks\(ranks)", ranks: ranks).status == 0)
      #expect(try place.digest("ranks\(ranks)") == expected, "\(ranks) ranks")
    }
    let replay = try place.search("unused", ranks: 3, ["--replay", place.path("alone")])
    #expect(replay.output.contains("every bit the same"), "\(replay.output)\(replay.errors)")
    for commits in [40, 110] {
      #expect(
        try place.search(
          "cut", ["--stop-after", "\(commits)"] + (commits > 40 ? ["--resume"] : [])
        )
        .status == 0)
    }
    #expect(try place.search("cut", ranks: 2, ["--resume"]).status == 0)
    #expect(try place.digest("cut") == expected)
    // Every operator was used, or the digest would say little of it.
    let summary = try place.summary("alone")
    let operators = try #require(summary["operators"] as? [[String: Any]])
    #expect(operators.count == 14)
    let idle = operators.filter { ($0["children"] as? Int ?? 0) == 0 }
    #expect(idle.isEmpty, "\(idle)")
  }

  @Test(
    "One digest for any number of ranks; phases, rankings and exports agree on the hull",
    .tags(.mpi))
  func search() throws {
    let first = try place.search("alone")
    #expect(first.status == 0, "\(first.errors)")
    #expect(try place.search("ranks", ranks: 3).status == 0)
    #expect(try place.digest("ranks") == place.digest("alone"))
    let replay = try place.search("unused", ["--replay", place.path("alone")])
    #expect(replay.output.contains("every bit the same"), "\(replay.output)\(replay.errors)")

    let table = try json(["hull", place.path("alone"), "--json"])
    #expect(table["reranked"] as? Bool == true)
    let phases = try #require(table["phases"] as? [[String: Any]])
    let formulas = phases.compactMap { $0["formula"] as? String }
    #expect(formulas.first == "Fe" && formulas.last == "Ti" && formulas.count > 2, "\(formulas)")
    for phase in phases {
      let formation = try #require(phase["formation_enthalpy_ev_per_atom"] as? Double)
      let isPure = ["Fe", "Ti"].contains(phase["formula"] as? String)
      #expect(isPure ? abs(formation) < 1e-12 : formation < 0)
    }
    let status = try json(["status", place.path("alone"), "--top", "8", "--json"])
    let best = try #require(status["best"] as? [[String: Any]])
    let heights = best.compactMap { $0["above_hull_ev_per_atom"] as? Double }
    #expect(heights.count == best.count && heights.allSatisfy { $0 > -1e-9 })
    #expect(heights == heights.sorted())
    let stable = best.filter { ($0["above_hull_ev_per_atom"] as? Double ?? 1) < 1e-9 }
    #expect(
      Set(stable.compactMap { $0["candidate"] as? Int })
        .isSuperset(of: phases.compactMap { $0["candidate"] as? Int }))

    let text = try place.polymorph.run(["hull", place.path("alone")], in: place.folder)
    #expect(text.status == 0 && text.output.contains("formation (meV/atom)"))
    let export = try place.polymorph.run(
      [
        "export", place.path("alone"), "--top", "4", "--format", "extxyz", "--output",
        place.path("out"),
      ], in: place.folder)
    #expect(export.status == 0, "\(export.errors)")
    let written = try String(contentsOfFile: place.path("out/candidates.extxyz"), encoding: .utf8)
    #expect(written.contains("distance_above_hull="))
  }

  @Test("The dry run says what is searched; a campaign of one composition has no hull")
  func plans() throws {
    let dry = try place.search("dry", ["--dry-run"])
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(
      dry.output.contains("any of Ti, Fe, cells of 1 to 4 atoms, ranked by distance above the hull")
    )
    let other = try Workplace()
    #expect(try other.search("one", ["--stop-after", "5"]).status == 0)
    let none = try other.polymorph.run(["hull", other.path("one")], in: other.folder)
    #expect(none.status == 2)
    #expect(none.errors.contains("a campaign of one composition, TiO2, has no convex hull"))
  }
}
