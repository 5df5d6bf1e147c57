import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import TestSupport
import Testing

@Suite(
  "Programs as clients of the i-PI protocol", .serialized, .tags(.slow),
  .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"))
struct SocketProgramTests {
  private static let silicon = ChemicalElement(symbol: "Si") ?? .unnamed(0)

  /// Two atoms of silicon, one moved, in a cell of the diamond type's size.
  private static func distorted(_ scale: Double = 1, _ shift: Double = 0.12) throws -> Structure {
    let half = 2.715 * scale
    return try Structure(
      lattice: Lattice(
        Matrix3(rows: Vector3(0, half, half), Vector3(half, 0, half), Vector3(half, half, 0))),
      species: [silicon, silicon],
      positions: [Vector3(0, 0, 0), scale * Vector3(1.3575, 1.3575 + 0.5 * shift, 1.3575 - shift)])
  }

  /// An input of pw.x: `md` in place of `scf` makes a client extrapolate from structure to structure.
  private static let espresso = """
    &control
      calculation = '{kind}', prefix = 'si', outdir = './out', disk_io = 'low'
      pseudo_dir = '/usr/share/espresso/pseudo', tprnfor = .true., tstress = .true.
    /
    &system
      ibrav = 0, nat = {natoms}, ntyp = {ntypes}, ecutwfc = 24, nosym = .true.
    /
    &electrons
      conv_thr = 1e-10
    /
    &ions
      pot_extrapolation = 'second_order', wfc_extrapolation = 'second_order'
    /
    &cell
    /
    ATOMIC_SPECIES
    Si 28.0855 Si.pz-vbc.UPF
    K_POINTS automatic
    2 2 2 0 0 0
    CELL_PARAMETERS {angstrom}
    {cell}
    ATOMIC_POSITIONS {angstrom}
    {positions}
    """

  private static func settings(_ folder: URL, keeps: Bool = true) -> IPISettings {
    IPISettings(
      method: "LDA, 24 Ry",
      command: ["pw.x", "--ipi", "{socket}:UNIX", "-in", "pw.in"],
      inputs: [
        ClientTemplate(
          name: "pw.in", text: espresso.replacingOccurrences(of: "{kind}", with: "md"))
      ], timeLimitSeconds: 300,
      keepsFolders: keeps)
  }

  /// What a client that has computed nothing before says of a structure: its basis and k points belong
  /// to the structure's own cell.
  private static func fresh(_ structure: Structure, _ folder: URL) throws -> Evaluation {
    let engine = try IPIEngine(
      settings(folder, keeps: false), folder: folder.appendingPathComponent("fresh").path)
    return try labelled(engine.label(structure))
  }

  private static func labelled(_ outcome: LabelOutcome) throws -> Evaluation {
    guard case .labelled(let evaluation) = outcome else {
      Issue.record("\(outcome)")
      throw CancellationError()
    }
    return evaluation
  }

  /// An input with its places filled.
  private static func input(
    _ text: String, _ places: [String: String], _ structure: Structure
  ) -> String {
    let vectors = structure.lattice.vectors
    func line(_ v: Vector3) -> String { "\(v.x) \(v.y) \(v.z)" }
    let cell = [vectors.a, vectors.b, vectors.c].map(line)
    let structural = [
      "{natoms}": "\(structure.atomCount)", "{cell}": cell.joined(separator: "\n"),
      "{cella}": cell[0], "{cellb}": cell[1], "{cellc}": cell[2],
      "{positions}": structure.positions.map { "Si \(line($0))" }.joined(separator: "\n"),
    ]
    return structural.merging(places) { $1 }.reduce(text) {
      $0.replacingOccurrences(of: $1.key, with: $1.value)
    }
  }

  /// Runs pw.x by itself; its energy in eV, forces in eV/Å and stress in eV/Å³ as printed.
  private static func printed(_ structure: Structure, _ folder: URL) throws -> (
    energy: Double, forces: [Vector3], stress: Matrix3, iterations: Int
  ) {
    let run = folder.appendingPathComponent("run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let input = input(espresso, ["{kind}": "scf", "{ntypes}": "1"], structure)
    try Data(input.utf8).write(to: run.appendingPathComponent("pw.in"))
    _ = try ChildProcess.run(
      CalculationLaunch(command: ["pw.x", "-in", "pw.in"], input: nil, output: "pw.out"),
      in: run.path)
    let output = try String(contentsOf: run.appendingPathComponent("pw.out"), encoding: .utf8)
    let lines = output.split(separator: "\n").map(String.init)
    func numbers(_ line: String) -> [Double] {
      line.split(whereSeparator: { $0 == " " || $0 == "=" }).compactMap { Double($0) }
    }
    let rydberg = PhysicalConstants.electronvoltsPerHartree / 2
    let bohr = PhysicalConstants.angstromsPerBohr
    let energy = try #require(lines.first { $0.hasPrefix("!") }.flatMap { numbers($0).first })
    let forces = lines.filter { $0.contains("force =") && $0.contains("atom") }
      .prefix(structure.atomCount).map { line in
        let f = numbers(line).suffix(3).map { $0 * rydberg / bohr }
        return Vector3(f[0], f[1], f[2])
      }
    let place = try #require(lines.firstIndex { $0.contains("total   stress") })
    // Printed is minus the stress in our sign.
    let rows = lines[(place + 1)...(place + 3)].map { line in
      let s = numbers(line).prefix(3).map { -$0 * rydberg / (bohr * bohr * bohr) }
      return Vector3(s[0], s[1], s[2])
    }
    return (
      energy * rydberg, Array(forces), Matrix3(rows: rows[0], rows[1], rows[2]),
      lines.count { $0.contains("iteration #") }
    )
  }

  @Test("pw.x says over the socket what it prints")
  func espressoAgrees() throws {
    try SocketClients.inFolder { folder in
      let structure = try Self.distorted().strained(
        by: Matrix3(
          rows: Vector3(0.01, 0.02, 0), Vector3(0.02, -0.01, 0.005), Vector3(0, 0.005, 0.0)))
      let crossed = try Self.fresh(structure, folder)
      let printed = try Self.printed(structure, folder)
      // 8 digits in Ry and Ry/Bohr, 8 in Ry/Bohr³ (1e-8 = 9e-7 eV/Å³), each converged by itself.
      #expect(crossed.energy.isClose(to: printed.energy, relative: 0, absolute: 1e-5))
      for (a, b) in zip(crossed.forces, printed.forces) { #expect((a - b).length < 1e-4) }
      #expect((crossed.stress - printed.stress).largestMagnitude < 5e-6)
    }
  }

  @Test("A strained cell keeps the basis of the first: a new client within the tolerance's reach")
  func espressoBasis() throws {
    try SocketClients.inFolder { folder in
      var settings = Self.settings(folder)
      settings.cellTolerance = nil
      for limit in [nil, 0.03] as [Double?] {
        settings.cellTolerance = limit
        let engine = try IPIEngine(
          settings, folder: folder.appendingPathComponent("kept-\(limit ?? 0)").path)
        for scale in [1, 1.01, 1.02, 1.03, 1.045] {
          let structure = try Self.distorted(scale)
          let kept = try Self.labelled(engine.label(structure))
          let fresh = try Self.fresh(structure, folder)
          let difference = (kept.energy - fresh.energy) / 2
          let pressure = (kept.pressure - fresh.pressure) * 160.21766208
          let force = (kept.forces[1] - fresh.forces[1]).length
          print(
            "pw.x, tolerance \(limit.map { "\($0)" } ?? "none"), cell × \(scale): "
              + "\(1000 * difference) meV/atom, \(pressure) GPa, \(force) eV/Å from a fresh one")
          if scale == 1 || (limit != nil && scale == 1.045) {
            #expect(abs(difference) < 1e-5)
          }
        }
      }
    }
  }

  @Test(
    "Along a path of small steps a client saves its start and steps of the field",
    arguments: [0, 0.001])
  func espressoSavings(growth: Double) throws {
    try SocketClients.inFolder { folder in
      let path = try (0..<10).map { step in
        try Self.distorted(1 + growth * Double(step), 0.12 + 0.01 * Double(step))
      }
      let engine = try IPIEngine(
        Self.settings(folder), folder: folder.appendingPathComponent("kept").path)
      let clock = ContinuousClock()
      var difference = 0.0
      let kept = try clock.measure {
        for structure in path { difference = try Self.labelled(engine.label(structure)).energy }
      }
      var iterations = 0
      let fresh = try clock.measure {
        for structure in path {
          let result = try Self.printed(structure, folder)
          iterations += result.iterations
          if structure == path.last { difference -= result.energy }
        }
      }
      let output = try String(
        contentsOf: folder.appendingPathComponent("kept/client-Si2-1/client.out"), encoding: .utf8)
      let keptIterations = output.split(separator: "\n").count { $0.contains("iteration #") }
      print(
        "pw.x, 10 steps, cell growing by \(growth): one client \(kept), \(keptIterations) "
          + "iterations; fresh runs \(fresh), \(iterations) iterations; last energy off by "
          + "\(1000 * difference / 2) meV/atom")
      #expect(keptIterations < iterations)
      // In a cell that stays, both are converged results of the same basis, printed with 8 digits.
      #expect(growth > 0 || abs(difference) < 1e-6)
    }
  }

  private static let cp2k = """
    &GLOBAL
      PROJECT si
      RUN_TYPE {run}
      PRINT_LEVEL LOW
    &END GLOBAL
    &MOTION
      &DRIVER
        UNIX
        HOST {socket}
      &END DRIVER
    &END MOTION
    &FORCE_EVAL
      METHOD QUICKSTEP
      STRESS_TENSOR ANALYTICAL
      &DFT
        BASIS_SET_FILE_NAME BASIS_MOLOPT
        POTENTIAL_FILE_NAME GTH_POTENTIALS
        &MGRID
          CUTOFF 200
          REL_CUTOFF 40
        &END MGRID
        &SCF
          EPS_SCF 1e-8
          ADDED_MOS 4
          &DIAGONALIZATION
          &END DIAGONALIZATION
          &MIXING
            METHOD BROYDEN_MIXING
            ALPHA 0.4
          &END MIXING
        &END SCF
        &KPOINTS
          SCHEME MONKHORST-PACK 2 2 2
          FULL_GRID
        &END KPOINTS
        &XC
          &XC_FUNCTIONAL PADE
          &END XC_FUNCTIONAL
        &END XC
      &END DFT
      &SUBSYS
        &CELL
          A {cella}
          B {cellb}
          C {cellc}
        &END CELL
        &COORD
    {positions}
        &END COORD
        &KIND Si
          BASIS_SET SZV-MOLOPT-SR-GTH-q4
          POTENTIAL GTH-PADE-q4
        &END KIND
      &END SUBSYS
      &PRINT
        &FORCES
        &END FORCES
        &STRESS_TENSOR
        &END STRESS_TENSOR
      &END PRINT
    &END FORCE_EVAL
    """

  /// What CP2K prints when it runs by itself.
  private static func printedByCP2K(_ structure: Structure, _ folder: URL) throws -> Evaluation {
    let run = folder.appendingPathComponent("cp2k-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let input = input(cp2k, ["{run}": "ENERGY_FORCE"], structure)
    // The driver's socket is not needed.
    let start = try #require(input.range(of: "&MOTION")),
      end = try #require(
        input.range(of: "&END MOTION"))
    try Data(input.replacingCharacters(in: start.lowerBound..<end.upperBound, with: "").utf8)
      .write(to: run.appendingPathComponent("si.inp"))
    _ = try ChildProcess.run(
      CalculationLaunch(command: ["cp2k.psmp", "si.inp"], input: nil, output: "cp2k.out"),
      in: run.path)
    let output = try String(contentsOf: run.appendingPathComponent("cp2k.out"), encoding: .utf8)
    let lines = output.split(separator: "\n").map(String.init)
    func numbers(_ line: String) -> [Double] {
      line.split(separator: " ").compactMap { Double($0) }
    }
    let hartree = PhysicalConstants.electronvoltsPerHartree
    let total = try #require(lines.first { $0.contains("Total FORCE_EVAL") })
    let forces = try #require(lines.firstIndex { $0.contains("# Atom   Kind") })
    let stress = try #require(lines.firstIndex { $0.contains("Analytical stress tensor") })
    // Printed in GPa, positive when compressed.
    let rows = lines[(stress + 2)...(stress + 4)].map { line in
      let s = numbers(line).suffix(3).map { -$0 / 160.21766208 }
      return Vector3(s[0], s[1], s[2])
    }
    let matrix = Matrix3(rows: rows[0], rows[1], rows[2])
    return Evaluation(
      energy: hartree * (numbers(total).last ?? .nan),
      forces: lines[(forces + 1)...(forces + structure.atomCount)].map { line in
        let f = numbers(line).suffix(3).map { $0 * hartree / PhysicalConstants.angstromsPerBohr }
        return Vector3(f[0], f[1], f[2])
      }, virial: structure.volume * matrix, of: structure)
  }

  @Test("CP2K says over the socket what it prints, also to its second structure")
  func cp2kAgrees() throws {
    try SocketClients.inFolder { folder in
      let first = try Self.distorted()
      let second = try Self.distorted(1, 0.15).strained(
        by: Matrix3(
          rows: Vector3(0.005, 0.004, 0), Vector3(0.004, -0.003, 0.002), Vector3(0, 0.002, 0.001)))
      let settings = IPISettings(
        method: "LDA", command: ["cp2k.psmp", "si.inp"],
        inputs: [
          ClientTemplate(
            name: "si.inp", text: Self.cp2k.replacingOccurrences(of: "{run}", with: "DRIVER"))
        ], timeLimitSeconds: 500, keepsFolders: true)
      let engine = try IPIEngine(settings, folder: folder.appendingPathComponent("kept").path)
      for structure in [first, second] {
        let crossed = try Self.labelled(engine.label(structure))
        let printed = try Self.printedByCP2K(structure, folder)
        print(
          "CP2K: \(1000 * (crossed.energy - printed.energy) / 2) meV/atom, "
            + "\(zip(crossed.forces, printed.forces).map { ($0 - $1).length }) eV/Å, "
            + "\((crossed.stress - printed.stress).largestMagnitude * 160.2) GPa")
        #expect(crossed.energy.isClose(to: printed.energy, relative: 0, absolute: 1e-4))
        for (a, b) in zip(crossed.forces, printed.forces) { #expect((a - b).length < 2e-3) }
        #expect((crossed.stress - printed.stress).largestMagnitude < 1e-4)
      }
    }
  }
}
