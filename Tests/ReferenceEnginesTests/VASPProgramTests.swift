import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings
import StructureFormats
import TestSupport
import Testing

/// A folder of its own, with a library of potentials that hold nothing but their titles.
final class VASPWorkplace {
  let path: String
  let library: String

  init() throws {
    path = NSTemporaryDirectory() + "polymorph-vasp-\(UUID().uuidString)"
    library = path + "/potpaw_PBE.54"
    for name in ["Si", "Ti_sv", "Ti_pv", "Ti", "O", "O_s"] {
      let folder = "\(library)/\(name)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try AtomicFile.write(
        "  PAW_PBE \(name) 01Jan2001\n   4.00000000\n End of Dataset\n", to: folder + "/POTCAR")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A folder with the inputs of a calculation.
  func calculation(
    _ name: String, _ program: VASPProgram, _ structure: Structure,
    attempt: CalculationAttempt = .regular
  ) throws -> String {
    let folder = "\(path)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for file in try program.inputs(for: structure, attempt: attempt) {
      guard case .text(let text) = file.content else { continue }
      try AtomicFile.write(text, to: "\(folder)/\(file.name)")
    }
    return folder
  }

  /// Runs the stand-in in a folder, as an engine would.
  @discardableResult
  func run(_ folder: String, mode: String = "regular", timeoutSeconds: Double = 60) throws -> Int32
  {
    let outcome = try BuiltProgram("VASPStandIn").run(
      [], in: URL(fileURLWithPath: folder), timeoutSeconds: timeoutSeconds,
      environment: ["VASP_STANDIN": mode])
    try AtomicFile.write(outcome.output + outcome.errors, to: folder + "/vasp.out")
    return outcome.status
  }
}

@Suite("VASP as a program")
struct VASPProgramTests {
  /// Rutile with its atoms in an order that no POSCAR keeps, and off their sites.
  static func structure() throws -> Structure {
    let rutile = try Prototypes.rutile()
    var random = RandomStream(seed: 11, purpose: .test, slot: 0)
    let order = [2, 0, 3, 4, 1, 5]
    return try Structure(
      lattice: rutile.lattice, species: order.map { rutile.species[$0] },
      positions: order.map { atom in
        let p = rutile.positions[atom]
        return Vector3(
          p.x + 0.2 * random.uniform(), p.y + 0.2 * random.uniform(), p.z + 0.2 * random.uniform())
      })
  }

  private func program(
    _ place: VASPWorkplace, _ change: (inout VASPSettings) -> Void = { _ in }
  ) -> VASPProgram {
    var settings = VASPSettings()
    settings.potentials.folder = place.library
    change(&settings)
    return VASPProgram(settings, command: ["vasp_std"])
  }

  private func text(_ files: [CalculationFile], _ name: String) throws -> String {
    guard case .text(let text)? = files.first(where: { $0.name == name })?.content else {
      Issue.record("no \(name)")
      return ""
    }
    return text
  }

  /// What the stand-in computes.
  private func expected(_ structure: Structure) throws -> Evaluation {
    try ReferenceSettings.rehearsal(for: structure.distinctElements()).potential()
      .evaluation(of: structure)
  }

  private let golden = """
    SYSTEM = O4Ti2 single point
    ISTART = 0
    ICHARG = 2
    PREC   = Accurate
    ENCUT  = 520
    EDIFF  = 1e-06
    NELM   = 100
    ISMEAR = 0
    SIGMA  = 0.05
    ALGO   = Normal
    LREAL  = .FALSE.
    LASPH  = .TRUE.
    IBRION = -1
    NSW    = 0
    ISIF   = 2
    LWAVE  = .FALSE.
    LCHARG = .FALSE.

    """

