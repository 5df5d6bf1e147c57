import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

/// A population whose next orders are all of one kind.
struct OneOperator {
  var population: Population
  let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
  private var breeder = Breeder()

  init(_ kind: VariationKind, _ space: CompositionSpace, _ members: [Structure]) throws {
    var settings = PopulationSettings(size: max(2, members.count), space: space)
    settings.operators = VariationKind.ratios([kind: 1])
    settings.isAdaptive = false
    settings.bestFraction = 1
    population = Population(settings: settings)
    for (id, structure) in members.enumerated() {
      var random = RandomStream(seed: 7, purpose: .test, slot: UInt64(id))
      let numbers = structure.species.map { _ in random.normal() }
      let measure: AtomMeasure =
        id % 3 == 0 ? .none : (id % 3 == 1 ? .siteEnergies(numbers) : .order(numbers))
      _ = population.insert(
        Individual(
          id: id, structure: structure, enthalpyPerAtom: 0.01 * Double(id),
          fingerprint: StructureFingerprint(structure), kind: .random, measure: measure))
      // The first orders are random structures, whatever the ratios say.
      _ = population.orderNext(random: &random)
    }
  }

  mutating func order(_ seed: UInt64) -> BreedingOrder {
    var random = RandomStream(seed: seed, purpose: .selection)
    return population.orderNext(random: &random)
  }

  mutating func outcome(_ order: BreedingOrder, _ seed: UInt64) -> BreedingOutcome {
    var random = RandomStream(seed: seed, purpose: .breeding)
    return breeder.breed(order, settings: settings, random: &random)
  }
}

@Suite("Every operator over ten thousand seeds")
struct OperatorPropertyTests {
  static func oxide() throws -> (CompositionSpace, [Structure]) {
    let unit = try Composition(formula: "TiO2")
    let rutile = try Prototypes.rutile()
    return (
      .listed([unit.repeated(2), unit.repeated(4)]),
      [
        rutile, TestStructures.rattled(rutile, by: 0.2, seed: 1), try Prototypes.anatase(),
        TestStructures.rattled(rutile, by: 0.3, seed: 2),
      ]
    )
  }

  static func alloy() throws -> (CompositionSpace, [Structure]) {
    let (mg, al) = (try ClassicalModels.element("Mg"), try ClassicalModels.element("Al"))
    let compound = try Prototypes.caesiumChloride("Mg", "Al", a: 3.4)
    func pure(_ element: ChemicalElement) throws -> Structure {
      try Structure(
        lattice: compound.lattice, species: [element, element], positions: compound.positions)
    }
    return (
      .variable(elements: [mg, al], atoms: 1...4),
      [
        compound, try pure(mg), try pure(al), compound.supercell(1, 1, 2),
        TestStructures.rattled(compound, by: 0.2, seed: 3),
      ]
    )
  }

  static let kinds = VariationKind.operators

  @Test("Children keep composition, minimum distances and the rules on cells", arguments: kinds)
  func children(kind: VariationKind) throws {
    let changesComposition = [.transmutation, .addRemove].contains(kind)
    // Two metals in small cells are cheap; the oxide adds directed bonds and an operator's way of
    // doubling cells of a list.
    var trials = [(space: try Self.alloy(), seeds: 9_600 as UInt64)]
    if changesComposition {
      trials[0].seeds = 10_000
    } else {
      trials.append((try Self.oxide(), 400))
    }
    for ((space, members), seeds) in trials {
      var trial = try OneOperator(kind, space, members)
      var successes = 0
      for seed in 0..<seeds {
        let order = trial.order(seed)
        #expect(order.kind == kind && space.canonical(order.composition) == order.composition)
        guard case .offspring(let child, let description, _) = trial.outcome(order, seed) else {
          continue
        }
        successes += 1
        let flaws = Self.flaws(child, order, trial.settings)
        #expect(flaws.isEmpty && !description.isEmpty, "seed \(seed): \(flaws)")
      }
      // The worst are lattice mutations of flat cells, with 3 % of rejections.
      #expect(Double(successes) >= 0.95 * Double(seeds), "\(kind): \(successes) of \(seeds)")
    }
  }

  /// What is wrong with a child.
  static func flaws(
    _ child: Structure, _ order: BreedingOrder, _ settings: BreedingSettings
  ) -> [String] {
    var flaws: [String] = []
    if child.species != order.composition.species { flaws.append("composition") }
    if settings.minimumDistances.firstViolation(in: child) != nil { flaws.append("distances") }
    if !child.positions.allSatisfy(\.isFinite) || !child.lattice.vectors.isFinite {
      flaws.append("not finite")
    }
    let inside = child.fractionalPositions().allSatisfy { f in
      (0..<3).allSatisfy { f[$0] > -1e-9 && f[$0] < 1 + 1e-9 }
    }
    if child.periodicity != .full || !inside { flaws.append("outside") }
    let lengths = child.lattice.lengths
    let ratio = max(lengths.x, lengths.y, lengths.z) / min(lengths.x, lengths.y, lengths.z)
    if ratio > settings.largestAspectRatio { flaws.append("aspect ratio") }
    if order.parents.contains(where: { $0.structure == child }) { flaws.append("unchanged") }
    return flaws
  }

  @Test("Operators that cannot act on any member are never chosen")
  func applicability() throws {
    let silicon = try Composition(formula: "Si2")
    let diamond = try Structure(
      lattice: Lattice(
        Matrix3(
          rows: Vector3(0, 2.715, 2.715), Vector3(2.715, 0, 2.715), Vector3(2.715, 2.715, 0))),
      species: silicon.species, positions: [.zero, Vector3(1.3575, 1.3575, 1.3575)])
    var settings = PopulationSettings(size: 2, compositions: [silicon])
    settings.operators = VariationKind.operators.map { _ in 1 }
    var population = Population(settings: settings)
    for id in 0..<3 {
      let structure = TestStructures.rattled(diamond, by: 0.2 * Double(id), seed: 4)
      _ = population.insert(
        Individual(
          id: id, structure: structure, enthalpyPerAtom: Double(id),
          fingerprint: StructureFingerprint(structure), kind: .random))
    }
    var seen: Set<VariationKind> = []
    for slot in 0..<600 as Range<UInt64> {
      var random = RandomStream(seed: 1, purpose: .selection, slot: slot)
      seen.insert(population.orderNext(random: &random).kind)
    }
    let swaps: Set<VariationKind> = [
      .permutation, .strainSwap, .supercell, .transmutation, .addRemove,
    ]
    #expect(seen == Set(VariationKind.operators).subtracting(swaps))
  }
}
