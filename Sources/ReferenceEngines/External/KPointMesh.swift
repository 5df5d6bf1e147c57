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
  ///   - kept: Divisions that are taken in place of that mesh.
  init(_ lattice: Lattice, spacing: Double, keeping kept: [Int]? = nil) {
    let reciprocal = lattice.inverse.transposed
    counts =
      kept
      ?? (0..<3).map { axis in
        max(1, Int((2 * Double.pi * reciprocal[axis].length / spacing).rounded(.up)))
      }
  }

  /// Whether Γ is its only point.
  var isGamma: Bool { counts == [1, 1, 1] }

  /// A point of the mesh, in units of the reciprocal vectors divided by `counts`.
  struct Point: Sendable, Hashable {
    let place: [Int]
    /// How many points of the mesh it stands for.
    let weight: Double
  }

  /// One point of every pair k and −k.
  func pointsUpToSign() -> [Point] {
    var points: [Point] = []
    for i in 0..<counts[0] {
      for j in 0..<counts[1] {
        for k in 0..<counts[2] {
          let place = [i, j, k]
          let opposite = (0..<3).map { (counts[$0] - place[$0]) % counts[$0] }
          if place == opposite {
            points.append(Point(place: place, weight: 1))
          } else if place.lexicographicallyPrecedes(opposite) {
            points.append(Point(place: place, weight: 2))
          }
        }
      }
    }
    return points
  }
}

extension Structure {
  /// The divisions of a Γ-centred mesh of k-points.
  ///
  /// - Parameter spacing: Largest distance between points in 1/Å, with the factor 2π.
  /// - Returns: One number per reciprocal vector, at least 1.
  public func reciprocalMesh(spacing: Double) -> [Int] {
    KPointMesh(lattice, spacing: spacing).counts
  }
}
