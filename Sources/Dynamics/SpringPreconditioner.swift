import Crystal
import Foundation
import NumericalCore

/// A model Hessian for atoms and cell together: isotropic springs between neighbors, stiffer the
/// closer they are.
///
/// D. Packwood et al., J. Chem. Phys. 144, 164109 (2016), doi:10.1063/1.4947024, eq. 8: the spring
/// between i and j is exp(−A (r/r₀ − 1)). We take r₀ as the sum of the covalent radii, not one length
/// for all pairs. A pair vector changes by Δ = u_j − u_i + r ε, so the same springs ½k|Δ|² give the
/// strain block and its coupling to the atoms, and no separate cell scaling is needed. Isotropic
/// springs treat the three components alike: one matrix of N + 3 rows serves all of them.
struct SpringPreconditioner {
  /// Lower triangle of the Cholesky factor, row by row.
  private var factor: [Double]
  private let size: Int
  private let atoms: Int

  /// Builds and factors the matrix.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - hasStrain: Whether the cell takes part.
  init(_ structure: Structure, hasStrain: Bool) {
    let atoms = structure.atomCount
    let radii = structure.species.map(\.covalentRadius)
    let reach = Self.range * 2 * (radii.max() ?? 1)
    let list = NeighborList(structure, cutoff: reach)
    self.atoms = atoms
    size = atoms + (hasStrain ? 3 : 0)
    var matrix = [Double](repeating: 0, count: size * size)
    for i in 0..<atoms {
      for place in list.neighbors(of: i) {
        let j = Int(list.indices[place])
        let d = list.displacements[place]
        let ratio = d.length / (radii[i] + radii[j])
        if ratio > Self.range { continue }
        // Every pair is met twice.
        let k = 0.5 * exp(-3 * max(ratio - 1, -0.3))
        matrix[i * size + i] += k
        matrix[j * size + j] += k
        matrix[i * size + j] -= k
        matrix[j * size + i] -= k
        guard hasStrain else { continue }
        for a in 0..<3 {
          let row = atoms + a
          matrix[row * size + i] -= k * d[a]
          matrix[row * size + j] += k * d[a]
          for b in 0...a { matrix[row * size + atoms + b] += k * d[a] * d[b] }
        }
      }
    }
    var trace = 0.0
    for i in 0..<atoms { trace += matrix[i * size + i] }
    // Uniform translation and lone atoms need some stiffness of their own.
    let floor = trace > 0 ? 0.05 * trace / Double(atoms) : 1
    for i in 0..<atoms { matrix[i * size + i] += floor }
    let cellFloor = floor * Double(atoms)
    for row in atoms..<size { matrix[row * size + row] += cellFloor }
    factor = matrix
    decompose()
  }

  /// Springs reach to this multiple of the sum of the covalent radii.
  private static let range = 2.0

  private mutating func decompose() {
    let n = size
    factor.withUnsafeMutableBufferPointer { l in
      for j in 0..<n {
        var diagonal = l[j * n + j]
        for k in 0..<j { diagonal -= l[j * n + k] * l[j * n + k] }
        // The matrix is positive definite by construction; rounding may touch it for very large cells.
        let root = max(diagonal, 1e-12).squareRoot()
        l[j * n + j] = root
        for i in j + 1..<max(n, j + 1) {
          var sum = l[i * n + j]
          for k in 0..<j { sum -= l[i * n + k] * l[j * n + k] }
          l[i * n + j] = sum / root
        }
      }
    }
  }

  /// Solves M z = v for a vector of positions and, where the cell takes part, strain rows.
  ///
  /// - Parameter vector: 3(N + 3) numbers: positions of all atoms, then the rows of the strain.
  func solve(_ vector: inout [Double]) {
    let n = size
    factor.withUnsafeBufferPointer { l in
      vector.withUnsafeMutableBufferPointer { v in
        for component in 0..<3 {
          for i in 0..<n {
            var sum = v[3 * i + component]
            for k in 0..<i { sum -= l[i * n + k] * v[3 * k + component] }
            v[3 * i + component] = sum / l[i * n + i]
          }
          for i in stride(from: n - 1, through: 0, by: -1) {
            var sum = v[3 * i + component]
            for k in i + 1..<max(n, i + 1) { sum -= l[k * n + i] * v[3 * k + component] }
            v[3 * i + component] = sum / l[i * n + i]
          }
        }
        for i in 3 * n..<max(v.count, 3 * n) { v[i] = 0 }
      }
    }
  }
}
