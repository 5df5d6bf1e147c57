import Crystal
import NumericalCore

/// Makes children: a pure function of the order, the settings and the random stream.
///
/// What a breeder keeps between orders (tables of space groups, what follows from the last parents) saves
/// time and changes no result.
public struct Breeder: Sendable {
  private var generator = SymmetricGenerator()
  private var topologies = TopologicalGenerator()
  var symmetries = KnownSymmetries()
  /// What is known of the last parents: several children are bred of one order.
  private var lastParents: KnownParents?

  private struct KnownParents {
    let parents: [Parent]
    let elements: [ChemicalElement]
    let distances: [Double]
    /// Those of the first parent's bond-strength model, once they were asked for.
    var modes: VibrationalModes??
  }

  /// Creates a breeder that knows no space group yet.
  public init() {}

  /// Makes the child of an order in bounded work.
  ///
  /// - Parameters:
  ///   - order: What to make.
  ///   - settings: The campaign's rules and operator parameters.
  ///   - random: The candidate's own stream.
  /// - Returns: A child in a reduced cell with exactly the order's composition, its atoms grouped in
  ///   the composition's order, all minimum distances kept; or why there is none.
  public mutating func breed(
    _ order: BreedingOrder, settings: BreedingSettings, random: inout RandomStream
  ) -> BreedingOutcome {
    // The generators see to the spacing themselves.
    if order.kind.parentCount == 0 {
      return child(order, settings, &random)
    }
    var spacing = Spacing(&random)
    let inherited = inheritedDistances(order)
    while true {
      var wide = settings
      wide.minimumDistances = spacing.distances(
        order.composition, limits: settings.minimumDistances, inherited: inherited)
      // A wide demand that is not met soon is lowered rather than insisted on.
      if spacing.demand > 0 { wide.attempts = max(1, settings.attempts / 4) }
      let outcome = child(order, wide, &random)
      switch outcome {
      case .rejected(.minimumDistances), .rejected(.cellShape), .rejected(.vacuum):
        guard spacing.lower() else { return outcome }
      case .offspring, .rejected: return outcome
      }
    }
  }

  private mutating func inheritedDistances(_ order: BreedingOrder) -> [Double] {
    if let lastParents, lastParents.parents == order.parents,
      lastParents.elements == order.composition.elements
    {
      return lastParents.distances
    }
    let distances = Spacing.inherited(order)
    lastParents = KnownParents(
      parents: order.parents, elements: order.composition.elements, distances: distances)
    return distances
  }

  /// The modes of the bond-strength model of the only parent that `breed` works on.
  mutating func bondModes(ofParent draft: Draft) -> VibrationalModes? {
    if let known = lastParents?.modes { return known }
    let modes = BondStrengthModel.modes(
      draft.lattice, draft.species.map { draft.composition.elements[$0] }, draft.positions)
    lastParents?.modes = .some(modes)
    return modes
  }

  private mutating func child(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    switch order.kind {
    case .random, .guidedRandom:
      let outcome =
        generator.structure(
          of: order.composition, recipes: order.recipes, volumePerAtom: order.targetVolumePerAtom,
          settings, &random)
        ?? generator.structure(
          of: order.composition, volumePerAtom: order.targetVolumePerAtom, settings, &random)
      guard case .offspring(let structure, let description, let recipe) = outcome else {
        return outcome
      }
      let draft = Draft(structure, order.composition)
      return draft?.finished(settings, description, recipe: recipe) ?? .rejected(.notApplicable)
    case .topological:
      return topologies.structure(
        of: order.composition, volumePerAtom: order.targetVolumePerAtom, settings, &random)
    case .heredity: return heredity(order, settings, &random)
    case .permutation: return permutation(order, settings, &random)
    case .softMutation: return softMutation(order, settings, &random)
    case .latticeMutation: return latticeMutation(order, settings, &random)
    case .symmetricMutation: return symmetricMutation(order, settings, &random)
    case .ripple: return ripple(order, settings, &random)
    case .strainRipple: return strainRipple(order, settings, &random)
    case .strainSwap: return strainSwap(order, settings, &random)
    case .supercell: return supercell(order, settings, &random)
    case .transmutation, .addRemove: return compositionChange(order, settings, &random)
    case .seed:
      guard let draft = Draft(order.parents[0].structure, order.composition) else {
        return .rejected(.notApplicable)
      }
      return draft.finished(settings, "seed")
    }
  }

