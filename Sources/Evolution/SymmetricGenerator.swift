import Crystal
import NumericalCore

/// Random structures with a given space group, made by placing atoms on Wyckoff positions.
///
/// The composition counts atoms of the primitive cell; positions are drawn in the conventional cell
/// and the structure is written in the primitive one. All feasible groups are drawn alike, and a hard one
/// has many lattices before another group takes its place. The tables of a group and the ways in which it can hold a composition are derived once and kept; what is kept
/// never changes what is drawn.
struct SymmetricGenerator {
  private var tables = [WyckoffTable?](repeating: nil, count: 231)
  private var freePositions = [FreePositions?](repeating: nil, count: 231)
  private var feasibility: [Feasibility] = []
  private var placement = OrbitPlacement()

  /// What is known of one composition: for every group not asked yet, infeasible, or its choices.
  private struct Feasibility {
    let counts: [Int]
    var choices = [OrbitChoice??](repeating: nil, count: 231)
  }

  /// Compositions that are remembered; searches over variable composition meet many.
  private static let rememberedCompositions = 16
  /// Free positions are counted for at least so many atoms of an element at once.
  private static let usualCount = 64

  /// The retry ladder: coordinates, then positions, then lattice, then (by the caller) group.
  ///
  /// Every new lattice lowers the demand on distances until the limits alone are left for the last ones.
  private enum Ladder {
    static let pointsPerOrbit = 12
    static let coordinateTries = 2
    static let positionTries = 3
    static let latticeTries = 100
    static let demandingLattices = 8
    static let groups = 16
    static let groupsPerVolume = 4
    static let volumeGrowth = 1.1
  }

  /// The positions of a group.
  mutating func table(of group: Int) -> WyckoffTable {
    if let known = tables[group] { return known }
    guard let spaceGroup = SpaceGroup(number: group) else {
      preconditionFailure("space groups run from 1 to 230")
    }
    let derived = WyckoffTable(spaceGroup)
    tables[group] = derived
    return derived
  }

  /// Whether a group can hold the counts in its primitive cell.
  mutating func canHold(_ counts: [Int], in group: Int) -> Bool {
    choice(counts, group) != nil
  }

  private mutating func choice(_ counts: [Int], _ group: Int) -> OrbitChoice? {
    let place: Int
    if let known = feasibility.firstIndex(where: { $0.counts == counts }) {
      place = known
    } else {
      if feasibility.count == Self.rememberedCompositions { feasibility.removeFirst() }
      feasibility.append(Feasibility(counts: counts))
      place = feasibility.count - 1
    }
    if let known = feasibility[place].choices[group] { return known }
    let table = table(of: group)
    let found = OrbitChoice(
      counts: counts, in: table, free: free(table, group, upTo: counts.max() ?? 0))
    feasibility[place].choices[group] = .some(found)
    return found
  }

  private mutating func free(_ table: WyckoffTable, _ group: Int, upTo count: Int) -> FreePositions
  {
    if let known = freePositions[group], known.largestTotal >= count { return known }
    let counted = FreePositions(table, upTo: max(count, Self.usualCount))
    freePositions[group] = counted
    return counted
  }

