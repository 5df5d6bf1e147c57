import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

/// Real outputs of VASP 4.6 to 6.6; see `Fixtures/README.md`.
enum VASPFixture {
  static let vaspruns = [
    "vasprun-NaCl-displaced.xml", "vasprun-Si.xml", "vasprun-SnO2-displaced.xml",
    "vasprun-Cr-magnetic.xml", "vasprun-Si-noncollinear.xml", "vasprun-kpoints-opt-spin.xml",
  ]
  static let outcars = ["OUTCAR_relax", "OUTCAR_usual"]

  static func path(_ name: String) throws -> String { try Fixture.path("vasp/\(name).gz") }

  static func bytes(_ name: String) throws -> [UInt8] { try StructureFile.bytes(of: path(name)) }

  static func text(_ name: String) throws -> String {
    String(decoding: try bytes(name), as: UTF8.self)
  }

  static func kind(_ name: String) -> VASPOutput.Kind {
    name.hasPrefix("OUTCAR") ? .outcar : .vasprun
  }

  /// Reads a text that was made from a real file.
  static func output(_ text: String, _ kind: VASPOutput.Kind) throws -> VASPOutput {
    try VASPOutput(bytes: Array(text.utf8), path: "made", kind: kind)
  }
}

/// What ASE reads of a file; numbers in ASE's units, which are ours.
private struct PeerFrame: Decodable {
  let symbols: [String]
  let cell: [[Double]]
  let positions: [[Double]]
  let energy: Double
  let zero: Double
  let forces: [[Double]]
  let stress: [Double]
}

@Suite("Outputs of VASP")
struct VASPOutputTests {
  private static let script = """
    import gzip, json, os, sys, tempfile
    from ase.io import read
    kind = sys.argv[1]
    frames = {}
    for path in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, 'OUTCAR' if kind == 'vasp-out' else 'vasprun.xml')
            open(name, 'wb').write(gzip.open(path).read())
            found = read(name, index=':', format=kind)
        frames[os.path.basename(path)[:-3]] = [dict(
            symbols=a.get_chemical_symbols(), cell=a.cell[:].tolist(),
            positions=a.positions.tolist(),
            energy=a.get_potential_energy(force_consistent=True),
            zero=a.get_potential_energy(), forces=a.get_forces(apply_constraint=False).tolist(),
            stress=a.get_stress().tolist()) for a in found]
    print(json.dumps(frames))
    """

  /// ASE turns kB into eV/Å³ with constants of another year.
  private static let crossCode = 2e-7
  /// VASP's stress is symmetric to 3 × 10⁻⁵ kB only, here in eV/Å³: we take the mean, ASE one side.
  private static let asymmetry = 2e-8

