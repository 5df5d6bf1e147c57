import NumericalCore

/// What a training makes of the values of an element's symmetry functions before its network sees them, x = T (G − μ):
/// the training set's x are uncorrelated, of mean 0 and variance about 1.
///
/// Functions are divided by their standard deviations; of their correlations the principal components are taken, divided by
/// the square root of their variances λ + ε. Without that, steps of gradients would take thousands of times
/// longer along some of them than along others.
struct InputTransform: Sendable, Hashable {
  /// μ, the mean of each function.
  let centers: [Double]
  /// The standard deviation of each function.
  let deviations: [Double]
  /// T.
  private let matrix: Matrix
  private let inverse: Matrix
  /// T μ.
  private let origin: [Double]

  /// Deviations below this count as this much: what never changes in the training set may elsewhere.
  private static let smallestDeviation = 1e-3

  /// Takes the means and correlations of a training set.
  ///
  /// - Parameters:
  ///   - moments: Sums over its atoms.
  ///   - regularisation: ε, relative to the variance 1 of each function.
  /// - Throws: `PotentialError.training` where the principal components cannot be found.
  init(_ moments: InputMoments, regularisation: Double) throws(PotentialError) {
    let count = moments.sums.count
    let atoms = Double(max(1, moments.count))
    let means = moments.sums.map { $0 / atoms }
    centers = (0..<count).map { moments.origin[$0] + means[$0] }
    var correlations = Matrix(rows: count, columns: count)
    for i in 0..<count {
      for j in 0..<count {
        let product = moments.products[min(i, j), max(i, j)]
        correlations[i, j] = product / atoms - means[i] * means[j]
      }
    }
    let deviations = (0..<count).map {
      max(Self.smallestDeviation, max(0, correlations[$0, $0]).squareRoot())
    }
    for i in 0..<count {
      for j in 0..<count { correlations[i, j] /= deviations[i] * deviations[j] }
    }
    let values: [Double]
    let vectors: Matrix
    do { (values, vectors) = try LinearAlgebra.symmetricEigen(correlations) } catch {
      throw .training("the principal components of the symmetry functions: \(error)")
    }
    var matrix = Matrix(rows: count, columns: count)
    var inverse = matrix
    for k in 0..<count {
      let size = (max(0, values[k]) + regularisation).squareRoot()
      // The sign of an eigenvector is anybody's choice.
      let largest = (0..<count).max { abs(vectors[k, $0]) < abs(vectors[k, $1]) } ?? 0
      let sign = vectors[k, largest] < 0 ? -1.0 : 1.0
      for j in 0..<count {
        matrix[k, j] = sign * vectors[k, j] / (size * deviations[j])
        inverse[j, k] = sign * vectors[k, j] * size * deviations[j]
      }
    }
    self.deviations = deviations
    self.matrix = matrix
    self.inverse = inverse
    origin = Self.product(matrix, centers)
  }

  private static func product(_ matrix: Matrix, _ vector: [Double]) -> [Double] {
    (0..<matrix.rows).map { i in
      (0..<matrix.columns).reduce(0) { $0 + matrix[i, $1] * vector[$1] }
    }
  }

  /// The network of the functions themselves that a network of x is.
  func folded(_ network: NeuralNetwork) -> NeuralNetwork {
    let first = network.layers[0]
    var weights = Matrix(rows: first.nodeCount, columns: first.inputCount)
    LinearAlgebra.multiply(
      Matrix(rows: first.nodeCount, columns: first.inputCount, elements: first.weights), matrix,
      into: &weights)
    var result = network
    result.setFirstLayer(
      weights: weights.elements,
      biases: zip(first.biases, Self.product(weights, centers)).map { $0 - $1 })
    return result
  }

  /// The network of x that a network of the functions is.
  func unfolded(_ network: NeuralNetwork) -> NeuralNetwork {
    let first = network.layers[0]
    let folded = Matrix(rows: first.nodeCount, columns: first.inputCount, elements: first.weights)
    var weights = folded
    LinearAlgebra.multiply(folded, inverse, into: &weights)
    var result = network
    result.setFirstLayer(
      weights: weights.elements,
      biases: zip(first.biases, Self.product(folded, centers)).map { $0 + $1 })
    return result
  }

  /// Changes derivatives with respect to the first layer of a folded network to those of the network of x.
  ///
  /// - Parameters:
  ///   - gradient: Derivatives in the order of `NeuralNetwork.parameters`.
  ///   - nodes: The nodes of the first layer.
  func unfold(_ gradient: inout [Double], nodes: Int) {
    let inputs = centers.count
    // With F = W T and b' = b − F μ: dL/dW = (dL/dF − dL/db' μᵀ) Tᵀ = dL/dF Tᵀ − dL/db' (T μ)ᵀ.
    let folded = Matrix(
      rows: nodes, columns: inputs, elements: Array(gradient[..<(nodes * inputs)]))
    var own = folded
    LinearAlgebra.multiply(folded, matrix, transposeB: true, into: &own)
    for node in 0..<nodes {
      let bias = gradient[nodes * inputs + node]
      for k in 0..<inputs {
        gradient[node * inputs + k] = own.elements[node * inputs + k] - bias * origin[k]
      }
    }
  }
}

/// Sums over the atoms of an element that tell the means and correlations of their symmetry functions.
struct InputMoments: Sendable {
  /// The values of the first atom: all others count from there.
  private(set) var origin: [Double] = []
  /// Σ (G − origin).
  private(set) var sums: [Double] = []
  /// Σ (G − origin)(G − origin)ᵀ, the upper triangle.
  private(set) var products = Matrix(rows: 0, columns: 0)
  /// The number of atoms.
  private(set) var count = 0

  /// Adds atoms.
  ///
  /// - Parameter values: One row for each, of all functions.
  mutating func add(_ values: Matrix) {
    guard values.rows > 0 else { return }
    if count == 0 {
      origin = (0..<values.columns).map { values[0, $0] }
      sums = [Double](repeating: 0, count: values.columns)
      products = Matrix(rows: values.columns, columns: values.columns)
    }
    var shifted = values
    for row in 0..<values.rows {
      for column in 0..<values.columns {
        let difference = values[row, column] - origin[column]
        shifted[row, column] = difference
        sums[column] += difference
      }
    }
    LinearAlgebra.addGram(of: shifted, rowCount: shifted.rows, to: &products)
    count += values.rows
  }
}
