import Crystal

/// A Γ-centred mesh of k-points.
struct KPointMesh: Sendable, Hashable {
  /// Points along each reciprocal lattice vector.
  let counts: [Int]

  /// The smallest mesh whose neighboring points lie no farther apart than a spacing.
  ///
  /// - Parameters:
  ///   - lattice: The lattice.
  ///   - spacing: In 1/Å, with the factor 2π.
  init(_ lattice: Lattice, spacing: Double) {
    let reciprocal = lattice.inverse.transposed
    counts = (0..<3).map { axis in
      max(1, Int((2 * Double.pi * reciprocal[axis].length / spacing).rounded(.up)))
    }
  }

  /// Whether Γ is its only point.
  var isGamma: Bool { counts == [1, 1, 1] }
}
