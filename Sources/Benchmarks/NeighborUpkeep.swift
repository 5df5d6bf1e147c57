import Crystal
import Potential

/// What keeping neighbors costs along a trajectory, apart from the evaluations that do the same.
struct NeighborUpkeep {
  /// Processor seconds so far.
  private(set) var seconds = 0.0
  /// How often the neighbors were found anew.
  private(set) var searches = 0
  private var table = NeighborTable()
  private let cutoff: Double
  private let species: [Int]
  private let speciesCount: Int

  /// Prepares the neighbors that a potential needs.
  init(_ potential: MomentTensorPotential, of structure: Structure) {
    cutoff = potential.radialBasis.cutoff
    speciesCount = potential.elements.count
    species = structure.species.map { potential.elements.firstIndex(of: $0) ?? 0 }
  }

  /// Goes on to the next structure, as a series of evaluations does.
  mutating func follow(_ structure: Structure) {
    let start = Stopwatch.processorSeconds()
    if !table.follow(structure, within: cutoff) {
      table.reset(
        cutoff: cutoff + NeighborTable.skin, speciesCount: speciesCount)
      table.add(structure, species: species, isRemembered: true)
      searches += 1
    }
    seconds += Stopwatch.processorSeconds() - start
  }
}
