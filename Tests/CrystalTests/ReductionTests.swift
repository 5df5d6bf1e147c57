import Crystal
import Foundation
import NumericalCore
import Testing

@Suite("Reduced cells and shortest distances")
struct ReductionTests {
  /// Lengths and angles that survive a Niggli reduction; its own comparisons tolerate 1e-5 of them.
  private let reductionTolerance = 1e-4

  @Test("The example of Křivý and Gruber is reduced as published")
  func published() throws {
    // Metric 9 27 4 −5 −4 −22 becomes 4 9 9 9 3 4 (Acta Cryst. A 32, 297 (1976), table).
    let lengths = Vector3(3, 27.0.squareRoot(), 2)
    let cosines = Vector3(
      -5 / (2 * lengths.y * lengths.z), -4 / (2 * lengths.x * lengths.z),
      -22 / (2 * lengths.x * lengths.y))
    let lattice = try Lattice(lengths: lengths, angles: cosines.map { acos($0) })
    let v = lattice.niggliReduced().vectors
    let metric = [
      v.a.squaredLength, v.b.squaredLength, v.c.squaredLength, 2 * v.b.dot(v.c), 2 * v.a.dot(v.c),
      2 * v.a.dot(v.b),
    ]
    for (found, expected) in zip(metric, [4.0, 9, 9, 9, 3, 4]) {
      #expect(abs(found - expected) < 1e-10)
    }
  }

  @Test("Every cell of a lattice reduces to the same one, which fulfils Niggli's conditions")
  func unique() throws {
    for seed in 0..<2000 {
      var random = RandomStream(seed: 11, purpose: .test, slot: UInt64(seed))
      let lattice = RandomStructures.lattice(&random)
      let other = try Lattice(randomUnimodular(&random, steps: 10) * lattice.vectors)
      let (one, two) = (lattice.niggliReduced(), other.niggliReduced())
      #expect((one.lengths - two.lengths).length < reductionTolerance, "seed \(seed)")
      #expect((one.angles - two.angles).length < reductionTolerance, "seed \(seed)")
      for reduced in [one, two] {
        #expect(reduced.vectors.determinant > 0, "seed \(seed)")
        #expect(abs(reduced.volume - lattice.volume) < 1e-9 * lattice.volume, "seed \(seed)")
        let multiples = reduced.vectors * lattice.inverse
        for axis in 0..<3 {
          let rest = multiples[axis] - multiples[axis].map { $0.rounded() }
          #expect(rest.length < 1e-8, "seed \(seed): not the same lattice")
        }
        expectNiggli(reduced.vectors, seed)
      }
    }
  }

  private func expectNiggli(_ v: Matrix3, _ seed: Int) {
    let slack = 1e-4 * v.c.squaredLength
    let (a, b, c) = (v.a.squaredLength, v.b.squaredLength, v.c.squaredLength)
    let (xi, eta, zeta) = (2 * v.b.dot(v.c), 2 * v.a.dot(v.c), 2 * v.a.dot(v.b))
    #expect(a <= b + slack && b <= c + slack, "seed \(seed)")
    #expect(abs(xi) <= b + slack && abs(eta) <= a + slack && abs(zeta) <= a + slack, "seed \(seed)")
    #expect(xi + eta + zeta + a + b >= -slack, "seed \(seed)")
    let allAcute = xi > -slack && eta > -slack && zeta > -slack
    let noneAcute = xi < slack && eta < slack && zeta < slack
    #expect(allAcute || noneAcute, "seed \(seed)")
  }

