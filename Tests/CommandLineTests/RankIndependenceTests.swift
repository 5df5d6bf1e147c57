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

  @Test("Networks are trained to the same bytes; what is wrong in their settings is named")
  func networks() throws {
    let folder = try prepared()
    let settings = folder.path("network.yaml")
    try "hidden: [6, 6]\nepochs: 3\nbatch: 2\nvalidation: 0.3\nradial: {cutoff: 5}\n".write(
      toFile: settings, atomically: true, encoding: .utf8)
    func train(_ name: String, ranks: Int?, _ words: [String] = []) throws -> BuiltProgram.Outcome {
      try Polymorph.program.run(
        ["train", "nnp", settings, folder.path("labels.cfg"), "--elements", "Ti,O", "--repulsion"]
          + ["0.4,0.7", "--output", folder.path(name)] + words, ranks: ranks)
    }
    var first: Data?
    for ranks in [nil, 2, 3] {
      let name = "networks-\(ranks ?? 0).nnp"
      let outcome = try train(name, ranks: ranks)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("repulsion       ZBL, 0.4 to 0.7"), "\(outcome.output)")
      let file = try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
      #expect(file == first ?? file, "\(ranks ?? 0) ranks")
      first = file
    }
    let errors = try Polymorph.program.run(
      ["errors", folder.path("networks-0.nnp"), folder.path("labels.cfg")])
    #expect(errors.status == 0, "\(errors.errors)")
    let level = try train("other.nnp", ranks: nil, ["--level", "8"])
    #expect(level.status == 2 && level.errors.contains("--level belongs to mtp"), "\(level.errors)")
    try "epoch: 3\n".write(toFile: settings, atomically: true, encoding: .utf8)
    let wrong = try train("other.nnp", ranks: nil)
    #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'epochs'?"), "\(wrong.errors)")
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
