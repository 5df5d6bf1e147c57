import Crystal
import NumericalCore
import Testing

@Suite("Symmetry")
struct SymmetryTests {
  private func rutile() throws -> Structure {
    let u = 0.305
    return try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(4.594, 4.594, 2.959))),
      species: [.titanium, .titanium, .oxygen, .oxygen, .oxygen, .oxygen],
      fractionalPositions: [
        Vector3(0, 0, 0), Vector3(0.5, 0.5, 0.5), Vector3(u, u, 0), Vector3(-u, -u, 0),
        Vector3(0.5 - u, 0.5 + u, 0.5), Vector3(0.5 + u, 0.5 - u, 0.5),
      ])
  }

  private func diamond() throws -> Structure {
    try Structure(
      lattice: Lattice(
        2.715 * Matrix3(rows: Vector3(0, 1, 1), Vector3(1, 0, 1), Vector3(1, 1, 0))),
      species: [.silicon, .silicon],
      fractionalPositions: [.zero, Vector3(0.25, 0.25, 0.25)])
  }

  @Test("Rutile is P4_2/mnm with titanium on a and oxygen on f")
  func rutileGroup() throws {
    let symmetry = try rutile().symmetry()
    #expect(symmetry.spaceGroupNumber == 136)
    #expect(symmetry.internationalSymbol == "P4_2/mnm")
    #expect(symmetry.pointGroupSymbol == "4/mmm")
    #expect(symmetry.crystalSystem == .tetragonal)
    #expect(symmetry.operations.count == 16)
    #expect(symmetry.wyckoffLetters == ["a", "a", "f", "f", "f", "f"])
    #expect(symmetry.equivalentAtoms == [0, 0, 2, 2, 2, 2])
  }

  @Test("Diamond has 2 atoms in its primitive cell and 8 in its conventional one")
  func diamondCells() throws {
    let structure = try diamond()
    #expect(try structure.symmetry().spaceGroupNumber == 227)
    let conventional = try structure.standardizedConventional()
    #expect(conventional.atomCount == 8)
    #expect((conventional.lattice.lengths - Vector3(5.43, 5.43, 5.43)).length < 1e-9)
    #expect(abs(conventional.volumePerAtom - structure.volumePerAtom) < 1e-9)
    for idealized in [true, false] {
      let primitive = try structure.supercell(2, 1, 3).primitive(idealized: idealized)
      #expect(primitive.atomCount == 2)
      #expect(abs(primitive.volumePerAtom - structure.volumePerAtom) < 1e-9)
      #expect(try primitive.symmetry().spaceGroupNumber == 227)
    }
  }

  @Test("Symmetry operations map a crystal onto itself")
  func operationsMapAtoms() throws {
    for structure in [try rutile(), try diamond()] {
      let f = structure.fractionalPositions()
      for operation in try structure.symmetry().operations {
        for i in 0..<structure.atomCount {
          let image = operation.applied(to: f[i])
          let hit = (0..<structure.atomCount).contains { j in
            let d = (image - f[j]).map { $0 - $0.rounded() }
            return structure.species[j] == structure.species[i] && d.length < 1e-6
          }
          #expect(hit)
        }
        let r = operation.cartesianRotation(in: structure.lattice)
        #expect((r * r.transposed - .identity).largestMagnitude < 1e-9)
        #expect(abs(r.determinant - Double(operation.rotation.determinant)) < 1e-9)
      }
    }
  }

  @Test("Structures without symmetry in three directions or with coinciding atoms throw")
  func failures() throws {
    let lattice = try Lattice(Matrix3(diagonal: Vector3(5, 5, 5)))
    let slab = try Structure(
      lattice: lattice, periodicity: Periodicity(true, true, false), species: [.silicon],
      positions: [.zero])
    #expect(throws: CrystalError.self) { try slab.symmetry() }
    #expect(throws: CrystalError.self) { try slab.primitive() }
    let twice = try Structure(
      lattice: lattice, species: [.silicon, .silicon], positions: [.zero, Vector3(0.001, 0, 0)])
    #expect(throws: CrystalError.self) { try twice.symmetry() }
    #expect(throws: CrystalError.self) { try twice.standardizedConventional() }
    #expect(throws: CrystalError.self) { try twice.primitive() }
  }

  @Test("Unnamed species keep their numbers through spglib")
  func unnamedSpecies() throws {
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(3, 3, 3))),
      species: [.unnamed(1), .unnamed(0)], positions: [.zero, Vector3(1.5, 1.5, 1.5)])
    #expect(try structure.symmetry().spaceGroupNumber == 221)
    #expect(Set(try structure.primitive().species) == [.unnamed(0), .unnamed(1)])
  }
}

@Suite("Point group order")
struct PointGroupOrderTests {
  @Test("Crystals of all 230 groups have as many operations as spglib finds, in any cell")
  func groups() throws {
    for number in 1...230 {
      let group = try #require(SpaceGroup(number: number))
      var random = RandomStream(seed: 31, purpose: .test, slot: UInt64(number))
      let structure = try RandomStructures.crystal(of: group, &random)
      let symmetry = try structure.symmetry(tolerance: 0.01)
      let translations = symmetry.operations.filter { $0.rotation == .identity }.count
      let expected = symmetry.operations.count / translations
      #expect(expected >= group.operations.count / group.centeringCount, "group \(number)")
      // As tight as spglib's, or crystals that are nearly more symmetric would count as such.
      let tolerance = MatchingTolerance(displacement: 0.01, strain: 0.003)
      for cell in [structure, structure.supercell(1, 2, 1)] {
        let order = MatchingCell(cell)?.pointGroupOrder(tolerance: tolerance)
        #expect(order == expected, "group \(number), \(cell.atomCount) atoms")
      }
    }
  }

