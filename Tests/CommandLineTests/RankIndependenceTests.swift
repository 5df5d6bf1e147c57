import Foundation
import TestSupport
import Testing

@Suite("Verbs write the same bytes for any number of ranks", .serialized, .tags(.mpi))
struct RankIndependenceTests {
  /// Labels the TiO2 cells and fits a small potential to them.
  private func prepared() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    let labels = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("tio2.yaml"), try Polymorph.fixture("tio2.xyz"),
      "--output", folder.path("labels.cfg"),
    ])
    try #require(labels.status == 0, "\(labels.errors)")
    let training = try Polymorph.program.run(
      train(folder, output: "small.mtp"), in: folder.url)
    try #require(training.status == 0, "\(training.errors)")
    return folder
  }

  private func train(_ folder: ScratchFolder, output: String) -> [String] {
    [
      "train", "mtp", folder.path("labels.cfg"), "--level", "6", "--elements", "Ti,O", "--trials",
      "30", "--output", folder.path(output), "--json",
    ]
  }

  @Test("Output and printed numbers are equal on no launcher and on 1, 2, 3 and 4 ranks")
  func sameBytes() throws {
    let folder = try prepared()
    let potential = folder.path("small.mtp")
    let input = try Polymorph.fixture("tio2.xyz")
    let commands: [(name: String, words: [String])] = [
      ("evaluate", ["evaluate", potential, input, "--json"]),
      ("relax", ["relax", potential, input, "--pressure", "5", "--json"]),
      (
        "grade",
        ["grade", potential, folder.path("labels.cfg"), input, "--mode", "neighbourhood", "--json"]
      ),
      ("select", ["select", "d-optimal", potential, input, "--limit", "5", "--json"]),
      ("train", Array(train(folder, output: "").dropLast(3)) + ["--json"]),
    ]
    for command in commands {
      let ending = command.name == "train" ? "mtp" : "cfg"
      var first: (file: Data, printed: String)?
      for ranks in [nil, 1, 2, 3, 4] {
        let name = "\(command.name)-\(ranks ?? 0).\(ending)"
        let outcome = try Polymorph.program.run(
          command.words + ["--output", folder.path(name)], ranks: ranks)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let file = try folder.bytes(name)
        let printed = Self.withoutSeconds(outcome.output)
        #expect(!file.isEmpty)
        if let first {
          #expect(file == first.file, "\(command.name) on \(ranks ?? 0) ranks")
          #expect(printed == first.printed, "\(command.name) on \(ranks ?? 0) ranks")
        } else {
          first = (file, printed)
        }
      }
    }
  }

  // How long a step took is the one number that may differ.
  private static func withoutSeconds(_ text: String) -> String {
    text.replacing(/"seconds": [0-9.e-]+/, with: "")
  }

  @Test("The small potential follows its labels, and relaxes rutile below anatase as they do")
  func usable() throws {
    let folder = try prepared()
    let outcome = try Polymorph.program.run([
      "errors", folder.path("small.mtp"), folder.path("labels.cfg"), "--json",
    ])
    let errors = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let energy = try #require(errors["energy_per_atom"] as? [String: Any])
    // 71 parameters on 16 small cells: the fit must be good, not the prediction.
    let rmse = try #require(energy["rmse"] as? Double)
    #expect(rmse < 0.01)
    let relaxed = try Polymorph.program.run([
      "relax", folder.path("small.mtp"), try Polymorph.fixture("tio2.xyz"), "--output",
      folder.path("relaxed.cfg"), "--json",
    ])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(relaxed.output.utf8)) as? [String: Any])
    let enthalpies = try #require(object["structures"] as? [[String: Any]]).compactMap {
      $0["enthalpy_per_atom"] as? Double
    }
    #expect(enthalpies.count == 16)
    let (rutile, anatase) = (enthalpies[0], enthalpies[8])
    #expect(rutile < anatase - 0.02)
    // The rattled cells fall back into the same minima.
    for value in enthalpies[..<8] { #expect(abs(value - rutile) < 1e-3) }
    for value in enthalpies[8...] { #expect(abs(value - anatase) < 1e-3) }
  }

  @Test("A wrong file under mpirun ends all ranks with one message", .timeLimit(.minutes(1)))
  func wrongFile() throws {
    let outcome = try Polymorph.program.run(
      ["evaluate", "none.mtp", "none.cfg", "--output", "out.cfg"], ranks: 3)
    #expect(outcome.status == 2)
    let messages = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("polymorph: ") }
    #expect(messages.count == 1, "\(outcome.errors)")
    #expect(messages.first?.contains("none.mtp") == true)
  }
}
