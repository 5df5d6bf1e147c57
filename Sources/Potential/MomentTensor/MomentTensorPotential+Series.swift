import Crystal

extension MomentTensorPotential {
  /// A neighbor list of a series reaches this much farther than the cutoff, in Å: a third more candidates,
  /// for moves that add up to half of it.
  package static let neighborSkin = 0.5

  /// Begins a series of evaluations that makes a neighbor list with a skin and uses it until an atom or
  /// the cell has moved too far.
  public func series() -> any EvaluationSeries { FollowingEvaluations(self) }
}

/// Evaluations that follow a structure as it moves.
private struct FollowingEvaluations: EvaluationSeries {
  private let potential: MomentTensorPotential
  private let sweep: EvaluationSweep
  private var workspace = EvaluationWorkspace()
  private var species: [Int] = []
  private var elements: [ChemicalElement] = []
  private var structureOf: [Int32] = []

  init(_ potential: MomentTensorPotential) {
    self.potential = potential
    sweep = potential.sweep
  }

  mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let cutoff = potential.radialBasis.cutoff
    var isFollowing = false
    if structure.species == elements {
      isFollowing = workspace.table.follow(structure, within: cutoff)
    } else {
      species = try potential.speciesIndices(of: structure)
      elements = structure.species
      structureOf = [Int32](repeating: 0, count: species.count)
    }
    if !isFollowing {
      workspace.table.reset(
        cutoff: cutoff + MomentTensorPotential.neighborSkin, speciesCount: potential.speciesCount)
      workspace.table.add(structure, species: species, isRemembered: true)
    }
    sweep.evaluate(&workspace, structureOf: structureOf, isFollowing: isFollowing)
    return try potential.evaluation(
      of: structure, species[...], workspace.memory, number: 0, firstAtom: 0)
  }
}
