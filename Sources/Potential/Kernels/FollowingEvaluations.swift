import Crystal

/// A potential of atoms' neighborhoods whose series may follow a structure with one neighbor list.
protocol FollowablePotential: InteratomicPotential {
  /// How far it sees, in Å.
  var reach: Double { get }

  /// Evaluates the one structure in a workspace's table.
  ///
  /// - Parameters:
  ///   - workspace: Receives the results.
  ///   - structureOf: Zeros, one for each atom.
  ///   - isFollowing: Whether the table's lists are those of the run before.
  func evaluate(_ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool)

  /// Takes the results of a structure from memory.
  ///
  /// - Throws: `PotentialError.notFinite` where atoms coincide.
  func result(
    of structure: Structure, species: [Int], _ memory: EvaluationMemory
  ) throws(PotentialError) -> Evaluation
}

extension NeighborTable {
  /// The table of a series reaches this much farther than the cutoff, in Å: a third more candidates, for moves that
  /// add up to half of it.
  package static let skin = 0.5
}

/// A series of evaluations that makes a neighbor list with a skin and uses it until an atom or the cell has moved
/// too far.
struct FollowingEvaluations<Potential: FollowablePotential>: EvaluationSeries {
  private let potential: Potential
  private var workspace = EvaluationWorkspace()
  private var species: [Int] = []
  private var elements: [ChemicalElement] = []
  private var structureOf: [Int32] = []

  init(_ potential: Potential) { self.potential = potential }

  mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    var isFollowing = false
    if structure.species == elements {
      isFollowing = workspace.table.follow(structure, within: potential.reach)
    } else {
      species = try structure.speciesIndices(among: potential.elements)
      elements = structure.species
      structureOf = [Int32](repeating: 0, count: species.count)
    }
    if !isFollowing {
      workspace.table.reset(
        cutoff: potential.reach + NeighborTable.skin, speciesCount: potential.elements.count)
      workspace.table.add(structure, species: species, isRemembered: true)
    }
    potential.evaluate(&workspace, structureOf: structureOf, isFollowing: isFollowing)
    return try potential.result(of: structure, species: species, workspace.memory)
  }
}
