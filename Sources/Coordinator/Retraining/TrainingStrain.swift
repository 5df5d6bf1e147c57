import Crystal
import NumericalCore

/// A homogeneous deformation of a crystal at rest; its label teaches a potential how the crystal resists.
///
/// The deformation r → r (1 + ε) with a symmetric ε leaves fractional positions as they are and rotates nothing.
/// Directions are those of the cell, so that a rotated crystal is deformed alike.
package struct TrainingStrain: Sendable, Hashable {
  /// What is deformed.
  package enum Kind: Sendable, Hashable {
    /// All lengths: ε = s 1.
    case hydrostatic
    /// Lengths along lattice vector 0, 1 or 2, with unit vector n: ε = s n nᵀ.
    case uniaxial(axis: Int)
    /// The angle in the plane of two lattice vectors: ε = s (u vᵀ + v uᵀ) with the unit vector u along the
    /// first one and v normal to it in the plane.
    case shear(first: Int, second: Int)
  }

  /// Relative changes of all lengths: volumes from 0.88 to 1.12, about as far as two phases of a compound lie
  /// apart.
  package static let hydrostaticSizes = [-0.04, -0.02, 0.02, 0.04]
  /// Relative changes of the lengths along one lattice vector.
  package static let uniaxialSizes = [-0.03, 0.03]
  /// The off-diagonal component of a shear, half the change of the angle in radians.
  package static let shearSizes = [-0.03, 0.03]
  /// The planes of two lattice vectors.
  package static let planes = [(0, 1), (1, 2), (2, 0)]

  /// All deformations of a crystal, in the order in which they are labelled.
  package static let all: [TrainingStrain] =
    hydrostaticSizes.map { TrainingStrain(kind: .hydrostatic, size: $0) }
    + (0..<3).flatMap { axis in
      uniaxialSizes.map { TrainingStrain(kind: .uniaxial(axis: axis), size: $0) }
    }
    + planes.flatMap { plane in
      shearSizes.map {
        TrainingStrain(kind: .shear(first: plane.0, second: plane.1), size: $0)
      }
    }

  /// What is deformed.
  package let kind: Kind
  /// How far, s.
  package let size: Double

  /// The strain tensor ε, symmetric, for a lattice.
  package func tensor(in lattice: Lattice) -> Matrix3 {
    switch kind {
    case .hydrostatic: return size * .identity
    case .uniaxial(let axis):
      let n = lattice.vectors[axis] / lattice.vectors[axis].length
      return size * .outer(n, n)
    case .shear(let first, let second):
      let u = lattice.vectors[first] / lattice.vectors[first].length
      let rest = lattice.vectors[second] - lattice.vectors[second].dot(u) * u
      let v = rest / rest.length
      return size * (.outer(u, v) + .outer(v, u))
    }
  }

  /// The deformed structure.
  ///
  /// - Throws: `CrystalError.singularLattice` where the deformation flattens the cell.
  package func applied(to structure: Structure) throws(CrystalError) -> Structure {
    try structure.strained(by: tensor(in: structure.lattice))
  }
}

extension TrainingStrain: CustomStringConvertible {
  /// Such as `shear +3 % in ab`.
  package var description: String {
    let axes = ["a", "b", "c"]
    let amount = (size < 0 ? "" : "+") + TextColumn.fixed(100 * size, 0) + " %"
    return switch kind {
    case .hydrostatic: "hydrostatic \(amount)"
    case .uniaxial(let axis): "uniaxial \(amount) along \(axes[axis])"
    case .shear(let first, let second): "shear \(amount) in \(axes[first])\(axes[second])"
    }
  }
}
