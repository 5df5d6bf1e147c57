import Crystal
import NumericalCore
import Testing

@Suite("Neighbor lists")
struct NeighborListTests {
  /// Every image in a box that surely holds the sphere, without any cleverness.
  private func bruteForce(_ structure: Structure, _ cutoff: Double) -> [[(j: Int, d: Vector3)]] {
    let f = structure.fractionalPositions()
    let heights = structure.lattice.heights
    var lists = [[(j: Int, d: Vector3)]](repeating: [], count: structure.atomCount)
    for i in 0..<structure.atomCount {
      for j in 0..<structure.atomCount {
        func images(_ axis: Int) -> ClosedRange<Int> {
          guard structure.periodicity[axis] else { return 0...0 }
          let reach = cutoff / heights[axis]
          let offset = f[i][axis] - f[j][axis]
          return Int((offset - reach).rounded(.down))...Int((offset + reach).rounded(.up))
        }
        for n1 in images(0) {
          for n2 in images(1) {
            for n3 in images(2) where !(i == j && n1 == 0 && n2 == 0 && n3 == 0) {
              let shift = Vector3(Double(n1), Double(n2), Double(n3)) * structure.lattice.vectors
              let d = structure.positions[j] - structure.positions[i] + shift
              if d.length < cutoff { lists[i].append((j, d)) }
            }
          }
        }
      }
    }
    return lists
  }

  private func expectSame(
    _ list: NeighborList, _ expected: [[(j: Int, d: Vector3)]], _ comment: Comment
  ) {
    #expect(list.atomCount == expected.count, comment)
    for i in 0..<list.atomCount {
      var left = expected[i]
      let places = list.neighbors(of: i)
      guard places.count == left.count else {
        Issue.record("atom \(i): \(places.count) neighbors, \(left.count) expected: \(comment)")
        return
      }
      for place in places {
        let (j, d) = (Int(list.indices[place]), list.displacements[place])
        guard let match = left.firstIndex(where: { $0.j == j && ($0.d - d).length < 1e-10 }) else {
          Issue.record("atom \(i): no neighbor \(j) at \(d): \(comment)")
          return
        }
        left.remove(at: match)
      }
    }
  }

