import Crystal
import NumericalCore

/// All pairs of atoms of a structure, each with the translations that bring images within reach.
struct ImagePairs {
  /// Lattice vectors, shortest first.
  let translations: LatticeTranslations
  private let lattice: Lattice
  private let periodicity: Periodicity
  private let fractional: [Vector3]
  private let positions: [Vector3]

  /// Images of one pair of atoms.
  struct Row {
    /// From the first atom to the nearest image of the second along every axis, in Å.
    let displacement: Vector3
    /// The first translation that counts: an atom is not its own neighbor.
    let first: Int
    /// An atom and its own images: every pair is met twice.
    let weight: Double
    /// x components of the translations, readable for 7 entries beyond the last.
    let x: UnsafePointer<Double>
    /// y components.
    let y: UnsafePointer<Double>
    /// z components.
    let z: UnsafePointer<Double>
  }

  /// Lists the translations for pairs up to a distance in Å.
  init(_ structure: Structure, reach: Double) {
    lattice = structure.lattice
    periodicity = structure.periodicity
    fractional = structure.fractionalPositions()
    positions = structure.positions
    translations = LatticeTranslations(
      of: structure.lattice, periodicity: structure.periodicity,
      within: reach + Self.longestDifference(structure))
  }

  /// Adds the sums of all pairs to energy, forces and strain derivative.
  ///
  /// - Parameters:
  ///   - energy: Grows by the energy in eV.
  ///   - forces: Grow by the forces in eV/Å.
  ///   - virial: Grows by ∂E/∂ε in eV.
  ///   - body: The sum over the images of atoms i ≤ j.
  func add(
    energy: inout Double, forces: inout [Vector3], virial: inout Matrix3,
    _ body: (_ i: Int, _ j: Int, Row) -> PairSum
  ) {
    translations.x.withUnsafeBufferPointer { x in
      translations.y.withUnsafeBufferPointer { y in
        translations.z.withUnsafeBufferPointer { z in
          guard let x = x.baseAddress, let y = y.baseAddress, let z = z.baseAddress else { return }
          for i in 0..<positions.count {
            for j in i..<positions.count {
              let weight = i == j ? 0.5 : 1.0
              let sum = body(
                i, j,
                Row(
                  displacement: i == j ? .zero : difference(i, j), first: i == j ? 1 : 0,
                  weight: weight, x: x, y: y, z: z))
              energy += weight * sum.energy
              virial += weight * sum.virial
              if i != j {
                forces[i] += sum.force
                forces[j] -= sum.force
              }
            }
          }
        }
      }
    }
  }

  /// From atom i to the image of atom j within half a cell along every axis, in Å.
  private func difference(_ i: Int, _ j: Int) -> Vector3 {
    var f = fractional[j] - fractional[i]
    var isMoved = false
    for axis in 0..<3 where periodicity[axis] {
      let cells = f[axis].rounded(.toNearestOrEven)
      if cells != 0 {
        f[axis] -= cells
        isMoved = true
      }
    }
    return isMoved ? lattice.cartesian(f) : positions[j] - positions[i]
  }

  private static func longestDifference(_ structure: Structure) -> Double {
    let vectors = structure.lattice.vectors
    var longest = 0.0
    for axis in 0..<3 where structure.periodicity[axis] { longest += vectors[axis].length / 2 }
    if structure.periodicity != .full {
      // Along directions that do not repeat, differences are as long as the cluster or slab.
      var lower = structure.positions[0]
      var upper = lower
      for p in structure.positions {
        for axis in 0..<3 {
          lower[axis] = min(lower[axis], p[axis])
          upper[axis] = max(upper[axis], p[axis])
        }
      }
      longest += (upper - lower).length
    }
    return longest
  }
}
