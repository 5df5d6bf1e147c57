import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("A potential judged by a pool on the command line", .serialized)
struct CorrelateVerbTests {
  /// 16 labelled TiO2 cells and a small potential that is fitted to them.
  private func prepared() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    let labels = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("tio2.yaml"), try Polymorph.fixture("tio2.xyz"),
      "--output", folder.path("labels.cfg"),
    ])
    try #require(labels.status == 0, "\(labels.errors)")
    let training = try Polymorph.program.run([
      "train", "mtp", folder.path("labels.cfg"), "--level", "6", "--elements", "Ti,O", "--trials",
      "20", "--output", folder.path("small.mtp"),
    ])
    try #require(training.status == 0, "\(training.errors)")
    return folder
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func isWellFormed(_ data: Data) -> Bool { XMLParser(data: data).parse() }

  @Test("A potential is perfect against its own energies, relaxed it finds lower ones")
  func itself() throws {
    let folder = try prepared()
    let outcome = try Polymorph.program.run([
      "correlate", try Polymorph.fixture("tio2.yaml"), folder.path("labels.cfg"), "--elements",
      "Ti,O", "--relax", "model", "--json",
    ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let result = try object(outcome.output)
    let fixed = try #require(result["pool_geometry"] as? [String: Any])
    // The file holds rounded positions and energies.
    #expect(try #require(fixed["pearson"] as? Double) > 1 - 1e-8)
    #expect(try #require(fixed["spearman"] as? Double) > 0.999)
    let low = try #require(fixed["below_window"] as? [String: Any])
    #expect(try #require(low["rmse_difference_mev_per_atom"] as? Double) < 1e-2)
    let compositions = try #require(fixed["compositions"] as? [[String: Any]])
    #expect(compositions.map { $0["formula"] as? String } == ["O2Ti"])
    #expect(
      compositions.first?["lowest_by_reference"] as? [Int]
        == compositions.first?["lowest_by_model"] as? [Int])
    let relaxed = try #require(result["relaxed"] as? [String: Any])
    let rows = try #require(relaxed["rows"] as? [[String: Any]])
    #expect(rows.count == 16)
    for row in rows {
      let model = try #require(row["model_ev_per_atom"] as? Double)
      #expect(model < (try #require(row["reference_ev_per_atom"] as? Double)) + 1e-6)
    }
    // Rattled by 0.06 Å, they stay rutile and anatase.
    #expect((relaxed["not_compared"] as? [Any])?.isEmpty == true)
    #expect(result["learning_curve"] is NSNull && result["grades"] is NSNull)
  }

  @Test(
    "Everything at once: the same bytes for any number of ranks, plots that are XML", .tags(.mpi))
  func ranks() throws {
    let folder = try prepared()
    var first: (printed: String, files: [String: Data])?
    for ranks in [nil, 1, 2, 3] {
      let output = folder.url.appendingPathComponent("out")
      try? FileManager.default.removeItem(at: output)
      let outcome = try Polymorph.program.run(
        [
          "correlate", folder.path("small.mtp"), folder.path("labels.cfg"), "--relax", "model",
          "--training", folder.path("labels.cfg"), "--learning-curve", "--points", "3", "--trials",
          "20", "--output", output.path,
        ], ranks: ranks)
      #expect(outcome.status == 0, "\(outcome.errors)")
      var files: [String: Data] = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: output.path) {
        files[name] = try Data(contentsOf: output.appendingPathComponent(name))
      }
      if let first {
        #expect(outcome.output == first.printed, "\(ranks ?? 0) ranks")
        #expect(files == first.files, "\(ranks ?? 0) ranks")
      } else {
        first = (outcome.output, files)
      }
    }
    let (printed, files) = try #require(first)
    #expect(
      files.keys.sorted() == [
        "correlate.json", "learning-curve.svg", "map-O.svg", "map-Ti.svg", "parity-relaxed.svg",
        "parity.svg",
      ])
    for (name, data) in files where name.hasSuffix(".svg") {
      #expect(isWellFormed(data), "\(name)")
    }
    for part in [
      "16 structures", "geometry of the pool", "Pearson", "below 200", "lowest 5 of",
      "relaxed by the potential", "became another structure", "extrapolation grades",
      "outside of map", "learning curve", "written to",
    ] { #expect(printed.contains(part), "\(part)\n\(printed)") }
    let result = try object(String(decoding: try #require(files["correlate.json"]), as: UTF8.self))
    try checkTraining(result)
  }

  /// The pool is the training set: nothing of it is outside, and the last refit is the potential itself.
  private func checkTraining(_ result: [String: Any]) throws {
    let grades = try #require(result["grades"] as? [String: Any])
    #expect(grades["above_threshold"] as? Int == 0)
    let environments = try #require(result["environments"] as? [String: Any])
    let maps = try #require(environments["maps"] as? [[String: Any]])
    #expect(maps.compactMap { $0["element"] as? String } == ["Ti", "O"])
    for (map, count) in zip(maps, [32, 64]) {
      let pool = try #require(map["pool"] as? [String: Any])
      #expect(pool["environments"] as? Int == count)
      #expect(map["outside_map"] as? Int == 0 && map["outside_ranges"] as? Int == 0)
      let training = try #require(map["training"] as? [String: Any])
      #expect(training["first"] as? [Double] == pool["first"] as? [Double])
      let edges = try #require(map["first_edges"] as? [Double])
      let densities = try #require(training["first_density"] as? [Double])
      #expect(edges.count == densities.count + 1)
    }
    let curve = try #require(result["learning_curve"] as? [[String: Any]])
    #expect(curve.compactMap { $0["training_structures"] as? Int } == [4, 8, 16])
    let fixed = try #require(result["pool_geometry"] as? [String: Any])
    #expect(curve.last?["pearson"] as? Double == fixed["pearson"] as? Double)
    #expect(
      (curve.last?["below_window"] as? [String: Double]) == fixed["below_window"]
        as? [String: Double]
    )
  }

  @Test("What a training set lacks is outside of it: anatase after training on rutile alone")
  func outside() throws {
    let folder = try prepared()
    let labels = String(decoding: try folder.bytes("labels.cfg"), as: UTF8.self)
    let ending = "END_CFG"
    let rutile =
      labels.components(separatedBy: ending).prefix(8).map { $0 + ending }.joined() + "\n"
    let training = try folder.write(rutile, "rutile.cfg")
    let outcome = try Polymorph.program.run([
      "correlate", folder.path("small.mtp"), folder.path("labels.cfg"), "--training", training,
      "--json",
    ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let result = try object(outcome.output)
    let grades = try #require(result["grades"] as? [String: Any])
    let rows = try #require(grades["rows"] as? [[String: Any]]).compactMap {
      $0["grade"] as? Double
    }
    #expect(rows.count == 16)
    #expect(rows[..<8].allSatisfy { $0 <= 1.001 } && rows[8...].allSatisfy { $0 > 1.001 })
    #expect(grades["above_threshold"] as? Int == 8)
    let environments = try #require(result["environments"] as? [String: Any])
    for map in try #require(environments["maps"] as? [[String: Any]]) {
      let element = map["element"] as? String
      let (atoms, outside) = (element == "Ti" ? 16 : 32, map["outside_ranges"] as? Int)
      let pool = try #require(map["pool"] as? [String: Any])
      #expect(pool["environments"] as? Int == 2 * atoms)
      // No environment of the training set itself is outside; most of the others are.
      #expect((atoms / 2...atoms).contains(try #require(outside)), "\(element ?? "")")
    }
  }

  @Test("Enthalpies at a pressure are E + pV of both methods")
  func pressure() throws {
    let folder = try prepared()
    func rows(_ words: [String]) throws -> [[String: Any]] {
      let outcome = try Polymorph.program.run(
        ["correlate", folder.path("small.mtp"), folder.path("labels.cfg"), "--json"] + words)
      let fixed = try #require(try object(outcome.output)["pool_geometry"] as? [String: Any])
      return try #require(fixed["rows"] as? [[String: Any]])
    }
    let (free, pressed) = (try rows([]), try rows(["--pressure", "10"]))
    for (a, b) in zip(free, pressed) {
      func change(_ key: String) throws -> Double {
        try #require(b[key] as? Double) - #require(a[key] as? Double)
      }
      // 10 GPa are 0.0624151 eV/Å³; the cells hold 10.4 to 11.4 Å³ per atom, or a little less or more.
      let volume = try change("model_ev_per_atom") / 0.0624150907
      #expect((9...13).contains(volume), "\(volume)")
      #expect(abs(try change("model_ev_per_atom") - change("reference_ev_per_atom")) < 1e-12)
    }
  }

  @Test("A structure that the potential cannot treat is listed, and the status is 1")
  func failure() throws {
    let folder = try ScratchFolder()
    func cell(_ symbol: String, _ z: Double, _ energy: Double) -> String {
      """
      3
      Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 energy=\(energy)
      \(symbol) 0 0 0
      O 0 0 \(z)
      O 0 \(z) 0

      """
    }
    let pool = try folder.write(
      cell("Ti", 2, -8) + cell("Si", 1.9, -9) + cell("Ti", 1.9, -7.9), "pool.xyz")
    let outcome = try Polymorph.program.run([
      "correlate", try Polymorph.fixture("tio2.yaml"), pool,
    ])
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("not compared: 1\nstructure 2: the potential knows no Si"))
    #expect(outcome.output.contains("3 structures of"))
  }

  @Test("A structure that explodes is listed, and the status is 1, also where none is left")
  func explosion() throws {
    let folder = try ScratchFolder()
    let model = try folder.write(
      """
      reference:
        kind: lennard-jones
        cutoff: 8.5
        pairs:
          - {elements: [Ar, Ar], epsilon: 0.0103, sigma: 3.4}

      """, "argon.yaml")
    func cell(_ a: Double, _ energy: Double) -> String {
      let sites = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)].map { x, y, z in
        "Ar \(0.5 * a * Double(x)) \(0.5 * a * Double(y)) \(0.5 * a * Double(z))\n"
      }
      return "4\nLattice=\"\(a) 0 0 0 \(a) 0 0 0 \(a)\" Properties=species:S:1:pos:R:3 "
        + "energy=\(energy)\n" + sites.joined()
    }
    // At half of its length the cell grows to eight times its volume; five times is the limit.
    let compressed = cell(2.6, 40)
    let pool = try folder.write(cell(5.25, -0.32) + cell(5.4, -0.31) + compressed, "pool.xyz")
    let some = try Polymorph.program.run(["correlate", model, pool, "--relax", "model"])
    #expect(some.status == 1)
    #expect(some.output.contains("not compared: 1\nstructure 3: exploded"))
    #expect(some.output.contains("became another structure: 0 of 2"))
    let none = try Polymorph.program.run([
      "correlate", model, try folder.write(compressed, "one.xyz"), "--relax", "model",
    ])
    #expect(none.status == 1)
    #expect(none.output.contains("relaxed by the potential: no structure"))
    #expect(none.output.contains("structure 1: exploded"))
  }

  @Test("Mistakes are answered with one line and status 2")
  func mistakes() throws {
    let folder = try ScratchFolder()
    let cell = """
      1
      Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3
      Ti 0 0 0

      """
    let labelled = cell.replacing("pos:R:3\n", with: "pos:R:3 energy=-3\n")
    let cluster = labelled.replacing("energy", with: "pbc=\"F F F\" energy")
    let good = try folder.write(labelled, "good.xyz")
    let classical = try Polymorph.fixture("tio2.yaml")
    let cases: [([String], [String])] = [
      (
        [classical, try folder.write(labelled + cell, "a.xyz")],
        ["a.xyz: structure 2: found no energy", "allowed"]
      ),
      ([classical, try folder.write(cluster, "b.xyz"), "--pressure", "1"], ["b.xyz: structure 1"]),
      (
        [classical, good, "--training", good],
        ["tio2.yaml: found a classical potential", "allowed: a .mtp file"]
      ),
      ([classical, good, "--learning-curve"], ["add --training DATA"]),
      ([classical, good, "--points", "4"], ["--points", "--learning-curve"]),
      ([classical, good, "--force-cap", "4"], ["--force-cap", "--learning-curve"]),
      ([classical, good, "--relax", "modle"], ["allowed: model", "did you mean 'model'?"]),
      ([classical, good, "--window", "0"], ["--window", "a number above 0"]),
      ([classical, good, "--output", good], ["--output", "good.xyz"]),
      ([classical, folder.path("none.xyz")], ["none.xyz"]),
      (["none.mtp", good], ["none.mtp"]),
    ]
    for (words, parts) in cases {
      let outcome = try Polymorph.program.run(["correlate"] + words)
      #expect(outcome.status == 2, "\(words): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      for part in parts { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
    }
  }
}
