import Crystal
import Foundation
import NumericalCore

/// Springs between atoms from a model of bond strengths, for vibrations without any potential.
///
/// A. O. Lyakhov, A. R. Oganov & M. Valle, Comput. Phys. Commun. 181, 1623 (2010), section 4: central
/// springs of strength k_ij = sqrt(χ_i χ_j / (CN_i CN_j)) with s_ij = exp(−Δ_ij/0.37),
/// Δ_ij = r_ij − R_i − R_j, χ_i = 0.481 n_val/(R_i + Δ_ij/2), CN_i(ij) = Σ_k s_ik / s_ij, for r < 10 Å.
enum BondStrengthModel {
  /// Springs end here, in Å.
  private static let cutoff = 10.0
  /// The decay length of bond strengths in Å, the constant of bond valence theory.
  private static let decay = 0.37
  /// Eigenvalues that differ by less than this share of the largest are degenerate.
  private static let degeneracy = 1e-6

  /// Solves for all modes; `nil` where there is only one atom or the solver fails.
  static func modes(
    _ lattice: Lattice, _ elements: [ChemicalElement], _ positions: [Vector3]
  ) -> VibrationalModes? {
    guard elements.count > 1 else { return nil }
    let inverseRootMasses = elements.map { 1 / $0.mass.squareRoot() }
    var matrix = dynamicalMatrix(lattice, elements, positions, inverseRootMasses)
    // The translations are known exactly: lifted above all vibrations, they come last.
    lift(&matrix, elements)
    guard let (values, vectors) = try? LinearAlgebra.symmetricEigen(matrix) else { return nil }
    let eigenvalues = Array(values.dropLast(3))
    let displacements = eigenvalues.indices.map { mode in
      let row = Array(vectors.row(mode))
      return inverseRootMasses.enumerated().map { atom, factor in
        factor * Vector3(row[3 * atom], row[3 * atom + 1], row[3 * atom + 2])
      }
    }
    return VibrationalModes(
      eigenvalues: eigenvalues, displacements: displacements,
      degeneracyWidth: degeneracy * abs(eigenvalues.last ?? 1))
  }

  /// Adds twice the trace times the projector on the three mass-weighted translations.
  private static func lift(_ matrix: inout Matrix, _ elements: [ChemicalElement]) {
    let count = elements.count
    var trace = 0.0
    for index in 0..<3 * count { trace += matrix[index, index] }
    let total = elements.reduce(0.0) { $0 + $1.mass }
    for i in 0..<count {
      for j in 0..<count {
        let value = 2 * trace * (elements[i].mass * elements[j].mass).squareRoot() / total
        for axis in 0..<3 { matrix[3 * i + axis, 3 * j + axis] += value }
      }
    }
  }

  /// A bond between two atoms, once for both ends; of an atom with its own image, once for each image.
  private struct Bond {
    let first: Int
    let second: Int
    let vector: Vector3
    let length: Double
    let strength: Double
  }

  private static func bonds(
    _ lattice: Lattice, _ positions: [Vector3], _ radii: [Double]
  ) -> [Bond] {
    let translations = translations(lattice)
    var bonds: [Bond] = []
    for i in positions.indices {
      for j in i..<positions.count {
        var f = lattice.fractional(positions[j] - positions[i])
        f = f.map { $0 - $0.rounded(.toNearestOrEven) }
        let base = lattice.cartesian(f)
        for translation in translations {
          let d = base + translation
          let square = d.squaredLength
          guard square < cutoff * cutoff, square > 1e-4 else { continue }
          let length = square.squareRoot()
          bonds.append(
            Bond(
              first: i, second: j, vector: d, length: length,
              strength: exp((radii[i] + radii[j] - length) / decay)))
        }
      }
    }
    return bonds
  }

  /// All lattice vectors that can bring two atoms, whose difference was wrapped, within the cutoff.
  private static func translations(_ lattice: Lattice) -> [Vector3] {
    let range = lattice.heights.map { (cutoff / $0 + 0.5).rounded(.up) }
    let v = lattice.vectors
    let reach = cutoff + 0.5 * (v.a.length + v.b.length + v.c.length)
    var translations: [Vector3] = []
    for p in stride(from: -range.x, through: range.x, by: 1) {
      for q in stride(from: -range.y, through: range.y, by: 1) {
        for s in stride(from: -range.z, through: range.z, by: 1) {
          let translation = p * v.a + q * v.b + s * v.c
          if translation.squaredLength < reach * reach { translations.append(translation) }
        }
      }
    }
    return translations
  }

  private static func dynamicalMatrix(
    _ lattice: Lattice, _ elements: [ChemicalElement], _ positions: [Vector3],
    _ inverseRootMasses: [Double]
  ) -> Matrix {
    let count = elements.count
    let radii = elements.map(\.covalentRadius)
    let bonds = bonds(lattice, positions, radii)
    var totalStrength = Array(repeating: 0.0, count: count)
    for bond in bonds {
      totalStrength[bond.first] += bond.strength
      if bond.first != bond.second { totalStrength[bond.second] += bond.strength }
    }
    // Σ k n nᵀ of every pair, xx yy zz yz xz xy; masses and both ends come once at the end.
    var springs = [Double](repeating: 0, count: 6 * count * count)
    for bond in bonds where bond.first != bond.second {
      let (i, j) = (bond.first, bond.second)
      let half = 0.5 * (bond.length - radii[i] - radii[j])
      // χ_i CN_i⁻¹ χ_j CN_j⁻¹ with CN_i = Σ s / s_ij: the strength of the bond stands before the root.
      let below =
        max(0.1, radii[i] + half) * max(0.1, radii[j] + half) * totalStrength[i] * totalStrength[j]
      let charges = 0.481 * elements[i].valenceElectrons * 0.481 * elements[j].valenceElectrons
      let spring = bond.strength * (charges / below).squareRoot() / (bond.length * bond.length)
      let (d, place) = (bond.vector, 6 * (i * count + j))
      springs[place] += spring * d.x * d.x
      springs[place + 1] += spring * d.y * d.y
      springs[place + 2] += spring * d.z * d.z
      springs[place + 3] += spring * d.y * d.z
      springs[place + 4] += spring * d.x * d.z
      springs[place + 5] += spring * d.x * d.y
    }
    var matrix = Matrix(rows: 3 * count, columns: 3 * count)
    // The place of the element (a, b) of a symmetric matrix among its six.
    let six = [[0, 5, 4], [5, 1, 3], [4, 3, 2]]
    for i in 0..<count {
      for j in (i + 1)..<count {
        for a in 0..<3 {
          for b in 0..<3 {
            let value = springs[6 * (i * count + j) + six[a][b]]
            let (m, n) = (inverseRootMasses[i], inverseRootMasses[j])
            matrix[3 * i + a, 3 * i + b] += value * m * m
            matrix[3 * j + a, 3 * j + b] += value * n * n
            matrix[3 * i + a, 3 * j + b] -= value * m * n
            matrix[3 * j + a, 3 * i + b] -= value * m * n
          }
        }
      }
    }
    return matrix
  }
}
