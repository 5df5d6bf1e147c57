import Crystal
import Foundation
import NumericalCore

/// Vibrations of a crystal at Γ from a model of bond strengths.
///
/// A. O. Lyakhov, A. R. Oganov & M. Valle, Comput. Phys. Commun. 181, 1623 (2010), section 4: central
/// springs of strength k_ij = sqrt(χ_i χ_j / (CN_i CN_j)) with s_ij = exp(−Δ_ij/0.37),
/// Δ_ij = r_ij − R_i − R_j, χ_i = 0.481 n_val/(R_i + Δ_ij/2), CN_i(ij) = Σ_k s_ik / s_ij, for r < 10 Å.
struct SoftModes {
  /// Modes without the three translations, softest first, grouped where they are degenerate.
  private let groups: [[[Double]]]
  private let inverseRootMasses: [Double]

  /// Springs end here, in Å.
  private static let cutoff = 10.0
  /// The decay length of bond strengths in Å, the constant of bond valence theory.
  private static let decay = 0.37
  /// Eigenvalues that differ by less than this share of the largest are degenerate.
  private static let degeneracy = 1e-6
  /// How many of the softest groups a random combination mixes.
  private static let mixedGroups = 6

  /// Solves for the modes; `nil` where there is only one atom or the solver fails.
  init?(_ draft: Draft) {
    let count = draft.species.count
    guard count > 1 else { return nil }
    let elements = draft.species.map { draft.composition.elements[$0] }
    inverseRootMasses = elements.map { 1 / $0.mass.squareRoot() }
    var matrix = Self.dynamicalMatrix(draft, elements, inverseRootMasses)
    // The translations are known exactly: lifted above all vibrations, they come last.
    Self.lift(&matrix, elements)
    guard let (values, vectors) = try? LinearAlgebra.symmetricEigen(matrix) else { return nil }
    var groups: [[[Double]]] = []
    var last = -Double.infinity
    let vibrations = values.dropLast(3)
    let width = Self.degeneracy * abs(vibrations.last ?? 1)
    for (index, value) in vibrations.enumerated() {
      let vector = Array(vectors.row(index))
      if value - last > width || groups.isEmpty {
        groups.append([vector])
      } else {
        groups[groups.count - 1].append(vector)
      }
      last = value
    }
    guard !groups.isEmpty else { return nil }
    self.groups = groups
  }

  /// How many modes differ in frequency.
  var distinctCount: Int { groups.count }

  /// Cartesian displacements along a mode, the largest of length one.
  ///
  /// A degenerate mode, and any index
  /// beyond the last, is a random combination.
  func displacement(_ index: Int, _ random: inout RandomStream) -> [Vector3] {
    let members =
      index < groups.count
      ? groups[index] : groups.prefix(Self.mixedGroups).flatMap { $0 }
    var sum = Array(repeating: 0.0, count: 3 * inverseRootMasses.count)
    for vector in members {
      let factor = members.count == 1 ? 1 : random.normal()
      for (i, value) in vector.enumerated() { sum[i] += factor * value }
    }
    var displacements = inverseRootMasses.indices.map { atom in
      inverseRootMasses[atom] * Vector3(sum[3 * atom], sum[3 * atom + 1], sum[3 * atom + 2])
    }
    // A solver may return either sign of a mode: the first large component is made positive.
    let largest = displacements.reduce(0) { max($0, $1.squaredLength) }.squareRoot()
    guard largest > 0 else { return displacements }
    var sign = 1.0
    search: for vector in displacements {
      for axis in 0..<3 where abs(vector[axis]) > 0.1 * largest {
        sign = vector[axis] < 0 ? -1 : 1
        break search
      }
    }
    for index in displacements.indices { displacements[index] *= sign / largest }
    return displacements
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

  private struct Bond {
    let first: Int
    let second: Int
    let vector: Vector3
    let strength: Double
  }

  private static func bonds(_ draft: Draft, _ radii: [Double]) -> [Bond] {
    let lattice = draft.lattice
    let heights = lattice.heights
    let range = heights.map { (cutoff / $0 + 0.5).rounded(.up) }
    var bonds: [Bond] = []
    let v = lattice.vectors
    for i in draft.positions.indices {
      for j in draft.positions.indices {
        var f = lattice.fractional(draft.positions[j] - draft.positions[i])
        f = f.map { $0 - $0.rounded() }
        let base = lattice.cartesian(f)
        for p in stride(from: -range.x, through: range.x, by: 1) {
          for q in stride(from: -range.y, through: range.y, by: 1) {
            let row = base + p * v.a + q * v.b
            for s in stride(from: -range.z, through: range.z, by: 1) {
              let d = row + s * v.c
              let square = d.squaredLength
              guard square < cutoff * cutoff, square > 1e-4 else { continue }
              let excess = square.squareRoot() - radii[i] - radii[j]
              bonds.append(
                Bond(first: i, second: j, vector: d, strength: exp(-excess / decay)))
            }
          }
        }
      }
    }
    return bonds
  }

  private static func dynamicalMatrix(
    _ draft: Draft, _ elements: [ChemicalElement], _ inverseRootMasses: [Double]
  ) -> Matrix {
    let count = elements.count
    let radii = elements.map(\.covalentRadius)
    let bonds = bonds(draft, radii)
    var totalStrength = Array(repeating: 0.0, count: count)
    for bond in bonds { totalStrength[bond.first] += bond.strength }
    var matrix = Matrix(rows: 3 * count, columns: 3 * count)
    for bond in bonds where bond.first != bond.second {
      let (i, j) = (bond.first, bond.second)
      let length = bond.vector.length
      let half = 0.5 * (length - radii[i] - radii[j])
      let chi = (
        0.481 * elements[i].valenceElectrons / max(0.1, radii[i] + half),
        0.481 * elements[j].valenceElectrons / max(0.1, radii[j] + half)
      )
      let numbers = (totalStrength[i] / bond.strength, totalStrength[j] / bond.strength)
      let spring = (chi.0 * chi.1 / (numbers.0 * numbers.1)).squareRoot()
      let n = bond.vector / length
      // Every bond is listed from both ends; each end fills its own rows.
      for a in 0..<3 {
        for b in 0..<3 {
          let value = spring * n[a] * n[b]
          matrix[3 * i + a, 3 * i + b] += value * inverseRootMasses[i] * inverseRootMasses[i]
          matrix[3 * i + a, 3 * j + b] -= value * inverseRootMasses[i] * inverseRootMasses[j]
        }
      }
    }
    return matrix
  }
}