  @Test("Ghosts and bins find what brute force finds, in every cell and periodicity")
  func bruteForceAgrees() throws {
    for seed in 0..<2400 {
      var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(seed))
      let periodicity = RandomStructures.periodicities[seed % 8]
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + random.integer(below: 6), periodicity: periodicity,
        skew: seed % 3 == 0 ? 4 : 1, spread: seed % 5 == 0 ? 7 : 1)
      let cutoff = random.uniform(0.5, 6)
      let expected = bruteForce(structure, cutoff)
      let ghosts = NeighborList(structure, cutoff: cutoff, method: .ghosts)
      expectSame(ghosts, expected, "ghosts, seed \(seed)")
      let bins = NeighborList(structure, cutoff: cutoff, method: .bins)
      #expect(NeighborList(structure, cutoff: cutoff).displacements == ghosts.displacements)
      #expect(bins.offsets == ghosts.offsets, "seed \(seed)")
      #expect(bins.indices == ghosts.indices, "seed \(seed)")
      #expect(bins.displacements == ghosts.displacements, "seed \(seed)")
    }
  }

  @Test("Pairs without a list are those of the list, each once", arguments: [5, 260])
  func pairs(atoms: Int) throws {
    var met = 0
    for seed in 0..<(atoms < 100 ? 400 : 8) {
      var random = RandomStream(seed: 5, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: atoms, periodicity: RandomStructures.periodicities[seed % 8],
        lengths: atoms < 100 ? 3...7 : 12...24, skew: 3, spread: 2)
      let cutoff = random.uniform(2, 6)
      let list = NeighborList(structure, cutoff: cutoff)
      var expected: [[Double]] = []
      for i in 0..<list.atomCount {
        for place in list.neighbors(of: i) where list.indices[place] >= i {
          expected.append(
            [Double(i), Double(list.indices[place]), list.displacements[place].squaredLength])
        }
      }
      var found: [[Double]] = []
      NeighborList.forEachPair(in: structure, closerThan: cutoff) { i, j, squaredDistance in
        found.append([Double(i), Double(j), squaredDistance])
      }
      func isBefore(_ a: [Double], _ b: [Double]) -> Bool { a.lexicographicallyPrecedes(b) }
      met += expected.count
      #expect(found.sorted(by: isBefore) == expected.sorted(by: isBefore), "seed \(seed)")
    }
    #expect(met > 1000)
  }

  @Test("Ghosts and bins agree bit for bit in large cells", arguments: 0..<8)
  func largeCells(kind: Int) throws {
    for seed in 0..<6 {
      var random = RandomStream(seed: 2, purpose: .test, slot: UInt64(8 * seed + kind))
      let structure = try RandomStructures.structure(
        &random, atoms: 150 + random.integer(below: 250),
        periodicity: RandomStructures.periodicities[kind], lengths: 12...24, skew: 3, spread: 2)
      for cutoff in [2.5, 5, 9] {
        let ghosts = NeighborList(structure, cutoff: cutoff, method: .ghosts)
        let bins = NeighborList(structure, cutoff: cutoff, method: .bins)
        #expect(bins.offsets == ghosts.offsets, "seed \(seed), cutoff \(cutoff)")
        #expect(bins.indices == ghosts.indices, "seed \(seed), cutoff \(cutoff)")
        #expect(bins.displacements == ghosts.displacements, "seed \(seed), cutoff \(cutoff)")
      }
    }
  }

  @Test("One atom with a cutoff many times its cell sees the lattice points in the sphere")
  func tinyCell() throws {
    let lattice = try Lattice(Matrix3(diagonal: Vector3(1, 1, 1)))
    let structure = try Structure(
      lattice: lattice, species: [.silicon], positions: [Vector3(17.3, -2.5, 0.1)])
    // Points of the cubic lattice closer than 15, the origin left out: counted directly.
    var points = 0
    for x in -15...15 {
      for y in -15...15 { for z in -15...15 where x * x + y * y + z * z < 225 { points += 1 } }
    }
    let list = NeighborList(structure, cutoff: 15)
    #expect(list.indices.count == points - 1)
    #expect(list.displacements.allSatisfy { $0.length >= 1 - Tolerance.roundoff })
  }

  @Test("Neighbors are ordered by index and pairs are exactly opposite")
  func orderAndOpposites() throws {
    for seed in 0..<200 {
      var random = RandomStream(seed: 3, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + random.integer(below: 12), skew: 2, spread: 3)
      let list = NeighborList(structure, cutoff: 5)
      for i in 0..<structure.atomCount {
        let indices = list.indices[list.neighbors(of: i)]
        #expect(zip(indices, indices.dropFirst()).allSatisfy { $0 <= $1 }, "seed \(seed)")
        for place in list.neighbors(of: i) {
          let back = list.neighbors(of: Int(list.indices[place])).contains {
            Int(list.indices[$0]) == i && list.displacements[$0] == -list.displacements[place]
          }
          #expect(back, "seed \(seed)")
        }
      }
    }
  }

  @Test("Distances do not depend on the choice of cell")
  func cellChoice() throws {
    for seed in 0..<300 {
      var random = RandomStream(seed: 4, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(&random, atoms: 1 + random.integer(below: 8))
      let other = try structure.inCell(randomUnimodular(&random, steps: 8))
      let lists = [structure, other].map { NeighborList($0, cutoff: 5.5) }
      for i in 0..<structure.atomCount {
        let distances = lists.map { list in
          list.neighbors(of: i).map { list.displacements[$0].length }.sorted()
        }
        #expect(distances[0].count == distances[1].count, "seed \(seed)")
        for (a, b) in zip(distances[0], distances[1]) { #expect(abs(a - b) < 1e-9, "seed \(seed)") }
      }
    }
  }

  @Test("Atoms at one place see each other at distance zero, never themselves")
  func coincidingAtoms() throws {
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(9, 9, 9))), species: [.silicon, .silicon],
      positions: [Vector3(1, 2, 3), Vector3(10, 2, 3)])
    let list = NeighborList(structure, cutoff: 2)
    #expect(list.indices == [1, 0])
    #expect(list.displacements.allSatisfy { $0.length < Tolerance.roundoff })
  }
}
