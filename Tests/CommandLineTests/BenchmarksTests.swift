import Foundation
import TestSupport
import Testing

@Suite("The benchmark program")
struct BenchmarksTests {
  static let program = BuiltProgram("Benchmarks")
  static let names = [
    "evaluate", "grade", "train", "relax", "neighbors", "peak", "fingerprint", "generate",
    "overhead",
    "schedule", "campaign", "compare", "document", "compare-relaxations", "serve",
    "search", "search-table", "dynamics", "neighbor-scaling",
  ]

  @Test(
    "A wrong command line ends with status 2 and one line",
    arguments: [
      [], ["evaluat"], ["evaluate", "a.mtp"], ["evaluate", "a.mtp", "b.cfg", "--fast"],
      ["evaluate", "a.mtp", "b.cfg", "--repeat", "3"], ["evaluate", "missing.mtp", "b.cfg"],
      ["schedule"], ["schedule", "--workers", "0"], ["generate", "--composition", "Xq2"],
      ["document", "missing.plan", "--output", "page.md"], ["evaluate", "7", "b.cfg"],
      ["grade", "8", "missing.cfg"], ["compare", "missing.plan", "--baseline", "none.json"],
      ["compare", "missing.plan"], ["search", "B1", "--seeds", "1", "--cases", "missing.yaml"],
      ["search-table", "missing.jsonl", "--output", "page.md"], ["neighbors", "missing.cfg"],
      ["peak", "--repeat", "1"], ["dynamics", "8", "rutile.cif"],
      RutileDynamics.words(["--supercell", "2x2"]), RutileDynamics.words(["--ensemble", "nvt"]),
      RutileDynamics.words(["--steps", "0"]),
      ["neighbor-scaling", "missing.cif"], ["neighbor-scaling", "a.cif", "--supercells", "3"],
    ])
  func wrongWords(_ words: [String]) throws {
    let outcome = try Self.program.run(words)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("Every benchmark says why it exists", arguments: names)
  func help(_ name: String) throws {
    let outcome = try Self.program.run([name, "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("Why: "))
  }

  @Test("ASE sees a potential over a pipe: forces and stress are the derivatives of its energy")
  func serve() throws {
    let script = """
      import subprocess, sys
      sys.path.insert(0, sys.argv[1])
      import numpy as np
      from ase import Atoms
      from relax_with_ase import PipeCalculator
      server = subprocess.Popen([sys.argv[2], "serve", sys.argv[3]], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
      atoms = Atoms("TiO2", cell=[[3.1, 0.1, 0.2], [0, 3.3, 0.3], [0.2, 0, 3.6]], pbc=True,
                    scaled_positions=[[0, 0, 0], [0.4, 0.5, 0.1], [0.1, 0.45, 0.55]])
      atoms.calc = PipeCalculator(server, 1000)
      forces = atoms.get_forces() - atoms.calc.calculate_numerical_forces(atoms, 1e-4)
      stress = atoms.get_stress() - atoms.calc.calculate_numerical_stress(atoms, 1e-5)
      server.stdin.write("3 1 0 0\\n")
      server.stdin.flush()
      print(np.abs(forces).max() < 1e-4, np.abs(stress).max() < 1e-5, server.stdout.readline())
      server.stdin.close()
      server.wait()
      """
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let potential = root.appendingPathComponent(
      "Tests/DynamicsTests/Fixtures/tio2-level12.mtp")
    let output = try PythonASE.run(
      script, [root.appendingPathComponent("Tools").path, Self.program.path, potential.path])
    #expect(output.hasPrefix("True True error "), "\(output)")
  }

  @Test("The timed evaluations give MLIP-2's energies")
  func evaluate() throws {
    let outcome = try Self.program.run([
      "evaluate", try Polymorph.fixture("MgAlO_08_random.mtp"),
      try Polymorph.fixture("MgAlO_in.cfg"), "--repeat", "7", "--json",
    ])
    #expect(outcome.status == 0)
    let report = try Self.decode(EvaluateReport.self, outcome)
    let golden = try String(
      contentsOfFile: Polymorph.fixture("MgAlO_08_random.efs.cfg"), encoding: .utf8)
    let words = golden.split(whereSeparator: \.isWhitespace)
    let energies = zip(words, words.dropFirst()).filter { $0.0 == "Energy" }
      .compactMap { Double($0.1) }
    #expect(energies.count == 10)
    // Ten energies of some 10² eV, given with twelve decimals.
    #expect(abs(report.energySum - energies.reduce(0, +)) < 1e-8)
    #expect(report.microsecondsPerAtom > 0)
    #expect(report.runs == 7)
  }

  @Test("Dynamics keep the temperature, and a step is its evaluation and the rest")
  func dynamics() throws {
    for ensemble in ["nve", "langevin", "npt"] {
      let outcome = try Self.program.run(
        RutileDynamics.words([
          "--supercell", "2x2x3", "--ensemble", ensemble, "--steps", "50", "--json",
        ]))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try Self.decode(DynamicsReport.self, outcome)
      #expect(report.atoms == 72)
      #expect(report.shareOfRest > 0 && report.shareOfRest < 1)
      #expect(report.stepsPerSearch >= 1)
      #expect(report.temperature > 150 && report.temperature < 500, "\(report.temperature) K")
      // A step of 1 fs on so many atoms.
      let nanoseconds = 86_400 / report.microsecondsPerAtomAndStep / 72
      #expect(abs(report.nanosecondsPerDay / nanoseconds - 1) < 1e-9)
    }
  }

  @Test("The time of finding neighbors grows far less than with the square of the number of atoms")
  func neighborScaling() throws {
    let outcome = try Self.program.run([
      "neighbor-scaling", RutileDynamics.structure, "--supercells", "3,8", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try Self.decode(ScalingReport.self, outcome)
    // Other work on the machine may double a time.
    #expect(report.exponent < 1.5 && report.listExponent < 1.5)
  }

  @Test("A pretended campaign comes to its end and costs something")
  func schedule() throws {
    let outcome = try Self.program.run([
      "schedule", "--workers", "4", "--candidates", "40", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try Self.decode(ScheduleReport.self, outcome)
    // 40 labels and 40 candidates are the least that a campaign commits.
    #expect(report.commits >= 80)
    #expect(report.microsecondsPerCommit > 0)
  }

  @Test(
    "Every number of a plan is compared with the baseline, and a slower one is a failure if asked")
  func compare() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // the system cleans up otherwise
    let (plan, baseline) = (folder.path + "/a.plan", folder.path + "/baseline.json")
    let command = "neighbors \(try Polymorph.fixture("MgAlO_in.cfg"))"
    try "## Lists\n# Of neighbors.\n\(command)\n".write(
      toFile: plan, atomically: true, encoding: .utf8)
    let words = ["compare", plan, "--baseline", baseline, "--strict"]
    let first = try Self.program.run(words + ["--renew"])
    #expect(first.status == 0, "\(first.errors)")
    // As if it had taken a thousandth of the time before, and a thousand times as long.
    let text = try String(contentsOfFile: baseline, encoding: .utf8)
    for (exponent, status) in [("e-3", 1), ("e3", 0)] {
      let changed = text.replacing(/("value"|"best"): ([0-9.]+)/) {
        "\($0.output.1): \($0.output.2)\(exponent)"
      }
      try changed.write(toFile: baseline, atomically: true, encoding: .utf8)
      let outcome = try Self.program.run(words)
      #expect(Int(outcome.status) == status)
      #expect(outcome.errors.contains("slower than the baseline") == (status == 1))
      #expect(outcome.output.contains("SLOWER") == (status == 1))
    }
    // Numbers of another processor judge nothing.
    let elsewhere = text.replacing("\"processor\": \"", with: "\"processor\": \"Another ")
      .replacing(/"value": ([0-9.]+)/) { "\"value\": \($0.output.1)e-3" }
    try elsewhere.write(toFile: baseline, atomically: true, encoding: .utf8)
    #expect(try Self.program.run(words).status == 0)
    try "nothing".write(toFile: baseline, atomically: true, encoding: .utf8)
    #expect(try Self.program.run(words).status == 2)
  }

  @Test("A level stands for an untrained potential", arguments: ["evaluate", "grade"])
  func untrained(_ name: String) throws {
    let outcome = try Self.program.run([
      name, "8", try Polymorph.fixture("MgAlO_in.cfg"), "--minimum-distance", "1.5", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\"parameters\": 156"))
  }

  private static func decode<T: Decodable>(
    _ type: T.Type, _ outcome: BuiltProgram.Outcome
  ) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(outcome.output.utf8))
  }

  private struct EvaluateReport: Decodable {
    let microsecondsPerAtom: Double
    let energySum: Double
    let runs: Int
  }

  private struct DynamicsReport: Decodable {
    let microsecondsPerAtomAndStep: Double
    let nanosecondsPerDay: Double
    let shareOfRest: Double
    let stepsPerSearch: Double
    let temperature: Double
    let atoms: Int
  }

  private struct ScalingReport: Decodable {
    let exponent: Double
    let listExponent: Double
  }

  private struct ScheduleReport: Decodable {
    let microsecondsPerCommit: Double
    let commits: Int
  }
}

/// Command lines of `Benchmarks dynamics`.
private enum RutileDynamics {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  static let structure =
    tests.appendingPathComponent("StructureFormatsTests/Fixtures/ase-rutile.cif").path
  private static let potential =
    tests.appendingPathComponent("DynamicsTests/Fixtures/tio2-rutile-level8.mtp").path

  static func words(_ options: [String]) -> [String] {
    ["dynamics", potential, structure] + options
  }
}
