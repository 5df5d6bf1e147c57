import Crystal
import Evolution
import NumericalCore
import Testing

@Suite("Recipes of random structures")
struct RecipeTests {
  /// How often each group comes first among recipes for plain cells.
  private static func firsts(
    _ records: RecipeRecords, draws: Int = 400
  ) -> [Int: Int] {
    var counts: [Int: Int] = [:]
    for seed in 0..<UInt64(draws) {
      var random = RandomStream(seed: seed, purpose: .test)
      let recipes = records.draw(
        4, copies: [(copies: 1, share: 1)], groups: Array(1...230), &random)
      if let first = recipes.first { counts[first.spaceGroup, default: 0] += 1 }
    }
    return counts
  }

  @Test("Groups whose structures end low are drawn often, others of their kind more than the rest")
  func learning() {
    var records = RecipeRecords()
    #expect(!records.isInformed)
    // Every structure is a basin of its own; those of P2₁2₁2₁ are the lowest.
    var heights: [Double] = []
    for round in 0..<10 {
      for group in [19, 62, 123, 139, 194, 225, 47, 65, 166, 221] {
        records.record(RandomRecipe(spaceGroup: group), basin: heights.count)
        heights.append(Double(round) + (group == 19 ? -100 : 0))
      }
    }
    #expect(records.isInformed)
    records.renew { heights[$0] }
    let firsts = Self.firsts(records)
    // One of 230, and a tenth of what was tried.
    #expect((firsts[19] ?? 0) > 30, "\(firsts)")
    #expect(firsts.allSatisfy { $0.value <= firsts[19] ?? 0 }, "\(firsts)")
    // P2₁ has the general position alone, too, and was never drawn; P4/mmm was, in vain.
    #expect((firsts[4] ?? 0) > 5 * (firsts[123] ?? 0), "\(firsts)")
  }

  @Test("A structure found again and again earns less than as many different ones")
  func repetition() {
    var records = RecipeRecords()
    for round in 0..<40 {
      // Both groups end low; one always in the same basin.
      records.record(RandomRecipe(spaceGroup: 62), basin: 0)
      records.record(RandomRecipe(spaceGroup: 57), basin: 1 + round)
      for _ in 0..<10 {
        records.record(RandomRecipe(spaceGroup: 123), basin: nil)
      }
    }
    for other in 0..<300 { records.record(RandomRecipe(spaceGroup: 225), basin: 100 + other) }
    records.renew { $0 == 0 ? -1 : Double($0) / 1000 }
    let firsts = Self.firsts(records)
    #expect((firsts[57] ?? 0) > 2 * (firsts[62] ?? 0), "\(firsts)")
    #expect((firsts[57] ?? 0) > 20 * (firsts[123] ?? 0), "\(firsts)")
  }

  @Test("Copies are learned beside groups; records and factors survive as bytes")
  func copiesAndBytes() throws {
    var records = RecipeRecords()
    for round in 0..<60 {
      let recipe = RandomRecipe(spaceGroup: 1 + 3 * round, copies: round % 3 == 0 ? 4 : 1)
      records.record(recipe, basin: round % 7 == 6 ? nil : round)
    }
    records.renew { $0 % 3 == 0 ? -1 : 0 }
    let choices = [(copies: 1, share: 0.7), (copies: 4, share: 0.3)]
    var random = RandomStream(seed: 5, purpose: .test)
    let drawn = (0..<200).flatMap { _ in
      records.draw(1, copies: choices, groups: Array(1...230), &random)
    }
    #expect(drawn.count { $0.copies == 4 } > 150)
    let copy = try RecipeRecords(canonicalBytes: records.canonicalBytes)
    #expect(copy == records)
  }

  @Test("A breeder follows the first recipe that works, and says which")
  func breeding() throws {
    let composition = try Composition(formula: "Ti4O8")
    let settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    var breeder = Breeder()
    // Ia-3d has no positions for these atoms.
    let infeasible = RandomRecipe(spaceGroup: 230)
    let isFeasible = breeder.canHold(composition, group: 230)
    #expect(!isFeasible)
    for (recipes, expected) in [
      ([RandomRecipe(spaceGroup: 19)], 19), ([infeasible, RandomRecipe(spaceGroup: 33)], 33),
    ] {
      let order = BreedingOrder(
        kind: .guidedRandom, composition: composition, targetVolumePerAtom: 11, recipes: recipes)
      var random = RandomStream(seed: 2, purpose: .test)
      let outcome = breeder.breed(order, settings: settings, random: &random)
      guard case .offspring(_, let description, let recipe) = outcome else {
        Issue.record("no child of \(recipes)")
        continue
      }
      #expect(recipe == RandomRecipe(spaceGroup: expected))
      #expect(description.hasSuffix("space group \(expected)"))
      #expect(try BreedingOutcome(canonicalBytes: outcome.canonicalBytes) == outcome)
    }
    // Without one that works, any way will do.
    let order = BreedingOrder(
      kind: .guidedRandom, composition: composition, targetVolumePerAtom: 11,
      recipes: [infeasible])
    var random = RandomStream(seed: 3, purpose: .test)
    guard
      case .offspring(_, _, let recipe?) = breeder.breed(order, settings: settings, random: &random)
    else {
      Issue.record("no child")
      return
    }
    #expect(recipe.spaceGroup != 230)
    // Copies are kept.
    let large = BreedingOrder(
      kind: .guidedRandom, composition: try Composition(formula: "Ti16O32"),
      targetVolumePerAtom: 11, recipes: [RandomRecipe(spaceGroup: 14, copies: 4)])
    guard
      case .offspring(_, let description, let kept?) = breeder.breed(
        large, settings: settings, random: &random)
    else {
      Issue.record("no large child")
      return
    }
    #expect(kept == RandomRecipe(spaceGroup: 14, copies: 4))
    #expect(description.contains("4 subcells"))
  }

  @Test("A population learns from what it is told, and orders guided structures by it")
  func population() throws {
    var settings = PopulationSettings(
      size: 10, compositions: [try Composition(formula: "TiO2").repeated(4)])
    settings.operators = VariationKind.ratios([.random: 0.5, .guidedRandom: 0.5])
    settings.spaceGroups = [19, 62, 123, 225]
    var population = Population(settings: settings)
    for number in 0..<30 {
      let group = settings.spaceGroups[number % 4]
      population.recordFailure(
        of: .random, recipe: group == 19 ? nil : RandomRecipe(spaceGroup: group))
    }
    let copy = try Population(canonicalBytes: population.canonicalBytes)
    #expect(copy == population)
    var guided = 0
    for slot in 0..<40 as Range<UInt64> {
      var random = RandomStream(seed: 1, purpose: .selection, slot: slot)
      let order = population.orderNext(random: &random)
      guard order.kind == .guidedRandom else { continue }
      guided += 1
      #expect(Set(order.recipes.map(\.spaceGroup)) == Set(settings.spaceGroups))
      #expect(order.recipes.allSatisfy { $0.copies == 1 })
    }
    #expect(guided > 5)
  }
}
