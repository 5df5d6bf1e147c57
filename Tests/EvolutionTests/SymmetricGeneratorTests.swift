import Crystal
import Evolution
import NumericalCore
import Testing

@Suite("Random symmetric structures")
struct SymmetricGeneratorTests {
  @Test("Every group gives structures with at least its symmetry", arguments: 1...230)
  func requestedGroup(group: Int) throws {
    let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    var breeder = Breeder()
    let formula = try Composition(formula: "TiO2")
    var fitting: [Composition] = []
    for units in [1, 2, 3, 4, 6, 8, 12, 16, 24, 48] where fitting.count < 2 {
      let composition = formula.repeated(units)
      if breeder.canHold(composition, group: group) { fitting.append(composition) }
    }
    let spaceGroup = try #require(SpaceGroup(number: group))
    let order = spaceGroup.operations.count / spaceGroup.centeringCount
    var made = 0
    for composition in fitting {
      for seed in 0..<2 as Range<UInt64> {
        var stream = RandomStream(seed: seed, purpose: .test, slot: UInt64(group))
        guard
          let structure = breeder.randomStructure(
            group: group, composition: composition, volumePerAtom: 14, settings: settings,
            random: &stream)
        else { continue }
        made += 1
        #expect(structure.species == composition.species)
        #expect(settings.minimumDistances.firstViolation(in: structure) == nil)
        let symmetry = try structure.symmetry(tolerance: 1e-4)
        // The points drawn may be special for a supergroup, which has more operations, some of them
        // perhaps translations.
        let found = symmetry.operations.count
        let label: Comment = "group \(group), \(composition.formula), seed \(seed)"
        #expect(found >= order && found % order == 0, label)
        if found == order { #expect(symmetry.spaceGroupNumber == group, label) }
      }
    }
    #expect(made > 0, "group \(group) never succeeded with \(fitting.map(\.formula))")
  }

  @Test("Infeasible groups are known at once and skipped")
  func infeasible() throws {
    var settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: []), spaceGroups: [19, 212])
    var breeder = Breeder()
    let three = try Composition(formula: "TiO2")
    // P2₁2₁2₁ has only the general position of multiplicity 4.
    let cases = [
      (three, 19, false), (three.repeated(4), 19, true),
      // Two Ti and four O fit fixed positions of Pn-3m (those of cuprite).
      (three, 224, false), (three.repeated(2), 224, true),
    ]
    for (composition, group, expected) in cases {
      let found = breeder.canHold(composition, group: group)
      #expect(found == expected, "\(composition.formula) in \(group)")
    }
    var stream = RandomStream(seed: 1, purpose: .test)
    let order = BreedingOrder(kind: .random, composition: three, targetVolumePerAtom: 10)
    let refused = breeder.breed(order, settings: settings, random: &stream)
    #expect(refused == .rejected(.noFeasibleSpaceGroup))
    settings.spaceGroups = [19, 136]
    let six = BreedingOrder(
      kind: .random, composition: three.repeated(2), targetVolumePerAtom: 12)
    for seed in 0..<50 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .test)
      let outcome = breeder.breed(six, settings: settings, random: &stream)
      guard case .offspring(_, let description) = outcome else { continue }
      #expect(description.hasSuffix("136"))
    }
  }

  @Test("Nearly every order for 6, 12 or 48 atoms succeeds", arguments: [2, 4, 16])
  func success(units: Int) throws {
    let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    var breeder = Breeder()
    let composition = try Composition(formula: "TiO2").repeated(units)
    let order = BreedingOrder(kind: .random, composition: composition, targetVolumePerAtom: 10.5)
    let count = 300
    var successes = 0
    for seed in 0..<UInt64(count) {
      var stream = RandomStream(seed: seed, purpose: .test)
      if breeder.breed(order, settings: settings, random: &stream).structure != nil {
        successes += 1
      }
    }
    #expect(successes >= count * 99 / 100)
  }
}
