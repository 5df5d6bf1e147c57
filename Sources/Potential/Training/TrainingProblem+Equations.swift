import Crystal
import NumericalCore

extension TrainingProblem {
  /// The normal equations of one shard for a trainer's request: a pure function of the request and
  /// the shard's structures.
  ///
  /// A `TrainingWorkspace` computes many of them faster.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request, shard: Int
  ) throws(PotentialError) -> NormalEquations {
    try TrainingWorkspace(self).equations(for: request, shard: shard)
  }

  /// The normal equations of all shards, merged in their order, for a trainer's request.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request
  ) throws(PotentialError) -> NormalEquations {
    try TrainingWorkspace(self).equations(for: request)
  }
}

extension TrainingProblem {
  /// The gradient of the loss with respect to all parameters, (2/K) Jᵀ(Jθ − y), from equations that
  /// include the radial columns.
  package func lossGradient(
    of equations: NormalEquations, at potential: MomentTensorPotential
  ) -> [Double] {
    let label = equations.gram.rows - 1
    var linear = Array(potential.parameters.suffix(equations.linearCount))
    for (s, energy) in baseline.enumerated() { linear[s] -= energy }
    return (0..<label).map { i in
      var sum = -equations.gram[i, label]
      for (j, value) in linear.enumerated() {
        let column = equations.radialCount + j
        sum += equations.gram[min(i, column), max(i, column)] * value
      }
      return 2 * sum / Double(usedCount())
    }
  }
}
