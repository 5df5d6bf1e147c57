import Crystal
import Foundation
import StructureFormats
import TestSupport
import Testing

@Suite("Campaigns that learn from melts")
struct MeltCampaignTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  /// A Lennard-Jones solid that is molten in small cells and for short times.
  private func campaign(_ melt: String, candidates: Int) throws -> String {
    let text = """
      title: A Lennard-Jones solid
      composition: Cu
      formula_units: [2, 4]
      seed: 4
      potential: {kind: mtp, level: 6, cutoff: 5, radial_basis: 6}
      reference:
        kind: lennard-jones
        truncation: force-shift
        pairs: [{elements: [Cu, Cu], epsilon: 0.4, sigma: 2.3, cutoff: 5.75}]
      initial_training:
        melt_quench: {\(melt), atoms: 24, time_step: 2, superheat_time: 1, melting_time: 2, cooling: 0.7,
          ballistic_time: 0.3, volume_time: 4, liquid_time: 2, quench_rate: 1000, anneal_time: 1}
      active_learning: {max_labels: 120}
      search: {candidates: \(candidates), population: 8, window: 4}
      rerank: {top: 2}

      """
    let path = place.path("melt.yaml")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private func search(_ file: String, _ name: String, ranks: Int? = nil, _ words: [String] = [])
    throws -> BuiltProgram.Outcome
  {
    try place.polymorph.run(
      ["search", file, "--directory", place.path(name)] + words, ranks: ranks)
  }

  @Test(
    "One digest alone, with ranks and after a stop; the search finds close packing", .tags(.mpi))
  func potential() throws {
    let file = try campaign("runs: 2, starts: 6, samples: 8, max_labels: 100", candidates: 24)
    let alone = try search(file, "alone")
    #expect(alone.status == 0, "\(alone.errors)")
    let digest = try place.digest("alone")
    let summary = try place.summary("alone")
    let melts = try #require(summary["melts"] as? [[String: Any]])
    #expect(melts.map { $0["phase"] as? String } == ["finished", "finished"])
    for melt in melts {
      // The real solid melts at 0.69 ε/k = 3200 K.
      let temperature = try #require(melt["liquid_down_to"] as? Double)
      #expect((1300...4100).contains(temperature), "\(temperature) K")
      let volume = try #require(melt["volume_per_atom"] as? Double)
      #expect((11...14).contains(volume), "\(volume) Å³")
      // It is pressed at last, and the volume above is that of the glass.
      #expect(try #require(melt["bulk_modulus"] as? Double) > 1)
      #expect(try #require(melt["last_volume_per_atom"] as? Double) < 0.95 * volume)
    }
    let labels = try #require(summary["labels"] as? Int)
    #expect(labels >= 22 && labels <= 120)
    // A close-packed structure of this solid has 11.6 Å³ per atom.
    let best = try #require(
      alone.output.split(separator: "\n").first { $0.hasPrefix("    1 ") })
    #expect(best.contains("194") || best.contains("225") || best.contains("166"), "\(best)")
    #expect(try search(file, "ranks", ranks: 3).status == 0)
    #expect(try place.digest("ranks") == digest)
    #expect(try search(file, "stopped", ["--stop-after", "60"]).status == 0)
    #expect(try search(file, "stopped", ranks: 2, ["--resume"]).status == 0)
    #expect(try place.digest("stopped") == digest)
    let status = try place.polymorph.run(["status", place.path("alone")])
    #expect(status.output.contains("melt 2: finished"), "\(status.output)")
  }

  @Test("A dry run shows the disordered structures that are labelled first")
  func dryRun() throws {
    let file = try campaign("runs: 2, starts: 3, samples: 8, max_labels: 100", candidates: 0)
    let dry = try search(file, "dry", ["--dry-run"])
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(dry.output.contains("3 initial, at most 120"), "\(dry.output)")
    #expect(dry.output.contains("2 melts of about 24 atoms"), "\(dry.output)")
    #expect(try search(file, "begun", ["--stop-after", "60"]).status == 0)
    let copper = try #require(ChemicalElement(symbol: "Cu"))
    let labelled = try StructureFile.read(place.path("begun/training.cfg"), elements: [copper])
    #expect(labelled.count >= 3)
    for number in 1...3 {
      let shown = try #require(
        try StructureFile.read(place.path("dry-dry-run/reference-0\(number).vasp")).first)
      #expect(shown.structure.matches(labelled[number - 1].structure))
    }
  }

  @Test(
    "Where the reference moves the atoms its frames are the training set; without candidates it ends there"
  )
  func reference() throws {
    let file = try campaign("method: reference", candidates: 0)
    let outcome = try search(file, "frames")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try place.summary("frames")
    #expect(outcome.output.contains("no candidates were asked for"), "\(outcome.output)")
    #expect(summary["labels"] as? Int == 0)
    let frames = try #require(summary["frames"] as? Int)
    // 2 ps of liquid, 1 of anneal and the quench, every 20 fs.
    #expect(frames > 180 && frames < 500, "\(frames)")
    let text = try String(contentsOfFile: place.path("frames/training.cfg"), encoding: .utf8)
    #expect(text.components(separatedBy: "BEGIN_CFG").count - 1 == frames)
    #expect(FileManager.default.fileExists(atPath: place.path("frames/potentials/0001.mtp")))
  }
}
