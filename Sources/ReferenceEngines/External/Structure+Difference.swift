import Crystal
import NumericalCore

extension Structure {
  /// What distinguishes this structure, as a program printed it, from the one that it was to compute: atom by
  /// atom and modulo lattice vectors.
  ///
  /// - Parameters:
  ///   - other: The structure that was asked for.
  ///   - latticeTolerance: How far the ends of lattice vectors may lie apart, in Å.
  ///   - positionTolerance: How far atoms may lie apart, in Å.
  /// - Returns: `nil` where they agree.
  func difference(
    from other: Structure, lattice latticeTolerance: Double, positions positionTolerance: Double
  ) -> String? {
    guard species == other.species else {
      return "it has \(composition().formula) in another order or amount, expected "
        + "\(other.composition().formula)"
    }
    for axis in 0..<3 {
      let gap = (lattice.vectors[axis] - other.lattice.vectors[axis]).length
      guard gap <= latticeTolerance else {
        return "lattice vector \(axis + 1) differs by \(gap) Å"
      }
    }
    for (atom, position) in positions.enumerated() {
      let f = other.lattice.fractional(position - other.positions[atom])
      let gap = other.lattice.cartesian(
        Vector3(f.x - f.x.rounded(), f.y - f.y.rounded(), f.z - f.z.rounded()))
      guard gap.length <= positionTolerance else {
        return "atom \(atom + 1) lies \(gap.length) Å off"
      }
    }
    return nil
  }
}
