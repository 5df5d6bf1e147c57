import Foundation
import TestSupport
import Testing

/// The program as built, and the fixtures.
enum Polymorph {
  static let program = BuiltProgram("polymorph")

  static func fixture(_ name: String) throws -> String {
    let folder = try #require(
      Bundle.module.url(forResource: "Fixtures", withExtension: nil), "no fixtures")
    return folder.appendingPathComponent(name).path
  }

  /// The verbs, as the program's help lists them.
  static func verbs() throws -> [String] {
    let overview = try program.run(["--help"]).output
    let lines = overview.split(separator: "\n").filter { $0.hasPrefix("  ") }
    return lines.compactMap { $0.split(separator: " ").first.map(String.init) }
  }
}

/// A folder that goes away with the test.
final class ScratchFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "polymorph-test-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: url.appendingPathComponent(name))
  }
}

@Suite("The command line")
struct CommandLineTests {
  @Test("Every verb explains itself")
  func help() throws {
    let verbs = try Polymorph.verbs()
    #expect(verbs.count >= 10)
    for verb in verbs {
      let outcome = try Polymorph.program.run([verb, "--help"])
      #expect(outcome.status == 0)
      #expect(outcome.errors.isEmpty)
      #expect(outcome.output.hasPrefix("usage: polymorph \(verb)"))
      #expect(outcome.output.contains("--help"))
      for line in outcome.output.split(separator: "\n") {
        #expect(line.count <= 110, "\(verb): \(line)")
      }
      let same = try Polymorph.program.run(["help", verb])
      #expect(same.output == outcome.output)
    }
  }

