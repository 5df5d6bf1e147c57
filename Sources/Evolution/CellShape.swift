import Crystal
import NumericalCore

/// Shapes of cells: a standard orientation and the rules that a child keeps.
enum CellShape {
  /// The lattice turned so that a lies along x and b in the xy plane; a left-handed one becomes its
  /// mirror image, which has the same energy.
  static func standardOrientation(_ vectors: Matrix3) -> Matrix3 {
    let (a, b, c) = (vectors.a, vectors.b, vectors.c)
    let ax = a.length
    let bx = b.dot(a) / ax
    let by = max(0, b.squaredLength - bx * bx).squareRoot()
    let cx = c.dot(a) / ax
    let cy = by > 0 ? (b.dot(c) - bx * cx) / by : 0
    let cz = max(0, c.squaredLength - cx * cx - cy * cy).squareRoot()
    return Matrix3(rows: Vector3(ax, 0, 0), Vector3(bx, by, 0), Vector3(cx, cy, cz))
  }

  /// Which rule a reduced cell breaks.
  static func violation(
    of lattice: Lattice, _ settings: BreedingSettings
  ) -> RejectionReason? {
    let lengths = lattice.lengths
    let longest = max(lengths.x, lengths.y, lengths.z)
    let shortest = min(lengths.x, lengths.y, lengths.z)
    if longest > settings.largestAspectRatio * shortest { return .cellShape }
    let angles = lattice.angles
    for axis in 0..<3 where abs(angles[axis] - .pi / 2) > settings.largestSkew {
      return .cellShape
    }
    return nil
  }

  /// Whether a layer thicker than the limit in Å, parallel to a face of the cell, holds no atom.
  static func hasVacuum(_ structure: Structure, thickerThan limit: Double) -> Bool {
    let fractional = structure.fractionalPositions()
    let heights = structure.lattice.heights
    for axis in 0..<3 where heights[axis] > limit {
      let levels = fractional.map { $0[axis] - $0[axis].rounded(.down) }.sorted()
      guard let first = levels.first, let last = levels.last else { continue }
      var gap = first + 1 - last
      for (low, high) in zip(levels, levels.dropFirst()) { gap = max(gap, high - low) }
      if gap * heights[axis] > limit { return true }
    }
    return false
  }
}
