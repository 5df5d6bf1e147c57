import Crystal
import NumericalCore
import Testing

@Suite("Neighbor tables")
struct NeighborTableTests {
  /// Neighbors as (species, atom, vector), those beyond the cutoff left out: distances are tested in
  /// single precision, the coarser the larger the cell.
  private func neighbors(
    _ table: NeighborTable, of atom: Int, cutoff: Double, beyond: Double
  ) -> [(species: Int, j: Int, d: Vector3)] {
    var found: [(species: Int, j: Int, d: Vector3)] = []
    table.withPointers { memory in
      for s in 0..<memory.speciesCount {
        for hit in memory.range(atom, s) {
          let image = Int(memory.hits[hit])
          let d =
            Vector3(memory.x[image], memory.y[image], memory.z[image]) - memory.centers[atom]
          #expect(d.length < cutoff + beyond)
          if d.length < cutoff { found.append((s, Int(memory.owners[image]), d)) }
        }
      }
    }
    return found
  }

  private func expectSame(
    _ table: NeighborTable, _ structure: Structure, species: [Int], firstAtom: Int, cutoff: Double,
    beyond: Double = 1e-3, _ comment: Comment
  ) {
    let list = NeighborList(structure, cutoff: cutoff)
    for i in 0..<structure.atomCount {
      var left = neighbors(table, of: firstAtom + i, cutoff: cutoff, beyond: beyond)
      let places = list.neighbors(of: i)
      #expect(left.count == places.count, comment)
      for place in places {
        let j = Int(list.indices[place])
        let match = left.firstIndex {
          $0.j == firstAtom + j && $0.species == species[j]
            && ($0.d - list.displacements[place]).length < 1e-10
        }
        guard let match else {
          Issue.record("atom \(i) has no neighbor \(j): \(comment)")
          return
        }
        left.remove(at: match)
      }
    }
  }

  @Test("A table holds what the list holds, in every cell and periodicity")
  func sameAsList() throws {
    var table = NeighborTable()
    for seed in 0..<1200 {
      var random = RandomStream(seed: 11, purpose: .test, slot: UInt64(seed))
      let cutoff = random.uniform(1, 6)
      table.reset(cutoff: cutoff, speciesCount: 3)
      var firstAtom = 0
      for part in 0..<1 + seed % 3 {
        let structure = try RandomStructures.structure(
          &random, atoms: 1 + random.integer(below: seed % 7 == 0 ? 40 : 9),
          periodicity: RandomStructures.periodicities[(seed + part) % 8],
          skew: seed % 3 == 0 ? 4 : 1, spread: seed % 5 == 0 ? 7 : 1)
        let species = (0..<structure.atomCount).map { _ in random.integer(below: 3) }
        table.add(structure, species: species)
        expectSame(
          table, structure, species: species, firstAtom: firstAtom, cutoff: cutoff,
          "seed \(seed), structure \(part)")
        firstAtom += structure.atomCount
      }
      #expect(table.atomCount == firstAtom)
    }
  }

  @Test("Large cells are cut into planes and lines", arguments: 0..<8)
  func largeCells(kind: Int) throws {
    var random = RandomStream(seed: 12, purpose: .test, slot: UInt64(kind))
    let structure = try RandomStructures.structure(
      &random, atoms: 600, periodicity: RandomStructures.periodicities[kind], lengths: 14...24,
      skew: 2, spread: 2)
    let species = (0..<structure.atomCount).map { $0 % 2 }
    var table = NeighborTable()
    for cutoff in [2.5, 5, 8] {
      table.reset(cutoff: cutoff, speciesCount: 2)
      table.add(structure, species: species)
      expectSame(
        table, structure, species: species, firstAtom: 0, cutoff: cutoff, beyond: 0.05,
        "cutoff \(cutoff)")
    }
  }

  @Test("A table follows small moves and refuses larger ones")
  func following() throws {
    for seed in 0..<200 {
      var random = RandomStream(seed: 13, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + random.integer(below: 12),
        periodicity: RandomStructures.periodicities[seed % 8], skew: 2, spread: 3)
      let species = (0..<structure.atomCount).map { $0 % 2 }
      var table = NeighborTable()
      table.reset(cutoff: 4.5, speciesCount: 2)
      table.add(structure, species: species, isRemembered: true)
      func moved(by length: Double, strain: Double) throws -> Structure {
        let deformation =
          Matrix3.identity + strain * Matrix3.outer(random.unitVector(), random.unitVector())
        return try Structure(
          lattice: Lattice(structure.lattice.vectors * deformation),
          periodicity: structure.periodicity, species: structure.species,
          positions: structure.positions.map {
            ($0 + length * random.unitVector()) * deformation
          })
      }
      for _ in 0..<5 {
        let next = try moved(by: 0.15, strain: 0.03)
        let follows = table.follow(next, within: 4)
        #expect(follows, "seed \(seed)")
        expectSame(
          table, next, species: species, firstAtom: 0, cutoff: 4, beyond: 1, "seed \(seed)")
      }
      for far in [try moved(by: 0.26, strain: 0), try moved(by: 0, strain: -0.2)] {
        let follows = table.follow(far, within: 4)
        #expect(!follows, "seed \(seed)")
      }
      // A table that was not asked to remember does not follow.
      table.reset(cutoff: 4.5, speciesCount: 2)
      table.add(structure, species: species)
      let follows = table.follow(structure, within: 4)
      #expect(!follows, "seed \(seed)")
    }
  }
}
