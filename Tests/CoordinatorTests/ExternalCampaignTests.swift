import Foundation
import NumericalCore
import TestSupport
import Testing

/// A campaign that is labelled by a program that answers like VASP, through a script that writes down what
/// was run.
private final class ExternalPlace {
  let folder: URL
  let polymorph = BuiltProgram("polymorph")
  let campaign: String

  init(mode: String = "regular") throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "polymorph-external-\(UUID().uuidString)")
    let potentials = folder.appendingPathComponent("potpaw/Si")
    try FileManager.default.createDirectory(at: potentials, withIntermediateDirectories: true)
    try AtomicFile.write(
      "  PAW_PBE Si 01Jan2001\n   4.00000000\n End of Dataset\n",
      to: potentials.appendingPathComponent("POTCAR").path)
    let script = folder.appendingPathComponent("vasp.sh").path
    let log = folder.appendingPathComponent("runs").path
    try AtomicFile.write(
      """
      #!/bin/sh
      env | grep -E '^(OMPI|PMIX|PRTE)_' | grep -v ALLOW_RUN_AS_ROOT >> '\(log).environment'
      echo "begun $PWD" >> '\(log)'
      sleep 0.05
      VASP_STANDIN=\(mode) '\(BuiltProgram("VASPStandIn").path)' || exit $?
      echo "done $PWD" >> '\(log)'
      """, to: script)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    campaign = folder.appendingPathComponent("campaign.yaml").path
    try AtomicFile.write(
      """
      composition: Si
      formula_units: [2, 3]
      seed: 5
      potential: {kind: mtp, level: 6, cutoff: 4.5, radial_basis: 6}
      reference:
        kind: vasp
        command: ['\(script)']
        potcar_folder: '\(folder.appendingPathComponent("potpaw").path)'
        cutoff: 300
      initial_training: {random_structures: 8}
      active_learning: {max_labels: 30, batch: 4}
      search: {candidates: 12, population: 6, window: 3}
      rerank: {top: 2}
      """, to: campaign)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func search(
    _ directory: String, ranks: Int? = nil, _ more: [String] = []
  ) throws -> BuiltProgram.Outcome {
    try polymorph.run(
      ["search", campaign, "--directory", path(directory), "--quiet"] + more, ranks: ranks,
      in: folder, timeoutSeconds: 300)
  }

  func digest(_ directory: String) throws -> String {
    let outcome = try polymorph.run(["status", path(directory), "--digest"], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  /// What the script has written down: the folders of calculations, in the order of their begin or end.
  func runs(_ what: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path("runs")) else { return [] }
    return try String(contentsOfFile: path("runs"), encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix(what + " ") }.map { String($0.dropFirst(what.count + 1)) }
  }
}

