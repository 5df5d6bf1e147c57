import Foundation
import NumericalCore

extension MatchingCell {
  /// Whether another cell is of the same crystal: one of the other's bases, a rotation, mirror or
  /// inversion, and a shift bring the lattice and all atoms of one onto those of the other.
  ///
  /// Mirror images are one crystal here: no potential tells them apart. Cells are compared at a common
  /// volume and in fractional coordinates, so that a homogeneous strain within the tolerance moves no
  /// atom.
  ///
  /// - Parameters:
  ///   - other: The other crystal's cell.
  ///   - tolerance: How far they may differ.
  /// - Returns: Whether they match.
  /// - Complexity: O(N²) for each symmetry of the lattice and each atom of the rarest element; most
  ///   different crystals end before the first atom.
  public func matches(
    _ other: MatchingCell, tolerance: MatchingTolerance = MatchingTolerance()
  ) -> Bool {
    guard elements == other.elements else { return false }
    if atomCount != other.atomCount {
      return matchesAfterReduction(other, tolerance)
    }
    guard ends == other.ends else { return false }
    let scale = cbrt(volumePerAtom / other.volumePerAtom)
    guard abs(scale - 1) <= tolerance.strain else { return false }
    var isFound = false
    forEachBasis(ofLattice: scale * other.vectors, strain: tolerance.strain) { toNew in
      let images = other.positions.map { $0 * toNew }
      isFound = sitesMatch(images, tolerance.displacement)
      return !isFound
    }
    return isFound
  }

  /// How many rotations, mirrors and inversions, each with some shift, bring the crystal onto itself: the
  /// order of its point group, 1 where it has no symmetry but its translations.
  ///
  /// Tells symmetric crystals from others in a hundredth of the time that the space group takes.
  ///
  /// - Parameter tolerance: How far lattice and atoms may be from where symmetry puts them.
  /// - Returns: 1 … 48; where a wide tolerance lets in operations that form no group, their number.
  /// - Complexity: O(N²) for each symmetry of the lattice and each atom of the rarest element.
  public func pointGroupOrder(
    tolerance: MatchingTolerance = MatchingTolerance(displacement: 0.05, strain: 0.01)
  ) -> Int {
    var count = 0
    forEachBasis(ofLattice: vectors, strain: tolerance.strain) { toNew in
      if sitesMatch(positions.map { $0 * toNew }, tolerance.displacement) { count += 1 }
      return true
    }
    return count
  }

  // Whether a cell repeats inside is a decision with a threshold: where two cells differ in size, the
  // larger one is asked again with twice the tolerance.
  private func matchesAfterReduction(
    _ other: MatchingCell, _ tolerance: MatchingTolerance
  ) -> Bool {
    let (small, large) = atomCount < other.atomCount ? (self, other) : (other, self)
    guard large.atomCount % small.atomCount == 0,
      let reduced = large.primitive(within: 2 * tolerance.displacement),
      reduced.atomCount == small.atomCount
    else { return false }
    return small.matches(reduced, tolerance: tolerance)
  }

  private func sitesMatch(_ images: [Vector3], _ tolerance: Double) -> Bool {
    for image in atoms(of: 0) {
      if commonShift(onto: images, near: images[image] - positions[0], vectors, tolerance) != nil {
        return true
      }
    }
    return false
  }

  // Calls a function with the matrix that takes fractional positions of the other lattice to every basis
  // of it that is alike to this one's vectors, until the function returns false.
  //
  // A strain of norm s changes a product of vectors by at most (2s + s²) times their lengths.
  private func forEachBasis(
    ofLattice other: Matrix3, strain: Double, _ body: (Matrix3) -> Bool
  ) {
    let width = strain * (2 + strain)
    let wanted = (vectors.a.squaredLength, vectors.b.squaredLength, vectors.c.squaredLength)
    let longest = (max(wanted.0, wanted.1, wanted.2) * (1 + width)).squareRoot()
    let range = Self.multiples(of: other, within: longest)
    var candidates: ([Candidate], [Candidate], [Candidate]) = ([], [], [])
    for i in stride(from: -range.x, through: range.x, by: 1) {
      for j in stride(from: -range.y, through: range.y, by: 1) {
        for k in stride(from: -range.z, through: range.z, by: 1) {
          let vector = i * other.a + j * other.b + k * other.c
          let square = vector.squaredLength
          let candidate = Candidate(multiples: Vector3(i, j, k), vector: vector)
          if abs(square - wanted.0) <= width * wanted.0 { candidates.0.append(candidate) }
          if abs(square - wanted.1) <= width * wanted.1 { candidates.1.append(candidate) }
          if abs(square - wanted.2) <= width * wanted.2 { candidates.2.append(candidate) }
        }
      }
    }
    let (ab, ac, bc) = (
      vectors.a.dot(vectors.b), vectors.a.dot(vectors.c), vectors.b.dot(vectors.c)
    )
    let (widthAB, widthAC, widthBC) = (
      width * (wanted.0 * wanted.1).squareRoot(), width * (wanted.0 * wanted.2).squareRoot(),
      width * (wanted.1 * wanted.2).squareRoot()
    )
    for a in candidates.0 {
      for b in candidates.1 where abs(a.vector.dot(b.vector) - ab) <= widthAB {
        for c in candidates.2
        where abs(a.vector.dot(c.vector) - ac) <= widthAC
          && abs(b.vector.dot(c.vector) - bc) <= widthBC
        {
          let basis = Matrix3(rows: a.multiples, b.multiples, c.multiples)
          // The whole lattice, not a part of it.
          guard abs(basis.determinant).rounded() == 1, let toNew = basis.inverse else { continue }
          if !body(toNew) { return }
        }
      }
    }
  }

  private struct Candidate {
    let multiples: Vector3
    let vector: Vector3
  }

  // How many times each vector can occur in one of a length; cells a hundred times as long as wide are
  // cut off.
  private static func multiples(of rows: Matrix3, within length: Double) -> Vector3 {
    let volume = abs(rows.determinant)
    let faces = Vector3(
      rows.b.cross(rows.c).length, rows.c.cross(rows.a).length, rows.a.cross(rows.b).length)
    return faces.map { min(8, (length * $0 / volume).rounded(.down)) }
  }
}
