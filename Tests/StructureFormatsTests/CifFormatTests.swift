import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

@Suite("CIF")
struct CifFormatTests {
  @Test("A written crystal has the same cell and distances", arguments: 0..<40 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var records = [try RandomRecord.make(seed: seed, labelled: false, minimumAtoms: 3)]
    // Every second lattice is left-handed.
    if seed % 2 == 1 {
      let s = records[0].structure
      let v = s.lattice.vectors
      records[0].structure = s.replacing(lattice: try Lattice(Matrix3(rows: v.b, v.a, v.c)))
    }
    records.append(try RandomRecord.make(seed: seed + 500, labelled: false, minimumAtoms: 3))
    let text = try StructureFile.text(of: records, format: .cif)
    let read = try StructureFile.parse(text, format: .cif)
    #expect(read.count == 2)
    for (a, b) in zip(records, read) {
      #expect(abs(a.structure.volume - b.structure.volume) < 1e-10 * a.structure.volume)
      #expect(a.structure.species == b.structure.species)
      // A proper rotation takes one into the other: distances and triple products agree.
      let (p, q) = (a.structure.positions, b.structure.positions)
      for i in p.indices {
        for j in p.indices {
          #expect(abs((p[i] - p[j]).length - (q[i] - q[j]).length) < 1e-10, "seed \(seed)")
        }
      }
      if p.count >= 4 {
        func triple(_ r: [Vector3]) -> Double {
          (r[1] - r[0]).dot((r[2] - r[0]).cross(r[3] - r[0]))
        }
        #expect(abs(triple(p) - triple(q)) < 1e-7, "seed \(seed)")
      }
    }
  }

