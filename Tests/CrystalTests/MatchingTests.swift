import Crystal
import Foundation
import NumericalCore
import Testing

@Suite("Matching")
struct MatchingTests {
  /// A random crystal whose atoms keep apart, 1 to 28 of up to four elements.
  static func crystal(_ random: inout RandomStream, atoms: Int, elements: Int) -> Structure {
    let palette: [ChemicalElement] = [.silicon, .oxygen, .titanium, .unnamed(12)]
    while true {
      let shape = RandomStructures.lattice(&random, lengths: 3...6)
      let volume = Double(atoms) * random.uniform(9, 16)
      guard let lattice = try? shape.scaled(toVolume: volume).niggliReduced() else { continue }
      var positions: [Vector3] = []
      for _ in 0..<400 where positions.count < atoms {
        let next = random.fractionalPoint()
        if keepsApart(next, positions + [next], lattice) { positions.append(next) }
      }
      guard positions.count == atoms else { continue }
      let species = (0..<atoms).map {
        $0 < elements ? palette[$0] : palette[random.integer(below: elements)]
      }
      if let structure = try? Structure(
        lattice: lattice, species: species, fractionalPositions: positions)
      {
        return structure
      }
    }
  }

  // In a reduced cell the images next to it are enough.
  private static func keepsApart(_ f: Vector3, _ others: [Vector3], _ lattice: Lattice) -> Bool {
    for other in others {
      let difference = (other - f).map { $0 - $0.rounded() }
      for i in -1...1 {
        for j in -1...1 {
          for k in -1...1 {
            let image = lattice.cartesian(difference + Vector3(Double(i), Double(j), Double(k)))
            if image.squaredLength < 1.3 * 1.3 && (other != f || i != 0 || j != 0 || k != 0) {
              return false
            }
          }
        }
      }
    }
    return true
  }

  /// A symmetric strain whose largest principal stretch is ±size.
  static func strain(_ random: inout RandomStream, _ size: Double) -> Matrix3 {
    let axes = RandomStructures.rotation(&random)
    var stretches = [size, random.uniform(-size, size), random.uniform(-size, size)]
    if random.integer(below: 2) == 0 { stretches[0] = -size }
    return axes.transposed * Matrix3(diagonal: Vector3(stretches[0], stretches[1], stretches[2]))
      * axes
  }

  /// The crystal as another relaxation might leave it: another cell, origin, order, orientation and hand,
  /// strained by 1 %, every atom displaced by up to 0.02 Å.
  static func disguised(_ structure: Structure, _ random: inout RandomStream) throws -> Structure {
    let n = (0..<3).map { _ in 1 + random.integer(below: structure.atomCount < 15 ? 2 : 1) }
    let other = try structure.supercell(n[0], n[1], n[2])
      .translated(by: 3 * random.unitVector())
      .inCell(randomUnimodular(&random))
      .rotated(by: RandomStructures.rotation(&random, improper: random.integer(below: 2) == 0))
      .strained(by: strain(&random, 0.01))
    var order = Array(0..<other.atomCount)
    random.shuffle(&order)
    return other.replacing(
      positions: other.positions.map { $0 + 0.02 * random.uniform() * random.unitVector() }
    ).reordered(order).reduced()
  }

  @Test("No duplicate is missed after a residual strain of 1 %, in another cell and hand")
  func strainedDuplicates() throws {
    for seed in 0..<3000 {
      var random = RandomStream(seed: 51, purpose: .test, slot: UInt64(seed))
      let atoms = 1 + seed % 28
      let structure = Self.crystal(
        &random, atoms: atoms, elements: 1 + random.integer(below: min(4, atoms)))
      let other = try Self.disguised(structure, &random)
      #expect(structure.matches(other), "seed \(seed), \(atoms) atoms")
      #expect(other.matches(structure), "seed \(seed), \(atoms) atoms, the other way")
      let distance = StructureFingerprint(structure, settings: .init(volumePerAtom: 12))
        .distance(to: StructureFingerprint(other, settings: .init(volumePerAtom: 12)))
      #expect(distance < 0.01, "seed \(seed), \(atoms) atoms")
    }
  }

