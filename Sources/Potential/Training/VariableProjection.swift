import NumericalCore

/// The mathematics of one Levenberg–Marquardt iteration on the radial coefficients.
///
/// The linear ones are eliminated: variable projection, G. H. Golub & V. Pereyra, SIAM J. Numer. Anal. 10,
/// 413 (1973), doi:10.1137/0710036, with Kaufman's Jacobian, which drops the second-order term: L. Kaufman,
/// BIT 15, 49 (1975), doi:10.1007/BF01932995.
enum VariableProjection {
  /// The best linear coefficients and what they leave.
  struct LinearSolution {
    var coefficients: [Double]
    /// Sum of squared weighted residuals.
    var residualSquare: Double
    /// The ridge that made the matrix positive definite.
    var ridge: Double
  }

  /// The reduced Gauss–Newton problem in the radial coefficients.
  struct ReducedSystem {
    var matrix: Matrix
    var gradient: [Double]
  }

  /// Solves the linear least squares problem by Cholesky factorisation of the column-scaled Gram
  /// matrix with a relative ridge: exact dependencies (one at level 16) and absent species give a
  /// solution of small norm instead of a failure.
  static func solveLinear(
    _ equations: NormalEquations, ridge: Double
  ) throws(PotentialError) -> LinearSolution {
    let gram = equations.linearBlock()
    let labels = equations.linearLabels()
    let scales = columnScales(of: gram)
    let right = Matrix(
      rows: labels.count, columns: 1, elements: zip(labels, scales).map { $0 * $1 })
    let (solution, used) = try solveScaled(gram, scales, right, ridge: ridge)
    let coefficients = zip(solution.elements, scales).map { $0 * $1 }
    return LinearSolution(
      coefficients: coefficients,
      residualSquare: residual(equations.labelSquare, gram, labels, coefficients), ridge: used)
  }

  // yᵀy − 2 ξᵀb + ξᵀGξ, not below the roundoff of its first term.
  private static func residual(
    _ square: Double, _ gram: Matrix, _ labels: [Double], _ x: [Double]
  ) -> Double {
    var sum = square
    for i in x.indices {
      var product = 0.0
      for j in x.indices { product += gram[i, j] * x[j] }
      sum += x[i] * (product - 2 * labels[i])
    }
    return max(sum, 0)
  }

  /// Eliminates the linear coefficients: H = RᵀR − RᵀL (LᵀL)⁻¹ LᵀR, g = Rᵀ(y − Lξ).
  static func reduce(
    _ equations: NormalEquations, linear: LinearSolution
  ) throws(PotentialError) -> ReducedSystem {
    let count = equations.radialCount
    let mixed = equations.mixedBlock()
    let gram = equations.linearBlock()
    let scales = columnScales(of: gram)
    var scaled = mixed
    for i in 0..<mixed.rows { for j in 0..<count { scaled[i, j] *= scales[i] } }
    let (solution, _) = try solveScaled(gram, scales, scaled, ridge: linear.ridge)
    var matrix = equations.radialBlock()
    LinearAlgebra.multiply(
      alpha: -1, scaled, transposeA: true, solution, beta: 1, into: &matrix)
    var gradient = equations.radialLabels()
    for i in 0..<mixed.rows {
      for j in 0..<count { gradient[j] -= mixed[i, j] * linear.coefficients[i] }
    }
    return ReducedSystem(matrix: matrix, gradient: gradient)
  }

  // Columns without data keep scale 1: only the ridge, relative to 1, holds them, at zero. Columns that
  // vanish by symmetry but for roundoff must not be blown up to the size of the others.
  private static func columnScales(of gram: Matrix) -> [Double] {
    let diagonal = (0..<gram.rows).map { gram[$0, $0] }
    let floor = roundoffSquare * (diagonal.max() ?? 0)
    return diagonal.map { $0 > 0 ? 1 / max($0, floor).squareRoot() : 1 }
  }

  // Squared norms of columns below this fraction of the largest are roundoff.
  private static let roundoffSquare = 1e-26

  private static func solveScaled(
    _ gram: Matrix, _ scales: [Double], _ right: Matrix, ridge: Double
  ) throws(PotentialError) -> (solution: Matrix, ridge: Double) {
    var used = ridge
    while used < 1 {
      var scaled = gram
      for i in 0..<gram.rows {
        for j in 0..<gram.rows { scaled[i, j] *= scales[i] * scales[j] }
        scaled[i, i] += used
      }
      if let solution = try? LinearAlgebra.solvePositiveDefinite(scaled, right),
        solution.elements.allSatisfy(\.isFinite)
      {
        return (solution, used)
      }
      // Roundoff made the matrix indefinite: a hundred times the ridge, until it is not.
      used *= 100
    }
    throw .training("the normal equations hold numbers that are not finite")
  }

  /// The step (H + λD)⁻¹ g orthogonal to the gauge directions, D the diagonal of H with a floor of
  /// `scalingFloor` of its maximum (Marquardt), and the decrease of the residual square it predicts.
  static func step(
    _ system: ReducedSystem, damping: Double, scalingFloor: Double = 1e-3,
    projection: ([Double]) -> [Double]
  ) -> (step: [Double], predictedDecrease: Double)? {
    let n = system.gradient.count
    guard n > 0 else { return nil }
    // P H P + s (1 − P): gauge directions decouple from the others and carry no gradient.
    var projected = Matrix(rows: n, columns: n)
    for i in 0..<n {
      let row = projection(Array(system.matrix.row(i)))
      projected.elements.replaceSubrange(i * n..<(i + 1) * n, with: row)
    }
    projected = projected.transposed()
    for i in 0..<n {
      let row = projection(Array(projected.row(i)))
      projected.elements.replaceSubrange(i * n..<(i + 1) * n, with: row)
    }
    let gradient = projection(system.gradient)
    let diagonal = (0..<n).map { projected[$0, $0] }
    let largest = diagonal.max() ?? 0
    guard largest > 0, largest.isFinite else { return nil }
    var damped = projected
    for i in 0..<n {
      var unit = [Double](repeating: 0, count: n)
      unit[i] = 1
      let kept = projection(unit)
      for j in 0..<n { damped[i, j] += largest * ((i == j ? 1 : 0) - kept[j]) }
      damped[i, i] += damping * max(diagonal[i], scalingFloor * largest)
    }
    for i in 0..<n {
      for j in 0..<i {
        let mean = 0.5 * (damped[i, j] + damped[j, i])
        damped[i, j] = mean
        damped[j, i] = mean
      }
    }
    let right = Matrix(rows: n, columns: 1, elements: gradient)
    guard let solution = try? LinearAlgebra.solvePositiveDefinite(damped, right),
      solution.elements.allSatisfy(\.isFinite)
    else { return nil }
    let step = projection(solution.elements)
    return (step, predictedDecrease(of: step, projected, gradient))
  }

  static func predictedDecrease(
    of step: [Double], _ matrix: Matrix, _ gradient: [Double]
  ) -> Double {
    var decrease = 0.0
    for i in step.indices {
      var product = 0.0
      for j in step.indices { product += matrix[i, j] * step[j] }
      decrease += step[i] * (2 * gradient[i] - product)
    }
    return decrease
  }
}