  @Test("Operations act on the asymmetric unit, and special positions are merged")
  func quartz() throws {
    let record = try StructureFile.read(Fixture.path("quartz.cif"))[0]
    let structure = record.structure
    #expect(record.comment == "quartz")
    #expect(
      structure.species.map(\.symbol) == Array(repeating: "Si", count: 3)
        + Array(repeating: "O", count: 6))
    #expect(abs(structure.lattice.lengths.x - 4.9137) < 1e-12)
    // Every silicon has four oxygens at 1.605 to 1.614 Å: the geometry of quartz.
    let oxygens = structure.positions[3...]
    for silicon in structure.positions[..<3] {
      var near = 0
      for oxygen in oxygens {
        for i in -1...1 {
          for j in -1...1 {
            for k in -1...1 {
              let shift = structure.lattice.cartesian(Vector3(Double(i), Double(j), Double(k)))
              let distance = (oxygen + shift - silicon).length
              if distance < 1.7 {
                near += 1
                #expect(distance > 1.59 && distance < 1.63)
              }
            }
          }
        }
      }
      #expect(near == 4)
    }
    // The same atoms as ASE's, in any order.
    let expected = try JSONDecoder().decode(
      [String: [ASEStructure]].self, from: Data(Fixture.text("ase-expected.json").utf8))
    let theirs = try #require(expected["quartz.cif"]?.first)
    #expect(theirs.numbers.count == structure.atomCount)
    for (number, position) in zip(theirs.numbers, theirs.positions) {
      let p = structure.lattice.fractional(Vector3(position[0], position[1], position[2]))
      let matches = zip(structure.species, structure.fractionalPositions()).filter { element, f in
        var d = f - p
        for axis in 0..<3 { d[axis] -= d[axis].rounded() }
        return element.atomicNumber == number && structure.lattice.cartesian(d).length < 1e-3
      }
      #expect(matches.count == 1)
    }
  }

  @Test("Coordinates of few digits put atoms on their special positions")
  func specialPositions() throws {
    // Hexagonal close packing in P 63/m m c: 2c at (1/3, 2/3, 1/4), written with four digits.
    let text = """
      data_Mg
      _cell_length_a 3.209
      _cell_length_b 3.209
      _cell_length_c 5.211
      _cell_angle_alpha 90
      _cell_angle_beta 90
      _cell_angle_gamma 120
      loop_
      _space_group_symop.operation_xyz
      'x,y,z' '-y,x-y,z' '-x+y,-x,z' '-x,-y,z+1/2' 'y,-x+y,z+1/2' 'x-y,x,z+1/2'
      'y,x,-z' 'x-y,-y,-z' '-x,-x+y,-z' '-y,-x,-z+1/2' '-x+y,y,-z+1/2' 'x,x-y,-z+1/2'
      '-x,-y,-z' 'y,-x+y,-z' 'x-y,x,-z' 'x,y,-z+1/2' '-y,x-y,-z+1/2' '-x+y,-x,-z+1/2'
      '-y,-x,z' '-x+y,y,z' 'x,x-y,z' 'y,x,z+1/2' 'x-y,-y,z+1/2' '-x,-x+y,z+1/2'
      loop_
      _atom_site_label
      _atom_site_fract_x
      _atom_site_fract_y
      _atom_site_fract_z
      Mg1 0.3333 0.6667 0.2500
      """
    let structure = try StructureFile.parse(text, format: .cif)[0].structure
    #expect(structure.atomCount == 2)
    let f = structure.fractionalPositions()
    // The mean of the images is exact to roundoff, not to the four digits of the file.
    #expect(isClose(f[0], Vector3(1.0 / 3, 2.0 / 3, 0.25), to: 1e-12))
    #expect(isClose(f[1], Vector3(2.0 / 3, 1.0 / 3, 0.75), to: 1e-12))
  }

  @Test("Without symmetry atoms stay where they are, outside the cell too")
  func noSymmetry() throws {
    let text = """
      data_x
      _cell_length_a 4
      _cell_length_b 5
      _cell_length_c 6
      _cell_angle_alpha 90
      _cell_angle_beta 90
      _cell_angle_gamma 90
      _space_group_IT_number 1
      loop_
      _atom_site_label
      _atom_site_type_symbol
      _atom_site_fract_x
      _atom_site_fract_y
      _atom_site_fract_z
      A1 . 1.25 -0.5 0.5
      Ti2A ? 0 0 0
      D1 D 0 0 0.5
      """.replacing("A1 .", with: "A1 Al3+")
    let structure = try StructureFile.parse(text, format: .cif)[0].structure
    #expect(structure.positions[0] == Vector3(5, -2.5, 3))
    #expect(structure.species.map(\.symbol) == ["Al", "Ti", "H"])
  }

  /// Known crystals: name, structure, space group, atoms of the asymmetric unit.
  private static func known() throws -> [(structure: Structure, group: Int, sites: Int)] {
    let quartz = try StructureFile.read(Fixture.path("quartz.cif"))[0].structure
    let v = quartz.lattice.vectors
    // The same atoms in a left-handed lattice are still of the same hand.
    let leftHanded = try Structure(
      lattice: Lattice(Matrix3(rows: v.b, v.a, v.c)), species: quartz.species,
      positions: quartz.positions)
    return [
      (try Prototypes.rutile(), 136, 2), (try Prototypes.anatase(), 141, 2),
      (try Prototypes.alphaLeadDioxideType(), 60, 2), (try Prototypes.forsterite(), 62, 6),
      (try Prototypes.ringwoodite(), 227, 3), (try Prototypes.rutile().supercell(1, 2, 1), 136, 2),
      (quartz, 154, 2), (leftHanded, 154, 2),
    ]
  }

  /// All distances between nearest images in a standard cell, sorted.
  private func distances(_ structure: Structure) throws -> [Double] {
    let cell = try structure.standardizedConventional()
    let f = cell.fractionalPositions()
    var result: [Double] = []
    for i in f.indices {
      for j in 0..<i {
        var d = f[i] - f[j]
        for axis in 0..<3 { d[axis] -= d[axis].rounded() }
        var shortest = Double.infinity
        for a in -1...1 {
          for b in -1...1 {
            let shift = Vector3(Double(a), Double(b), 0)
            shortest = min(shortest, cell.lattice.cartesian(d + shift).length)
          }
        }
        result.append(shortest)
      }
    }
    return result.sorted()
  }

  @Test("A symmetric crystal is written as its asymmetric unit and comes back whole")
  func symmetric() throws {
    for (structure, group, sites) in try Self.known() {
      let text = try StructureFile.text(of: [StructureRecord(structure: structure)], format: .cif)
      #expect(text.contains("_space_group_IT_number \(group)\n"), "\(text.prefix(400))")
      let rows = text.split(separator: "_atom_site_occupancy\n")[1].split(separator: "\n")
      #expect(rows.count == sites, "group \(group)")
      let read = try StructureFile.parse(text, format: .cif)[0].structure
      #expect(try read.symmetry().spaceGroupNumber == group)
      #expect(abs(read.volumePerAtom - structure.volumePerAtom) < 1e-9 * structure.volumePerAtom)
      let (ours, theirs) = (try distances(structure), try distances(read))
      #expect(ours.count == theirs.count)
      for (a, b) in zip(ours, theirs) { #expect(abs(a - b) < 1e-6, "group \(group)") }
    }
  }

  @Test("ASE finds the same atoms in a CIF with symmetry")
  func peerSymmetry() throws {
    let scratch = try ScratchFolder()
    let crystals = try Self.known()
    let paths = crystals.indices.map { scratch.file("\($0).cif") }
    for (path, known) in zip(paths, crystals) {
      try StructureFile.write([StructureRecord(structure: known.structure)], to: path)
    }
    let answers = try ASEStructure.read(paths, format: .cif)
    #expect(answers.count == crystals.count)
    for ((known, path), theirs) in zip(zip(crystals, paths), answers) {
      let ours = try StructureFile.read(path)[0].structure
      #expect(theirs.numbers.sorted() == ours.species.map(\.atomicNumber).sorted())
      for (number, position) in zip(theirs.numbers, theirs.positions) {
        let p = ours.lattice.fractional(Vector3(position[0], position[1], position[2]))
        let matches = zip(ours.species, ours.fractionalPositions()).filter { element, f in
          var d = f - p
          for axis in 0..<3 { d[axis] -= d[axis].rounded() }
          return element.atomicNumber == number && ours.lattice.cartesian(d).length < 1e-6
        }
        #expect(matches.count == 1, "group \(known.group)")
      }
    }
  }

  @Test("ASE reads a CIF that we wrote")
  func peer() throws {
    let record = try RandomRecord.make(seed: 9, labelled: false, minimumAtoms: 3)
    let scratch = try ScratchFolder()
    let path = scratch.file("x.cif")
    try StructureFile.write([record], to: path)
    // ASE's reader and ours build the same lattice from the six numbers, so positions can be compared.
    let ours = try StructureFile.read(path)[0]
    let theirs = try ASEStructure.read(path, format: .cif)
    #expect(theirs.count == 1)
    theirs.first?.expectSame(
      as: StructureRecord(structure: ours.structure.wrapped()),
      tolerance: ASECrossCheckTests.crossCode)
  }

  @Test("ASE's CIF is read")
  func peerFile() throws {
    let expected = try JSONDecoder().decode(
      [String: [ASEStructure]].self, from: Data(Fixture.text("ase-expected.json").utf8))
    let ours = try StructureFile.read(Fixture.path("ase-rutile.cif"))[0]
    try #require(expected["ase-rutile.cif"]?.first).expectSame(
      as: ours, tolerance: ASECrossCheckTests.crossCode)
  }

  @Test("Clusters and slabs are refused")
  func clusters() throws {
    let record = try RandomRecord.make(seed: 1, periodicity: .none)
    #expect(throws: FormatError.self) { try StructureFile.text(of: [record], format: .cif) }
  }
}
