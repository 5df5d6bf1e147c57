import Crystal
import NumericalCore
import Testing

@Suite("Exact comparison")
struct MatchingTests {
  @Test("A crystal matches itself in any cell, orientation, hand, origin and order, not others")
  func matching() throws {
    for seed in 0..<60 {
      var random = RandomStream(seed: 41, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(&random, atoms: 4, lengths: 4...7)
      guard let shortest = structure.shortestDistance(), shortest > 0.8 else { continue }
      var order = Array(0..<4)
      random.shuffle(&order)
      let same = try structure.reordered(order).translated(by: 3 * random.unitVector())
        .inCell(randomUnimodular(&random)).supercell(1, 2, 1)
        .rotated(by: RandomStructures.rotation(&random, improper: seed % 2 == 0))
      #expect(structure.matches(same), "seed \(seed)")
      #expect(same.matches(structure), "seed \(seed)")
      var moved = structure.positions
      moved[0] += 0.3 * random.unitVector()
      #expect(!structure.matches(structure.replacing(positions: moved)), "seed \(seed)")
      let strained = try structure.strained(by: Matrix3(diagonal: Vector3(0.15, 0, 0)))
      #expect(!structure.matches(strained), "seed \(seed)")
    }
  }
}
