import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

/// What ASE says of one structure.
struct ASEStructure: Decodable {
  let numbers: [Int]
  let positions: [[Double]]
  let cell: [[Double]]
  let pbc: [Bool]
  let energy: Double?
  let forces: [[Double]]?
  let stress: [[Double]]?

  static let script = """
    import sys, json, ase.io
    out = []
    for x in [x for p in sys.argv[2:] for x in ase.io.read(p, ':', format=sys.argv[1])]:
        d = dict(numbers=x.numbers.tolist(), positions=x.positions.tolist(),
                 cell=x.cell.array.tolist(), pbc=[bool(p) for p in x.pbc])
        if x.calc is not None:
            d['energy'] = x.get_potential_energy()
            d['forces'] = x.get_forces().tolist()
            if 'stress' in x.calc.results:
                d['stress'] = x.get_stress(voigt=False).tolist()
        out.append(d)
    print(json.dumps(out))
    """

  /// The structures of one or several files; starting Python is what takes time.
  static func read(_ paths: String..., format: StructureFormat) throws -> [ASEStructure] {
    try read(paths, format: format)
  }

  static func read(_ paths: [String], format: StructureFormat) throws -> [ASEStructure] {
    let name = format == .poscar ? "vasp" : format.rawValue
    let text = try PythonASE.run(script, [name] + paths)
    return try JSONDecoder().decode([ASEStructure].self, from: Data(text.utf8))
  }

  /// Compares with one of our records; positions modulo lattice vectors where asked.
  func expectSame(as record: StructureRecord, tolerance: Double) {
    let structure = record.structure
    #expect(structure.species.map(\.atomicNumber) == numbers)
    #expect((0..<3).map { structure.periodicity[$0] } == pbc)
    guard numbers.count == structure.atomCount else { return }
    for axis in 0..<3 where pbc[axis] {
      #expect(isClose(structure.lattice.vectors[axis], vector(cell[axis]), to: tolerance))
    }
    for (ours, theirs) in zip(structure.positions, positions) {
      #expect(isClose(ours, vector(theirs), to: tolerance))
    }
    if let energy { #expect(record.energy == energy) }
    if let forces {
      for (ours, theirs) in zip(record.forces ?? [], forces) {
        #expect(isClose(ours, vector(theirs), to: tolerance))
      }
      #expect(record.forces?.count == forces.count)
    }
    if let stress {
      for row in 0..<3 {
        #expect(isClose(record.stress?[row] ?? .zero, vector(stress[row]), to: tolerance))
      }
    }
  }

  private func vector(_ values: [Double]) -> Vector3 { Vector3(values[0], values[1], values[2]) }
}

@Suite("ASE and we read each other's files")
struct ASECrossCheckTests {
  /// Eight decimals are what files of ASE carry for positions.
  static let crossCode = 1e-8

  @Test(
    "We read what ASE wrote",
    arguments: [
      ("ase.extxyz", StructureFormat.extxyz), ("ase-direct.poscar", .poscar),
      ("ase-cartesian.poscar", .poscar),
    ])
  func reading(name: String, format: StructureFormat) throws {
    let expected = try JSONDecoder().decode(
      [String: [ASEStructure]].self, from: Data(Fixture.text("ase-expected.json").utf8))
    let theirs = try #require(expected[name])
    let ours = try StructureFile.read(Fixture.path(name))
    #expect(ours.count == theirs.count)
    for (record, structure) in zip(ours, theirs) {
      structure.expectSame(as: record, tolerance: Self.crossCode)
    }
  }

  @Test("Info of all kinds survives the way through our reader and writer")
  func info() throws {
    let records = try StructureFile.read(Fixture.path("ase.extxyz"))
    #expect(records[0].feature("group") == "Elastic x")
    #expect(records[0].feature("name") == "say \"hi\"")
    #expect(records[0].feature("path") == "a=b")
    #expect(records[2].charges == [0.5, -0.5])
    let scratch = try ScratchFolder()
    let path = scratch.file("again.extxyz")
    try StructureFile.write(records, to: path)
    let script = """
      import sys, ase.io
      a, b = ase.io.read(sys.argv[1], 0), ase.io.read(sys.argv[2], 0)
      a.info.pop('energy'); b.info.pop('energy'); a.info.pop('stress'); b.info.pop('stress')
      assert a.info.keys() == b.info.keys(), (a.info, b.info)
      for k in a.info: assert (a.info[k] == b.info[k]) if k != 'weights' else all(a.info[k] == b.info[k])
      c = ase.io.read(sys.argv[2], 2)
      assert c.get_initial_charges().tolist() == [.5, -.5]
      print('same')
      """
    #expect(try PythonASE.run(script, [Fixture.path("ase.extxyz"), path]) == "same\n")
  }

  @Test("ASE reads extended XYZ that we wrote")
  func extendedXYZ() throws {
    let periodicities: [Periodicity] = [.full, .none, Periodicity(true, false, true)]
    let records = try (0..<9).map { index in
      var record = try RandomRecord.make(
        seed: UInt64(index), periodicity: periodicities[index % 3], labelled: index != 4)
      record.features = [("note", "a \"b\" c=d \\"), ("empty", ""), ("number", "3")]
      record.comment = "entry \(index)"
      return record
    }
    try check(records, .extxyz)
  }

  @Test("ASE reads a POSCAR that we wrote", arguments: 0..<3 as Range<UInt64>)
  func poscar(seed: UInt64) throws {
    var record = try RandomRecord.make(seed: seed, labelled: false)
    record.structure = record.structure.reordered(StructureFile.poscarOrder(of: record.structure))
    try check([record], .poscar)
  }

  private func check(_ records: [StructureRecord], _ format: StructureFormat) throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("structures")
    try StructureFile.write(records, to: path, format: format)
    let theirs = try ASEStructure.read(path, format: format)
    #expect(theirs.count == records.count)
    for (record, structure) in zip(records, theirs) {
      structure.expectSame(as: record, tolerance: Self.crossCode)
    }
  }
}
