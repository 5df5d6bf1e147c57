import Crystal
import NumericalCore

/// Lattices of files that name only the vectors that repeat, or none.
enum IncompleteLattice {
  /// Empty space in Å beyond the outermost atoms along an axis that does not repeat.
  static let vacuum = 10.0

  /// Completes given vectors with perpendicular axes for the directions left open.
  ///
  /// - Parameters:
  ///   - given: Three entries, `nil` for the open directions.
  ///   - positions: Cartesian positions in Å; an added axis is as long as their extent and a vacuum.
  /// - Returns: The lattice, with the given vectors as they are.
  /// - Throws: `CrystalError.singularLattice` where the given vectors are dependent.
  static func completed(
    _ given: [Vector3?], around positions: [Vector3]
  ) throws(CrystalError) -> Lattice {
    var rows = given
    for axis in 0..<3 where rows[axis] == nil {
      let others = rows.compactMap { $0 }
      let direction = try perpendicular(to: others)
      var (low, high) = (Double.infinity, -Double.infinity)
      for position in positions {
        let height = position.dot(direction)
        low = min(low, height)
        high = max(high, height)
      }
      let extent = positions.isEmpty ? 0 : high - low
      rows[axis] = (extent + vacuum) * direction
    }
    let vectors = rows.map { $0 ?? .zero }
    return try Lattice(Matrix3(rows: vectors[0], vectors[1], vectors[2]))
  }

  /// A unit vector perpendicular to at most two vectors.
  private static func perpendicular(to others: [Vector3]) throws(CrystalError) -> Vector3 {
    let axes = [Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(0, 0, 1)]
    var candidate: Vector3
    switch others.count {
    case 0: return axes[0]
    case 1:
      // Among the coordinate axes the one farthest from the vector gives the best-conditioned product.
      let magnitudes = [abs(others[0].x), abs(others[0].y), abs(others[0].z)]
      let least = magnitudes.firstIndex(of: magnitudes.min() ?? 0) ?? 0
      candidate = axes[least]
      candidate -= candidate.dot(others[0]) / max(others[0].squaredLength, 1e-300) * others[0]
    default: candidate = others[0].cross(others[1])
    }
    guard candidate.length > 1e-12 else {
      throw .singularLattice("vectors \(others) are dependent")
    }
    return candidate / candidate.length
  }
}

extension Vector3 {
  fileprivate static func -= (a: inout Vector3, b: Vector3) { a = a - b }
}