  private func compare(_ names: [String], _ format: String) throws {
    let answer = try PythonASE.run(
      Self.script, [format] + names.map { try VASPFixture.path($0) })
    let peers = try JSONDecoder().decode([String: [PeerFrame]].self, from: Data(answer.utf8))
    for name in names {
      let frames = try #require(peers[name])
      let output = try VASPOutput(path: VASPFixture.path(name))
      let records = try output.records()
      #expect(output.ending == .finished)
      try #require(records.count == frames.count, "\(name)")
      for (record, frame) in zip(records, frames) {
        let structure = record.structure
        #expect(structure.species.map(\.symbol) == frame.symbols)
        func check(_ vectors: [Vector3], _ rows: [[Double]], _ tolerance: Double) {
          for (v, r) in zip(vectors, rows) {
            #expect(isClose(v, Vector3(r[0], r[1], r[2]), to: tolerance), "\(name)")
          }
          #expect(vectors.count == rows.count)
        }
        let v = structure.lattice.vectors
        check([v.a, v.b, v.c], frame.cell, 1e-12)
        check(structure.positions, frame.positions, 1e-9)
        check(try #require(record.forces), frame.forces, 1e-12)
        #expect(record.energy == frame.energy, "\(name)")
        let s = try #require(record.stress)
        for (own, peer) in zip([s.a.x, s.b.y, s.c.z, s.b.z, s.a.z, s.a.y], frame.stress) {
          #expect(abs(own - peer) <= Self.crossCode * abs(peer) + Self.asymmetry, "\(name)")
        }
      }
    }
  }

  @Test("vasprun.xml gives ASE's numbers, with the energy that belongs to the forces")
  func vasprunLikeASE() throws {
    try compare(VASPFixture.vaspruns, "vasp-xml")
  }

  @Test("OUTCAR gives ASE's numbers, every ionic step")
  func outcarLikeASE() throws {
    try compare(VASPFixture.outcars, "vasp-out")
  }

  @Test("With NWRITE = 1 the OUTCAR names its potentials above the energies of the free atoms")
  func littleOutput() throws {
    let outcar = try VASPOutput(path: VASPFixture.path("OUTCAR_nwrite1")).records()
    let xml = try VASPOutput(path: VASPFixture.path("vasprun-Si-relaxed.xml")).records()
    #expect(outcar.count == 3 && xml.count == 3)
    for (a, b) in zip(outcar, xml) {
      #expect(a.structure.species.map(\.symbol) == ["Si", "Si"])
      #expect(a.structure.species == b.structure.species)
      #expect(abs(try #require(a.energy) - #require(b.energy)) < 2e-8)
      let difference = try #require(a.stress) - #require(b.stress)
      // Five decimals of a kB.
      #expect(difference.largestMagnitude < 1e-8)
    }
    // Several types, one of them twice.
    let text = try VASPFixture.text("OUTCAR_nwrite1")
    let title = """
       PAW_PBE Si 05Jan2001                   :
       energy of atom  1       EATOM= -103.0669

      """
    let place = try #require(text.range(of: title))
    let others = title.replacingOccurrences(of: "Si 05", with: "O_s 08")
      .replacingOccurrences(of: "atom  1", with: "atom  2")
    let counts = "ions per type =               2"
    var changed = text
    changed.replaceSubrange(place, with: title + others)
    changed = changed.replacingOccurrences(of: counts, with: counts.dropLast() + "1   1")
    let mixed = try VASPFixture.output(changed, .outcar).records()
    #expect(mixed.first?.structure.species.map(\.symbol) == ["Si", "O"])
  }

  @Test("Loops of the response to a field are none of the ground state's")
  func response() throws {
    let output = try VASPOutput(path: VASPFixture.path("vasprun-dielectric.xml"))
    #expect(output.steps.map(\.electronicSteps) == [16])
    let text = try VASPFixture.text("vasprun-dielectric.xml")
    // The file holds 82 loops, of which 66 stand behind the energy of the step.
    #expect(text.components(separatedBy: "<scstep>").count - 1 == 82)
    let record = try #require(try output.records().first)
    #expect(record.energy == -47.14178735)
    #expect(record.stress != nil && record.forces != nil)
  }

  @Test("A vasprun.xml of more than ten megabytes")
  func large() throws {
    let text = try VASPFixture.text("vasprun-Cr-magnetic.xml")
    let start = try #require(text.range(of: " <calculation>\n")).lowerBound
    let end = try #require(text.range(of: "</calculation>\n", options: .backwards)).upperBound
    let step = String(text[start..<end])
    let count = 12_000_000 / step.utf8.count + 1
    let long = text[..<start] + String(repeating: step, count: count) + text[end...]
    let plain = try VASPFixture.output(text, .vasprun).records()
    let records = try VASPFixture.output(String(long), .vasprun).records()
    #expect(records.count == count * plain.count)
    #expect(records.last?.energy == plain.last?.energy)
    #expect(records.last?.forces == plain.last?.forces)
    let cut = try VASPFixture.output(String(long.dropLast(step.utf8.count / 2)), .vasprun)
    #expect(throws: FormatError.self) { try cut.records() }
    #expect(try cut.records(.usable).count >= (count - 1) * plain.count)
  }

  @Test("OUTCAR gives what MLIP reads of the same file")
  func outcarLikeMLIP() throws {
    let expected = try StructureFile.read(
      Fixture.path("vasp-relaxation.cfg"),
      elements: ["Pd", "Ag"].compactMap(ChemicalElement.init(symbol:)))
    let records = try StructureFile.read(VASPFixture.path("OUTCAR_relax"))
    try #require(records.count == 3 && expected.count == 3)
    for (own, peer) in zip(records, expected) {
      let a = own.structure.lattice.vectors, b = peer.structure.lattice.vectors
      #expect(isClose(a, b, to: 1e-6))
      for (p, q) in zip(own.structure.positions, peer.structure.positions) {
        #expect(isClose(p, q, to: 1e-5))
      }
      for (f, g) in zip(try #require(own.forces), try #require(peer.forces)) {
        #expect(isClose(f, g, to: 1e-6))
      }
      #expect(abs(try #require(own.energy) - #require(peer.energy)) < 1e-6)
      // The peer takes the line in eV, we take that in kB: both have five decimals.
      let difference = try #require(own.virial) - #require(peer.virial)
      #expect(difference.largestMagnitude < 1e-5)
      #expect(try #require(peer.virial).largestMagnitude > 0.1)
    }
  }

  @Test("The energy is the free energy, not the one extrapolated to no smearing")
  func freeEnergy() throws {
    let records = try StructureFile.read(VASPFixture.path("vasprun-Cr-magnetic.xml"))
    // `e_wo_entrp` is −163.97890938, and `e_0_energy` holds −T S by a fault of this version.
    #expect(records.first?.energy == -164.00238535)
    let relaxation = try StructureFile.read(VASPFixture.path("OUTCAR_relax"))
    #expect(relaxation.map(\.energy) == [-88.79099344, -88.79508029, -88.79549823])
  }

  @Test("A stress in kB that pushes outward is a negative stress in eV/Å³")
  func stressSign() throws {
    let record = try #require(try StructureFile.read(VASPFixture.path("OUTCAR_relax")).first)
    let s = try #require(record.stress)
    // `in kB 1.25062 1.93247 2.06352 -0.65075 -0.72711 0.66101`, in the order XX YY ZZ XY YZ ZX.
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    let expected = [-0.125062, -0.193247, -0.206352, 0.065075, 0.072711, -0.066101]
    for (own, value) in zip([s.a.x, s.b.y, s.c.z, s.a.y, s.b.z, s.a.z], expected) {
      #expect(abs(gigapascals * own - value) < 1e-12)
    }
  }

  @Test("Version, electronic steps and time are told")
  func details() throws {
    let xml = try VASPOutput(path: VASPFixture.path("vasprun-Si-noncollinear.xml"))
    #expect(xml.programVersion == "6.6.0")
    #expect(xml.steps.first?.electronicSteps == 17)
    #expect(try #require(xml.processorSeconds) > 0)
    let outcar = try VASPOutput(path: VASPFixture.path("OUTCAR_relax"))
    #expect(outcar.programVersion == "5.4.1")
    #expect(outcar.steps.map(\.electronicSteps).first == 11)
    #expect(try #require(outcar.processorSeconds) > 0)
  }

  @Test("An electronic loop that took all its steps is no label, and the message says so")
  func unconverged() throws {
    let path = try VASPFixture.path("OUTCAR_not_converged")
    do {
      _ = try StructureFile.read(path)
      Issue.record("read")
    } catch {
      #expect(error.line == 3834)
      for word in ["ionic step 1", "all 16 steps", "NELM", "EDIFF = 1e-08"] {
        #expect(error.description.contains(word), "\(error)")
      }
    }
    #expect(try StructureFile.read(path, steps: .usable).isEmpty)
  }

  @Test("A run that was killed is refused; its complete steps can be had")
  func broken() throws {
    let path = try VASPFixture.path("OUTCAR_broken")
    do {
      _ = try StructureFile.read(path)
      Issue.record("read")
    } catch {
      #expect(error.line == 2856)
      #expect(error.description.contains("breaks off inside ionic step 3"), "\(error)")
      #expect(error.description.contains("--usable-steps reads the 2 usable"), "\(error)")
    }
    let steps = try StructureFile.read(path, steps: .usable)
    let whole = try StructureFile.read(VASPFixture.path("OUTCAR_relax"))
    #expect(steps.map(\.energy) == whole.prefix(2).map(\.energy))
    #expect(steps.map(\.structure) == whole.prefix(2).map(\.structure))
  }

  @Test(
    "However a file is cut, only complete steps are read, or it is refused",
    arguments: VASPFixture.vaspruns + VASPFixture.outcars + [
      "OUTCAR_broken", "OUTCAR_not_converged",
    ])
  func cutting(name: String) throws {
    let bytes = try VASPFixture.bytes(name)
    let kind = VASPFixture.kind(name)
    let whole = try VASPOutput(bytes: bytes, path: name, kind: kind).records(.usable)
    var random = RandomStream(seed: 20_261_127, purpose: .test, slot: UInt64(bytes.count))
    // What follows the last line that VASP needs is of no use to us.
    let mark = kind == .vasprun ? "</modeling>" : "General timing"
    let text = String(decoding: bytes, as: UTF8.self)
    let end =
      text.range(of: mark).map { text.utf8.distance(from: text.startIndex, to: $0.upperBound) }
      ?? bytes.count + 1
    for _ in 0..<200 {
      let count = Int(random.uniform() * Double(bytes.count))
      let cut = Array(bytes[..<count])
      do {
        let output = try VASPOutput(bytes: cut, path: name, kind: kind)
        let usable = try output.records(.usable)
        #expect(usable.map(\.energy) == whole.prefix(usable.count).map(\.energy), "\(count)")
        #expect(usable.map(\.forces) == whole.prefix(usable.count).map(\.forces), "\(count)")
        #expect(usable.map(\.stress) == whole.prefix(usable.count).map(\.stress), "\(count)")
        #expect(usable.map(\.structure) == whole.prefix(usable.count).map(\.structure), "\(count)")
        if count < end {
          #expect(output.ending != .finished, "\(count)")
          #expect(throws: FormatError.self) { try output.records(.all) }
        }
      } catch {
        #expect(error.path == name, "\(count): \(error)")
      }
    }
  }

  @Test(
    "A damaged byte never ends the program",
    arguments: ["vasprun-Si-noncollinear.xml", "OUTCAR_relax"])
  func damage(name: String) throws {
    let bytes = Array(try VASPFixture.bytes(name).prefix(120_000))
    let kind = VASPFixture.kind(name)
    var random = RandomStream(seed: 7, purpose: .test, slot: 3)
    var refusals = 0
    for _ in 0..<60 {
      var damaged = bytes
      for _ in 0..<20 {
        damaged[Int(random.uniform() * Double(bytes.count))] = UInt8(random.uniform() * 256)
      }
      do {
        _ = try VASPOutput(bytes: damaged, path: name, kind: kind).records()
      } catch { refusals += 1 }
    }
    #expect(refusals == 60)
  }

  @Test("Outputs are recognised by name, compressed or not, and never written")
  func names() throws {
    for (name, format) in [
      ("vasprun.xml", StructureFormat.vasprun), ("a/vasprun-Si.xml.gz", .vasprun),
      ("vasprun.xml.relax1", .vasprun), ("OUTCAR", .outcar), ("x/OUTCAR_relax.gz", .outcar),
      ("static.OUTCAR", .outcar), ("POSCAR.gz", .poscar),
    ] {
      #expect(StructureFormat.recognized(path: name) == format, "\(name)")
    }
    #expect(StructureFormat.writable == [.poscar, .extxyz, .cfg, .cif])
    let record = try RandomRecord.make(seed: 1)
    let folder = try ScratchFolder()
    for name in ["vasprun.xml", "OUTCAR", "a.cfg.gz"] {
      #expect(throws: FormatError.self) {
        try StructureFile.write([record], to: folder.file(name))
      }
      #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
    }
  }

  @Test(
    "A file that is no output of VASP is told from a damaged one",
    arguments: [
      ("<?xml version=\"1.0\"?>\n<html></html>\n", VASPOutput.Kind.vasprun, "no <modeling>"),
      ("", .vasprun, "empty"), ("hello\n", .vasprun, "no <modeling>"),
      ("hello\n", .outcar, "neither VASP's version"), ("", .outcar, "neither VASP's version"),
      ("<modeling>\n <a>\n</modeling>\n", .vasprun, "malformed"),
    ])
  func foreign(text: String, kind: VASPOutput.Kind, mention: String) {
    #expect {
      try VASPFixture.output(text, kind)
    } throws: { "\($0)".contains(mention) }
  }
}