@Suite("Campaigns with an external program", .serialized)
struct ExternalCampaignTests {
  @Test(
    "Every label has a folder and is computed once; with the labels of another campaign none is",
    .tags(.mpi))
  func labels() throws {
    let place = try ExternalPlace()
    let first = try place.search("first")
    #expect(first.status == 0, "\(first.errors)")
    let runs = try place.runs("done")
    #expect(runs.count > 10)
    #expect(Set(runs).count == runs.count)
    for folder in runs {
      #expect(folder.hasPrefix(place.path("first/reference/")), "\(folder)")
      let record = try #require(
        JSONSerialization.jsonObject(
          with: Data(contentsOf: URL(fileURLWithPath: folder + "/label.json"))) as? [String: Any])
      #expect(record["key"] as? String == URL(fileURLWithPath: folder).lastPathComponent)
      #expect(record["energy"] is Double && record["failure"] == nil)
      #expect(record["history_dependent"] as? Bool == false)
    }
    let second = try place.search("second", ranks: 3, ["--labels", place.path("first")])
    #expect(second.status == 0, "\(second.errors)")
    #expect(try place.digest("second") == place.digest("first"))
    #expect(try place.runs("begun").count == runs.count)
    // A third campaign lives on the second alone, which holds all that it took over.
    try FileManager.default.removeItem(atPath: place.path("first"))
    let third = try place.search("third", ["--labels", place.path("second")])
    #expect(third.status == 0, "\(third.errors)")
    #expect(try place.digest("third") == place.digest("second"))
    #expect(try place.runs("begun").count == runs.count)
    // Labels are inputs of a replay, and re-ranking finds its calculations in the folder.
    let replay = try place.search("unused", ranks: 2, ["--replay", place.path("third")])
    #expect(replay.output.contains("every bit the same"), "\(replay.output)\(replay.errors)")
    #expect(try place.runs("begun").count == runs.count)
  }

  @Test("A search whose program has no command is refused before it begins")
  func noCommand() throws {
    let place = try ExternalPlace()
    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
    let lines = text.split(separator: "\n").filter { !$0.contains("command:") }
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: place.campaign)
    let outcome = try place.search("campaign")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("campaign.yaml:"), "\(outcome.errors)")
    #expect(outcome.errors.contains("reference.command"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: place.path("campaign/campaign.db")))
  }

  @Test("A campaign whose program has gone is neither resumed nor re-ranked, and stays")
  func programGone() throws {
    let place = try ExternalPlace()
    let begun = try place.search("campaign", ["--stop-after", "14"])
    try #require(begun.status == 0, "\(begun.errors)")
    let digest = try place.digest("campaign")
    try FileManager.default.removeItem(atPath: place.path("vasp.sh"))
    for outcome in [
      try place.search("campaign", ["--resume"]),
      try place.polymorph.run(["rerank", place.path("campaign")], in: place.folder),
    ] {
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains("reference.command: found no program"), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
    #expect(try place.digest("campaign") == digest)
  }

  @Test("VASP is installed on the cluster alone: neither a dry run nor a replay needs it")
  func elsewhere() throws {
    let place = try ExternalPlace()
    #expect(try place.search("campaign").status == 0)
    try FileManager.default.removeItem(atPath: place.path("vasp.sh"))
    let replay = try place.search("unused", ["--replay", place.path("campaign")])
    #expect(replay.status == 0, "\(replay.errors)")
    #expect(replay.output.contains("every bit the same"), "\(replay.output)")
    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
    let command = try #require(text.split(separator: "\n").first { $0.contains("command:") })
    try AtomicFile.write(
      text.replacing(command, with: "  command: [no-such-vasp]"), to: place.campaign)
    let dry = try place.polymorph.run(
      ["search", place.campaign, "--dry-run", "--directory", place.path("dry")], in: place.folder)
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(dry.output.contains("not here: "), "\(dry.output)")
    #expect(dry.output.contains("found no program 'no-such-vasp'"), "\(dry.output)")
    #expect(FileManager.default.fileExists(atPath: place.path("dry-dry-run/reference-01/INCAR")))
    let before = try place.runs("begun").count
    let search = try place.search("other")
    #expect(search.status == 2, "\(search.errors)")
    #expect(search.errors.contains("found no program 'no-such-vasp'"), "\(search.errors)")
    #expect(try place.runs("begun").count == before)
  }

  @Test(
    "What failed stays where the message says, what succeeded and what could not begin does not")
  func kept() throws {
    let place = try ExternalPlace()
    try AtomicFile.write(
      "#!/bin/sh\ngrep -qx ' *1 *' POSCAR && { echo because; exit 3; }\n"
        + "exec '\(BuiltProgram("VASPStandIn").path)'\n", to: place.path("vasp.sh"))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: place.path("vasp.sh"))
    let temporary = place.path("temporary")
    try FileManager.default.createDirectory(
      atPath: temporary, withIntermediateDirectories: false)
    func evaluate(_ count: Int, _ pbc: String) throws -> BuiltProgram.Outcome {
      let atoms = (0..<count).map { "Si \(Double($0) * 2.5) 0 0\n" }.joined()
      try AtomicFile.write(
        "\(count)\nLattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3 "
          + "pbc=\"\(pbc)\"\n" + atoms,
        to: place.path("in.xyz"))
      let campaign = try String(contentsOfFile: place.campaign, encoding: .utf8)
      let block = campaign.split(separator: "\n").drop { $0 != "reference:" }
        .prefix { $0 == "reference:" || $0.hasPrefix("  ") }.joined(separator: "\n")
      try AtomicFile.write(block + "\n", to: place.path("engine.yaml"))
      return try place.polymorph.run(
        ["evaluate", place.path("engine.yaml"), place.path("in.xyz"), "--output", "out.xyz"],
        in: place.folder, environment: ["TMPDIR": temporary + "/"])
    }
    func left() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: temporary)
    }
    let good = try evaluate(2, "T T T")
    #expect(good.status == 0, "\(good.errors)")
    #expect(try left().isEmpty)
    let slab = try evaluate(2, "T T F")
    #expect(slab.status == 1 && !slab.errors.contains("; see "), "\(slab.errors)")
    #expect(try left().isEmpty)
    let bad = try evaluate(1, "T T T")
    #expect(bad.status == 1, "\(bad.errors)")
    let line = try #require(bad.errors.split(separator: "\n").first { $0.contains("; see ") })
    let folder = try #require(line.split(separator: " ").last.map(String.init))
    #expect(folder.hasPrefix(temporary))
    #expect(
      try String(contentsOfFile: folder + "/vasp.out", encoding: .utf8).contains("because"))
  }

  @Test("A dry run calls no client of a socket")
  func dryRunOfSocket() throws {
    let place = try ExternalPlace()
    try AtomicFile.write(
      "composition: Si\nformula_units: [2]\nseed: 1\nreference:\n  kind: i-pi\n  method: toy\n"
        + "  command: [no-such-client]\n", to: place.campaign)
    let dry = try place.polymorph.run(
      ["search", place.campaign, "--dry-run", "--directory", place.path("dry")], in: place.folder)
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(dry.output.contains("found no program 'no-such-client'"), "\(dry.output)")
    #expect(FileManager.default.fileExists(atPath: place.path("dry-dry-run/reference-01.vasp")))
  }

  @Test(
    "Killed during calculations and resumed, no label is lost and none is computed twice",
    .tags(.mpi))
  func kills() throws {
    let whole = try ExternalPlace()
    #expect(try whole.search("campaign").status == 0)
    let place = try ExternalPlace()
    var random = RandomStream(seed: 21, purpose: .test)
    var kills = 0
    for _ in 0..<10 {
      let resumes = FileManager.default.fileExists(atPath: place.path("campaign/campaign.db"))
      let before = try place.runs("begun").count
      let run = try RunningProgram(
        place.polymorph,
        ["search", place.campaign, "--directory", place.path("campaign"), "--quiet"]
          + (resumes ? ["--resume"] : []), ranks: 3, in: place.folder)
      // A kill in the middle of some calculation.
      let deadline = Date() + 60
      while run.isRunning, Date() < deadline, try place.runs("begun").count < before + 3 {
        Thread.sleep(forTimeInterval: 0.01)
      }
      Thread.sleep(forTimeInterval: random.uniform(0, 0.1))
      guard run.isRunning else {
        _ = run.wait()
        break
      }
      for rank in run.rankIdentifiers() + [run.identifier] where kill(rank, SIGKILL) == 0 {
        kills += 1
      }
      _ = run.wait()
    }
    #expect(kills >= 4)
    let last = try place.search("campaign", ranks: 2, ["--resume"])
    #expect(last.status == 0, "\(last.errors)")
    #expect(try place.digest("campaign") == whole.digest("campaign"))
    let done = try place.runs("done")
    #expect(Set(done).count == done.count)
    // Those begun and not done are the ones that the kills hit.
    #expect(try place.runs("begun").count <= done.count + 2 * kills)
  }

  @Test("Training on a re-ranking computes strained structures alone, and no step of a relaxation")
  func retraining() throws {
    let place = try ExternalPlace()
    #expect(try place.search("campaign").status == 0)
    func rerank(_ more: [String]) throws {
      let outcome = try place.polymorph.run(
        ["rerank", place.path("campaign"), "--top", "4"] + more, in: place.folder,
        timeoutSeconds: 300)
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
    try rerank([])
    let before = try place.runs("begun").count
    try rerank(["--retrain", "2"])
    let content = try Data(contentsOf: URL(fileURLWithPath: place.path("campaign/rerank.json")))
    let object = try #require(JSONSerialization.jsonObject(with: content) as? [String: Any])
    let result = try #require(object["retraining"] as? [String: Any])
    #expect((result["failed_labels"] as? [Any])?.isEmpty == true)
    #expect(result["strained_structures"] as? Int == 32)
    #expect(try #require(result["trajectory_structures"] as? Int) >= 4)
    let begun = try place.runs("begun")
    #expect(begun.count == before + 32)
    #expect(Set(begun).count == begun.count)
    // A second time nothing at all is computed.
    let potential = try Data(
      contentsOf: URL(fileURLWithPath: place.path("campaign/retrained.mtp")))
    try rerank(["--retrain", "2"])
    #expect(try place.runs("begun").count == begun.count)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: place.path("campaign/retrained.mtp")))
        == potential)
  }

  @Test("What does not converge is tried once more with safer settings, and the search goes on")
  func difficult() throws {
    let place = try ExternalPlace(mode: "difficult")
    let outcome = try place.search("campaign")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let done = try place.runs("done")
    let retried = done.filter { $0.hasSuffix("/retry") }
    #expect(retried.count > 10 && 2 * retried.count == done.count)
    #expect(FileManager.default.fileExists(atPath: retried[0] + "/vasprun.xml"))
  }

  @Test("A program that never gives a label ends the campaign with its reason, not with a hang")
  func hopeless() throws {
    let place = try ExternalPlace(mode: "crash")
    let outcome = try place.search("campaign")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("no structure of the initial training set could be"))
    // Each was tried twice, once in a folder of its own.
    let begun = try place.runs("begun")
    #expect(begun.count == 16 && Set(begun).count == 16)
  }

  @Test("An interrupt ends the calculation under way, and the resume computes it", .tags(.mpi))
  func interrupt() throws {
    let whole = try ExternalPlace()
    #expect(try whole.search("campaign").status == 0)
    let place = try ExternalPlace()
    let run = try RunningProgram(
      place.polymorph,
      ["search", place.campaign, "--directory", place.path("campaign"), "--quiet"], ranks: nil,
      in: place.folder)
    let deadline = Date() + 60
    while run.isRunning, Date() < deadline, try place.runs("begun").count < 5 {
      Thread.sleep(forTimeInterval: 0.01)
    }
    #expect(kill(run.identifier, SIGINT) == 0)
    #expect(run.wait() == 130, "\(run.printed())")
    let last = try place.search("campaign", ["--resume"])
    #expect(last.status == 0, "\(last.errors)")
    #expect(try place.digest("campaign") == whole.digest("campaign"))
  }

  @Test("Programs of the campaign inherit nothing of the launcher", .tags(.mpi))
  func environment() throws {
    let place = try ExternalPlace()
    #expect(try place.search("campaign", ranks: 2, ["--stop-after", "30"]).status == 0)
    #expect(try place.runs("done").count >= 4)
    let seen = try String(contentsOfFile: place.path("runs.environment"), encoding: .utf8)
    // What the engine itself sets: no daemon for a program that no launcher started.
    let own = "OMPI_MCA_ess_singleton_isolated=1"
    let foreign = seen.split(separator: "\n").filter { $0 != own }
    #expect(foreign.isEmpty, "\(foreign)")
    #expect(seen.contains(own))
  }
}
