import Foundation
import TestSupport
import Testing

/// A folder with a crystal of silicon and a program that answers like VASP and writes down its runs.
private final class ConvergePlace {
  let folder: ScratchFolder
  let engine: String
  let crystal: String

  /// `mode` is how the stand-in answers; `nil` for a block without command, run by hand.
  init(mode: String? = "coarse") throws {
    folder = try ScratchFolder()
    let potentials = folder.url.appendingPathComponent("potpaw/Si")
    try FileManager.default.createDirectory(at: potentials, withIntermediateDirectories: true)
    _ = try folder.write(
      "  PAW_PBE Si 01Jan2001\n   4.00000000\n End of Dataset\n", "potpaw/Si/POTCAR")
    let script = try folder.write(
      """
      #!/bin/sh
      echo "$PWD" >> '\(folder.path("runs"))'
      VASP_STANDIN=\(mode ?? "") exec '\(BuiltProgram("VASPStandIn").path)'
      """, "vasp.sh")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    engine = try folder.write(
      """
      # A comment of the user.
      reference:
        kind: vasp\(mode == nil ? "" : "\n  command: ['\(script)']")
        potcar_folder: '\(folder.path("potpaw"))'
        cutoff: 200
        k_spacing: 1.0
        smearing: {kind: gaussian, width: 0.1}
      """, "engine.yaml")
    crystal = try folder.write(
      """
      silicon
      1.0
      0 2.735 2.735
      2.735 0 2.735
      2.735 2.735 0
      Si
      2
      Cartesian
      0 0 0
      1.3675 1.3675 1.3675

      """, "POSCAR")
  }

  func run(
    _ words: [String], ranks: Int? = nil, timeoutSeconds: Double = 120
  ) throws -> BuiltProgram.Outcome {
    try Polymorph.program.run(
      ["converge"] + words, ranks: ranks, in: folder.url, timeoutSeconds: timeoutSeconds)
  }

  func runs() -> Int {
    let text = try? String(contentsOfFile: folder.path("runs"), encoding: .utf8)
    return text?.split(separator: "\n").count ?? 0
  }

  /// The folders of calculations, with their inputs' cutoffs.
  func calculations() throws -> [(folder: URL, cutoff: String)] {
    try FileManager.default.contentsOfDirectory(
      at: folder.url.appendingPathComponent("converge"), includingPropertiesForKeys: nil
    ).map { folder in
      let incar = try String(contentsOf: folder.appendingPathComponent("INCAR"), encoding: .utf8)
      let line = incar.split(separator: "\n").first { $0.hasPrefix("ENCUT") }
      return (folder, line?.split(separator: " ").last.map(String.init) ?? "")
    }
  }

  /// Runs by hand what waits, apart from some cutoffs.
  func runByHand(except cutoffs: Set<String> = []) throws {
    for (folder, cutoff) in try calculations() where !cutoffs.contains(cutoff) {
      let result = folder.appendingPathComponent("vasprun.xml").path
      guard !FileManager.default.fileExists(atPath: result) else { continue }
      let outcome = try BuiltProgram("VASPStandIn").run(
        [], in: folder, timeoutSeconds: 60, environment: ["VASP_STANDIN": "coarse"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.path(name), encoding: .utf8)
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.path(name))
  }
}

private func object(_ text: String) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
}

@Suite("Convergence on the command line", .serialized)
struct ConvergeVerbTests {
  @Test("Cutoff and k-points settle, the block is written, and nothing is computed twice")
  func convergence() throws {
    let place = try ConvergePlace()
    let words = [place.engine, place.crystal, "--rattle", "0.1", "--seed", "4"]
    let outcome = try place.run(words)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    for part in ["k-mesh", "ΔE meV/atom", "2×2×2", "converged: cutoff "] {
      #expect(outcome.output.contains(part), "\(outcome.output)")
    }
    let written = try place.text("reference.yaml")
    for part in ["# Cutoff and k_spacing found by polymorph converge", "kind: vasp", "(seed 4)"] {
      #expect(written.contains(part), "\(written)")
    }
    let runs = place.runs()
    #expect(runs > 8 && runs < 30)
    let again = try place.run(words + ["--json"])
    #expect(place.runs() == runs && again.status == 0)
    let report = try object(again.output)
    #expect(report["converged"] as? Bool == true)
    let cutoff = try #require(report["cutoff"] as? Double)
    let spacing = try #require(report["k_spacing"] as? Double)
    // The stand-in leaves out 2 eV at 200 eV, a tenth of it at 292 eV.
    #expect(cutoff > 340 && cutoff < 600)
    #expect(spacing < 1)
    #expect(written.contains("\n  cutoff: \(Int(cutoff))\n"), "\(written)")
    #expect(written.contains("\n  k_spacing: \(spacing)\n"), "\(written)")
    let series = try #require(report["series"] as? [[String: Any]])
    #expect(series.compactMap { $0["finer"] as? String } == ["cutoff", "k_spacing", "both"])
    // The block is one that converges at once.
    let second = try place.run(
      [place.folder.path("reference.yaml"), place.crystal, "--output", "second.yaml", "--json"]
        + words.dropFirst(2))
    #expect(second.status == 0, "\(second.errors)")
    #expect(try object(second.output)["cutoff"] as? Double == cutoff)
    // Another seed is another structure.
    let before = place.runs()
    _ = try place.run(Array(words.dropLast()) + ["5", "--largest-cutoff", "220"])
    #expect(place.runs() == before + 1)
  }