  @Test("The inputs are those of a converged single point")
  func inputs() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let files = try program(place).inputs(for: structure, attempt: .regular)
    #expect(files.map(\.name) == ["INCAR", "KPOINTS", "POSCAR", "POTCAR"])
    let incar = try text(files, "INCAR")
    let title = structure.composition().formula
    #expect(incar == golden.replacingOccurrences(of: "O4Ti2", with: title))
    let kPoints = try text(files, "KPOINTS").split(separator: "\n").map(String.init)
    #expect(kPoints[1...] == ["0", "Gamma", "6 6 9", "0 0 0"])
    let poscar = try StructureFile.parse(try text(files, "POSCAR"), format: .poscar)[0].structure
    #expect(poscar.species.map(\.symbol) == ["O", "O", "O", "O", "Ti", "Ti"])
    // Through fractional positions and back.
    #expect((poscar.positions[0] - structure.positions[0]).length < 1e-12)
    let potcar = try text(files, "POTCAR")
    let titles = potcar.split(separator: "\n").filter { $0.contains("PAW_PBE") }
    #expect(titles == ["  PAW_PBE O 01Jan2001", "  PAW_PBE Ti_sv 01Jan2001"])
  }

  @Test("The second try changes how the equations are solved, not the equations")
  func safer() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    func tags(_ program: VASPProgram, _ attempt: CalculationAttempt) throws -> Set<String> {
      Set(
        try text(program.inputs(for: structure, attempt: attempt), "INCAR").split(separator: "\n")
          .map { $0.filter { $0 != " " } })
    }
    let plain = program(place)
    let more = try tags(plain, .safer).subtracting(tags(plain, .regular))
    #expect(more == ["ALGO=All", "NELM=300", "AMIX=0.1"])
    let all = program(place) { $0.tags = [.init("ALGO", "All")] }
    #expect(try tags(all, .regular).contains("ALGO=All"))
    #expect(try tags(all, .safer).contains("ALGO=Normal"))
  }

  @Test("Moments follow the order of the POSCAR")
  func moments() throws {
    let place = try VASPWorkplace()
    let magnetic = program(place) {
      $0.isSpinPolarized = true
      $0.magneticMoments = [ChemicalElement(symbol: "Ti")!: 2.5]
    }
    let incar = try text(magnetic.inputs(for: Self.structure(), attempt: .regular), "INCAR")
    #expect(incar.contains("ISPIN  = 2\nMAGMOM = 4*1 2*2.5\n"))
  }

  @Test("Energy, forces in the structure's own order, and stress come back")
  func result() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let folder = try place.calculation("a", vasp, structure)
    guard case .unfinished = vasp.result(in: folder, for: structure) else {
      Issue.record("an empty folder is no result")
      return
    }
    #expect(try place.run(folder) == 0)
    let expected = try expected(structure)
    #expect(expected.largestForce() > 0.5)
    // vasprun.xml prints eight decimals of eV, eV/Å and kB; an OUTCAR six of eV/Å, five of kB.
    for (file, digits) in [("vasprun.xml", 2e-8), ("OUTCAR", 2e-6)] {
      guard case .finished(let evaluation, let details) = vasp.result(in: folder, for: structure)
      else {
        Issue.record("\(file): \(vasp.result(in: folder, for: structure))")
        return
      }
      #expect(abs(evaluation.energy - expected.energy) < 2e-8)
      for (own, other) in zip(evaluation.forces, expected.forces) {
        #expect((own - other).length < digits)
      }
      #expect((evaluation.stress - expected.stress).largestMagnitude < digits)
      #expect(details.programVersion == "VASP 6.4.2")
      #expect(try #require(details.iterations) > 4)
      #expect(try #require(details.seconds) > 0)
      // The second round reads the OUTCAR.
      if file == "vasprun.xml" {
        let path = folder + "/vasprun.xml"
        let xml = try String(contentsOfFile: path, encoding: .utf8)
        try AtomicFile.write(String(xml.prefix(xml.count / 2)), to: path)
      }
    }
  }

  @Test("A left-handed cell is given to VASP as a right-handed one")
  func leftHanded() throws {
    let place = try VASPWorkplace()
    let right = try Self.structure()
    let v = right.lattice.vectors
    let structure = try Structure(
      lattice: Lattice(Matrix3(rows: v.b, v.a, v.c)), species: right.species,
      positions: right.positions)
    #expect(structure.lattice.vectors.determinant < 0)
    let vasp = program(place)
    // A mesh is one along the vectors that VASP is given.
    let written = try text(vasp.inputs(for: structure, attempt: .regular), "KPOINTS")
    let mesh = try #require(vasp.mesh(for: structure))
    let other = [mesh[0], mesh[1] + 1, mesh[2] + 2]
    func line(_ mesh: [Int]) -> String {
      "\n" + mesh.map(String.init).joined(separator: " ") + "\n"
    }
    #expect(written.contains(line(mesh)))
    let kept = try text(vasp.inputs(for: structure, mesh: other, attempt: .regular), "KPOINTS")
    #expect(kept.contains(line(other)) && !kept.contains("spacing"))
    let folder = try place.calculation("left", vasp, structure)
    #expect(try place.run(folder) == 0)
    guard case .finished(let evaluation, _) = vasp.result(in: folder, for: structure) else {
      Issue.record("\(vasp.result(in: folder, for: structure))")
      return
    }
    #expect(abs(evaluation.energy - (try expected(right).energy)) < 1e-7)
  }

  @Test("The output of another structure is told from that of this one")
  func wrongFolder() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let folder = try place.calculation("a", vasp, structure)
    try place.run(folder)
    func reason(_ other: Structure) -> String {
      if case .unfinished(let reason) = vasp.result(in: folder, for: other) { return reason }
      return "not refused"
    }
    var positions = structure.positions
    positions[3].x += 3e-4
    let moved = try Structure(
      lattice: structure.lattice, species: structure.species, positions: positions)
    #expect(reason(moved).contains("another structure"), "\(reason(moved))")
    let strained = try structure.strained(by: Matrix3(diagonal: Vector3(1e-3, 0, 0)))
    #expect(reason(strained).contains("lattice vector 1"), "\(reason(strained))")
    var species = structure.species
    species.swapAt(0, 1)
    let swapped = try Structure(
      lattice: structure.lattice, species: species, positions: structure.positions)
    #expect(reason(swapped).contains("another structure"), "\(reason(swapped))")
    // Whole lattice vectors make no other structure.
    positions = structure.positions
    positions[2] = positions[2] + structure.lattice.vectors.b
    let same = try Structure(
      lattice: structure.lattice, species: structure.species, positions: positions)
    guard case .finished = vasp.result(in: folder, for: same) else {
      Issue.record("\(reason(same))")
      return
    }
  }

  @Test("By hand, the output of another structure asks for a run and not for safer settings")
  func wrongFolderByHand() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    var settings = VASPSettings()
    settings.potentials.folder = place.library
    let engine = try ExternalEngine(VASPProgram(settings), folder: place.path + "/reference")
    let strained = try structure.strained(by: Matrix3(diagonal: Vector3(1e-3, 0, 0)))
    #expect(engine.label(structure).isWaiting && engine.label(strained).isWaiting)
    let folder = engine.folder(for: structure)
    try place.run(engine.folder(for: strained))
    try FileManager.default.copyItem(
      atPath: engine.folder(for: strained) + "/vasprun.xml", toPath: folder + "/vasprun.xml")
    guard case .failed(let reason) = engine.label(structure) else {
      Issue.record("taken for a label")
      return
    }
    #expect(reason.hasPrefix("waiting: the inputs are in \(folder); "), "\(reason)")
    #expect(reason.contains("is of another structure: lattice vector 1"), "\(reason)")
    #expect(!FileManager.default.fileExists(atPath: folder + "/retry"))
  }

  @Test("What does not converge fails, and converges on the second try")
  func difficult() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let first = try place.calculation("first", vasp, structure)
    #expect(try place.run(first, mode: "difficult") == 0)
    guard case .failed(let reason) = vasp.result(in: first, for: structure) else {
      Issue.record("taken for a label")
      return
    }
    #expect(reason.contains("all 100 steps that NELM allows"), "\(reason)")
    // The OUTCAR alone says the same.
    try FileManager.default.removeItem(atPath: first + "/vasprun.xml")
    guard case .failed(let second) = vasp.result(in: first, for: structure) else {
      Issue.record("taken for a label")
      return
    }
    #expect(second.contains("all 100 steps that NELM allows"), "\(second)")
    let again = try place.calculation("second", vasp, structure, attempt: .safer)
    #expect(try place.run(again, mode: "difficult") == 0)
    guard case .finished = vasp.result(in: again, for: structure) else {
      Issue.record("\(vasp.result(in: again, for: structure))")
      return
    }
  }

  @Test("A crash fails with VASP's words; a run that was killed is unfinished")
  func crashes() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let crashed = try place.calculation("crash", vasp, structure)
    #expect(try place.run(crashed, mode: "crash") != 0)
    guard case .failed(let reason) = vasp.result(in: crashed, for: structure) else {
      Issue.record("\(vasp.result(in: crashed, for: structure))")
      return
    }
    #expect(reason.contains("Error EDDDAV"), "\(reason)")
    for mode in ["truncated", "hang"] {
      let folder = try place.calculation(mode, vasp, structure)
      #expect(try place.run(folder, mode: mode, timeoutSeconds: 2) != 0)
      guard case .unfinished(let reason) = vasp.result(in: folder, for: structure) else {
        Issue.record("\(mode): \(vasp.result(in: folder, for: structure))")
        continue
      }
      #expect(reason.contains("breaks off"), "\(reason)")
    }
  }

  @Test(
    "Without inputs the stand-in complains as VASP does, and that is a failure",
    arguments: [
      "INCAR", "KPOINTS", "POSCAR", "POTCAR",
    ])
  func missingInput(name: String) throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let folder = try place.calculation("a", vasp, structure)
    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    #expect(try place.run(folder) == 1)
    guard case .failed(let reason) = vasp.result(in: folder, for: structure) else {
      Issue.record("\(vasp.result(in: folder, for: structure))")
      return
    }
    #expect(reason.contains("ERROR"), "\(reason)")
  }

  @Test("Potentials that are missing, compressed or of another element are named")
  func potentials() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    func reason(_ change: (inout VASPSettings) -> Void) -> String {
      do {
        _ = try program(place, change).inputs(for: structure, attempt: .regular)
        return "accepted"
      } catch { return "\(error)" }
    }
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    let missing = reason { $0.potentials.names[ti] = "Ti_GW" }
    #expect(missing.contains("Ti_GW/POTCAR"), "\(missing)")
    #expect(missing.contains("the library has Ti, Ti_pv, Ti_sv"), "\(missing)")
    #expect {
      try program(place).check([ti, ClassicalModels.element("Fe")])
    } throws: { "\($0)".contains("the library has no potential of Fe") }
    try program(place).check([ti, o])
    let files = FileManager.default
    try files.moveItem(
      atPath: place.library + "/O/POTCAR", toPath: place.library + "/O/POTCAR.gz")
    let compressed = reason { _ in }
    #expect(compressed.contains("O/POTCAR.gz: is compressed"), "\(compressed)")
    let other = reason { $0.potentials.names[o] = "Si" }
    #expect(other.contains("is a potential of Si, not of O"), "\(other)")
    var settings = VASPSettings()
    settings.potentials.names[o] = "O_s"
    let list = try VASPProgram(settings).inputs(for: structure, attempt: .regular)
    #expect(try text(list, "POTCAR.list") == "O_s\nTi_sv\n")
  }

  @Test("A label's key holds the content of the structure's potentials, and of no others")
  func key() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    func engine() throws -> any ReferenceEngine {
      try ExternalEngine(program(place), folder: place.path + "/reference")
    }
    func key() throws -> String { try engine().labelKey(for: structure) }
    func write(_ name: String, _ text: String) throws {
      try AtomicFile.write(
        "  PAW_PBE \(name) 01Jan2001\n\(text)\n", to: "\(place.library)/\(name)/POTCAR")
    }
    let first = try key()
    #expect(try key() == first)
    try write("Si", "another")
    try write("Ti_pv", "another")
    #expect(try key() == first)
    try write("Ti_sv", "another")
    let second = try key()
    #expect(second != first)
    #expect(
      try ExternalEngine(program(place), folder: place.path).folder(for: structure)
        == "\(place.path)/\(second)")
    // Where one is missing its name stands in, and the calculation says so.
    try FileManager.default.removeItem(atPath: place.library + "/O/POTCAR")
    #expect(try ![first, second].contains(key()))
    guard case .failed(let reason) = try engine().label(structure) else {
      Issue.record("labelled without a potential")
      return
    }
    #expect(reason.hasPrefix("system: \(place.library)/O/POTCAR"), "\(reason)")
    // Without a library the names decide.
    let oxygen = try ClassicalModels.element("O")
    let keys = try ["O", "O_s"].map { name in
      var settings = VASPSettings()
      settings.potentials.names[oxygen] = name
      return try ExternalEngine(VASPProgram(settings), folder: place.path)
        .labelKey(for: structure)
    }
    #expect(keys[0] != keys[1])
  }

  @Test("ASE reads the stand-in's files with the numbers that we read")
  func standInLikeASE() throws {
    let place = try VASPWorkplace()
    let structure = try Self.structure()
    let vasp = program(place)
    let folder = try place.calculation("relax", vasp, structure)
    try AtomicFile.write(
      "SYSTEM = relaxation\nEDIFF = 1E-6\nNELM = 60\nIBRION = 2\nNSW = 40\nISIF = 3\n"
        + "EDIFFG = -0.05 ; PSTRESS = 50 # kB\n", to: folder + "/INCAR")
    #expect(try place.run(folder) == 0)
    let script = """
      import json, sys
      from ase.io import read
      frames = [read(sys.argv[1] + '/' + name, index=':') for name in ('vasprun.xml', 'OUTCAR')]
      last = read(sys.argv[1] + '/CONTCAR', format='vasp')
      print(json.dumps([[[a.get_potential_energy(force_consistent=True), a.get_volume(),
          float(abs(a.get_forces()).max()), float(a.get_stress()[0]), float(a.positions[0, 0]),
          a.get_chemical_symbols()[-1] == 'Ti'] for a in f] for f in frames]
          + [[[0, last.get_volume(), 0, 0, float(last.positions[0, 0]), True]]]))
      """
    let answer = try PythonASE.run(script, [folder])
    let data = Data(answer.utf8)
    let frames = try #require(JSONSerialization.jsonObject(with: data) as? [[[Double]]])
    for (name, own) in zip(["vasprun.xml", "OUTCAR"], frames) {
      let records = try StructureFile.read("\(folder)/\(name)")
      try #require(records.count == own.count && own.count > 3, "\(name)")
      // The peer leaves p V in the energy of vasprun.xml.
      let kilobar = 10 * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      for (record, row) in zip(records, own) {
        let work = name == "OUTCAR" ? 0 : 50 * record.structure.volume / kilobar
        #expect(abs(try #require(record.energy) + work - row[0]) < 1e-7, "\(name)")
        #expect(abs(record.structure.volume - row[1]) < 1e-5)
        let largest = try #require(record.forces).map {
          max(abs($0.x), abs($0.y), abs($0.z))
        }.max()
        #expect(abs(try #require(largest) - row[2]) < 1e-9)
        #expect(abs(try #require(record.stress).a.x - row[3]) < 1e-7)
        #expect(abs(record.structure.positions[0].x - row[4]) < 1e-6)
        #expect(row[5] == 1)
      }
    }
    // CONTCAR holds the last structure, which feels the pressure.
    #expect(abs(frames[2][0][1] - frames[0][frames[0].count - 1][1]) < 1e-5)
    let last = try #require(try StructureFile.read("\(folder)/vasprun.xml").last?.stress)
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    #expect(abs(-last.trace / 3 * gigapascals - 5) < 0.2)
  }
}
