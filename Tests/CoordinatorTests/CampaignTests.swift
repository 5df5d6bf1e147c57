import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

@Suite("Campaign", .serialized)
struct CampaignTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test("One digest with no launcher and with 1, 2 and 4 ranks; the replay agrees", .tags(.mpi))
  func oneDigest() throws {
    #expect(try place.search("alone").status == 0)
    let expected = try place.digest("alone")
    #expect(expected.count == 64)
    for ranks in [1, 2, 4] {
      let outcome = try place.search("ranks\(ranks)", ranks: ranks)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try place.digest("ranks\(ranks)") == expected, "\(ranks) ranks")
    }
    // The campaign is one in which things go wrong: only then does the digest say much.
    let summary = try place.summary("alone")
    func count(_ key: String) throws -> Int { try #require(summary[key] as? Int) }
    #expect(try count("refits") >= 3)
    #expect(try count("continuations") >= 10)
    #expect(try count("failed") >= 1)
    #expect(try count("rejected") >= 1)
    // One label, one structure.
    let elements = try ["Ti", "O"].map { try #require(ChemicalElement(symbol: $0)) }
    let labelled = try StructureFile.read(place.path("alone/training.cfg"), elements: elements)
    #expect(labelled.count == (try count("labels")))
    for (place, one) in labelled.enumerated() {
      #expect(!labelled[..<place].contains { $0.structure == one.structure })
    }
    let replay = try place.search("unused", ranks: 3, ["--replay", place.path("alone")])
    #expect(replay.status == 0)
    #expect(replay.output.contains("every bit the same"))
  }

  @Test(
    "Killed at random moments and resumed, the digest is the same",
    .tags(.mpi), arguments: ["worker", "rank 0", "mpirun"])
  func kills(victim: String) throws {
    let begin = Date()
    #expect(try place.search("whole", ranks: 3).status == 0)
    let expected = try place.digest("whole")
    // Kills fall within the time that this machine takes for all of it, fast or slow. Where a run
    // was over before its first kill, it is begun anew and killed sooner.
    var longest = Date().timeIntervalSince(begin) * 0.6
    var random = RandomStream(
      seed: 11, purpose: .test, slot: UInt64(victim.utf8.reduce(0) { $0 * 31 + Int($1) }))
    var kills = 0
    for _ in 0..<8 {
      let resume = FileManager.default.fileExists(atPath: place.path("killed/campaign.db"))
      let run = try RunningProgram(
        place.polymorph,
        ["search", place.campaign, "--directory", place.path("killed"), "--quiet"]
          + (resume ? ["--resume"] : []), ranks: 3, in: place.folder)
      // The first kill may fall before there is a campaign; later there must be one to resume.
      if kills > 0 { #expect(run.wait(for: place.path("killed/campaign.db")), "\(run.printed())") }
      Thread.sleep(forTimeInterval: random.uniform(0.25, 1) * longest)
      let ranks = run.rankIdentifiers()
      if run.isRunning, ranks.count == 3 {
        let target =
          victim == "worker" ? ranks[2] : (victim == "rank 0" ? ranks[0] : run.identifier)
        if kill(target, SIGKILL) == 0 { kills += 1 }
      }
      guard run.wait() == 0 else {
        #expect(kills > 0, "\(run.printed())")
        continue
      }
      if kills > 0 { break }
      try FileManager.default.removeItem(atPath: place.path("killed"))
      longest /= 2
    }
    let last = try place.search("killed", ranks: 2, ["--resume"])
    #expect(last.status == 0, "\(last.errors)")
    #expect(kills >= 1)
    #expect(try place.digest("killed") == expected)
  }

  @Test("Stopped after some commits and resumed alone, the digest is the same")
  func stops() throws {
    try place.search("whole")
    for commits in [0, 1, 17, 150] {
      let name = "stopped\(commits)"
      #expect(try place.search(name, ["--stop-after", "\(commits)"]).status == 0)
      #expect(try place.summary(name)["slots"] as? Int == commits)
      #expect(try place.search(name, ["--resume"]).status == 0)
      #expect(try place.digest(name) == place.digest("whole"))
    }
    #expect(try place.search("timed", ["--time-limit", "0.5s"]).status == 0)
    let slots = try #require(try place.summary("timed")["slots"] as? Int)
    #expect(try slots < #require(place.summary("whole")["slots"] as? Int))
    #expect(try place.search("timed", ["--resume"]).status == 0)
    #expect(try place.digest("timed") == place.digest("whole"))
  }

  @Test("Without learning the reference itself relaxes; one digest, and no labels", .tags(.mpi))
  func reference() throws {
    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
      .replacingOccurrences(
        of: "{kind: mtp, level: 8, cutoff: 5.0, radial_basis: 6}", with: "{kind: reference}")
    let file = place.path("reference.yaml")
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    var digests: [String] = []
    for ranks in [nil, 3] {
      let name = "reference\(ranks ?? 0)"
      let run = try place.polymorph.run(
        ["search", file, "--directory", place.path(name), "--quiet"], ranks: ranks,
        in: place.folder, timeoutSeconds: 300)
      #expect(run.status == 0, "\(run.errors)")
      digests.append(try place.digest(name))
    }
    #expect(digests[0] == digests[1])
    let summary = try place.summary("reference0")
    #expect(summary["candidates"] as? Int == 60)
    #expect(summary["labels"] as? Int == 0)
    #expect(summary["potential_version"] as? Int == 0)
    #expect(try #require(summary["distinct"] as? Int) >= 10)
    #expect(try #require(summary["evaluations"] as? Int) >= 600)
  }

  @Test("An interrupt saves the state and ends with status 130")
  func interrupt() throws {
    try place.search("whole")
    let run = try RunningProgram(
      place.polymorph,
      ["search", place.campaign, "--directory", place.path("interrupted"), "--quiet"],
      in: place.folder)
    #expect(run.wait(for: place.path("interrupted/campaign.db")), "\(run.printed())")
    kill(run.identifier, SIGINT)
    #expect(run.wait() == 130, "\(run.printed())")
    #expect(try place.search("interrupted", ["--resume"]).status == 0)
    #expect(try place.digest("interrupted") == place.digest("whole"))
  }

  @Test("An existing campaign is never touched by a second search or by wrong input")
  func protection() throws {
    try place.search("kept")
    let digest = try place.digest("kept")
    let second = try place.search("kept")
    #expect(second.status == 2)
    #expect(second.errors.contains("--resume"))
    let changed = place.path("changed.yaml")
    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
    try text.replacingOccurrences(of: "level: 8", with: "level: 10")
      .write(toFile: changed, atomically: true, encoding: .utf8)
    let other = try place.polymorph.run(
      ["search", changed, "--directory", place.path("kept"), "--resume"], in: place.folder)
    #expect(other.status == 2)
    #expect(other.errors.contains("level: 10"))
    #expect(try place.digest("kept") == digest)
    let missing = try place.search("nothing", ["--resume"])
    #expect(missing.status == 2)
  }

  @Test("Seeds and raised limits act, and a replay knows them")
  func people() throws {
    let folder = place.folder.appendingPathComponent("people")
    try place.search("people", ["--stop-after", "40"])
    let seeds = folder.appendingPathComponent("seeds")
    try FileManager.default.createDirectory(at: seeds, withIntermediateDirectories: true)
    try """
    rutile
    1.0
    4.6 0 0
    0 4.6 0
    0 0 2.96
    Ti O
    2 4
    Direct
    0 0 0
    0.5 0.5 0.5
    0.305 0.305 0
    0.695 0.695 0
    0.805 0.195 0.5
    0.195 0.805 0.5
    """.write(to: seeds.appendingPathComponent("rutile.vasp"), atomically: true, encoding: .utf8)
    try "candidates: 66\n".write(
      to: folder.appendingPathComponent("limits.yaml"), atomically: true, encoding: .utf8)
    #expect(try place.search("people", ["--resume"]).status == 0)
    #expect(try place.summary("people")["candidates"] as? Int == 66)
    let best = try #require(try place.status("people")["best"] as? [[String: Any]])
    #expect(best.first?["space_group"] as? Int == 136)
    let replay = try place.search("unused", ["--replay", place.path("people")])
    #expect(replay.status == 0, "\(replay.output)\(replay.errors)")
  }

  @Test("A resume may raise the labels from those of the initial set alone")
  func raisedLabels() throws {
    let few = place.path("few.yaml")
    let text = try String(contentsOfFile: place.campaign, encoding: .utf8)
    func search(_ labels: Int, _ more: [String]) throws -> BuiltProgram.Outcome {
      try AtomicFile.write(
        text.replacing("max_labels: 120", with: "max_labels: \(labels)"), to: few)
      return try place.polymorph.run(
        ["search", few, "--directory", place.path("raised"), "--quiet"] + more, in: place.folder)
    }
    #expect(try search(16, ["--stop-after", "100"]).status == 0)
    let resumed = try search(120, ["--resume"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try #require(place.summary("raised")["labels"] as? Int) > 16)
  }

  @Test("With another campaign's labels the digest is the same")
  func labelStore() throws {
    try place.search("first")
    let second = try place.search("second", ranks: 2, ["--labels", place.path("first")])
    #expect(second.status == 0, "\(second.errors)")
    #expect(try place.digest("second") == place.digest("first"))
  }

  @Test("ASE lists the candidates and reads every exported file with the same numbers")
  func ase() throws {
    try place.search("ase")
    for format in ["poscar", "cif", "extxyz", "vasp"] {
      let outcome = try place.polymorph.run(
        [
          "export", place.path("ase"), "--top", "4", "--format", format, "--output",
          place.path("out-\(format)"),
        ], in: place.folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let script = """
      import glob, sys, numpy as np
      from ase.db import connect
      from ase.io import read
      folder = sys.argv[1]
      rows = list(connect(folder + '/ase/campaign.db').select())
      assert len(rows) > 20, len(rows)
      assert all('enthalpy_per_atom' in r.key_value_pairs for r in rows)
      assert all(abs(r.energy / r.natoms - r.enthalpy_per_atom) < 1e-9 for r in rows)
      frames = read(folder + '/out-extxyz/candidates.extxyz', index=':')
      poscars = sorted(glob.glob(folder + '/out-poscar/*.vasp'))
      vasp = sorted(glob.glob(folder + '/out-vasp/*/POSCAR'))
      cifs = sorted(glob.glob(folder + '/out-cif/*.cif'))
      assert len(frames) == len(poscars) == len(vasp) == len(cifs) >= 3
      for frame, a, b, c in zip(frames, poscars, vasp, cifs):
          assert np.isfinite(frame.get_potential_energy())
          assert frame.get_forces().shape == (len(frame), 3) and frame.get_stress().shape == (6,)
          for other in (read(a, format='vasp'), read(b, format='vasp')):
              assert np.abs(other.cell[:] - frame.cell[:]).max() < 1e-8
              d = other.get_scaled_positions() - frame.get_scaled_positions()
              assert np.abs((d - np.round(d)) @ frame.cell[:]).max() < 1e-8
          crystal = read(c)
          ratio = len(crystal) / len(frame)
          assert abs(crystal.get_volume() / frame.get_volume() - ratio) < 2e-2 * ratio
      print('agreed', len(frames))
      """
    let outcome = try PythonASE.run(script, [place.folder.path])
    #expect(outcome.contains("agreed"))
  }

  @Test("What the workers spent their time on is told by kind of work, for all runs together")
  func workTimes() throws {
    #expect(try place.search("timed", ["--stop-after", "150"]).status == 0)
    let first = try workPieces("timed")
    let second = try place.search("timed", ranks: 3, ["--resume"])
    #expect(second.status == 0, "\(second.errors)")
    let text = try place.polymorph.run(["status", place.path("timed")], in: place.folder).output
    #expect(text.contains("time of the workers: generation "), "\(text)")
    let summary = try place.summary("timed")
    func count(_ key: String) throws -> Int { try #require(summary[key] as? Int, "\(key)") }
    let all = try workPieces("timed")
    #expect(first.labels < all.labels && first.relaxation < all.relaxation)
    #expect(try all.labels == count("labels") + count("failed_labels"))
    #expect(try all.training == count("refits") + 1)
    #expect(
      try all.relaxation == count("candidates") + count("rejected") + count("continuations")
        + count("refreshes"))
    #expect(all.reranking == 5)
  }

  private func workPieces(
    _ name: String
  ) throws -> (labels: Int, relaxation: Int, training: Int, reranking: Int) {
    let work = try #require(try place.status(name)["work"] as? [String: [String: Any]])
    func pieces(_ kind: String) throws -> Int {
      let seconds = try #require(work[kind]?["seconds"] as? Double)
      let pieces = try #require(work[kind]?["pieces"] as? Int)
      #expect((seconds > 0) == (pieces > 0), "\(kind)")
      return pieces
    }
    return (
      try pieces("labels"), try pieces("relaxation"), try pieces("training"),
      try pieces("reranking")
    )
  }

  @Test("A dry run and a rehearsal leave no campaign behind")
  func dryRun() throws {
    let dry = try place.search("dry", ["--dry-run"])
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(dry.output.contains("16 initial"))
    #expect(!FileManager.default.fileExists(atPath: place.path("dry")))
    let samples = try FileManager.default.contentsOfDirectory(atPath: place.path("dry-dry-run"))
    #expect(samples.count { $0.hasPrefix("reference-") } == 10)
    #expect(samples.filter { $0.hasPrefix("seeding-") } == ["seeding-random.vasp"])
    // What it shows is what a campaign labels first.
    let shown = try (1...10).map { number in
      let name = "dry-dry-run/reference-\(number < 10 ? "0" : "")\(number).vasp"
      return try #require(try StructureFile.read(place.path(name)).first).structure
    }
    #expect(try place.search("begun", ["--stop-after", "60"]).status == 0)
    let elements = try ["Ti", "O"].map { try #require(ChemicalElement(symbol: $0)) }
    let begun = try StructureFile.read(
      place.path("begun/training.cfg"), elements: elements)
    #expect(begun.count >= 10)
    for (structure, label) in zip(shown, begun) {
      #expect(structure.matches(label.structure))
    }
    let rehearsal = try place.search("rehearsed", ["--rehearse", "3"])
    #expect(rehearsal.status == 0, "\(rehearsal.errors)")
    #expect(!FileManager.default.fileExists(atPath: place.path("rehearsed")))
  }

  @Test(
    "Piped output has plain lines, with and without a launcher", .tags(.mpi), arguments: [nil, 2])
  func plainLines(ranks: Int?) throws {
    let outcome = try place.polymorph.run(
      ["search", place.campaign, "--directory", place.path("plain\(ranks ?? 0)")], ranks: ranks,
      in: place.folder, timeoutSeconds: 120)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!outcome.output.contains("\u{1B}"))
    #expect(outcome.output.contains("initial training set"))
    #expect(outcome.output.contains("place"))
    #expect(outcome.output.contains("training labels: "))
  }

  @Test("Rank 0 uses less than 5 % of a core while two workers relax", .tags(.mpi))
  func rankZeroIsIdle() throws {
    // Cells of 48 atoms and a larger basis: relaxations long enough to be what the time goes into, and more
    // of them than the test watches.
    let heavy = place.path("heavy.yaml")
    try String(contentsOfFile: place.campaign, encoding: .utf8)
      .replacingOccurrences(of: "formula_units: [2]", with: "formula_units: [16]")
      .replacingOccurrences(of: "level: 8", with: "level: 12")
      .replacingOccurrences(of: "candidates: 60", with: "candidates: 5000")
      .write(toFile: heavy, atomically: true, encoding: .utf8)
    let run = try RunningProgram(
      place.polymorph, ["search", heavy, "--directory", place.path("idle"), "--quiet"],
      ranks: 3, in: place.folder)
    Thread.sleep(forTimeInterval: 2)
    let ranks = run.rankIdentifiers()
    try #require(ranks.count == 3)
    let before = ranks.map(processorSeconds)
    Thread.sleep(forTimeInterval: 6)
    let used = zip(ranks.map(processorSeconds), before).map { $0 - $1 }
    kill(run.identifier, SIGKILL)
    _ = run.wait()
    #expect(used[1] + used[2] > 1, "the workers were to be busy: \(used) s")
    #expect(used[0] / 6 < 0.05, "rank 0 used \(used[0]) s of 6 s")
  }

  private func processorSeconds(_ identifier: Int32) -> Double {
    // A process that is gone has no file; its share is then not a number, which fails the test.
    let text = (try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      return .nan
    }
    return (user + system) / 100  // 100 ticks in a second
  }
}
