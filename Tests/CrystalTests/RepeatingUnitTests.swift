import Crystal
import NumericalCore
import Testing

@Suite("Repeating units")
struct RepeatingUnitTests {
  /// A supercell in another basis, orientation and order.
  private func disguised(
    _ structure: Structure, _ random: inout RandomStream
  ) throws -> Structure {
    let n = (0..<3).map { _ in 1 + random.integer(below: 3) }
    var order = Array(0..<(structure.atomCount * n[0] * n[1] * n[2]))
    random.shuffle(&order)
    return try structure.supercell(n[0], n[1], n[2])
      .translated(by: 3 * random.unitVector()).inCell(randomUnimodular(&random))
      .rotated(by: RandomStructures.rotation(&random)).reordered(order)
  }

  @Test("The unit of a supercell is the crystal, whatever the cell")
  func supercells() throws {
    let tight = MatchingTolerance(displacement: 1e-6, strain: 1e-6)
    for seed in 0..<2000 {
      var random = RandomStream(seed: 57, purpose: .test, slot: UInt64(seed))
      let atoms = 1 + seed % 12
      let structure = MatchingTests.crystal(
        &random, atoms: atoms, elements: 1 + random.integer(below: min(4, atoms)))
      let primitive = RepeatingUnit(of: structure, within: 1e-6).structure
      // Two random atoms of one element may repeat.
      #expect(primitive == structure || atoms <= 2, "seed \(seed)")
      let larger = try disguised(structure, &random)
      let unit = RepeatingUnit(of: larger, within: 1e-6)
      #expect(unit.structure.atomCount == primitive.atomCount, "seed \(seed)")
      #expect(unit.count * primitive.atomCount == larger.atomCount)
      #expect(abs(unit.structure.volumePerAtom - structure.volumePerAtom) < 1e-9)
      #expect(unit.structure.matches(structure, tolerance: tight), "seed \(seed)")
      // The whole is what was given, atom by atom.
      #expect(unit.whole.species == larger.species)
      let farthest = zip(unit.whole.positions, larger.positions).map { ($0 - $1).length }.max()
      #expect((farthest ?? 1) < 1e-6, "seed \(seed)")
      let stretch = unit.whole.lattice.vectors - larger.lattice.vectors
      #expect(max(stretch.a.length, stretch.b.length, stretch.c.length) < 1e-6, "seed \(seed)")
      guard unit.count > 1 else {
        #expect(unit.structure == larger && unit.whole == larger)
        continue
      }
      // One atom out of its place makes the whole cell the unit, until the tolerance covers it.
      var positions = larger.positions
      positions[0] += 0.03 * random.unitVector()
      let displaced = larger.replacing(positions: positions)
      #expect(RepeatingUnit(of: displaced, within: 0.01).structure == displaced, "seed \(seed)")
      let wide = RepeatingUnit(of: displaced, within: 0.1)
      #expect(wide.structure.atomCount == primitive.atomCount, "seed \(seed)")
      let moved = zip(wide.whole.positions, displaced.positions).map { ($0 - $1).length }.max()
      #expect((moved ?? 1) < 0.1)
    }
  }

  @Test("What is computed for the unit is that of the whole")
  func evaluations() throws {
    /// A sum over pairs that ends smoothly at 4 Å.
    func evaluation(of structure: Structure) -> Evaluation {
      let list = NeighborList(structure, cutoff: 4)
      var (energy, forces, virial) = (
        0.0, [Vector3](repeating: .zero, count: structure.atomCount), Matrix3.zero
      )
      for i in 0..<structure.atomCount {
        for place in list.neighbors(of: i) {
          let d = list.displacements[place]
          let left = 1 - d.length / 4
          let weight = structure.species[i] == structure.species[Int(list.indices[place])] ? 1.0 : 2
          energy += 0.5 * weight * left * left * left
          let slope = -0.75 * weight * left * left / d.length
          forces[i] += slope * d
          virial += 0.5 * slope * Matrix3(rows: d.x * d, d.y * d, d.z * d)
        }
      }
      // Each pair's force acts on i through both of its entries.
      return Evaluation(
        energy: energy, forces: forces.map { 2 * $0 }, virial: virial, of: structure)
    }
    for seed in 0..<300 {
      var random = RandomStream(seed: 58, purpose: .test, slot: UInt64(seed))
      let atoms = 1 + seed % 6
      let structure = MatchingTests.crystal(
        &random, atoms: atoms, elements: 1 + random.integer(below: min(3, atoms)))
      let unit = RepeatingUnit(of: try disguised(structure, &random), within: 1e-6)
      let known = unit.whole(of: evaluation(of: unit.structure))
      let expected = evaluation(of: unit.whole)
      #expect(abs(known.energy - expected.energy) < 1e-9 * max(1, abs(expected.energy)))
      for (one, other) in zip(known.forces, expected.forces) {
        #expect((one - other).length < 1e-9, "seed \(seed)")
      }
      let difference = known.stress - expected.stress
      #expect(max(difference.a.length, difference.b.length, difference.c.length) < 1e-9)
      #expect(known.forces.count == unit.whole.atomCount)
    }
  }
}