  @Test("A crystal is not its neighbor by one swap of unlike atoms")
  func swaps() throws {
    var closest = 1.0
    for seed in 0..<3000 {
      var random = RandomStream(seed: 52, purpose: .test, slot: UInt64(seed))
      let atoms = 4 + seed % 25
      let structure = Self.crystal(&random, atoms: atoms, elements: 2 + random.integer(below: 3))
      let i = random.integer(below: atoms)
      let unlike = structure.species.indices.filter {
        structure.species[$0] != structure.species[i]
      }
      var species = structure.species
      species.swapAt(i, unlike[random.integer(below: unlike.count)])
      let swapped = try Structure(
        lattice: structure.lattice, species: species, positions: structure.positions)
      closest = min(
        closest, StructureFingerprint(structure).distance(to: StructureFingerprint(swapped)))
      #expect(!structure.matches(swapped), "seed \(seed), \(atoms) atoms")
      #expect(!structure.matches(try Self.disguised(swapped, &random)), "seed \(seed)")
    }
    // The fingerprint alone would merge some of them.
    #expect(closest < 0.01)
  }

  @Test("Homometric crystals have one fingerprint and do not match")
  func homometricPairs() throws {
    for seed in 0..<500 {
      var random = RandomStream(seed: 53, purpose: .test, slot: UInt64(seed))
      // All sums and all differences of two sets of points have the same distances (Patterson 1944).
      let (one, two) = (
        (0..<3).map { _ in random.fractionalPoint() }, (0..<3).map { _ in random.fractionalPoint() }
      )
      let lattice = try RandomStructures.lattice(&random, lengths: 4...7).scaled(toVolume: 120)
      let species = [ChemicalElement](repeating: .silicon, count: 9)
      let sums = try Structure(
        lattice: lattice, species: species,
        fractionalPositions: one.flatMap { a in two.map { a + $0 } })
      let differences = try Structure(
        lattice: lattice, species: species,
        fractionalPositions: one.flatMap { a in two.map { a - $0 } })
      #expect(
        StructureFingerprint(sums).distance(to: StructureFingerprint(differences)) < 1e-9,
        "seed \(seed)")
      // Tight, as sets that are nearly centrosymmetric give nearly the same crystal.
      let tolerance = MatchingTolerance(displacement: 0.03, strain: 0.01)
      #expect(!sums.matches(differences, tolerance: tolerance), "seed \(seed)")
      #expect(sums.matches(sums.translated(by: random.unitVector())), "seed \(seed)")
    }
  }

  @Test("Displaced and strained crystals beyond the tolerances do not match")
  func differences() throws {
    for seed in 0..<500 {
      var random = RandomStream(seed: 54, purpose: .test, slot: UInt64(seed))
      let structure = Self.crystal(&random, atoms: 4 + seed % 25, elements: 2)
      var moved = structure.positions
      moved[0] += 0.6 * random.unitVector()
      #expect(!structure.matches(structure.replacing(positions: moved)), "seed \(seed)")
      let strained = try structure.strained(by: Matrix3(diagonal: Vector3(0.15, 0, 0)))
      #expect(!structure.matches(strained), "seed \(seed)")
      #expect(structure.matches(strained, tolerance: MatchingTolerance(strain: 0.2)))
    }
  }

  @Test("A cell that repeats inside is cut down, one that nearly does is not")
  func primitiveCells() throws {
    for seed in 0..<300 {
      var random = RandomStream(seed: 55, purpose: .test, slot: UInt64(seed))
      let structure = Self.crystal(&random, atoms: 2 + seed % 6, elements: 2)
      let large = structure.supercell(1 + seed % 2, 1 + seed / 2 % 3, 1 + seed / 6 % 2)
      let cell = try #require(MatchingCell(large))
      #expect(cell.atomCount == structure.atomCount, "seed \(seed)")
      #expect(
        cell.volumePerAtom.isClose(to: structure.volumePerAtom, within: 1e-9), "seed \(seed)")
      guard large.atomCount > structure.atomCount else { continue }
      var species = large.species
      let last = try #require(species.lastIndex(of: .silicon))
      species[last] = .titanium
      let defect = try Structure(
        lattice: large.lattice, species: species, positions: large.positions)
      #expect(MatchingCell(defect)?.atomCount == large.atomCount, "seed \(seed)")
    }
  }
}

extension Double {
  fileprivate func isClose(to other: Double, within relative: Double) -> Bool {
    abs(self - other) <= relative * abs(other)
  }
}
