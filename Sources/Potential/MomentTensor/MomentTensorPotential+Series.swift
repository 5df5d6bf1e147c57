import Crystal

extension MomentTensorPotential: FollowablePotential {
  /// Begins a series of evaluations that makes a neighbor list with a skin and uses it until an atom or
  /// the cell has moved too far.
  public func series() -> any EvaluationSeries { FollowingEvaluations(self) }

  var reach: Double { radialBasis.cutoff }

  func evaluate(
    _ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool
  ) {
    sweep.evaluate(&workspace, structureOf: structureOf, isFollowing: isFollowing)
  }

  func result(
    of structure: Structure, species: [Int], _ memory: EvaluationMemory
  ) throws(PotentialError) -> Evaluation {
    try evaluation(of: structure, species[...], memory, number: 0, firstAtom: 0)
  }
}