  @Test("Cubic lattices reduce to their rhombohedral primitive cells")
  func cubic() throws {
    let degrees = Double.pi / 180
    let faceCentered = Matrix3(rows: Vector3(0, 2, 2), Vector3(2, 0, 2), Vector3(2, 2, 0))
    let bodyCentered = Matrix3(rows: Vector3(-2, 2, 2), Vector3(2, -2, 2), Vector3(2, 2, -2))
    for (vectors, angle) in [(faceCentered, 60 * degrees), (bodyCentered, acos(-1.0 / 3))] {
      for seed in 0..<100 {
        var random = RandomStream(seed: 12, purpose: .test, slot: UInt64(seed))
        let lattice = try Lattice(randomUnimodular(&random, steps: 8) * vectors).niggliReduced()
        #expect((lattice.angles - Vector3(angle, angle, angle)).length < 1e-6, "seed \(seed)")
      }
    }
  }

  @Test("A reduced structure is the same crystal with its atoms inside the cell")
  func sameCrystal() throws {
    for seed in 0..<300 {
      var random = RandomStream(seed: 13, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + random.integer(below: 8), skew: 4, spread: 5)
      let reduced = structure.reduced()
      #expect(reduced.species == structure.species, "seed \(seed)")
      for f in reduced.fractionalPositions() {
        for axis in 0..<3 { #expect(f[axis] > -1e-9 && f[axis] < 1 + 1e-9, "seed \(seed)") }
      }
      for i in 0..<structure.atomCount {
        let shift = (reduced.positions[i] - structure.positions[i]) * structure.lattice.inverse
        #expect((shift - shift.map { $0.rounded() }).length < 1e-8, "seed \(seed)")
      }
    }
  }

  @Test("The shortest distance is that of brute force", arguments: 0..<8)
  func shortest(kind: Int) throws {
    for seed in 0..<40 {
      var random = RandomStream(seed: 14, purpose: .test, slot: UInt64(8 * seed + kind))
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + random.integer(below: 5),
        periodicity: RandomStructures.periodicities[kind])
      let list = NeighborList(structure, cutoff: 25)
      let expected = list.displacements.map(\.length).min()
      let found = structure.shortestDistance()
      #expect((found == nil) == (expected == nil), "seed \(seed)")
      if let found, let expected { #expect(abs(found - expected) < 1e-10, "seed \(seed)") }
    }
  }

  @Test("Atoms closer than their limit are found, others are not")
  func violations() throws {
    let limits = MinimumDistances(
      elements: [.silicon, .oxygen], covalentFraction: 0.7, pairs: [(.oxygen, .silicon, 1.4)])
    #expect(limits[.silicon, .oxygen] == 1.4)
    #expect(limits[.oxygen, .silicon] == 1.4)
    #expect(abs(limits[.silicon, .silicon] - 0.7 * 2.22) < 1e-12)
    #expect(abs(limits[.titanium, .oxygen] - 0.7 * (1.60 + 0.66)) < 1e-12)
    for seed in 0..<300 {
      var random = RandomStream(seed: 15, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: 4, periodicity: RandomStructures.periodicities[seed % 8], lengths: 3...7)
      let all = NeighborList(structure, cutoff: 3)
      var expected: (Int, Int)?
      for i in 0..<4 where expected == nil {
        for place in all.neighbors(of: i) where expected == nil {
          let j = Int(all.indices[place])
          let limit = limits[structure.species[i], structure.species[j]]
          if all.displacements[place].length < limit { expected = (i, j) }
        }
      }
      let found = limits.firstViolation(in: structure)
      #expect(found?.first == expected?.0 && found?.second == expected?.1, "seed \(seed)")
      if let found {
        #expect(found.distance < found.limit)
        #expect(
          limits.scaled(by: 0.999 * found.distance / found.limit).firstViolation(
            in: structure)?.distance != found.distance, "seed \(seed)")
      }
    }
    let copy = try MinimumDistances(canonicalBytes: limits.canonicalBytes)
    #expect(copy == limits)
    #expect(throws: ByteCodingError.self) {
      try MinimumDistances(
        canonicalBytes: limits.canonicalBytes.dropLast(8) + [0, 0, 0, 0, 0, 0, 0xf0, 0xff])
    }
  }
}
