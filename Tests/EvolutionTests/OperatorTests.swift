import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Variation operators")
struct OperatorTests {
  static func settings() -> BreedingSettings {
    BreedingSettings(minimumDistances: MinimumDistances(elements: []))
  }

  static func titaniumDioxide(_ units: Int) throws -> Composition {
    try Composition(formula: "TiO2").repeated(units)
  }

  /// Parents of 12 atoms for the operators that need them.
  static func parents() throws -> [Structure] {
    [
      try Prototypes.rutile().supercell(1, 1, 2), try Prototypes.anatase(),
      try Prototypes.alphaLeadDioxideType(),
    ]
  }

  /// What a child of parents with four formula units holds.
  static func composition(_ kind: VariationKind) throws -> Composition {
    switch kind {
    case .supercell: try titaniumDioxide(8)
    case .transmutation: try Composition(formula: "Ti5O7")
    case .addRemove: try Composition(formula: "Ti4O7")
    default: try titaniumDioxide(4)
    }
  }

  static func order(
    _ kind: VariationKind, seed: UInt64, among structures: [Structure]
  ) throws -> BreedingOrder {
    var stream = RandomStream(seed: seed, purpose: .selection)
    var chosen: [Parent] = []
    for number in 0..<kind.parentCount {
      let structure = structures[stream.integer(below: structures.count)]
      let numbers = structure.species.map { _ in stream.normal() }
      let measure: AtomMeasure =
        seed % 3 == 0 ? .none : (seed % 3 == 1 ? .siteEnergies(numbers) : .order(numbers))
      chosen.append(Parent(id: number, structure: structure, measure: measure))
    }
    return BreedingOrder(
      kind: kind, composition: try composition(kind), parents: chosen,
      targetVolumePerAtom: 10.5, modeIndex: Int(seed % 40), modeIsReversed: seed % 2 == 1)
  }

  @Test("The same order gives the same child, whatever the breeder did before")
  func determinism() throws {
    let settings = Self.settings()
    for kind in VariationKind.operators {
      var used = Breeder()
      for seed in 100..<120 as Range<UInt64> {
        let order = try Self.order(kind, seed: seed, among: Self.parents())
        // The second time it knows the parents.
        for draw in 0..<2 as Range<UInt32> {
          var first = RandomStream(seed: seed, purpose: .breeding, attempt: draw)
          var second = first
          var fresh = Breeder()
          let a = used.breed(order, settings: settings, random: &first)
          let b = fresh.breed(order, settings: settings, random: &second)
          #expect(a == b, "\(kind), seed \(seed)")
          #expect(first == second, "\(kind), seed \(seed)")
        }
      }
    }
  }

