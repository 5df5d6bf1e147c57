import Coordinator
import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

extension [String: Any] {
  fileprivate func object(_ key: String) throws -> [String: Any] {
    try #require(self[key] as? [String: Any], "\(key)")
  }

  fileprivate func integers(_ key: String) throws -> [Int] {
    try #require(self[key] as? [Int], "\(key)")
  }

  fileprivate func integer(_ key: String) throws -> Int {
    try #require(self[key] as? Int, "\(key)")
  }
}

@Suite("A potential is trained further on a re-ranking", .serialized)
struct RetrainingTests {
  private func rerank(
    _ place: Workplace, _ more: [String], ranks: Int? = nil, of campaign: String = "c"
  ) throws -> BuiltProgram.Outcome {
    try place.polymorph.run(
      ["rerank", place.path(campaign)] + more, ranks: ranks, in: place.folder,
      timeoutSeconds: 300)
  }

  private func bytes(_ place: Workplace, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: place.path("c/\(name)")))
  }

  @Test("The same bits on no launcher and on 2 and 3 ranks; the log stays as it is", .tags(.mpi))
  func ranks() throws {
    let place = try Workplace()
    try place.search("c")
    let digest = try place.digest("c")
    let names = ["retrained.mtp", "retrained.cfg", "rerank.json"]
    var first: (files: [Data], printed: String)?
    for ranks in [nil, 2, 3] {
      let outcome = try rerank(place, ["--top", "5", "--retrain", "2"], ranks: ranks)
      try #require(outcome.status == 0, "\(outcome.errors)")
      let files = try names.map { try bytes(place, $0) }
      if let first {
        for (name, (one, other)) in zip(names, zip(first.files, files)) {
          #expect(one == other, "\(name) on \(ranks ?? 0) ranks")
        }
        #expect(outcome.output == first.printed, "\(ranks ?? 0) ranks")
      } else {
        first = (files, outcome.output)
      }
      // So that the next run has to write them.
      for name in names { try FileManager.default.removeItem(atPath: place.path("c/\(name)")) }
    }
    #expect(try place.digest("c") == digest)
    let printed = try #require(first?.printed)
    for words in [
      "retraining\n", "trained on candidates ", "before: potential", "after:  potential",
    ] {
      #expect(printed.contains(words), "\(words)")
    }
  }

  @Test("It learns the campaign's training set, and new structures of those that train alone")
  func data() throws {
    let place = try Workplace()
    try place.search("c")
    let outcome = try rerank(place, ["--top", "5", "--retrain", "2", "--json"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let printed = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let written = try #require(
      JSONSerialization.jsonObject(with: bytes(place, "rerank.json")) as? [String: Any])
    #expect(NSDictionary(dictionary: printed) == NSDictionary(dictionary: written))
    let result = try written.object("retraining")

    let training = try result.integers("training_candidates")
    let test = try result.integers("test_candidates")
    #expect(training.count == 2 && !test.isEmpty && Set(training).isDisjoint(with: test))
    let duplicates = try #require(result["duplicates"] as? [[String: Any]])
    let rows = try #require(try written.object("comparison")["rows"] as? [[String: Any]])
    #expect(training.count + test.count + duplicates.count == rows.count)
    for key in ["before", "after"] {
      let comparison = try result.object(key)
      let compared = try #require(comparison["rows"] as? [[String: Any]])
      let left = try #require(comparison["not_compared"] as? [[String: Any]])
      #expect(Set((compared + left).map { $0["candidate"] as? Int }) == Set(test))
      for name in ["pearson", "rmse_mev_per_atom", "mae_mev_per_atom"] {
        #expect(comparison[name] is Double || comparison[name] is NSNull, "\(name)")
      }
    }
    // Before: the numbers of the whole comparison; after: those of another potential.
    for (row, key) in [("before", true), ("after", false)] {
      for item in try #require(try result.object(row)["rows"] as? [[String: Any]]) {
        let own = try #require(
          rows.first { $0["candidate"] as? Int == item["candidate"] as? Int })
        let name = "model_enthalpy_ev_per_atom"
        #expect((item[name] as? Double == own[name] as? Double) == key)
        let reference = "reference_enthalpy_ev_per_atom"
        #expect(item[reference] as? Double == own[reference] as? Double)
      }
    }

    let known = try StructureFile.read(place.path("c/training.cfg"))
    let all = try StructureFile.read(place.path("c/retrained.cfg"))
    #expect(try result.integer("structures") == all.count)
    #expect(try result.integer("new_structures") == all.count - known.count)
    for (one, other) in zip(all, known) { #expect(one.structure == other.structure) }
    let failed = try #require(result["failed_labels"] as? [[String: Any]])
    let strained = try result.integer("strained_structures")
    #expect(failed.isEmpty && strained == 2 * TrainingStrain.all.count)
    let steps = try result.integer("trajectory_structures")
    // One at least of each; a candidate that is at rest at once has no other.
    #expect(steps >= 2 && steps + strained == all.count - known.count)
    let energy = try #require(try result.object("energy_error_mev_per_atom")["rmse"] as? Double)
    let force = try #require(try result.object("force_error_ev_per_angstrom")["rmse"] as? Double)
    #expect(energy > 0 && energy < 100 && force > 0 && force < 1)

    // No new structure is one of the minima that test.
    let export = try place.polymorph.run(
      [
        "export", place.path("c"), "--top", "5", "--format", "extxyz", "--output",
        place.path("minima"),
      ], in: place.folder)
    try #require(export.status == 0, "\(export.errors)")
    let minima = try StructureFile.read(place.path("minima/candidates.extxyz"))
    func minimum(_ candidate: Int) -> Structure? {
      minima.first { $0.features.contains { $0 == ("candidate", "\(candidate)") } }?.structure
    }
    let fresh = all.dropFirst(known.count).map(\.structure)
    for candidate in test {
      let structure = try #require(minimum(candidate))
      #expect(!fresh.contains { $0.matches(structure) }, "candidate \(candidate)")
    }
    for candidate in training {
      let structure = try #require(minimum(candidate))
      #expect(fresh.contains { $0.matches(structure) }, "candidate \(candidate)")
    }

    // The potential on file has the errors that are told, over what the campaign's bounds let it be fitted to:
    // forces up to 20 eV/Å, and energies up to 10 eV per atom above the lowest.
    let text = try String(contentsOfFile: place.path("c/retrained.cfg"), encoding: .utf8)
    let blocks = text.components(separatedBy: "BEGIN_CFG").dropFirst()
    try #require(blocks.count == all.count)
    let weak = try zip(blocks, all).compactMap { block, record in
      let label = try #require(record.labelled)
      let energy = label.evaluation.energy / Double(label.structure.atomCount)
      return label.evaluation.largestForce() > 20 ? nil : (block: block, energy: energy)
    }
    let lowest = try #require(weak.map(\.energy).min())
    let used = weak.filter { $0.energy - lowest <= 10 }
    #expect(try result.integer("trained_on") == used.count)
    try AtomicFile.write(
      used.map { "BEGIN_CFG" + $0.block }.joined(), to: place.path("used.cfg"))
    let errors = try place.polymorph.run(
      ["errors", place.path("c/retrained.mtp"), place.path("used.cfg"), "--json"],
      in: place.folder)
    try #require(errors.status == 0, "\(errors.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(errors.output.utf8)) as? [String: Any])
    let again = try #require(try object.object("energy_per_atom")["rmse"] as? Double)
    #expect((1000 * again).isClose(to: energy, relative: 1e-6, absolute: 0))
    // An ordinary re-ranking has no such key.
    #expect(try rerank(place, ["--top", "5"]).status == 0)
    let plain = try #require(
      JSONSerialization.jsonObject(with: bytes(place, "rerank.json")) as? [String: Any])
    #expect(plain["retraining"] == nil && plain["comparison"] != nil)
  }

  @Test("Where the training fails the ranking is on file and shown", .tags(.mpi))
  func failure() throws {
    let place = try Workplace()
    try place.search("c")
    let words = ["--top", "5", "--retrain", "2"]
    let plain = try rerank(place, ["--top", "5"])
    try #require(plain.status == 0, "\(plain.errors)")
    let ranking = try bytes(place, "rerank.json")
    // A folder in the place of its file: what was trained cannot be written.
    try FileManager.default.createDirectory(
      atPath: place.path("c/retrained.cfg"), withIntermediateDirectories: false)
    for ranks in [nil, 2] {
      for more in [[], ["--json"]] {
        try FileManager.default.removeItem(atPath: place.path("c/rerank.json"))
        let outcome = try rerank(place, words + more, ranks: ranks)
        let context = "\(ranks ?? 0) ranks \(more): \(outcome.errors)\(outcome.output)"
        #expect(outcome.status == 1, "\(context)")
        #expect(outcome.errors.contains("retrained.cfg"), "\(context)")
        #expect(try bytes(place, "rerank.json") == ranking, "\(context)")
        if more.isEmpty {
          #expect(outcome.output == plain.output, "\(context)")
        } else {
          #expect(outcome.output == String(decoding: ranking, as: UTF8.self), "\(context)")
        }
        #expect(!FileManager.default.fileExists(atPath: place.path("c/retrained.mtp")))
      }
    }
  }

  @Test("What cannot be trained or tested is a mistake of the command line, told once", .tags(.mpi))
  func wrong() throws {
    let place = try Workplace()
    try place.search("c")
    let before = try bytes(place, "result.json")
    func refused(
      _ more: [String], _ mention: String, ranks: Int? = nil, of campaign: String = "c"
    ) throws {
      let outcome = try rerank(place, more, ranks: ranks, of: campaign)
      #expect(outcome.status == 2, "\(outcome.errors)")
      let messages = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("polymorph: ") }
      #expect(messages.count == 1 && outcome.output.isEmpty, "\(outcome.errors)")
      #expect(messages.first?.contains(mention) == true, "\(outcome.errors)")
    }
    try refused(["--top", "3", "--retrain", "3"], "try --retrain 2, or a larger --top")
    try refused(["--top", "3", "--retrain", "3"], "found 3, but 3 candidates", ranks: 2)
    try refused(["--top", "1", "--retrain", "1"], "try a larger --top")
    try refused(["--retrain", "0"], "--retrain: found")
    try refused(["--retrain"], "--retrain needs a value")
    try refused(
      ["--retrain", "2", "--collect", place.path("c")], "--retrain and --collect exclude each other"
    )
    #expect(!FileManager.default.fileExists(atPath: place.path("c/retrained.mtp")))
    #expect(try bytes(place, "result.json") == before)

    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
    let lines = text.split(separator: "\n").map { line in
      line.hasPrefix("potential:") ? "potential: {kind: reference}" : String(line)
    }
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: place.path("reference.yaml"))
    let search = try place.polymorph.run(
      [
        "search", place.path("reference.yaml"), "--directory", place.path("r"), "--quiet",
      ], in: place.folder, timeoutSeconds: 300)
    try #require(search.status == 0, "\(search.errors)")
    try refused(["--retrain", "2"], "potential: {kind: reference}", of: "r")
  }
}
