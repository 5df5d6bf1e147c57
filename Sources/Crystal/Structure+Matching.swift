import Foundation
import NumericalCore

extension Structure {
  /// Whether another structure is the same bulk crystal: a rotation, mirror and shift bring its lattice
  /// and all its atoms onto this one's.
  ///
  /// Confirms duplicates that fingerprints propose. Primitive cells are compared. The cube roots of their
  /// volumes must agree within the tolerance, so scale before comparing at different pressures.
  ///
  /// - Parameters:
  ///   - other: The other structure.
  ///   - tolerance: How far in Å atoms may lie apart, and lengths of lattice vectors differ.
  /// - Returns: `false` also where a structure does not repeat in all directions.
  /// - Complexity: O(N³) for each of the lattice's own symmetries.
  public func matches(_ other: Structure, tolerance: Double = 0.1) -> Bool {
    precondition(tolerance > 0, "a tolerance is positive")
    guard periodicity == .full, other.periodicity == .full else { return false }
    let (one, two) = (smallest(tolerance), other.smallest(tolerance))
    guard one.species.sorted() == two.species.sorted() else { return false }
    guard abs(cbrt(one.volume) - cbrt(two.volume)) <= tolerance else { return false }
    // Atoms of one element at a time, rarest first: fewest shifts to try.
    let elements = one.distinctElements()
    let rarest = elements.min { a, b in
      one.species.count { $0 == a } < one.species.count { $0 == b }
    }
    guard let anchor = one.species.firstIndex(where: { $0 == rarest }) else { return false }
    return two.bases(like: one.lattice, tolerance).contains { basis in
      guard let lattice = try? Lattice(basis) else { return false }
      return two.sitesMatch(one, inBasis: lattice, anchor: anchor, tolerance)
    }
  }

  // Symmetry that spglib cannot find leaves the cell as it is: then only equal cells match.
  private func smallest(_ tolerance: Double) -> Structure {
    let primitive = try? primitive(tolerance: tolerance, idealized: false)
    return (primitive ?? self).reduced()
  }

  // All triples of lattice vectors with the lengths and mutual distances of another lattice's basis.
  private func bases(like target: Lattice, _ tolerance: Double) -> [Matrix3] {
    let wanted = target.vectors
    let longest = max(wanted.a.length, wanted.b.length, wanted.c.length) + tolerance
    guard
      let point = try? Structure(lattice: lattice, species: [species[0]], positions: [.zero])
    else { return [] }
    let vectors = NeighborList(point, cutoff: longest).displacements
    func isAlike(_ u: Vector3, _ v: Vector3) -> Bool { abs(u.length - v.length) <= tolerance }
    let (firsts, seconds, thirds) = (
      vectors.filter { isAlike($0, wanted.a) }, vectors.filter { isAlike($0, wanted.b) },
      vectors.filter { isAlike($0, wanted.c) }
    )
    var found: [Matrix3] = []
    for a in firsts {
      for b in seconds where isAlike(a - b, wanted.a - wanted.b) {
        for c in thirds where isAlike(a - c, wanted.a - wanted.c) {
          guard isAlike(b - c, wanted.b - wanted.c) else { continue }
          let basis = Matrix3(rows: a, b, c)
          // The whole lattice, not a part of it.
          if abs(abs(basis.determinant) - volume) < 1e-3 * volume { found.append(basis) }
        }
      }
    }
    return found
  }

  // Whether a shift brings the atoms, written in the basis, onto the target's.
  private func sitesMatch(
    _ target: Structure, inBasis basis: Lattice, anchor: Int, _ tolerance: Double
  ) -> Bool {
    let own = positions.map { basis.fractional($0) }
    let wanted = target.fractionalPositions()
    for (atom, position) in own.enumerated() where species[atom] == target.species[anchor] {
      let shift = wanted[anchor] - position
      var isTaken = [Bool](repeating: false, count: atomCount)
      let allFound = wanted.indices.allSatisfy { i in
        let match = own.indices.first { j in
          guard !isTaken[j], species[j] == target.species[i] else { return false }
          let difference = (own[j] + shift - wanted[i]).map { $0 - $0.rounded() }
          return target.lattice.cartesian(difference).length <= tolerance
        }
        if let match { isTaken[match] = true }
        return match != nil
      }
      if allFound { return true }
    }
    return false
  }
}