  /// Makes a random structure of one space group.
  ///
  /// - Parameters:
  ///   - group: The space group's number, 1 … 230.
  ///   - composition: The atoms of the primitive cell.
  ///   - volumePerAtom: Volume per atom in Å³.
  ///   - settings: The campaign's rules.
  ///   - random: The candidate's own stream.
  /// - Returns: A structure with at least the group's symmetry; `nil` where the group cannot hold the
  ///   composition or bounded tries found no place for the atoms.
  public mutating func randomStructure(
    group: Int, composition: Composition, volumePerAtom: Double, settings: BreedingSettings,
    random: inout RandomStream
  ) -> Structure? {
    generator.structure(
      of: composition, group: group, volumePerAtom: volumePerAtom, settings, &random)
  }

  /// Whether a space group's Wyckoff positions can hold a composition in the primitive cell.
  public mutating func canHold(_ composition: Composition, group: Int) -> Bool {
    generator.canHold(composition.counts, in: group)
  }

  /// The space groups whose Wyckoff positions can hold a composition in the primitive cell.
  ///
  /// - Complexity: a few milliseconds for the first composition, when the tables are derived.
  public mutating func feasibleGroups(for composition: Composition) -> [Int] {
    (1...230).filter { generator.canHold(composition.counts, in: $0) }
  }

  /// The Wyckoff positions of a group.
  package mutating func wyckoffTable(of group: Int) -> WyckoffTable { generator.table(of: group) }
}

/// A structure under construction: Cartesian positions, species by their place in the composition.
struct Draft {
  var lattice: Lattice
  let composition: Composition
  var species: [Int]
  var positions: [Vector3]

  init(lattice: Lattice, composition: Composition, species: [Int], positions: [Vector3]) {
    self.lattice = lattice
    self.composition = composition
    self.species = species
    self.positions = positions
  }

  /// Takes over a structure in a reduced cell, `nil` where its composition is another one.
  init?(_ structure: Structure, _ composition: Composition) {
    guard structure.periodicity == .full, structure.atomCount == composition.atomCount else {
      return nil
    }
    var species: [Int] = []
    var counts = Array(repeating: 0, count: composition.elements.count)
    for element in structure.species {
      guard let index = composition.elements.firstIndex(of: element) else { return nil }
      species.append(index)
      counts[index] += 1
    }
    guard counts == composition.counts else { return nil }
    self.init(
      lattice: structure.lattice.niggliReduced(), composition: composition, species: species,
      positions: structure.positions)
  }

  func distances(_ settings: BreedingSettings) -> DistanceGuard {
    DistanceGuard(
      lattice: lattice, elements: composition.elements, minimum: settings.minimumDistances)
  }

  /// The mean covalent radius in Å.
  var meanRadius: Double {
    let sum = species.reduce(0.0) { $0 + composition.elements[$1].covalentRadius }
    return sum / Double(species.count)
  }

  /// Reduces the cell, groups the atoms and applies the rules.
  func finished(
    _ settings: BreedingSettings, _ description: String, recipe: RandomRecipe? = nil
  ) -> BreedingOutcome {
    let reduced = lattice.niggliReduced()
    guard let turned = try? Lattice(CellShape.standardOrientation(reduced.vectors)) else {
      return .rejected(.cellShape)
    }
    if let reason = CellShape.violation(of: turned, settings) { return .rejected(reason) }
    let order = species.indices.sorted { (species[$0], $0) < (species[$1], $1) }
    guard
      let structure = try? Structure(
        lattice: turned, species: order.map { composition.elements[species[$0]] },
        fractionalPositions: order.map { reduced.fractional(positions[$0]) })
    else { return .rejected(.minimumDistances) }  // A position is not finite.
    let wrapped = structure.wrapped()
    let distances = DistanceGuard(
      lattice: turned, elements: composition.elements, minimum: settings.minimumDistances)
    guard distances.allowsAll(wrapped.positions, order.map { species[$0] }) else {
      return .rejected(.minimumDistances)
    }
    if CellShape.hasVacuum(wrapped, thickerThan: settings.largestGap) {
      return .rejected(.vacuum)
    }
    return .offspring(wrapped, description: description, recipe: recipe)
  }
}