  @Test(
    "A wrong command line is answered with one line and status 2",
    arguments: [
      ([], "no verb given"),
      (["evalate"], "did you mean 'evaluate'?"),
      (["evaluate"], "POT is missing"),
      (["evaluate", "a.mtp"], "INPUT is missing"),
      (["evaluate", "a.mtp", "b.cfg"], "--output OUTPUT is missing"),
      (
        ["evaluate", "a.mtp", "b.cfg", "c.cfg", "--output", "d.cfg"],
        "'c.cfg' is one argument too many"
      ),
      (["evaluate", "a.mtp", "b.cfg", "--outptu", "d.cfg"], "did you mean --output?"),
      (["evaluate", "a.mtp", "b.cfg", "--output"], "--output needs a value"),
      (["evaluate", "a.mtp", "b.cfg", "--output", "d.cfg", "--output", "e.cfg"], "is given twice"),
      (["evaluate", "a.mtp", "b.cfg", "--output", "d.cfg", "--json=1"], "--json takes no value"),
      (
        ["relax", "a.mtp", "b.cfg", "--output", "d.cfg", "--force", "-1"],
        "allowed: a number above 0"
      ),
      (["relax", "a.mtp", "b.cfg", "--output", "d.cfg", "--pressure", "nan"], "allowed: a number"),
      (["relax", "a.mtp", "b.cfg", "--output", "d.cfg", "--steps", "1.5"], "allowed: an integer"),
      (
        ["select", "d-optimum", "a.mtp", "b.cfg", "--output", "d.cfg"], "did you mean 'd-optimal'?"
      ),
      (["train", "mtp", "a.cfg", "--output", "a.txt"], "allowed: a name ending in .mtp"),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--level", "7"], "an even integer"),
      (
        ["train", "mtp", "a.cfg", "--output", "a.mtp", "--weights", "1,2"],
        "3 numbers separated by commas"
      ),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--weights", "0,0,0"], "--weights"),
      (
        ["train", "mtp", "a.cfg", "--output", "a.mtp", "--scaling", "vibration"],
        "did you mean 'vibrations'?"
      ),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--starts", "0"], "--starts"),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--ensemble", "1"], "--ensemble"),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--robust-force", "-2"], "a number above 0"),
      (["train", "mtp", "a.cfg", "--output", "a.mtp", "--robust-energy", "0"], "a number above 0"),
      (
        ["train", "mtp", "a.cfg", "--output", "a.mtp", "--starts", "2", "--ensemble", "3"],
        "exclude each other"
      ),
      (
        ["train", "mtp", "a.cfg", "--output", "a.mtp", "--start", "b.mtp", "--continuation"],
        "--start and --continuation exclude each other"
      ),
      (
        ["convert", "a.cfg", "b.cfg", "--elements", "Ti,Xy"], "element symbols separated by commas"
      ),
      (["convert", "a.cfg", "b"], "does not tell the format"),
      (
        ["grade", "a.mtp", "t.cfg", "b.cfg", "--output", "d.cfg", "--mode", "atom"], "configuration"
      ),
    ])
  func wrong(words: [String], part: String) throws {
    let outcome = try Polymorph.program.run(words)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("polymorph: "))
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("The libraries are named")
  func check() throws {
    let outcome = try Polymorph.program.run(["check", "--json"])
    #expect(outcome.status == 0)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect((object["mpi"] as? String)?.contains("MPI") == true)
    #expect((object["blas"] as? String)?.contains("OpenBLAS") == true)
  }

  @Test("Species without names are matched by number, and MLIP's values come out")
  func numberedSpecies() throws {
    let folder = try ScratchFolder()
    let output = folder.path("out.cfg")
    let outcome = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("MgAlO_08_random.mtp"),
      try Polymorph.fixture("MgAlO_in.cfg"),
      "--output", output,
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let energies = try Self.energies(String(decoding: folder.bytes("out.cfg"), as: UTF8.self))
    let golden = try Self.energies(
      String(contentsOfFile: Polymorph.fixture("MgAlO_08_random.efs.cfg"), encoding: .utf8))
    #expect(energies.count == 10)
    for (energy, expected) in zip(energies, golden) {
      // Two programs that add in different orders.
      #expect(abs(energy - expected) < 1e-10 * abs(expected))
    }
    // With names the file is extended XYZ with elements; the energies stay.
    let named = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("MgAlO_08_random.mtp"),
      try Polymorph.fixture("MgAlO_in.cfg"),
      "--elements", "Mg,Al,O", "--output", folder.path("out.xyz"),
    ])
    #expect(named.status == 0, "\(named.errors)")
    let text = try String(decoding: folder.bytes("out.xyz"), as: UTF8.self)
    #expect(text.contains("energy=\(energies[0])"))
    #expect(text.contains("\nMg ") && text.contains("\nAl "))
  }

  private static func energies(_ text: String) -> [Double] {
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    return lines.indices.dropLast().filter { lines[$0] == "Energy" }.compactMap {
      Double(lines[$0 + 1])
    }
  }

  @Test("Grades in mode configuration are MLIP's")
  func grades() throws {
    let folder = try ScratchFolder()
    let outcome = try Polymorph.program.run([
      "grade", try Polymorph.fixture("MgAlO_08_random.mtp"),
      try Polymorph.fixture("MgAlO_train6.cfg"), try Polymorph.fixture("MgAlO_in.cfg"),
      "--output", folder.path("out.cfg"),
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let written = try String(decoding: folder.bytes("out.cfg"), as: UTF8.self)
      .split(separator: "\n").filter { $0.contains("MV_grade") }
      .compactMap { $0.split(whereSeparator: \.isWhitespace).last.flatMap { Double($0) } }
    let golden = try String(
      contentsOfFile: Polymorph.fixture("MgAlO_08_random.grade.txt"), encoding: .utf8
    ).split(separator: "\n").filter { $0.hasPrefix("cfg") }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    #expect(golden.count == 10)
    #expect(written.count == 10)
    for (grade, expected) in zip(written, golden) {
      // Rows that no structure fills magnify roundoff by 10⁵.
      #expect(abs(grade - expected) < 1e-6 * expected, "\(grade) \(expected)")
    }
  }

  @Test("A structure that fails is reported and left out; the others are done")
  func partialFailure() throws {
    let folder = try ScratchFolder()
    let good = try String(contentsOfFile: Polymorph.fixture("tio2.xyz"), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).prefix(8).joined(separator: "\n")
    let strange =
      "1\nLattice=\"3 0 0 0 3 0 0 0 3\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\nXe 0 0 0\n"
    let input = try folder.write(good + "\n" + strange + good + "\n", "mixed.xyz")
    for verb in ["evaluate", "relax"] {
      let outcome = try Polymorph.program.run([
        verb, try Polymorph.fixture("tio2.yaml"), input, "--output", folder.path("out.xyz"),
      ])
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("structure 2"), "\(outcome.errors)")
      #expect(outcome.errors.contains("1 of 3 structures failed"), "\(outcome.errors)")
      let text = try String(decoding: folder.bytes("out.xyz"), as: UTF8.self)
      #expect(text.components(separatedBy: "energy=").count == 3)
    }
  }

  @Test("Rutile is found in its space group, with its shortest bond")
  func geometry() throws {
    let input = try Polymorph.fixture("tio2.xyz")
    let symmetry = try Polymorph.program.run(["symmetry", input, "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(symmetry.output.utf8)) as? [String: Any])
    let structures = try #require(object["structures"] as? [[String: Any]])
    #expect(structures.count == 16)
    #expect(structures[0]["number"] as? Int == 136)
    #expect(structures[8]["number"] as? Int == 141)
    #expect(structures[1]["number"] as? Int == 1)
    let distance = try Polymorph.program.run(["minimum-distance", input])
    let first = try #require(distance.output.split(separator: "\n").first)
    // Rutile at a = 4.6 Å, c = 2.96 Å, u = 0.305: the bond out of the plane of the oxygens,
    // √(2 (½ − u)² a² + c²/4) = 1.9493 Å, is shorter than √2 u a = 1.9841 Å.
    #expect(first.contains("O-Ti 1.9493"), "\(first)")
  }
}

@Suite("Reference methods that cannot begin")
struct MissingProgramTests {
  @Test(
    "A program that is missing, does not work or has no command is told once, with file, line and key",
    arguments: [
      ("command: no-such-program", 5, "found no program 'no-such-program'"),
      ("command: [echo, hello]", 5, "it does not say its version"),
      ("kind: i-pi\n  method: toy\n  command: no-such-program", 4, "found no program"),
      ("kind: vasp\n  potcar_folder: .\n  command: no-such-program", 4, "found no program"),
      ("kind: vasp", 1, "found none"),
    ])
  func evaluate(block: String, line: Int, part: String) throws {
    let folder = try ScratchFolder()
    _ = try folder.write("<UPF>\n<PP_HEADER pseudo_type=\"NC\" element=\"Si\"", "own.upf")
    let espresso =
      "kind: espresso\n  pseudopotentials: {Si: own.upf}\n  pseudopotential_folder: .\n  "
    let isWhole = block.hasPrefix("kind")
    let engine = try folder.write(
      "reference:\n  \(isWhole ? "" : espresso)\(block)\n\(isWhole ? "" : "  cutoff: 12\n")",
      "engine.yaml")
    let crystal = try folder.write(
      "Si\n1.0\n5 0 0\n0 5 0\n0 0 5\nSi\n1\nDirect\n0 0 0\n", "POSCAR")
    let outcome = try Polymorph.program.run(
      ["evaluate", engine, crystal, "--output", "out.cfg", "--elements", "Si"], in: folder.url)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(
      outcome.errors.hasPrefix("polymorph: \(engine):\(line): reference.command: found "),
      "\(outcome.errors)")
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test(
    "Every verb that begins calculations tells it once and ends with status 2",
    arguments: ["no-such-program", "[echo, hello]"])
  func verbs(command: String) throws {
    let folder = try ScratchFolder()
    _ = try folder.write("<UPF>\n<PP_HEADER pseudo_type=\"NC\" element=\"Si\"", "own.upf")
    let block = """
      reference:
        kind: espresso
        command: \(command)
        pseudopotentials: {Si: own.upf}
        pseudopotential_folder: .
        cutoff: 12

      """
    let engine = try folder.write(block, "engine.yaml")
    let campaign = try folder.write(
      block + "composition: Si\nformula_units: [2]\nseed: 1\n", "campaign.yaml")
    let data = try folder.write(
      "1\nLattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1 "
        + "stress=\"0 0 0 0 0 0 0 0 0\" pbc=\"T T T\"\nSi 0 0 0 0 0 0\n", "data.xyz")
    for words in [
      ["evaluate", engine, data, "--output", "out.xyz"],
      ["relax", engine, data, "--output", "out.xyz"],
      ["errors", engine, data],
      ["serve", engine, "--structure", data, "--socket", "none"],
      ["converge", engine, data],
      ["converge", engine, data, "--rattle", "0.1", "--json"],
      ["converge", engine, "--verify", "1", "--training", data],
      ["search", campaign, "--directory", folder.path("campaign")],
      ["search", campaign, "--replay", folder.path("campaign")],
    ] {
      let outcome = try Polymorph.program.run(words, in: folder.url)
      #expect(outcome.status == 2, "\(words): \(outcome.errors)")
      let file = words.contains(campaign) ? campaign : engine
      #expect(
        outcome.errors.hasPrefix("polymorph: \(file):3: reference.command: found "),
        "\(words): \(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(words): \(outcome.errors)")
      #expect(outcome.output.isEmpty, "\(words): \(outcome.output)")
      #expect(!FileManager.default.fileExists(atPath: folder.path("campaign/campaign.db")))
    }
  }

  @Test(
    "What a client of a socket printed that failed stays where the message says")
  func failed() throws {
    let folder = try ScratchFolder()
    let crystal = try folder.write(
      "Si\n1.0\n5 0 0\n0 5 0\n0 0 5\nSi\n1\nDirect\n0 0 0\n", "POSCAR")
    let engine = try folder.write(
      "reference:\n  kind: i-pi\n  method: toy\n  command: [sh, -c, 'echo because; exit 3']\n",
      "engine.yaml")
    let outcome = try Polymorph.program.run(
      ["evaluate", engine, crystal, "--output", "out.cfg", "--elements", "Si"], in: folder.url)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("it ended with status 3"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("not finite"), "\(outcome.errors)")
    let line = try #require(outcome.errors.split(separator: "\n").first)
    let path = try #require(line.split(separator: " ").last.map(String.init))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "because\n")
    let root = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent()
    #expect(root.lastPathComponent.hasPrefix("polymorph-reference-"))
    try FileManager.default.removeItem(at: root)
  }
}