  @Test("A displaced atom leaves no symmetry, residual noise leaves all of it")
  func noise() throws {
    let group = try #require(SpaceGroup(number: 225))
    var random = RandomStream(seed: 32, purpose: .test)
    let structure = try RandomStructures.crystal(of: group, &random).primitive()
    let order = try #require(MatchingCell(structure)?.pointGroupOrder())
    #expect(order == 48)
    let noisy = structure.replacing(
      positions: structure.positions.map { $0 + 0.01 * random.unitVector() })
    #expect(MatchingCell(noisy)?.pointGroupOrder() == 48)
    var positions = structure.positions
    positions[0] += 0.3 * random.unitVector()
    #expect(MatchingCell(structure.replacing(positions: positions))?.pointGroupOrder() == 1)
  }
}

@Suite("Space groups")
struct SpaceGroupTests {
  @Test("All 230 groups have their number and an order that fits their point group")
  func numbers() throws {
    // Orders of the 32 crystal classes.
    let orders = [
      "1": 1, "-1": 2, "2": 2, "m": 2, "2/m": 4, "222": 4, "mm2": 4, "mmm": 8, "4": 4, "-4": 4,
      "4/m": 8, "422": 8, "4mm": 8, "-42m": 8, "4/mmm": 16, "3": 3, "-3": 6, "32": 6, "3m": 6,
      "-3m": 12, "6": 6, "-6": 6, "6/m": 12, "622": 12, "6mm": 12, "-6m2": 12, "-62m": 12,
      "6/mmm": 24, "23": 12, "m-3": 24, "432": 24, "-43m": 24, "m-3m": 48,
    ]
    for number in 1...230 {
      let group = try #require(SpaceGroup(number: number))
      #expect(group.number == number)
      let order = try #require(orders[group.pointGroupSymbol], "\(group.pointGroupSymbol)")
      #expect(group.operations.count == order * group.centeringCount, "\(group.symbol)")
      #expect(group.operations.first == .identity)
    }
    #expect(SpaceGroup(number: 0) == nil)
    #expect(SpaceGroup(number: 231) == nil)
    #expect(SpaceGroup(hallNumber: 531) == nil)
    #expect(SpaceGroup(number: 225)?.symbol == "Fm-3m")
    #expect(SpaceGroup(number: 225)?.centeringCount == 4)
    #expect(SpaceGroup(number: 166)?.centeringCount == 3)
    #expect(SpaceGroup(number: 166)?.crystalSystem == .trigonal)
  }

  @Test("The operations of every setting form a group")
  func closure() throws {
    for hall in 1...530 {
      let group = try #require(SpaceGroup(hallNumber: hall))
      var random = RandomStream(seed: 21, purpose: .test, slot: UInt64(hall))
      for _ in 0..<40 {
        let p = group.operations[random.integer(below: group.operations.count)]
        let q = group.operations[random.integer(below: group.operations.count)]
        let rotation = p.rotation.matrix * q.rotation.matrix
        let translation = p.applied(to: q.translation)
        let found = group.operations.contains { operation in
          let d = (operation.translation - translation).map { $0 - $0.rounded() }
          return operation.rotation.matrix == rotation && d.length < 1e-6
        }
        #expect(found, "\(group.symbol), setting \(hall)")
      }
    }
  }

  @Test("Three general orbits of a group are found to have that group, for all 230")
  func roundTrip() throws {
    for number in 1...230 {
      let group = try #require(SpaceGroup(number: number))
      var random = RandomStream(seed: 22, purpose: .test, slot: UInt64(number))
      let lattice = try Lattice(
        lengths: lengths(group.crystalSystem), angles: angles(group.crystalSystem))
      var species: [ChemicalElement] = []
      var positions: [Vector3] = []
      for element in [ChemicalElement.silicon, .oxygen, .titanium] {
        let point = random.fractionalPoint()
        for operation in group.operations {
          species.append(element)
          positions.append(operation.applied(to: point))
        }
      }
      let structure = try Structure(
        lattice: lattice, species: species, fractionalPositions: positions)
      let symmetry = try structure.symmetry(tolerance: 1e-4)
      #expect(symmetry.spaceGroupNumber == number, "\(group.symbol)")
      #expect(symmetry.operations.count == group.operations.count, "\(group.symbol)")
    }
  }

  private func lengths(_ system: CrystalSystem) -> Vector3 {
    switch system {
    case .triclinic, .monoclinic, .orthorhombic: Vector3(17, 19.3, 22.1)
    case .tetragonal, .trigonal, .hexagonal: Vector3(18, 18, 23.7)
    case .cubic: Vector3(25, 25, 25)
    }
  }

  private func angles(_ system: CrystalSystem) -> Vector3 {
    let right = Double.pi / 2
    return switch system {
    case .triclinic: Vector3(1.35, 1.41, 1.48)
    case .monoclinic: Vector3(right, 1.8, right)
    case .orthorhombic, .tetragonal, .cubic: Vector3(right, right, right)
    case .trigonal, .hexagonal: Vector3(right, right, 2 * Double.pi / 3)
    }
  }
}
