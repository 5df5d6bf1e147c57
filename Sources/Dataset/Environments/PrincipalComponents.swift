import NumericalCore

/// The directions in which observations spread most.
///
/// Every feature is standardised first: its mean over the observations is taken away and it is divided by its
/// standard deviation, because the values of basis functions differ by many orders of magnitude. Features that
/// do not vary are left out. So the components are the eigenvectors of the correlation matrix of the features (I. T.
/// Jolliffe, Principal Component Analysis, 2nd ed. (2002), section 2.3, doi:10.1007/b98835).
public struct PrincipalComponents: Sendable, Hashable {
  /// The mean of every feature.
  public let means: [Double]
  /// One over the standard deviation of every feature, 0 where it does not vary.
  public let scales: [Double]
  /// The directions as rows, in standardised features: the one of largest variance first.
  public let directions: Matrix
  /// The fraction of the variance that lies along each direction; all 0 where nothing varies.
  public let fractions: [Double]

  /// Finds the components.
  ///
  /// The largest element of a direction is positive, so that maps of the same data are not mirrored.
  ///
  /// - Parameters:
  ///   - observations: One row each, one column per feature; at least one row.
  ///   - count: How many directions are kept at most.
  /// - Throws: `LinearAlgebraError.notConverged`.
  /// - Complexity: O(rows × columns² + columns³)
  public init(of observations: Matrix, count: Int = 2) throws(LinearAlgebraError) {
    let (rows, columns) = (observations.rows, observations.columns)
    precondition(rows > 0 && columns > 0 && count > 0, "there is something to spread")
    var means = [Double](repeating: 0, count: columns)
    for i in 0..<rows { for j in 0..<columns { means[j] += observations[i, j] } }
    means = means.map { $0 / Double(rows) }
    var squares = [Double](repeating: 0, count: columns)
    var largest = squares
    for i in 0..<rows {
      for j in 0..<columns {
        let deviation = observations[i, j] - means[j]
        squares[j] += deviation * deviation
        largest[j] = max(largest[j], abs(observations[i, j]))
      }
    }
    let scales = (0..<columns).map { j in
      let deviation = (squares[j] / Double(rows)).squareRoot()
      // What equivalent atoms differ by is rounding.
      return deviation > 1e-10 * largest[j] ? 1 / deviation : 0
    }
    self.means = means
    self.scales = scales
    let standard = Self.standardised(observations, means, scales)
    var correlations = Matrix(rows: columns, columns: columns)
    LinearAlgebra.multiply(
      alpha: 1 / Double(rows), standard, transposeA: true, standard, into: &correlations)
    let (values, vectors) = try LinearAlgebra.symmetricEigen(correlations)
    let total = Double(scales.count { $0 > 0 })
    let kept = min(count, columns)
    var elements: [Double] = []
    for k in 0..<kept {
      let vector = Array(vectors.row(columns - 1 - k))
      // Elements of one size but for rounding must not decide by it.
      let size = vector.map(abs).max() ?? 0
      let first = vector.first { abs($0) > 0.999 * size } ?? 1
      elements += first < 0 ? vector.map { -$0 } : vector
    }
    directions = Matrix(rows: kept, columns: columns, elements: elements)
    fractions = (0..<kept).map { total > 0 ? max(0, values[columns - 1 - $0]) / total : 0 }
  }

  /// The coordinates of observations along the directions, in standard deviations of the features.
  ///
  /// - Parameter observations: One row each, of the same features.
  /// - Returns: One row each, one column per direction.
  public func projection(of observations: Matrix) -> Matrix {
    precondition(observations.columns == means.count, "the features are others")
    var result = Matrix(rows: observations.rows, columns: directions.rows)
    LinearAlgebra.multiply(
      Self.standardised(observations, means, scales), directions, transposeB: true, into: &result)
    return result
  }

  private static func standardised(
    _ observations: Matrix, _ means: [Double], _ scales: [Double]
  ) -> Matrix {
    var result = observations
    for i in 0..<observations.rows {
      for j in 0..<observations.columns {
        result[i, j] = (observations[i, j] - means[j]) * scales[j]
      }
    }
    return result
  }
}
