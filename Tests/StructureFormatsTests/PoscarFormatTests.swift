import Crystal
import Foundation
import NumericalCore
import StructureFormats
import Testing

@Suite("POSCAR")
struct PoscarFormatTests {
  @Test(
    "A written structure is read back up to the order of species",
    arguments: 0..<50 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var record = try RandomRecord.make(seed: seed, labelled: false)
    record.comment = "best of generation 3"
    let order = StructureFile.poscarOrder(of: record.structure)
    let read = try StructureFile.parse(
      StructureFile.text(of: [record], format: .poscar), format: .poscar)[0]
    let expected = record.structure.reordered(order)
    #expect(read.structure.lattice == expected.lattice)
    #expect(read.structure.species == expected.species)
    for (a, b) in zip(read.structure.positions, expected.positions) {
      #expect(isClose(a, b, to: roundoff), "seed \(seed)")
    }
    #expect(read.comment == record.comment)
  }

  private func structure(_ text: String, elements: [ChemicalElement]? = nil) throws -> Structure {
    try StructureFile.parse(text, path: "POSCAR", format: .poscar, elements: elements)[0].structure
  }

  @Test("A scaling factor stretches lattice and Cartesian positions")
  func scaling() throws {
    let s = try structure("x\n2.0\n1 0 0\n0 2 0\n0 0 3\nTi\n1\nCartesian\n0.5 0.5 0.5\n")
    #expect(s.lattice.vectors == Matrix3(diagonal: Vector3(2, 4, 6)))
    #expect(s.positions[0] == Vector3(1, 1, 1))
  }

  @Test("A negative factor is the volume")
  func volume() throws {
    let s = try structure("x\n-48\n1 0 0\n0 2 0\n0 0 3\nTi\n1\nkartesisch\n0.5 0.5 0.5\n")
    #expect(abs(s.volume - 48) < roundoff * 48)
    #expect(isClose(s.positions[0], Vector3(1, 1, 1), to: roundoff))
  }

  @Test("Three factors stretch the three axes")
  func threeFactors() throws {
    let s = try structure("x\n2 3 4\n1 1 0\n0 2 0\n0 0 3\nTi\n1\nDirect\n0.5 0 0.5\n")
    #expect(s.lattice.vectors.a == Vector3(2, 3, 0))
    #expect(s.positions[0] == Vector3(1, 1.5, 6))
  }

  @Test("Selective dynamics, several blocks of a species, trailing symbols and velocities")
  func everything() throws {
    let s = try structure(
      """
      SrTiO3 with everything
        1.0
        4 0 0
        0 4 0
        0 0 4
       O_s Ti_pv/0af1 O   ! labels of potentials
        1 1 2 ! numbers
      Selective dynamics
      direct
        0.5 0.5 0.0 T T F O
        0.5 0.5 0.5 .TRUE. F F Ti
        0.5 0.0 0.5 T T T
        0.0 0.5 0.5 F F F

        0.1 0.1 0.1
        0.1 0.1 0.1
        0.1 0.1 0.1
        0.1 0.1 0.1
      """.replacing("   ! labels of potentials", with: ""))
    #expect(s.species.map(\.symbol) == ["O", "Ti", "O", "O"])
    #expect(s.positions[2] == Vector3(2, 0, 2))
  }

  @Test("Version 4 takes symbols from the caller, the comment or leaves numbers")
  func versionFour() throws {
    let body = "\n1\n4 0 0\n0 4 0\n0 0 4\n1 2\nD\n0 0 0\n0.5 0 0\n0 0.5 0\n"
    let names = ["Ti", "O"].compactMap(ChemicalElement.init(symbol:))
    #expect(try structure("cell" + body).species == [.unnamed(0), .unnamed(1), .unnamed(1)])
    #expect(try structure("Ti O" + body).species.map(\.symbol) == ["Ti", "O", "O"])
    #expect(
      try structure("cell" + body, elements: names).species.map(\.symbol) == ["Ti", "O", "O"])
    let unnamed = StructureRecord(structure: try structure("cell" + body))
    let text = try StructureFile.text(of: [unnamed], format: .poscar)
    #expect(try structure(text) == unnamed.structure)
  }
}
