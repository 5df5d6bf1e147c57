import Foundation
import TestSupport
import Testing

@Suite("Molecular dynamics on the command line", .serialized)
struct DynamicsVerbTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private static let reference = """
    reference:
      kind: stillinger-weber
      parameters:
        - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584,
           p: 4, q: 0, a: 1.80, lambda: 21.0, gamma: 1.20}

    """
  private static let crystal = """
    silicon
    5.431
    1 0 0
    0 1 0
    0 0 1
    Si
    8
    Direct
    0 0 0
    0.5 0.5 0
    0.5 0 0.5
    0 0.5 0.5
    0.25 0.25 0.25
    0.75 0.75 0.25
    0.75 0.25 0.75
    0.25 0.75 0.75

    """
  private static let stages = """
    title: Silicon
    seed: 3
    time_step: 2
    start: {structure: POSCAR, supercell: [2, 2, 2]}
    stages:
      - {name: warm, ensemble: nvt, temperature: 300, time: 1.5}
      - {ensemble: npt, temperature: [300, 600], pressure: 2, time: 2.2}
      - {ensemble: nvt, thermostat: nose-hoover, temperature: 600, time: 1}
      - {ensemble: nve, time: 1, spectrum: 4}

    """
  private static let glass = """
    title: A Lennard-Jones solid
    seed: 2
    time_step: 2
    start: {composition: Cu, atoms: 24, volume_per_atom: 17}
    melt_quench:
      {superheat_time: 2, melting_time: 4, volume_time: 15, liquid_time: 4, quench_rate: 500,
       anneal_time: 2}
    reference:
      kind: lennard-jones
      truncation: force-shift
      pairs: [{elements: [Cu, Cu], epsilon: 0.4, sigma: 2.3, cutoff: 5.75}]

    """

  private func plan(_ text: String, _ name: String = "plan.yaml") throws -> String {
    _ = try folder.write(Self.crystal, "POSCAR")
    return try folder.write(text, name)
  }

  private func run(_ words: [String], ranks: Int? = nil) throws -> BuiltProgram.Outcome {
    try Polymorph.program.run(["dynamics"] + words, ranks: ranks, in: folder.url)
  }

  private func bytes(_ file: String) -> Data? {
    FileManager.default.contents(atPath: folder.path(file))
  }

  @Test("Stages follow each other; table, frames and summary tell the same")
  func stages() throws {
    let outcome = try run([plan(Self.stages + Self.reference)])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines.first?.hasPrefix("warm: 1.50 ps") == true)
    let table = try String(contentsOfFile: folder.path("plan-dynamics/table.csv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    #expect(
      table.first == [
        "step", "picoseconds", "stage", "temperature_K", "pressure_GPa", "energy_eV",
        "conserved_eV", "volume_A3",
      ])
    // A line every 100 fs of 5.7 ps.
    #expect(table.count == 58)
    // What is conserved in the last stage stays within 1 meV.
    let conserved = table.suffix(10).compactMap { Double($0[6]) }
    let (low, high) = (try #require(conserved.min()), try #require(conserved.max()))
    #expect(high - low < 1e-3 * 64)
    let data = try #require(bytes("plan-dynamics/summary.json"))
    let summary = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let stages = try #require(summary["stages"] as? [[String: Any]])
    #expect(stages.map { $0["steps"] as? Int } == [750, 1100, 500, 500])
    let pair = try #require((stages.last?["pairs"] as? [[String: Any]])?.first)
    let peak = try #require(pair["peak"] as? Double)
    let coordination = try #require(pair["coordination"] as? Double)
    #expect(abs(peak - 2.35) < 0.05 && abs(coordination - 4) < 0.1)
    // Another program reads the frames, with forces and stress.
    let script = """
      import sys, ase.io
      frames = ase.io.read(sys.argv[1], index=':')
      last = frames[-1]
      print(len(frames), len(last), last.info['stage'], last.get_forces().shape[0], len(last.get_stress()))
      """
    let read = try PythonASE.run(script, [folder.path("plan-dynamics/frames.extxyz")])
    #expect(read.split(separator: " ").map(String.init) == ["285", "64", "4", "nve", "64", "6\n"])
  }

  @Test(
    "A spectrum holds three vibrations of each atom, below silicon's highest; displacements stay small"
  )
  func spectrum() throws {
    let outcome = try run([plan(Self.stages + Self.reference)])
    #expect(outcome.status == 0, "\(outcome.errors)")
    func table(_ name: String) throws -> [[Double]] {
      try String(contentsOfFile: folder.path("plan-dynamics/\(name)"), encoding: .utf8)
        .split(separator: "\n").dropFirst().map {
          $0.split(separator: ",").compactMap { Double($0) }
        }
    }
    let spectrum = try table("spectrum-4-4-nve.csv")
    #expect(spectrum.count == 250 && spectrum.allSatisfy { $0.count == 3 })
    let spacing = spectrum[1][0]
    #expect(abs(spacing - 1000 / (2 * 249 * 4.0)) < 1e-9)
    let states = spacing * (spectrum.reduce(0) { $0 + $1[1] } - 0.5 * spectrum[0][1])
    #expect(abs(states - 3) < 0.05, "\(states)")
    // This model's optical vibrations lie below 19 THz.
    let high = spacing * spectrum.filter { $0[0] > 22 }.reduce(0) { $0 + $1[1] }
    #expect(abs(high) < 0.1, "\(high)")
    #expect(spectrum.allSatisfy { $0[1] == $0[2] })
    let displacement = try table("displacement-4-4-nve.csv")
    #expect(displacement.count == 125 && displacement[0][1] == 0)
    #expect(displacement[25][0] == 0.1 && displacement[25][1] > 0.001)
    #expect(displacement.allSatisfy { $0[1] < 0.2 })
    #expect(!FileManager.default.fileExists(atPath: folder.path("plan-dynamics/motion.bin")))
  }

  @Test(
    "Killed, interrupted or limited in time and resumed, all files are the same",
    arguments: [false, true])
  func resume(isGlass: Bool) throws {
    // Long enough to be killed on the way.
    let text =
      isGlass
      ? Self.glass.replacing("anneal_time: 2", with: "anneal_time: 400")
      : (Self.stages + Self.reference).replacing("time: 2.2", with: "time: 6.2")
        .replacing("temperature: 600, time: 1}", with: "temperature: 600, time: 9, spectrum: 8}")
        .replacing("time: 1, spectrum: 4", with: "time: 9, spectrum: 4")
    let plan = try plan(text)
    #expect(try run([plan, "--directory", "whole"]).status == 0)
    var isResumed = false
    for kind in ["kill", "limit", "interrupt", "kill", "limit"] {
      let words =
        [plan, "--directory", "parts", "--quiet"] + (isResumed ? ["--resume"] : [])
        + (kind == "limit" ? ["--time-limit", "0.3s"] : [])
      let running = try RunningProgram(Polymorph.program, ["dynamics"] + words, in: folder.url)
      #expect(running.wait(for: folder.path("parts/plan.yaml")), "\(running.printed())")
      Thread.sleep(forTimeInterval: 0.2)
      if kind != "limit" { kill(running.identifier, kind == "kill" ? SIGKILL : SIGINT) }
      let status = running.wait()
      #expect([0, SIGKILL, 130].contains(status), "\(kind): \(status) \(running.printed())")
      isResumed = true
    }
    let last = try run([plan, "--directory", "parts", "--resume"])
    #expect(last.status == 0, "\(last.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("whole")).sorted()
    #expect(files.contains("summary.json") && files.contains("frames.extxyz"))
    for file in files where file != "lock" {
      #expect(bytes("parts/\(file)") == bytes("whole/\(file)"), "\(file)")
    }
    // Once over, there is nothing to add.
    let again = try run([plan, "--directory", "parts", "--resume"])
    #expect(again.status == 0)
    #expect(bytes("parts/table.csv") == bytes("whole/table.csv"))
  }

  @Test(
    "One client of the i-PI protocol serves a whole burst, with the trajectory of its own potential"
  )
  func socket() throws {
    let burst = """
      seed: 3
      time_step: 2
      table: 20
      start: {structure: POSCAR}
      stages:
        - {ensemble: nvt, temperature: 600, time: 0.1}
        - {ensemble: nve, time: 0.1}

      """
    let engine = try folder.write(Self.reference, "engine.yaml")
    let program = Polymorph.program.path
    let client =
      "echo begun >> \(folder.path("clients")); exec \(program) serve \(engine) "
      + "--structure \(folder.path("POSCAR")) --socket {socket}"
    let served =
      burst + "reference:\n  kind: i-pi\n  method: toy\n  command: [sh, -c, '\(client)']\n"
    let direct = try run([plan(burst + Self.reference, "direct.yaml"), "--directory", "direct"])
    #expect(direct.status == 0, "\(direct.errors)")
    let outcome = try run([plan(served, "served.yaml"), "--directory", "served"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    func energies(_ name: String) throws -> [Double] {
      try String(contentsOfFile: folder.path("\(name)/table.csv"), encoding: .utf8)
        .split(separator: "\n").dropFirst().compactMap { Double($0.split(separator: ",")[5]) }
    }
    let (own, crossed) = (try energies("direct"), try energies("served"))
    #expect(own.count == 10 && crossed.count == 10)
    // Units are converted there and back: the last digits differ, and grow apart with time.
    for (a, b) in zip(own, crossed) { #expect(abs(a - b) < 1e-8, "\(a) \(b)") }
    let begun = try String(contentsOfFile: folder.path("clients"), encoding: .utf8)
    #expect(begun == "begun\n")
  }

  @Test("Under mpirun one rank moves the atoms", .tags(.mpi))
  func ranks() throws {
    let plan = try plan(Self.stages + Self.reference)
    #expect(try run([plan, "--directory", "alone", "--quiet"]).status == 0)
    #expect(try run([plan, "--directory", "ranks", "--quiet"], ranks: 3).status == 0)
    #expect(bytes("ranks/table.csv") == bytes("alone/table.csv"))
  }

  @Test("A folder in use and another plan are refused")
  func protection() throws {
    let first = try plan(Self.stages + Self.reference)
    #expect(try run([first, "--resume"]).status == 2)
    #expect(try run([first, "--time-limit", "0.1s"]).status == 0)
    let again = try run([first])
    #expect(again.status == 2 && again.errors.contains("--resume"))
    let second = try plan(
      (Self.stages + Self.reference).replacing("seed: 3", with: "seed: 4"), "second.yaml")
    let other = try run([second, "--directory", "plan-dynamics", "--resume"])
    #expect(other.status == 2 && other.errors.contains("another plan"))
  }

  @Test("Dynamics that explode end with status 1 and the step")
  func explosion() throws {
    let plan = try plan(
      (Self.stages + Self.reference).replacing("time_step: 2", with: "time_step: 60")
        .replacing(", spectrum: 4", with: ""))
    let outcome = try run([plan])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("exploded") && outcome.errors.contains("step"))
  }

  @Test(
    "Mistakes are named with file, line and key",
    arguments: [
      (
        "temperature: 300,", "temperature: 300 K,", "plan.yaml:6: stages[1].temperature",
        "its unit is K"
      ),
      ("ensemble: nve", "ensemble: nvw", "plan.yaml:9: stages[4].ensemble", "one of nve, nvt, npt"),
      ("time: 1.5", "tim: 1.5", "plan.yaml:6: stages[1].time", "did you mean 'time' by 'tim'?"),
      ("seed: 3", "seed: -3", "plan.yaml:2: seed", "an integer of at least 0"),
      ("pressure: 2", "pressure: high", "plan.yaml:7: stages[2].pressure", "GPa"),
      (
        "pressure: 2", "pressure: 2, spectrum: 4", "plan.yaml:7: stages[2].spectrum",
        "nve, or nvt with thermostat: nose-hoover"
      ),
      ("spectrum: 4", "spectrum: 400", "plan.yaml:9: stages[4].spectrum", "20"),
      (
        "time: 1, spectrum: 4", "time: 0.04, spectrum: 20", "plan.yaml:9: stages[4].spectrum",
        "a third of the time"
      ),
      ("name: warm", "name: 'warm, slowly'", "plan.yaml:6: stages[1].name", "letters, digits"),
      ("structure: POSCAR", "structure: POSCAS", "plan.yaml:4: start.structure", "can be read"),
      ("supercell: [2, 2, 2]", "supercell: [2, 2]", "plan.yaml:4: start.supercell", "3 integers"),
      ("stages:", "stages: []\nstagse:", "plan.yaml:5: stages", "1 or more"),
      ("  kind:", "  kid:", "plan.yaml:11: reference.kind", "did you mean 'kind'"),
      ("time_step: 2", "time_step: 2\nfriction: 1", "plan.yaml:4: friction", "unknown key"),
      ("time_step: 2", "potential: a.mtp", "plan.yaml:10: reference", "one of them"),
      (
        "start: {structure: POSCAR, supercell: [2, 2, 2]}", "start: {composition: GaAs}",
        "plan.yaml:12: reference.parameters", "Ga"
      ),
    ])
  func mistakes(found: String, wrong: String, place: String, advice: String) throws {
    let text = (Self.stages + Self.reference)
    try #require(text.contains(found))
    let outcome = try run([plan(text.replacing(found, with: wrong))])
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(place), "\(outcome.errors)")
    #expect(outcome.errors.contains(advice), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("plan-dynamics")))
  }
}
