import NumericalCore

extension RadialGauge {
  /// The gauge of a potential's radial functions.
  init(of potential: MomentTensorPotential) {
    self.init(
      speciesCount: potential.speciesCount, functionCount: potential.radialFunctionCount,
      basisSize: potential.radialBasis.size)
  }

  /// Orthonormal starting coefficients.
  func start(_ start: TrainingStart, current: MomentTensorPotential) -> [Double] {
    var coefficients = [Double](repeating: 0, count: count)
    for mu in 0..<functionCount { set(chebyshevRow(mu), mu, in: &coefficients) }
    switch start {
    case .chebyshev: break
    case .random(let seed):
      // An admixture of 0.3 of the norm of the Chebyshev row, 0.3 / √R per coefficient: enough to
      // reach other minima; of equal size it often ends in worse ones (level 16, molybdenum).
      var random = RandomStream(seed: seed, purpose: .trainingStart)
      let size = 0.3 / Double(basisSize).squareRoot()
      for i in coefficients.indices { coefficients[i] += size * random.normal() }
    case .current: coefficients = Array(current.parameters.prefix(count))
    }
    return orthonormalized(coefficients)
  }

  /// The rows of a lower level followed by Chebyshev polynomials, orthonormal.
  func continuing(_ coefficients: [Double], of lower: RadialGauge) -> [Double] {
    var result = [Double](repeating: 0, count: count)
    for mu in 0..<functionCount {
      let row = mu < lower.functionCount ? lower.row(mu, of: coefficients) : chebyshevRow(mu)
      set(row, mu, in: &result)
    }
    return orthonormalized(result)
  }
}
