import Crystal
import Foundation
import NumericalCore
import StructureFormats
import Testing

@Suite("MLIP configurations")
struct ConfigurationFormatTests {
  @Test("A written set is read back bit for bit", arguments: 0..<50 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var records = [try RandomRecord.make(seed: seed), try RandomRecord.make(seed: seed + 1000)]
    records[0].features = [("MV_grade", "1.5"), ("a key", "two words"), ("lines", "one\ntwo")]
    records[0].comment = "slab 3"
    records[1].siteEnergies = records[1].structure.positions.map(\.x)
    records[1].charges = records[1].structure.positions.map(\.y)
    let text = try StructureFile.text(of: records, format: .cfg)
    let read = try StructureFile.parse(text, format: .cfg)
    #expect(read.count == 2)
    for (a, b) in zip(records, read) {
      #expect(a.structure == b.structure, "seed \(seed)")
      #expect(a.energy == b.energy && a.forces == b.forces && a.virial == b.virial)
      #expect(a.labelled == b.labelled && b.labelled != nil)
      #expect(a.siteEnergies == b.siteEnergies && a.charges == b.charges)
      #expect(a.features.map(\.key) == b.features.map(\.key))
      #expect(a.features.map(\.value) == b.features.map(\.value))
      #expect(a.comment == b.comment)
    }
    #expect(try StructureFile.text(of: read, format: .cfg) == text)
  }

  @Test("Peer files: numbers, order of stresses and features are understood")
  func peerFile() throws {
    let mo = try #require(ChemicalElement(symbol: "Mo"))
    let records = try StructureFile.read(Fixture.path("molybdenum.cfg"), elements: [mo])
    #expect(records.count == 2)
    let first = try #require(records.first)
    #expect(first.structure.atomCount == 53)
    #expect(first.structure.periodicity == .full)
    #expect(Set(first.structure.species) == [mo])
    #expect(first.energy == -569.56177802)
    #expect(first.forces?[0] == Vector3(0.62737967, 0.61553514, 0.50337361))
    #expect(first.feature("group") == "Vacancy")
    // The same structures in extended XYZ carry the stress with ASE's sign, to 10 digits.
    let same = try StructureFile.read(Fixture.path("molybdenum.xyz"))
    for (a, b) in zip(records, same) {
      #expect(a.structure == b.structure)
      #expect(a.forces == b.forces && a.energy == b.energy)
      let (s, t) = (try #require(a.stress), try #require(b.stress))
      #expect(isClose(s, t, to: 1e-10))
      #expect(s.trace < 0, "the vacancy cells are compressed")
    }
  }

  @Test("Species without names are numbered, and named on request or by the file")
  func naming() throws {
    let path = try Fixture.path("nickel-aluminium.cfg")
    let unnamed = try StructureFile.read(path)[0]
    #expect(unnamed.structure.species[1] == .unnamed(1))
    let names = ["Ni", "Al"].compactMap(ChemicalElement.init(symbol:))
    let named = try StructureFile.read(path, elements: names)[0]
    #expect(named.structure.species[0...1] == names[0...1])
    // Written with the file's order, the names travel with it and win over the reader's.
    let text = try StructureFile.text(of: [unnamed], format: .cfg, elements: names)
    #expect(text.contains(" Feature   elements\tNi Al\n"))
    let again = try StructureFile.parse(text, format: .cfg, elements: names.reversed())[0]
    #expect(again.structure == named.structure)
    #expect(again.features.map(\.key) == unnamed.features.map(\.key))
    // Unnamed ones stay numbers.
    let plain = try StructureFile.text(of: [unnamed], format: .cfg)
    #expect(try StructureFile.parse(plain, format: .cfg)[0].structure == unnamed.structure)
    #expect(throws: FormatError.self) {
      try StructureFile.read(path, elements: [names[0]])
    }
  }

  @Test("The species order is that of the caller, else by atomic number over the whole set")
  func order() throws {
    let elements = ["Ti", "O"].compactMap(ChemicalElement.init(symbol:))
    let record = try RandomRecord.make(seed: 5, elements: elements)
    let text = try StructureFile.text(of: [record], format: .cfg, elements: elements)
    #expect(text.contains("elements\tTi O\n"))
    #expect(try StructureFile.parse(text, format: .cfg)[0].structure == record.structure)
    let sorted = try StructureFile.text(of: [record], format: .cfg)
    #expect(sorted.contains("elements\tO Ti\n") || Set(record.structure.species).count < 2)
  }

