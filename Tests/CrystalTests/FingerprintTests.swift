import Crystal
import Foundation
import NumericalCore
import Testing

@Suite("Fingerprints")
struct FingerprintTests {
  /// Distances of equal structures: rounding moves a peak by 1e-13 Å, hence D far below this.
  private let equal = 1e-9

  private func random(_ seed: Int, atoms: Int = 6) throws -> Structure {
    var random = RandomStream(seed: 31, purpose: .test, slot: UInt64(seed))
    return try RandomStructures.structure(&random, atoms: atoms, lengths: 4...7)
  }

  @Test("Fingerprints ignore cell, supercell, origin, order, orientation and hand")
  func invariance() throws {
    let settings = StructureFingerprint.Settings(cutoffRadius: 7)
    for seed in 0..<200 {
      let structure = try random(seed)
      var stream = RandomStream(seed: 32, purpose: .test, slot: UInt64(seed))
      var order = Array(0..<structure.atomCount)
      stream.shuffle(&order)
      let n = (0..<3).map { _ in 1 + stream.integer(below: 2) }
      let same: [(String, Structure)] = [
        ("supercell", structure.supercell(n[0], n[1], n[2])),
        ("origin", structure.translated(by: 5 * stream.unitVector())),
        ("wrapped", structure.wrapped()),
        ("cell", try structure.inCell(randomUnimodular(&stream, steps: 6))),
        ("order", structure.reordered(order)),
        ("orientation", try structure.rotated(by: RandomStructures.rotation(&stream))),
        ("hand", try structure.rotated(by: RandomStructures.rotation(&stream, improper: true))),
        ("reduced", structure.reduced()),
      ]
      let fingerprint = StructureFingerprint(structure, settings: settings)
      for (name, other) in same {
        let print = StructureFingerprint(other, settings: settings)
        #expect(fingerprint.distance(to: print) < equal, "\(name), seed \(seed)")
        #expect(
          abs(print.degreeOfOrder - fingerprint.degreeOfOrder) < 1e-6 * fingerprint.degreeOfOrder,
          "\(name), seed \(seed)")
      }
    }
  }

  @Test("Components are those of the defining sum")
  func definition() throws {
    let settings = StructureFingerprint.Settings(cutoffRadius: 5)
    for seed in 0..<20 {
      let structure = try random(seed, atoms: 5)
      let elements = structure.distinctElements()
      let list = NeighborList(structure, cutoff: 6)
      let total = Double(structure.atomCount)
      var expected: [Double] = []
      for (first, a) in elements.enumerated() {
        for b in elements[first...] {
          let na = Double(structure.species.count { $0 == a })
          let nb = Double(structure.species.count { $0 == b })
          var f = [Double](repeating: -1, count: settings.binCount)
          for i in 0..<structure.atomCount where structure.species[i] == a {
            for place in list.neighbors(of: i)
            where structure.species[Int(list.indices[place])] == b {
              let r = list.displacements[place].length
              for bin in f.indices {
                let width = hypot(settings.smearing, settings.strainSmearing * r)
                let low = (Double(bin) * settings.binWidth - r) / width
                let high = low + settings.binWidth / width
                let share = 0.5 * (erf(high / 2.0.squareRoot()) - erf(low / 2.0.squareRoot()))
                f[bin] +=
                  share * structure.volume
                  / (4 * Double.pi * r * r * na * nb * settings.binWidth)
              }
            }
          }
          let weight = (a == b ? 1 : 2) * na * nb / (total * total)
          expected += f.map { weight.squareRoot() * $0 }
        }
      }
      let fingerprint = StructureFingerprint(structure, settings: settings)
      #expect(fingerprint.components.count == expected.count)
      for (found, value) in zip(fingerprint.components, expected) {
        // Gaussians end where 3e-5 are left; amplitudes reach some hundred.
        #expect(abs(found - value) < 1e-4 * (10 + abs(value)), "seed \(seed)")
      }
      let square = expected.reduce(0) { $0 + $1 * $1 }
      let order = settings.binWidth / cbrt(structure.volumePerAtom) * square
      #expect(abs(fingerprint.degreeOfOrder - order) < 1e-4 * order, "seed \(seed)")
    }
  }

  @Test("Distances lie in [0, 1], are symmetric and tell structures apart")
  func distances() throws {
    let prints = try (0..<40).map { StructureFingerprint(try random($0)) }
    for (i, one) in prints.enumerated() {
      #expect(one.distance(to: one) < 1e-12)
      for (j, two) in prints.enumerated() where i != j {
        let d = one.distance(to: two)
        #expect(d >= 0 && d <= 1)
        #expect(d > 0.008, "seeds \(i), \(j) differ by no more than duplicates")
        #expect(d == two.distance(to: one))
      }
    }
  }

  @Test("A common volume per atom undoes uniform strain")
  func scaling() throws {
    for seed in 0..<50 {
      let structure = try random(seed)
      let strained = try structure.strained(by: Matrix3(diagonal: Vector3(0.02, 0.02, 0.02)))
      let plain = StructureFingerprint(structure).distance(to: StructureFingerprint(strained))
      let settings = StructureFingerprint.Settings(volumePerAtom: 15)
      let scaled = StructureFingerprint(structure, settings: settings).distance(
        to: StructureFingerprint(strained, settings: settings))
      #expect(scaled < equal, "seed \(seed)")
      #expect(plain > 100 * equal, "seed \(seed)")
    }
  }

  @Test("A crystal is more ordered than a random arrangement of its atoms")
  func order() throws {
    let lattice = try Lattice(Matrix3(diagonal: Vector3(5.43, 5.43, 5.43)))
    let sites = [
      Vector3(0, 0, 0), Vector3(0, 0.5, 0.5), Vector3(0.5, 0, 0.5), Vector3(0.5, 0.5, 0),
    ]
    let f = sites + sites.map { $0 + Vector3(0.25, 0.25, 0.25) }
    let species = [ChemicalElement](repeating: .silicon, count: 8)
    let diamond = StructureFingerprint(
      try Structure(lattice: lattice, species: species, fractionalPositions: f))
    for first in diamond.atomDegreesOfOrder {
      #expect(abs(first - diamond.degreeOfOrder) < 1e-6 * diamond.degreeOfOrder)
    }
    for seed in 0..<20 {
      var random = RandomStream(seed: 33, purpose: .test, slot: UInt64(seed))
      let disordered = try Structure(
        lattice: lattice, species: species,
        fractionalPositions: f.map {
          $0 + 0.1 * random.uniform() * random.unitVector()
        })
      let print = StructureFingerprint(disordered)
      #expect(print.degreeOfOrder < diamond.degreeOfOrder, "seed \(seed)")
    }
  }

  @Test("Fingerprints survive their bytes")
  func bytes() throws {
    let print = StructureFingerprint(
      try random(1), settings: .init(cutoffRadius: 6, volumePerAtom: 12))
    #expect(try StructureFingerprint(canonicalBytes: print.canonicalBytes) == print)
    #expect(throws: ByteCodingError.self) {
      try StructureFingerprint(canonicalBytes: Array(print.canonicalBytes.dropLast()))
    }
  }

  @Test("Structures of other elements differ, clusters compare too")
  func otherCases() throws {
    let one = StructureFingerprint(try random(3))
    var stream = RandomStream(seed: 34, purpose: .test)
    let other = StructureFingerprint(
      try RandomStructures.structure(&stream, atoms: 6, elements: [.titanium], lengths: 4...7))
    #expect(one.distance(to: other) == 0.5)
    let cluster = try RandomStructures.structure(
      &stream, atoms: 7, periodicity: .none, lengths: 4...7)
    let turned = try cluster.rotated(by: RandomStructures.rotation(&stream))
    #expect(StructureFingerprint(cluster).distance(to: StructureFingerprint(turned)) < equal)
  }
}
