import NumericalCore

/// The eigenvalues and axes of a symmetric matrix, to apply functions to it.
struct PrincipalValues {
  private let values: Vector3
  /// Unit vectors as rows.
  private let axes: Matrix3

  /// Finds them.
  ///
  /// - Throws: `LinearAlgebraError` where the matrix is not finite.
  init(of matrix: Matrix3) throws(LinearAlgebraError) {
    let rows = [matrix.a, matrix.b, matrix.c]
    let elements = rows.flatMap { [$0.x, $0.y, $0.z] }
    guard matrix.isFinite else { throw .notConverged(routine: "dsyev") }
    let eigen = try LinearAlgebra.symmetricEigen(Matrix(rows: 3, columns: 3, elements: elements))
    func row(_ i: Int) -> Vector3 {
      Vector3(eigen.vectors[i, 0], eigen.vectors[i, 1], eigen.vectors[i, 2])
    }
    values = Vector3(eigen.values[0], eigen.values[1], eigen.values[2])
    axes = Matrix3(rows: row(0), row(1), row(2))
  }

  /// The matrix with the same axes whose eigenvalues are a function of these.
  func function(_ function: (Double) -> Double) -> Matrix3 {
    axes.transposed * (Matrix3(diagonal: values.map(function)) * axes)
  }
}
