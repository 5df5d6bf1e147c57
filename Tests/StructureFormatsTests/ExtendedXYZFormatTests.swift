import Crystal
import Foundation
import NumericalCore
import StructureFormats
import Testing

@Suite("Extended XYZ")
struct ExtendedXYZFormatTests {
  @Test("Written frames are read back bit for bit", arguments: 0..<50 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    let periodicities: [Periodicity] = [.full, .none, Periodicity(true, true, false)]
    let records = try periodicities.enumerated().map { index, periodicity in
      var record = try RandomRecord.make(seed: seed + 100 * UInt64(index), periodicity: periodicity)
      record.features = [
        ("config_type", "bulk"), ("note", "say \"a = b\" \\ {x} [y]"), ("empty", ""),
        ("flag", "T"), ("list", "1 2 3"), ("odd key", "'"),
      ]
      record.comment = "candidate 12, heredity"
      if index == 1 { record.charges = record.structure.positions.map(\.x) }
      if index == 2 { record.siteEnergies = record.structure.positions.map(\.z) }
      return record
    }
    let text = try StructureFile.text(of: records, format: .extxyz)
    let read = try StructureFile.parse(text, format: .extxyz)
    #expect(read.count == records.count)
    for (a, b) in zip(records, read) {
      #expect(a.structure == b.structure, "seed \(seed)")
      #expect(a.energy == b.energy && a.forces == b.forces && a.stress == b.stress)
      #expect(a.charges == b.charges && a.siteEnergies == b.siteEnergies)
      #expect(a.features.map(\.key) == b.features.map(\.key))
      #expect(a.features.map(\.value) == b.features.map(\.value))
      #expect(a.comment == b.comment)
      let (x, y) = (try #require(a.labelled), try #require(b.labelled))
      #expect(x.evaluation.stress == y.evaluation.stress)
      // A bulk crystal keeps its stress; the virial goes through the volume and back.
      #expect(isClose(x.evaluation.virial, y.evaluation.virial, to: roundoff))
    }
    #expect(try StructureFile.text(of: read, format: .extxyz) == text)
  }

  @Test("Columns come in any order, and unknown ones are passed over")
  func columns() throws {
    let text = """
      2
      Properties=tags:I:1:forces:R:3:Z:I:1:momenta:R:3:pos:R:3 Lattice="4 0 0 0 5 0 0 0 6" energy = -1
      7 1 2 3 22 9 9 9 0.5 0.25 0.125
      8 4 5 6 8 9 9 9 1 1 1
      """
    let record = try StructureFile.parse(text, format: .extxyz)[0]
    #expect(record.structure.species.map(\.symbol) == ["Ti", "O"])
    #expect(record.structure.positions == [Vector3(0.5, 0.25, 0.125), Vector3(1, 1, 1)])
    #expect(record.forces == [Vector3(1, 2, 3), Vector3(4, 5, 6)])
    #expect(record.structure.periodicity == .full)
    #expect(record.energy == -1)
  }

  @Test("A plain XYZ file is a cluster, its second line a comment")
  func plain() throws {
    let record = try StructureFile.parse(
      "3\nwater at rest\nO 0 0 0\nh 0.76 0.58 0\nH -0.76 0.58 0 extra\n\n", format: .extxyz)[0]
    #expect(record.structure.periodicity == .none)
    #expect(record.comment == "water at rest")
    #expect(record.structure.species.map(\.symbol) == ["O", "H", "H"])
    // The axes enclose the molecule.
    #expect(record.structure.lattice.lengths.x > 1.52)
  }

  @Test("Quotes, brackets, escapes, flags and blanks around the sign follow ASE's grammar")
  func keyValues() throws {
    let text =
      "1\nProperties=species:S:1:pos:R:3 a=\"x y\" b='it is' c={1 2} d=[3 4] e\\=f=g=h"
      + " flag k = v q=\"a\\\"b\" last=\nH 0 0 0"
    let record = try StructureFile.parse(text, format: .extxyz)[0]
    #expect(
      record.features.map { "\($0.key)|\($0.value)" } == [
        "a|x y", "b|it is", "c|1 2", "d|3 4", "e=f|g=h", "flag|T", "k|v", "q|a\"b", "last|",
      ])
  }

  @Test("A data set's virial has the opposite sign of ours and gives a stress")
  func virial() throws {
    let text = """
      1
      Lattice="2 0 0 0 2 0 0 0 2" Properties=species:S:1:pos:R:3:forces:R:3 energy=1 \
      virial="8 0 0 0 16 0 0 0 24"
      H 0 0 0 0 0 0
      """
    let record = try StructureFile.parse(text, format: .extxyz)[0]
    #expect(record.stress == Matrix3(diagonal: Vector3(-1, -2, -3)))
    #expect(record.labelled != nil)
  }

  @Test("Line ends of Windows and a missing last one make no difference")
  func lineEnds() throws {
    let text = "1\r\nLattice=\"2 0 0 0 2 0 0 0 2\" Properties=species:S:1:pos:R:3\r\nH 0.5 0 0"
    let record = try StructureFile.parse(text, format: .extxyz)[0]
    #expect(record.structure.positions[0] == Vector3(0.5, 0, 0))
  }
}