  @Test("At the limit the status is 1, nothing is written, and the message says what to try")
  func limit() throws {
    let place = try ConvergePlace()
    let words = [place.engine, place.crystal, "--rattle", "0.1", "--largest-cutoff", "300"]
    let outcome = try place.run(words)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("--largest-cutoff"), "\(outcome.errors)")
    #expect(outcome.errors.contains("meV/atom"), "\(outcome.errors)")
    #expect(!place.exists("reference.yaml"))
    #expect(try object(place.run(words + ["--json"]).output)["converged"] as? Bool == false)
    // With thresholds that are wide enough the cutoffs do, and calculations with more k-points follow.
    let runs = place.runs()
    let wide = try place.run(
      words + [
        "--energy", "5000", "--pressure", "100", "--force", "100", "--smallest-k-spacing", "0.3",
      ])
    #expect(wide.status == 0, "\(wide.errors)")
    #expect(place.runs() > runs)
  }

  @Test("Where the limit leaves too few calculations, they are not said to differ")
  func tooFew() throws {
    let place = try ConvergePlace()
    let words = [
      place.engine, place.crystal, "--rattle", "0.1", "--energy", "600", "--pressure", "100",
      "--force", "100", "--largest-cutoff",
    ]
    let two = try place.run(words + ["235"])
    #expect(two.status == 1)
    #expect(two.errors.contains("too few calculations"), "\(two.errors)")
    #expect(two.errors.contains("--largest-cutoff"), "\(two.errors)")
    // 230 and 260 eV agree, 200 and 260 eV do not.
    let three = try place.run(words + ["260"])
    #expect(three.status == 1)
    #expect(three.errors.contains("the last two calculations agree, but"), "\(three.errors)")
    for outcome in [two, three] {
      #expect(!outcome.errors.contains("differ by"), "\(outcome.errors)")
    }
  }

  @Test("Two pairs of cutoff and k-points are enough to say by how much they differ")
  func togetherTooFew() throws {
    let place = try ConvergePlace()
    // From 350 to 400 eV the stand-in's energy falls by 33 meV/atom, from 2 to 3 points by 34, and to the
    // setting after those by 44 and 47: neither is above 50 meV/atom, both together are. The third pair fails.
    let script = try place.folder.write(
      """
      #!/bin/sh
      if grep -q 'ENCUT *= *460' INCAR && grep -q '^ *4 *4 *4' KPOINTS; then exit 1; fi
      exec '\(place.folder.path("vasp.sh"))'
      """, "failing.sh")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    let engine = try place.folder.write(
      place.text("engine.yaml").replacing("/vasp.sh", with: "/failing.sh")
        .replacing("cutoff: 200", with: "cutoff: 350"), "failing.yaml")
    let words = [
      engine, place.crystal, "--rattle", "0.1", "--energy", "50", "--pressure", "100", "--force",
      "100", "--largest-cutoff", "460",
    ]
    let outcome = try place.run(words)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("both together reached the limit: the last two calculations still"),
      "\(outcome.output)\(outcome.errors)")
    let report = try object(place.run(words + ["--json"]).output)
    let series = try #require(report["series"] as? [[String: Any]])
    #expect(series.map { $0["finer"] as? String } == ["cutoff", "k_spacing", "both"])
    let pairs = try #require(series.last?["calculations"] as? [[String: Any]])
    #expect(pairs.map { $0["cutoff"] as? Double } == [350, 400, 460])
    #expect(pairs.map { $0["failure"] is String } == [false, false, true])
    let change = try #require(pairs[0]["energy_change_per_atom"] as? Double)
    #expect(abs(change) > 0.050 && abs(change) < 0.090, "\(change)")
  }

  @Test("What is run by hand waits, and while anything waits there is no answer")
  func byHand() throws {
    let place = try ConvergePlace(mode: nil)
    let words = [
      place.engine, place.crystal, "--rattle", "0.1", "--energy", "5000", "--pressure", "100",
      "--force", "100",
    ]
    func waits() throws {
      let outcome = try place.run(words)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("not converged yet: run the inputs"), "\(outcome.errors)")
      #expect(outcome.errors.contains("waiting: the inputs are in"), "\(outcome.errors)")
      #expect(outcome.output.contains("waiting"), "\(outcome.output)")
      #expect(!place.exists("reference.yaml"))
    }
    try waits()
    #expect(try place.calculations().map(\.cutoff).sorted() == ["200", "230", "260"])
    try place.runByHand(except: ["200"])
    try waits()
    try place.runByHand(except: ["200"])
    // Up to three calculations wait at a time. 230, 260 and 300 eV would do, but 200 eV may: k-points
    // are not begun.
    try waits()
    let cutoffs = try place.calculations().map(\.cutoff).sorted()
    #expect(cutoffs == ["200", "230", "260", "300", "350", "400"])
    #expect(try object(place.run(words + ["--json"]).output)["converged"] as? Bool == false)
    var last = try place.run(words)
    for _ in 0..<5 where last.status != 0 {
      try place.runByHand()
      last = try place.run(words)
    }
    #expect(last.status == 0, "\(last.errors)")
    #expect(try place.text("reference.yaml").contains("  cutoff: 200\n"))
  }

  @Test("The table is printed before the block is written")
  func tableFirst() throws {
    let place = try ConvergePlace()
    try FileManager.default.createDirectory(
      atPath: place.folder.path("results"), withIntermediateDirectories: true)
    let script = try place.folder.write(
      "#!/bin/sh\nrm -rf '\(place.folder.path("results"))'\nexec '\(place.folder.path("vasp.sh"))'\n",
      "removing.sh")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    let text = try place.text("engine.yaml").replacing("/vasp.sh", with: "/removing.sh")
    let engine = try place.folder.write(text, "removing.yaml")
    let outcome = try place.run([
      engine, place.crystal, "--rattle", "0.1", "--output", "results/reference.yaml",
    ])
    #expect(outcome.status != 0 && !outcome.errors.isEmpty)
    #expect(outcome.output.contains("converged: cutoff "), "\(outcome.output)")
    #expect(!outcome.output.contains("written to"), "\(outcome.output)")
  }

  @Test("Calculations that fail are named, and three in a row end the search")
  func failures() throws {
    let place = try ConvergePlace(mode: "unconverged")
    let outcome = try place.run([place.engine, place.crystal, "--rattle", "0.1"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("three calculations in a row failed"), "\(outcome.errors)")
    #expect(outcome.errors.contains("cutoff 200 eV, k_spacing 1 1/Å: "), "\(outcome.errors)")
    #expect(outcome.output.contains("failed"), "\(outcome.output)")
    let runs = place.runs()
    _ = try place.run([place.engine, place.crystal, "--rattle", "0.1"])
    #expect(place.runs() == runs)
    _ = try place.run([place.engine, place.crystal, "--rattle", "0.1", "--again"])
    #expect(place.runs() > runs)
  }

  @Test("A crystal at rest is warned of: its forces would seem converged")
  func rest() throws {
    let place = try ConvergePlace()
    let outcome = try place.run([place.engine, place.crystal])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("--rattle"), "\(outcome.errors)")
  }

  @Test("What cannot be converged is refused with status 2")
  func refused() throws {
    let place = try ConvergePlace()
    let classical = try Polymorph.fixture("tio2.yaml")
    let numbered = try Polymorph.fixture("MgAlO_in.cfg")
    let missing = try place.folder.write(
      place.text("engine.yaml").replacing("/vasp.sh", with: "/no-such-vasp"), "missing.yaml")
    let cases: [(words: [String], part: String)] = [
      ([classical, place.crystal], "found buckingham, allowed: espresso, cp2k, vasp"),
      ([place.engine], "STRUCTURE is missing"),
      ([place.engine, place.crystal, "--training", "x.cfg"], "--training goes with --verify"),
      ([place.engine, place.crystal, "--output", place.engine], "would replace"),
      ([place.engine, place.crystal, "--output", "none/x.yaml"], "a folder that exists"),
      ([place.engine, place.crystal, "--output", "potpaw"], "found the folder 'potpaw'"),
      ([missing, place.crystal], "missing.yaml:4: reference.command: found no program"),
      (
        [missing, "--verify", "3", "--training", place.crystal],
        "missing.yaml:4: reference.command: found no program"
      ),
      ([place.engine, place.crystal, "--index", "0"], "--index"),
      ([place.engine, place.crystal, "--largest-cutoff", "100"], "a number from 200.0"),
      ([place.engine, numbered], "choose it with --index"),
      ([place.engine, numbered, "--index", "1"], "--elements"),
      ([place.engine, "--verify", "3"], "--training FILE"),
      ([place.engine, place.crystal, "--verify", "3", "--training", "x"], "beside --verify"),
      ([place.engine, "--verify", "3", "--training", place.crystal], "without labels"),
      (
        [place.engine, "--verify", "3", "--training", place.crystal, "--tighter", "1,1"],
        "two factors of at least 1"
      ),
      ([place.engine, "--verify", "3", "--seed", "3"], "--seed does not go with --verify"),
      ([place.engine, place.crystal, "--seed", "3"], "--seed goes with --rattle"),
      ([place.engine, place.crystal, "--rattle", "0.1", "--seed", "-1"], "--seed"),
      ([place.engine, place.crystal, "--rattle", "0"], "--rattle"),
      ([place.engine, "no-such-file", "--rattle", "0.1", "--seed", "x"], "--seed"),
    ]
    for (words, part) in cases {
      let outcome = try place.run(words)
      #expect(outcome.status == 2, "\(words): \(outcome.errors)")
      #expect(outcome.errors.contains(part), "\(words): \(outcome.errors)")
    }
    #expect(place.runs() == 0)
    #expect(!place.exists("converge"))
  }

  @Test("Labels are compared with finer ones, the same on several ranks", .tags(.mpi))
  func verification() throws {
    let place = try ConvergePlace()
    // Six labels by the stand-in at the settings of the block.
    var poscars: [String] = []
    for index in 0..<6 {
      let text = try place.text("POSCAR").replacing(
        "1.3675 1.3675 1.3675", with: "1.4 1.3 1.3\(index)")
      poscars.append(try place.folder.write(text, "\(index).vasp"))
    }
    var all = ""
    for (index, poscar) in poscars.enumerated() {
      let labelled = try Polymorph.program.run([
        "evaluate", place.engine, poscar, "--output", place.folder.path("\(index).cfg"),
        "--elements", "Si",
      ])
      #expect(labelled.status == 0, "\(labelled.errors)")
      all += try place.text("\(index).cfg")
    }
    let training = try place.folder.write(all, "training.cfg")
    let before = place.runs()
    let words = [
      place.engine, "--verify", "4", "--training", training, "--elements", "Si", "--json",
    ]
    let outcome = try place.run(words, ranks: 2)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(place.runs() == before + 4)
    let report = try object(outcome.output)
    #expect(report["structures"] as? Int == 4 && report["of"] as? Int == 6)
    #expect(report["cutoff"] as? Double == 260 && report["k_spacing"] as? Double == 0.667)
    // What the stand-in leaves out falls from 2 to 0.446 eV, and from 0.4 e⁻² to 0.4 e⁻³ eV.
    let shift = try #require(report["energy_shift_per_atom"] as? Double)
    let mesh = 0.4 * (exp(-2.0) - exp(-3.0))
    let expected = 2 * (1 - exp(-1.5)) + mesh
    #expect(abs(shift - expected) < 0.03, "\(shift), \(expected)")
    #expect(try #require(report["relative_energy_mae_per_atom"] as? Double) < 1e-5)
    let alone = try place.run(words)
    #expect(alone.output == outcome.output)
    let text = try place.run(Array(words.dropLast()))
    #expect(text.output.contains("relative energy") && text.output.contains("published"))
  }

  @Test(
    "Quantum ESPRESSO's numbers for silicon settle",
    .tags(.slow), .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"))
  func espresso() throws {
    let place = try ConvergePlace()
    let engine = try place.folder.write(
      """
      reference:
        kind: espresso
        pseudopotentials: {Si: Si.pbe-rrkj.UPF}
        cutoff: 12
        k_spacing: 0.6
      """, "espresso.yaml")
    let outcome = try place.run(
      [engine, place.crystal, "--rattle", "0.05", "--energy", "40", "--json"], timeoutSeconds: 600)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    let report = try object(outcome.output)
    // At 12 Ry the energy is off by some 30 meV/atom, at 30 Ry by 1.
    #expect(try #require(report["cutoff"] as? Double) < 30)
    #expect(try place.text("reference.yaml").contains("kind: espresso"))
  }
}