  /// Makes a structure of a random group among those allowed, in bounded work; large ones now and then
  /// of subcells.
  mutating func structure(
    of composition: Composition, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> BreedingOutcome {
    if composition.atomCount > settings.atomsPerPlainCell,
      random.uniform() < settings.subcellShare,
      let made = subcellStructure(
        of: composition, volumePerAtom: volumePerAtom, settings, &random)
    {
      return made
    }
    return plainStructure(of: composition, volumePerAtom: volumePerAtom, settings, &random)
  }

  /// Makes a structure by the first recipe that works; `nil` where none does.
  mutating func structure(
    of composition: Composition, recipes: [RandomRecipe], volumePerAtom: Double,
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome? {
    for recipe in recipes where settings.spaceGroups.contains(recipe.spaceGroup) {
      var own = settings
      own.spaceGroups = [recipe.spaceGroup]
      let outcome =
        recipe.copies == 1
        ? plainStructure(of: composition, volumePerAtom: volumePerAtom, own, &random)
        : subcellStructure(
          of: composition, copies: recipe.copies, volumePerAtom: volumePerAtom, own, &random)
      if let outcome, case .offspring = outcome { return outcome }
    }
    return nil
  }

  /// Makes a structure of a random group among those allowed.
  mutating func plainStructure(
    of composition: Composition, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> BreedingOutcome {
    var groups = settings.spaceGroups
    var tried = 0
    var volume =
      volumePerAtom * random.uniform(1 - settings.volumeSpread, 1 + settings.volumeSpread)
    while !groups.isEmpty, tried < Ladder.groups {
      let pick = random.integer(below: groups.count)
      let group = groups[pick]
      guard canHold(composition.counts, in: group) else {
        groups.swapAt(pick, groups.count - 1)
        groups.removeLast()
        continue
      }
      if let made = structure(
        of: composition, group: group, volumePerAtom: volume, settings, &random)
      {
        return .offspring(
          made, description: "random structure, space group \(group)",
          recipe: RandomRecipe(spaceGroup: group))
      }
      tried += 1
      if tried % Ladder.groupsPerVolume == 0 { volume *= Ladder.volumeGrowth }
    }
    return .rejected(tried == 0 ? .noFeasibleSpaceGroup : .minimumDistances)
  }

  /// Makes a structure of one group.
  ///
  /// - Returns: `nil` where the ladder's tries are used up or the group cannot hold the composition.
  mutating func structure(
    of composition: Composition, group: Int, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> Structure? {
    guard let choice = choice(composition.counts, group) else { return nil }
    let table = table(of: group)
    let demand = Spacing(&random).demand
    let spacing = SpacingRange(
      composition, limits: settings.minimumDistances, volumePerAtom: volumePerAtom)
    let volume =
      volumePerAtom * Double(composition.atomCount) * Double(table.cellsPerConventionalCell)
    for lattice in 0..<Ladder.latticeTries {
      guard
        let conventional = RandomLattice.lattice(group: group, volume: volume, &random),
        // A flat cell is one more failed try.
        let primitive = try? Lattice(table.primitiveBasis * conventional.vectors).niggliReduced(),
        CellShape.violation(of: primitive, settings) == nil
      else { continue }
      let share = max(0, 1 - Double(lattice) / Double(Ladder.demandingLattices))
      let distances = DistanceGuard(
        lattice: primitive, speciesCount: composition.elements.count,
        limits: spacing.limits(demand: demand * share))
      guard composition.elements.indices.allSatisfy(distances.allowsImages) else { continue }
      placement.begin(table, conventional: conventional.vectors, lattice: primitive)
      for _ in 0..<Ladder.positionTries {
        let orbits = choice.draw(&random).enumerated().sorted {
          let (m, n) = (
            table.positions[$0.element.position].multiplicity,
            table.positions[$1.element.position].multiplicity
          )
          return (-m, $0.offset) < (-n, $1.offset)
        }.map(\.element)
        let hasFreedom = orbits.contains { table.positions[$0.position].dimension > 0 }
        for _ in 0..<(hasFreedom ? Ladder.coordinateTries : 1) {
          guard place(orbits, table, distances, &random),
            let structure = placement.structure(composition.elements, in: primitive),
            !CellShape.hasVacuum(structure, thickerThan: settings.largestGap)
          else { continue }
          return structure
        }
      }
    }
    return nil
  }

  private mutating func place(
    _ orbits: [(element: Int, position: Int)], _ table: WyckoffTable, _ distances: DistanceGuard,
    _ random: inout RandomStream
  ) -> Bool {
    placement.clear()
    return orbits.allSatisfy { orbit in
      let position = table.positions[orbit.position]
      let tries = position.dimension > 0 ? Ladder.pointsPerOrbit : 1
      for _ in 0..<tries {
        if placement.place(orbit.element, on: position, distances, &random) { return true }
      }
      return false
    }
  }
}
