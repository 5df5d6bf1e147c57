import Foundation
import TestSupport
import Testing

@Suite("Starts, ensembles and refits on the command line")
struct TrainTests {
  private func train(_ words: [String], trials: Int = 4) throws -> BuiltProgram.Outcome {
    let data = try Polymorph.fixture("MgAlO_08_random.efs.cfg")
    return try Polymorph.program.run(
      ["train", "mtp", data, "--level", "4", "--minimum-distance", "1.5", "--trials", "\(trials)"]
        + words)
  }

  private func object(_ outcome: BuiltProgram.Outcome) throws -> [String: Any] {
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test("The best of several starts is written, and the history leads to its loss")
  func starts() throws {
    let folder = try ScratchFolder()
    let result = try object(
      train(["--starts", "3", "--output", folder.path("a.mtp"), "--json"]))
    let losses = try #require(result["start_losses"] as? [Double])
    #expect(losses.count == 3)
    #expect(result["loss"] as? Double == losses.min())
    let history = try #require(result["history"] as? [[String: Any]])
    let steps = history.compactMap { $0["loss"] as? Double }
    #expect(steps.count == history.count)
    #expect(steps.last == losses.min())
    for (before, after) in zip(steps, steps.dropFirst()) { #expect(after < before) }
    #expect(history.first?["force_rmse"] is Double)
  }

  @Test("Every member of an ensemble is written, with the spread of their errors")
  func ensemble() throws {
    let folder = try ScratchFolder()
    let result = try object(
      train(["--ensemble", "3", "--output", folder.path("a.mtp"), "--json"]))
    var files: Set<Data> = []
    for member in 1...3 { files.insert(try folder.bytes("a-\(member).mtp")) }
    #expect(files.count == 3, "members differ")
    let members = try #require(result["members"] as? [[String: Any]])
    let rmse = try members.map { member in
      let training = try #require(member["training"] as? [String: Any])
      let force = try #require(training["force"] as? [String: Any])
      return try #require(force["rmse"] as? Double)
    }
    let mean = rmse.reduce(0, +) / 3
    let sigma = (rmse.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2).squareRoot()
    let spread = try #require(
      (result["training_ensemble"] as? [String: Any])?["force"] as? [String: Any])
    #expect(abs(try #require(spread["mean_rmse"] as? Double) - mean) < 1e-12)
    #expect(abs(try #require(spread["two_sigma"] as? Double) - 2 * sigma) < 1e-12)
  }

  @Test("Progress goes to the standard error, and only where asked without a terminal")
  func progress() throws {
    let folder = try ScratchFolder()
    let silent = try train(["--output", folder.path("a.mtp")])
    #expect(silent.errors.isEmpty)
    let told = try train(["--output", folder.path("b.mtp"), "--progress"])
    #expect(told.output == silent.output.replacing("a.mtp", with: "b.mtp"))
    let lines = told.errors.split(separator: "\n")
    #expect(lines.count >= 2)
    for line in lines { #expect(line.hasPrefix("trial ") && line.contains("loss ")) }
  }

  @Test("A repulsion is written into the file, inherited by a refit, and changed where asked")
  func repulsion() throws {
    let folder = try ScratchFolder()
    let data = try Polymorph.fixture("MgAlO_08_random.efs.cfg")
    func tag(_ name: String) throws -> String? {
      try String(decoding: folder.bytes(name), as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix("potential_tag") }.map(String.init)
    }
    let named = ["--elements", "Mg,Al,O"]
    let first = try train(["--repulsion", "0.6,0.9", "--output", folder.path("a.mtp")] + named)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("repulsion       ZBL, 0.6 to 0.9"))
    #expect(try tag("a.mtp") == "potential_tag = elements:Mg,Al,O zbl:0.6,0.9")
    for (name, options, expected) in [
      ("b.mtp", [], "elements:Mg,Al,O zbl:0.6,0.9"),
      ("c.mtp", ["--repulsion", "0.4,0.7"], "elements:Mg,Al,O zbl:0.4,0.7"),
      ("d.mtp", ["--repulsion", "none"], "elements:Mg,Al,O"),
    ] {
      let refit = try Polymorph.program.run(
        [
          "train", "mtp", data, "--trials", "2", "--start", folder.path("a.mtp"), "--output",
          folder.path(name),
        ] + options + named)
      #expect(refit.status == 0, "\(refit.errors)")
      #expect(try tag(name) == "potential_tag = " + expected)
    }
    let plain = try train(["--output", folder.path("e.mtp")] + named)
    #expect(plain.status == 0 && !plain.output.contains("ZBL"))
    #expect(try tag("e.mtp") == "potential_tag = elements:Mg,Al,O")
    for (options, message) in [
      (["--repulsion", "0.9,0.6"] + named, "--repulsion: invalid potential"),
      (["--repulsion", "0.9"] + named, "--repulsion: found '0.9', allowed: 2 numbers"),
      (["--repulsion", "0.6,0.9"], "--elements"),
    ] {
      let refused = try train(options + ["--output", folder.path("f.mtp")])
      #expect(refused.status == 2)
      #expect(refused.errors.contains(message), "\(refused.errors)")
    }
  }

  @Test("A refit of the same data ends where it began; robust weights change the fit")
  func refit() throws {
    let folder = try ScratchFolder()
    let first = try train(["--output", folder.path("a.mtp")], trials: 60)
    #expect(first.status == 0, "\(first.errors)")
    let data = try Polymorph.fixture("MgAlO_08_random.efs.cfg")
    let again = try object(
      Polymorph.program.run([
        "train", "mtp", data, "--start", folder.path("a.mtp"), "--output", folder.path("b.mtp"),
        "--json",
      ]))
    #expect(try #require(again["trials"] as? Int) <= 4)
    let robust = try train(
      ["--output", folder.path("c.mtp"), "--robust-force", "0.5"], trials: 60)
    #expect(robust.status == 0, "\(robust.errors)")
    #expect(try folder.bytes("c.mtp") != folder.bytes("a.mtp"))
  }
}
