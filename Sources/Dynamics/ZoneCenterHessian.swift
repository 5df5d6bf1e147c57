import Crystal
import NumericalCore
import Potential

/// Second derivatives of a crystal's energy with respect to its atoms at fixed cell: vibrations at Γ.
///
/// By central differences of forces, Φ_ij = −(F_j(+h) − F_j(−h))/2h, made symmetric.
public struct ZoneCenterHessian: Sendable {
  /// The elements of the atoms.
  public let species: [ChemicalElement]
  /// The force constants in eV/Å², of order 3N; the coordinate of atom i along axis a is 3i + a.
  public let forceConstants: Matrix
  /// How many evaluations it took.
  public let evaluations: Int

  /// Differentiates the forces of a structure.
  ///
  /// - Parameters:
  ///   - structure: The structure; its forces need not vanish.
  ///   - potential: The potential.
  ///   - step: The displacement h in Å.
  /// - Throws: `PotentialError` where a displaced structure cannot be evaluated or a force is not finite.
  /// - Complexity: 6N evaluations.
  public init(
    of structure: Structure, with potential: any InteratomicPotential, step: Double = 0.005
  ) throws(PotentialError) {
    precondition(step > 0, "a displacement is positive")
    let order = 3 * structure.atomCount
    var series = potential.series()
    var matrix = Matrix(rows: order, columns: order)
    var positions = structure.positions
    for coordinate in 0..<order {
      let (atom, axis) = (coordinate / 3, coordinate % 3)
      let rest = positions[atom]
      for sign in [1.0, -1.0] {
        positions[atom][axis] = rest[axis] + sign * step
        let moved = try series.evaluation(of: structure.replacing(positions: positions))
        guard moved.isFinite() else { throw .notFinite("a force of a displaced structure") }
        for (other, force) in moved.forces.enumerated() {
          for b in 0..<3 { matrix[coordinate, 3 * other + b] -= sign * force[b] / (2 * step) }
        }
      }
      positions[atom] = rest
    }
    for row in 0..<order {
      for column in 0..<row {
        let mean = 0.5 * (matrix[row, column] + matrix[column, row])
        matrix[row, column] = mean
        matrix[column, row] = mean
      }
    }
    species = structure.species
    forceConstants = matrix
    evaluations = 2 * order
  }

  /// A vibration.
  public struct Mode: Sendable {
    /// ω² in eV/(Å² amu); negative at a saddle.
    public let eigenvalue: Double
    /// The displacement of every atom, e_i/√m_i with the eigenvector e of length one.
    public let displacements: [Vector3]
  }

  /// The softest vibrations, translations left out.
  ///
  /// - Parameter count: How many at most.
  /// - Returns: Modes in ascending order of their eigenvalues; none of a single atom.
  /// - Throws: `LinearAlgebraError` where the eigenvalues are not found.
  public func softestModes(_ count: Int) throws(LinearAlgebraError) -> [Mode] {
    let atoms = species.count
    guard atoms > 1 else { return [] }
    let rootMasses = species.map { $0.mass.squareRoot() }
    let total = species.reduce(0.0) { $0 + $1.mass }
    var matrix = forceConstants
    var bound = 0.0
    for row in 0..<3 * atoms {
      var sum = 0.0
      for column in 0..<3 * atoms {
        matrix[row, column] /= rootMasses[row / 3] * rootMasses[column / 3]
        sum += abs(matrix[row, column])
      }
      bound = max(bound, sum)
    }
    Self.liftTranslations(&matrix, rootMasses, total, by: bound)
    let (values, vectors) = try LinearAlgebra.symmetricEigen(matrix)
    // The translations lie above all others now.
    return (0..<min(count, 3 * atoms - 3)).map { mode in
      Mode(
        eigenvalue: values[mode],
        displacements: rootMasses.enumerated().map { atom, root in
          1 / root
            * Vector3(
              vectors[mode, 3 * atom], vectors[mode, 3 * atom + 1], vectors[mode, 3 * atom + 2])
        })
    }
  }

  /// Projects the mass-weighted translations t out of the matrix, (1 − tt) D (1 − tt), and gives them
  /// an eigenvalue above all others.
  private static func liftTranslations(
    _ matrix: inout Matrix, _ rootMasses: [Double], _ total: Double, by bound: Double
  ) {
    let order = matrix.rows
    for axis in 0..<3 {
      let t = (0..<order).map { $0 % 3 == axis ? rootMasses[$0 / 3] / total.squareRoot() : 0 }
      let product = (0..<order).map { row in
        (0..<order).reduce(0.0) { $0 + matrix[row, $1] * t[$1] }
      }
      let diagonal = zip(t, product).reduce(0.0) { $0 + $1.0 * $1.1 }
      for row in 0..<order {
        for column in 0..<order {
          matrix[row, column] +=
            (diagonal + 2 * bound) * t[row] * t[column] - t[row] * product[column]
            - product[row] * t[column]
        }
      }
    }
  }
}