  @Test("Any order of columns and stress components, both spellings of fields")
  func orders() throws {
    let text = """
      BEGIN_CFG
       Size 2
       SuperCell
         4 0 0
         0 5 0
         0 0 6
       Atomic_data: fz type fx direct_z direct_y fy id direct_x
         0.3 1 0.1 0.5 0.25 0.2 1 0.75
         0.6 0 0.4 0 0 0.5 2 0
       Energy -3.5
       PlusStress: xy xz yz zz yy xx
         6 5 4 3 2 1
       Feature weight\t2
      END_CFG
      """
    let record = try StructureFile.parse(text, format: .cfg)[0]
    #expect(record.structure.positions == [Vector3(3, 1.25, 3), .zero])
    #expect(record.structure.species == [.unnamed(1), .unnamed(0)])
    #expect(record.forces == [Vector3(0.1, 0.2, 0.3), Vector3(0.4, 0.5, 0.6)])
    #expect(record.energy == -3.5)
    #expect(
      record.virial
        == Matrix3(rows: Vector3(-1, -6, -5), Vector3(-6, -2, -4), Vector3(-5, -4, -3)))
    #expect(record.stress == (1.0 / 120) * (try #require(record.virial)))
    #expect(record.feature("weight") == "2")
  }

  @Test("Virial is divided by the volume, as the peer does")
  func virial() throws {
    let text = """
      BEGIN_CFG
       Size
        1
       Supercell
        2 0 0
        0 2 0
        0 0 2
       AtomData: id type cartes_x cartes_y cartes_z
        1 0 0 0 0
       Virial: xx yy zz yz xz xy
        8 16 24 0 0 0
      END_CFG
      """
    let record = try StructureFile.parse(text, format: .cfg)[0]
    #expect(record.virial == Matrix3(diagonal: Vector3(-1, -2, -3)))
  }

  @Test("Missing lattice vectors mean directions that do not repeat", arguments: 0...3)
  func periodicity(count: Int) throws {
    let rows = ["3 0.1 0", "0 4 0.2", "0.3 0 5"].prefix(count).joined(separator: "\n")
    let text = """
      BEGIN_CFG
      Size
      2
      Supercell
      \(rows)
      AtomData: id type cartes_x cartes_y cartes_z fx fy fz
      1 0 0 0 0 0 0 1
      2 0 1 1 1 0 0 -1
      Energy
      1
      PlusStress: xx yy zz yz xz xy
      1 2 3 4 5 6
      END_CFG
      """
    let record = try StructureFile.parse(text, format: .cfg)[0]
    #expect(record.structure.periodicity.count == count)
    #expect(record.structure.periodicity == Periodicity(count > 0, count > 1, count > 2))
    #expect(record.structure.positions[1] == Vector3(1, 1, 1))
    #expect((record.stress != nil) == (count == 3))
    #expect(record.labelled?.evaluation.virial.a.x == -1)
    let again = try StructureFile.parse(
      StructureFile.text(of: [record], format: .cfg), format: .cfg)[0]
    #expect(again.structure == record.structure)
  }

  @Test("A structure without stress is labelled only where it has no volume")
  func labels() throws {
    func text(_ lattice: String) -> String {
      """
      BEGIN_CFG
      Size
      1
      \(lattice)
      AtomData: type cartes_x cartes_y cartes_z fx fy fz
      0 0 0 0 0 0 0
      Energy
      1
      END_CFG
      """
    }
    let bulk = try StructureFile.parse(text("Supercell\n3 0 0\n0 3 0\n0 0 3"), format: .cfg)[0]
    #expect(bulk.labelled == nil)
    #expect(try StructureFile.parse(text(""), format: .cfg)[0].labelled != nil)
  }

  @Test("A training set of usual size comes back bit for bit")
  func large() throws {
    // 190 structures of 54 atoms, about 1.4 MB, as a real training set of molybdenum.
    let element = try #require(ChemicalElement(symbol: "Mo"))
    let lattice = try Lattice(9.5 * Matrix3.identity)
    var random = RandomStream(seed: 1, purpose: .test)
    func vector() -> Vector3 { 9.5 * random.fractionalPoint() }
    let records = try (0..<190).map { _ in
      let structure = try Structure(
        lattice: lattice, species: Array(repeating: element, count: 54),
        positions: (0..<54).map { _ in vector() })
      return StructureRecord(
        structure: structure,
        evaluation: Evaluation(
          energy: -500, forces: (0..<54).map { _ in vector() }, virial: .identity, of: structure))
    }
    let text = try StructureFile.text(of: records, format: .cfg)
    let back = try StructureFile.parse(text, format: .cfg)
    #expect(text.utf8.count > 1_000_000)
    #expect(back.map(\.structure) == records.map(\.structure))
    #expect(back.map(\.forces) == records.map(\.forces))
  }
}
