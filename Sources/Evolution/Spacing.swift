import Crystal
import Foundation
import NumericalCore

/// How far apart children place their atoms, beyond the minimum distances.
///
/// Minimum distances are limits that nothing may cross; atoms placed just above them feel forces of
/// 10²–10³ eV/Å, which no potential is trained on. So every child is first tried wider: unlike atoms near
/// a bond length, atoms of one element in a compound as far apart as second neighbors, both in units of
/// the sum of covalent radii, and no farther than their density allows. Where no place is found the demand
/// is lowered step by step down to the limits themselves, so that every structure stays possible. Of a
/// child, no pair need be farther apart than in its parents: where metals touch, they may touch again.
struct Spacing {
  /// 1 is the widest, 0 the minimum distances alone.
  private(set) var demand: Double

  private static let step = 0.25
  /// Distances over the sum of covalent radii at full demand: 0.9 of a bond between unlike atoms, and
  /// the O–O distance of close-packed oxides (2.1 Å) between like ones.
  private static let bonded = 0.85
  private static let unbonded = 1.6
  /// Largest distance of like atoms over the cube root of the volume that each has: 1.12 when they are
  /// close-packed, 1 on a simple cubic lattice, 0.9 for Al in spinel.
  private static let density = 0.9
  /// Children need this share of their parents' shortest distances: with all of it, an atom pushed away at
  /// a seam would push the whole crystal.
  private static let inheritedShare = 0.9

  /// Draws a first demand; different candidates begin differently.
  init(_ random: inout RandomStream) { demand = random.uniform(0.5, 1) }

  /// Lowers the demand.
  ///
  /// - Returns: Whether there was anything left to lower.
  mutating func lower() -> Bool {
    guard demand > 0 else { return false }
    demand = max(0, demand - Self.step)
    return true
  }

  /// The shortest distance of every pair of a composition's elements in the parents, in Å; infinite
  /// where they do not come near each other.
  static func inherited(_ order: BreedingOrder) -> [Double] {
    let elements = order.composition.elements
    var shortest = Array(repeating: Double.infinity, count: elements.count * elements.count)
    let reach = 2 * unbonded * (elements.map(\.covalentRadius).max() ?? 0)
    for parent in order.parents {
      let places = parent.structure.species.map { elements.firstIndex(of: $0) }
      NeighborList.forEachPair(in: parent.structure, closerThan: reach) { i, j, squaredDistance in
        guard let first = places[i], let second = places[j] else { return }
        let (one, other) = (first * elements.count + second, second * elements.count + first)
        shortest[one] = min(shortest[one], squaredDistance)
        shortest[other] = shortest[one]
      }
    }
    return shortest.map { $0.squareRoot() }
  }

  /// The distances to keep for a composition.
  ///
  /// - Parameters:
  ///   - composition: The child's atoms.
  ///   - limits: The minimum distances.
  ///   - inherited: The shortest distances in the parents, see `inherited(_:)`.
  /// - Returns: Distances from the limits upwards.
  func distances(
    _ composition: Composition, limits: MinimumDistances, inherited: [Double]
  ) -> MinimumDistances {
    let elements = composition.elements
    let range = SpacingRange(composition, limits: limits, volumePerAtom: nil)
    let table = range.limits(demand: demand, below: inherited.map { Self.inheritedShare * $0 })
    var pairs: [(ChemicalElement, ChemicalElement, Double)] = []
    for i in elements.indices {
      for j in i..<elements.count {
        pairs.append((elements[i], elements[j], table[i * elements.count + j]))
      }
    }
    return MinimumDistances(
      elements: elements, covalentFraction: limits.covalentFraction, pairs: pairs)
  }

  /// The distances of a pair at full demand.
  fileprivate static func wide(
    _ a: ChemicalElement, _ b: ChemicalElement, isCompound: Bool, spacePerAtom: Double?
  ) -> Double {
    let isBonded = a != b || !isCompound
    let wide = (isBonded ? bonded : unbonded) * (a.covalentRadius + b.covalentRadius)
    guard a == b, let spacePerAtom else { return wide }
    return min(wide, density * cbrt(spacePerAtom))
  }
}

/// The distances of all pairs of a composition at no and at full demand.
struct SpacingRange {
  private let least: [Double]
  private let wide: [Double]

  /// Collects the distances.
  ///
  /// - Parameters:
  ///   - composition: The elements and their counts.
  ///   - limits: The minimum distances.
  ///   - volumePerAtom: The volume of the child per atom in Å³, where it is known.
  init(_ composition: Composition, limits: MinimumDistances, volumePerAtom: Double?) {
    let elements = composition.elements
    let volume = volumePerAtom.map { $0 * Double(composition.atomCount) }
    least = elements.flatMap { a in elements.map { limits[a, $0] } }
    wide = elements.indices.flatMap { i in
      let space = volume.map { $0 / Double(composition.counts[i]) }
      return elements.map { b in
        Spacing.wide(elements[i], b, isCompound: elements.count > 1, spacePerAtom: space)
      }
    }
  }

  /// A square table of distances in Å, none below the limits.
  func limits(demand: Double) -> [Double] {
    zip(least, wide).map { max($0, $0 + demand * ($1 - $0)) }
  }

  /// A square table of distances in Å, none below the limits, none demanded beyond those given.
  func limits(demand: Double, below largest: [Double]) -> [Double] {
    least.indices.map { pair in
      max(least[pair], least[pair] + demand * (min(wide[pair], largest[pair]) - least[pair]))
    }
  }
}
