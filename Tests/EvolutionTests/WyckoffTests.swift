import Crystal
import Evolution
import NumericalCore
import Testing

@Suite("Wyckoff positions")
struct WyckoffTests {
  @Test("The 230 groups have the 1731 positions of the International Tables")
  func positionCount() {
    var breeder = Breeder()
    var total = 0
    for group in 1...230 { total += breeder.wyckoffTable(of: group).positions.count }
    #expect(total == 1731)
  }

  // Multiplicities in the primitive cell and free coordinates, in the order of the letters, from the
  // International Tables for Crystallography, Vol. A (conventional multiplicity / centring).
  @Test(
    "Known groups have the tabulated multiplicities",
    arguments: [
      (1, [(1, 3)]),
      (
        2, Array(repeating: (1, 0), count: 8) + [(2, 3)]
      ),
      (19, [(4, 3)]),
      (
        136,
        [
          (2, 0), (2, 0), (4, 0), (4, 0), (4, 1), (4, 1), (4, 1), (8, 1), (8, 2), (8, 2), (16, 3),
        ]
      ),
      (167, [(2, 0), (2, 0), (4, 1), (6, 0), (6, 1), (12, 3)]),
      (
        225,
        [
          (1, 0), (1, 0), (2, 0), (6, 0), (6, 1), (8, 1), (12, 1), (12, 1), (12, 1), (24, 2),
          (24, 2), (48, 3),
        ]
      ),
      (
        227,
        [(2, 0), (2, 0), (4, 0), (4, 0), (8, 1), (12, 1), (24, 2), (24, 1), (48, 3)]
      ),
    ] as [(Int, [(Int, Int)])])
  func multiplicities(group: Int, expected: [(Int, Int)]) {
    var breeder = Breeder()
    let found = breeder.wyckoffTable(of: group).positions
    #expect(found.map(\.multiplicity) == expected.map(\.0), "group \(group)")
    #expect(found.map(\.dimension) == expected.map(\.1), "group \(group)")
  }

  @Test("Letters, multiplicities and site symmetries are those spglib reports", arguments: 1...230)
  func letters(group: Int) throws {
    var breeder = Breeder()
    let table = breeder.wyckoffTable(of: group)
    let hallNumber = try #require(SpaceGroup(number: group)).hallNumber
    var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(group))
    let places = WyckoffPlace(table)
    var seen = Set<Int>()
    for index in table.positions.indices {
      var isChecked = false
      // A random lattice or point may be special for a supergroup by chance.
      for _ in 0..<20 where !isChecked {
        let structure = try Self.structure(on: index, of: table, group, &random)
        guard let symmetry = try? structure.symmetry(tolerance: 1e-4),
          symmetry.spaceGroupNumber == group, symmetry.hallNumber == hallNumber
        else { continue }
        // spglib may choose another origin, which exchanges positions: the letter is that of the point
        // in its own standard cell.
        let standard =
          symmetry.standardTransformation * structure.fractionalPositions()[0]
          + symmetry.originShift
        let place = try #require(places.position(of: standard))
        let label: Comment = "group \(group), position \(table.letter(of: index))"
        #expect(symmetry.wyckoffLetters[0] == String(table.letter(of: place)), label)
        let position = table.positions[place]
        #expect(symmetry.equivalentAtoms.count { $0 == 0 } == position.multiplicity, label)
        let symbol = symmetry.siteSymmetrySymbols[0].filter { $0 != "." }
        let order = try #require(SiteSymmetry.orders[symbol], "site symmetry \(symbol)")
        #expect(order == table.siteSymmetryOrder(of: place), label)
        seen.insert(place)
        isChecked = true
      }
      #expect(isChecked, "group \(group), position \(table.letter(of: index)) was never found")
    }
    // Exchanges of positions are one to one; every letter was asked for.
    #expect(seen.count > table.positions.count / 2, "group \(group)")
  }

  /// Atoms of one element on a position, of another in general position, in a primitive cell.
  static func structure(
    on index: Int, of table: WyckoffTable, _ group: Int, _ random: inout RandomStream
  ) throws -> Structure {
    var lattice: Lattice?
    while lattice == nil { lattice = RandomLattice.lattice(group: group, volume: 1000, &random) }
    let conventional = try #require(lattice)
    let special = table.positions[index]
    let general = table.positions[table.positions.count - 1]
    var positions: [Vector3] = []
    for position in [special, general] {
      let point = position.point(&random)
      for operation in position.images {
        let image = table.operations[operation]
        positions.append(
          conventional.cartesian(
            point * image.transposedRotation
              + image.translation.scaled(by: 1 / Double(table.steps))))
      }
    }
    let elements = try Composition(formula: "TiO")
    return try Structure(
      lattice: try Lattice(table.primitiveBasis * conventional.vectors),
      species: Array(repeating: elements.elements[0], count: special.multiplicity)
        + Array(repeating: elements.elements[1], count: general.multiplicity),
      positions: positions)
  }
}

/// Finds the position that a point lies on.
struct WyckoffPlace {
  let table: WyckoffTable
  let shifts: [Vector3]

  init(_ table: WyckoffTable) {
    self.table = table
    // Lattice points of the primitive cell within the conventional one.
    var shifts: [Vector3] = []
    for i in -3...3 {
      for j in -3...3 {
        for k in -3...3 {
          let point = Vector3(Double(i), Double(j), Double(k)) * table.primitiveBasis
          let wrapped = point.map { $0 - ($0 + 1e-9).rounded(.down) }
          if !shifts.contains(where: { ($0 - wrapped).length < 1e-6 }) { shifts.append(wrapped) }
        }
      }
    }
    self.shifts = shifts
  }

  /// The most special position that holds a fractional point of the conventional cell.
  func position(of point: Vector3) -> Int? {
    let images = table.operations.flatMap { operation in
      shifts.map { shift in
        point * operation.transposedRotation
          + operation.translation.scaled(by: 1 / Double(table.steps)) + shift
      }
    }
    return table.positions.indices.first { index in
      images.contains { contains($0, table.positions[index]) }
    }
  }

  private func contains(_ point: Vector3, _ position: WyckoffPosition) -> Bool {
    let difference = point - position.origin
    let directions = position.directions
    switch directions.count {
    case 0: return isWhole(difference)
    case 1:
      let axis = (0..<3).first { abs(directions[0][$0]) == 1 } ?? 0
      return isWhole(difference - (difference[axis] / directions[0][axis]) * directions[0])
    case 2:
      var normal = directions[0].cross(directions[1])
      let divisor = [normal.x, normal.y, normal.z].map { abs($0) }.filter { $0 > 0 }.min() ?? 1
      normal = normal / divisor
      let height = difference.dot(normal)
      return abs(height - height.rounded()) < 1e-5
    default: return true
    }
  }

  private func isWhole(_ v: Vector3) -> Bool { v.map { $0 - $0.rounded() }.length < 1e-5 }
}

/// Orders of site symmetries, by their symbol without dots.
enum SiteSymmetry {
  static let orders: [String: Int] = {
    let symbols: [Int: String] = [
      1: "1", 2: "-1 2 m", 3: "3", 4: "2/m 222 mm2 m2m 2mm 4 -4", 6: "-3 32 3m 6 -6",
      8: "mmm 4/m 422 4mm -42m -4m2 42m", 12: "-3m 622 6mm -6m2 -62m 6/m 23",
      16: "4/mmm", 24: "6/mmm m-3 432 -43m", 48: "m-3m",
    ]
    var orders: [String: Int] = [:]
    for (order, names) in symbols {
      for name in names.split(separator: " ") { orders[String(name)] = order }
    }
    return orders
  }()
}