  @Test("Operators that keep the composition keep the volume")
  func conservation() throws {
    let settings = Self.settings()
    var breeder = Breeder()
    for seed in 0..<100 as Range<UInt64> {
      for kind in [
        VariationKind.latticeMutation, .permutation, .softMutation, .ripple, .strainRipple,
        .strainSwap,
      ] {
        let order = try Self.order(kind, seed: seed, among: Self.parents())
        var stream = RandomStream(seed: seed, purpose: .breeding)
        guard let child = breeder.breed(order, settings: settings, random: &stream).structure else {
          continue
        }
        #expect(
          child.volume.isClose(to: order.parents[0].structure.volume, .roundoff),
          "\(kind), seed \(seed)")
      }
    }
  }

  @Test("Heredity repairs parents of another size to the wanted composition")
  func unequalParents() throws {
    let settings = Self.settings()
    var breeder = Breeder()
    var successes = 0
    for seed in 0..<200 as Range<UInt64> {
      let order = BreedingOrder(
        kind: .heredity, composition: try Self.titaniumDioxide(4),
        parents: [
          Parent(id: 1, structure: try Prototypes.rutile()),
          Parent(id: 2, structure: try Prototypes.anatase()),
        ], targetVolumePerAtom: 10.5)
      var stream = RandomStream(seed: seed, purpose: .breeding)
      guard let child = breeder.breed(order, settings: settings, random: &stream).structure else {
        continue
      }
      successes += 1
      #expect(child.species == order.composition.species, "seed \(seed)")
    }
    #expect(successes >= 150)
  }

  @Test("The two signs and the next modes of a soft mutation are different children")
  func softModes() throws {
    let settings = Self.settings()
    var breeder = Breeder()
    var children: [Structure] = []
    for mode in 0..<3 {
      for isReversed in [false, true] {
        let order = BreedingOrder(
          kind: .softMutation, composition: try Self.titaniumDioxide(4),
          parents: [Parent(id: 1, structure: try Prototypes.alphaLeadDioxideType())],
          targetVolumePerAtom: 10.5, modeIndex: mode, modeIsReversed: isReversed)
        var stream = RandomStream(seed: 1, purpose: .breeding)
        if let child = breeder.breed(order, settings: settings, random: &stream).structure {
          #expect(!children.contains(child))
          children.append(child)
        }
      }
    }
    #expect(children.count >= 4)
  }

  @Test("Orders that cannot be met are rejected with the reason")
  func rejections() throws {
    let settings = Self.settings()
    var breeder = Breeder()
    var stream = RandomStream(seed: 1, purpose: .breeding)
    let silicon = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(5, 5, 5))),
      species: Composition(formula: "Si").species, fractionalPositions: [.zero])
    let swap = BreedingOrder(
      kind: .permutation, composition: try Composition(formula: "Si"),
      parents: [Parent(id: 1, structure: silicon)], targetVolumePerAtom: 20)
    let seed = BreedingOrder(
      kind: .seed, composition: try Composition(formula: "Si2"),
      parents: [Parent(id: 1, structure: silicon)], targetVolumePerAtom: 20)
    let thin = BreedingOrder(
      kind: .seed, composition: try Composition(formula: "Si"),
      parents: [
        Parent(
          id: 1,
          structure: silicon.replacing(lattice: try Lattice(Matrix3(diagonal: Vector3(4, 4, 9)))))
      ], targetVolumePerAtom: 20)
    let dense = BreedingOrder(
      kind: .random, composition: try Self.titaniumDioxide(2), targetVolumePerAtom: 1.5)
    let cases: [(BreedingOrder, RejectionReason)] = [
      (swap, .notApplicable), (seed, .notApplicable), (thin, .vacuum), (dense, .minimumDistances),
    ]
    for (order, reason) in cases {
      let outcome = breeder.breed(order, settings: settings, random: &stream)
      #expect(outcome == .rejected(reason))
    }
  }

  @Test("Orders, outcomes and settings survive their bytes", arguments: VariationKind.allCases)
  func bytes(kind: VariationKind) throws {
    var settings = Self.settings()
    settings.spaceGroups = [62, 136]
    settings.volumeSpread = 0.31
    settings.attempts = 7
    settings.atomsPerPlainCell = 31
    settings.subcellShare = 0.42
    settings.weakDisplacement = 0.77
    settings.smallestRipple = 0.1
    settings.largestRipple = 0.2
    settings.supercellDisplacement = 0.3
    #expect(try BreedingSettings(canonicalBytes: settings.canonicalBytes) == settings)
    for seed in 0..<3 as Range<UInt64> {
      let order = try Self.order(kind, seed: seed, among: Self.parents())
      #expect(try BreedingOrder(canonicalBytes: order.canonicalBytes) == order)
      var stream = RandomStream(seed: seed, purpose: .breeding)
      var breeder = Breeder()
      let outcome = breeder.breed(order, settings: Self.settings(), random: &stream)
      #expect(try BreedingOutcome(canonicalBytes: outcome.canonicalBytes) == outcome)
    }
    for reason in RejectionReason.allCases {
      let outcome = BreedingOutcome.rejected(reason)
      #expect(try BreedingOutcome(canonicalBytes: outcome.canonicalBytes) == outcome)
    }
  }
}
