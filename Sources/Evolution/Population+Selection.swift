import Crystal
import NumericalCore

extension Population {
  /// Candidates without parents that a search begins with.
  private static let firstStructures = 10
  /// A worker tries so many recipes before it makes a random structure in any way.
  private static let recipesPerOrder = 8

  /// Decides what the next candidate is: operator by the current ratios, parents by rank, the soft
  /// mode by how often the parent was used.
  ///
  /// The first ten candidates have no parents.
  ///
  /// - Parameter random: The slot's own stream.
  /// - Returns: What to make.
  /// - Complexity: O(N)
  public mutating func orderNext(random: inout RandomStream) -> BreedingOrder {
    defer { orderCount += 1 }
    let isStarting = orderCount < min(settings.size, Self.firstStructures) || ranking.count < 2
    let kind = isStarting ? chooseGenerator(&random) : chooseOperator(&random)
    let parents = chooseParents(for: kind, &random)
    guard let first = parents.first else {
      let composition = settings.space.drawn(number: orderCount, &random)
      return BreedingOrder(
        kind: kind.parentCount == 0 ? kind : .random, composition: composition,
        targetVolumePerAtom: targetVolumePerAtom(for: composition),
        recipes: kind == .guidedRandom ? chooseRecipes(for: composition, &random) : [])
    }
    let cells = parents.map { cell(of: $0) }
    switch kind {
    case .heredity:
      return order(kind, parents, heredityComposition(cells, &random))
    case .supercell:
      return order(kind, parents, settings.space.doubled(cells[0]) ?? cells[0].repeated(2))
    case .transmutation:
      return order(kind, parents, settings.space.transmuted(cells[0], &random) ?? cells[0])
    case .addRemove:
      return order(kind, parents, settings.space.resized(cells[0], &random) ?? cells[0])
    case .softMutation:
      let basin = ranking[first].basin
      let uses = index.basins[basin].softMutations
      index.countSoftMutation(of: basin)
      var order = order(.softMutation, parents, cells[0])
      // Both signs of a mode are separate children; then comes the next mode.
      order.modeIndex = uses / 2
      order.modeIsReversed = uses % 2 == 1
      return order
    case .random, .guidedRandom, .topological, .permutation, .latticeMutation, .symmetricMutation,
      .ripple, .strainRipple, .strainSwap, .seed:
      return order(kind, parents, cells[0])
    }
  }

  /// One of the operators that need nothing found before, by their ratios; random structures where none
  /// is used.
  private func chooseGenerator(_ random: inout RandomStream) -> VariationKind {
    let kinds: [VariationKind] =
      recipes.isInformed ? [.random, .topological, .guidedRandom] : [.random, .topological]
    let weights = kinds.map { operators.ratio(of: $0) }
    return random.index(weights: weights).map { kinds[$0] } ?? .random
  }

  /// A child of heredity has the cell of either parent, or one between them where ratios may vary.
  private func heredityComposition(
    _ cells: [Composition], _ random: inout RandomStream
  ) -> Composition {
    let model = cells[random.integer(below: cells.count)]
    guard settings.space.canChangeComposition, random.integer(below: 2) == 0 else { return model }
    return settings.space.blended(cells[0], cells[1], &random) ?? model
  }

  private func chooseOperator(_ random: inout RandomStream) -> VariationKind {
    let weights = VariationKind.operators.map { kind in
      let ratio = operators.ratio(of: kind)
      return ratio > 0 && isApplicable(kind) ? ratio : 0
    }
    return random.index(weights: weights).map { VariationKind.operators[$0] } ?? .random
  }

  /// Whether an operator can act on any of the members that may become parents.
  private func isApplicable(_ kind: VariationKind) -> Bool {
    kind.parentCount == 0 || ranking.prefix(eligibleCount).contains { suits(kind, $0) }
  }

  /// Whether an operator can act on a member: a swap needs unlike atoms, another cell must be allowed.
  private func suits(_ kind: VariationKind, _ member: Member) -> Bool {
    let cell = index.basins[member.basin].representative.composition
    return switch kind {
    case .permutation, .strainSwap: cell.elements.count > 1
    case .softMutation, .ripple, .strainRipple: cell.atomCount > 1
    case .supercell: settings.space.doubled(cell) != nil
    case .transmutation: settings.space.canTransmute(cell)
    case .addRemove: settings.space.canResize(cell)
    case .random, .guidedRandom, .topological, .heredity, .latticeMutation, .symmetricMutation,
      .seed:
      true
    }
  }

  private var eligibleCount: Int {
    min(
      ranking.count, max(2, Int((settings.bestFraction * Double(ranking.count)).rounded(.up))))
  }

  /// Different members by rank that suit an operator: with n eligible ones the chance falls linearly,
  /// n − r for rank r.
  ///
  /// Where some of them are preferred, as symmetric parents are for a symmetric mutation, the others
  /// are chosen only if there are not enough.
  private func chooseParents(
    for kind: VariationKind, _ random: inout RandomStream
  ) -> [Int] {
    guard kind.parentCount > 0 else { return [] }
    let eligible = eligibleCount
    var weights = (0..<eligible).map { rank in
      // Small enough not to matter beside any rank.
      let preference = kind == .symmetricMutation && !hasSymmetry(rank: rank) ? 1e-9 : 1
      return suits(kind, ranking[rank]) ? preference * Double(eligible - rank) : 0
    }
    var chosen: [Int] = []
    for _ in 0..<kind.parentCount {
      guard let pick = random.index(weights: weights) else { return [] }
      chosen.append(pick)
      weights[pick] = 0
    }
    return chosen
  }

  /// Recipes for a random structure, by what came of those before.
  private mutating func chooseRecipes(
    for composition: Composition, _ random: inout RandomStream
  ) -> [RandomRecipe] {
    let (index, reference) = (index, reference)
    recipes.renew { reference.height(of: index.basins[$0].representative) }
    var choices = [(copies: 1, share: 1.0)]
    if composition.atomCount > BreedingSettings.usualAtomsPerPlainCell {
      let counts = SymmetricGenerator.subcellCounts(of: composition)
      let share = counts.isEmpty ? 0 : BreedingSettings.usualSubcellShare
      choices = [(1, 1 - share)] + counts.map { ($0, share / Double(counts.count)) }
    }
    return recipes.draw(
      Self.recipesPerOrder, copies: choices, groups: settings.spaceGroups, &random)
  }

  private func hasSymmetry(rank: Int) -> Bool {
    index.basins[ranking[rank].basin].representative.pointGroupOrder > 1
  }

  /// A member's cell, elements in the order of the settings.
  private func cell(of rank: Int) -> Composition {
    let found = index.basins[ranking[rank].basin].representative.composition
    return settings.space.canonical(found) ?? found
  }

  private func order(
    _ kind: VariationKind, _ ranks: [Int], _ composition: Composition
  ) -> BreedingOrder {
    let parents = ranks.map { rank in
      let individual = index.basins[ranking[rank].basin].representative
      return Parent(
        id: individual.id, structure: individual.structure, measure: individual.bestMeasure)
    }
    return BreedingOrder(
      kind: kind, composition: composition, parents: parents,
      targetVolumePerAtom: targetVolumePerAtom(for: composition))
  }

  /// Keeps, besides the best by enthalpy, those of the better half that are farthest from what is
  /// kept already (greedy max–min fingerprint distance).
  mutating func chooseSurvivors() {
    let wanted = min(
      ranking.count, max(1, Int((settings.survivorShare * Double(settings.size)).rounded())))
    let sorted = byHeight()
    let candidates = Array(sorted.prefix(max(wanted, (sorted.count + 1) / 2)))
    guard let first = candidates.first else {
      survivors = []
      return
    }
    var kept = [first]
    var nearest = candidates.map { distance($0, first) }
    while kept.count < wanted {
      var farthest = 0
      for position in candidates.indices where nearest[position] > nearest[farthest] {
        farthest = position
      }
      guard nearest[farthest] > 0 else { break }
      let chosen = candidates[farthest]
      kept.append(chosen)
      for (position, candidate) in candidates.enumerated() {
        nearest[position] = min(nearest[position], distance(candidate, chosen))
      }
    }
    survivors = kept.sorted()
  }

  /// Fits the antiseeds to the best fraction of the population.
  mutating func rescaleAntiseeds() {
    let wanted = Int((settings.bestFraction * Double(ranking.count)).rounded(.up))
    let best = ranking.prefix(wanted).map(\.basin)
    var sum = 0.0
    var pairs = 0
    for (position, a) in best.enumerated() {
      for b in best.prefix(position) where areComparable(a, b) {
        sum += distance(a, b)
        pairs += 1
      }
    }
    guard pairs > 0 else { return }
    antiseeds.rescale(
      enthalpies: best.map { height(of: $0) },
      meanDistance: sum / Double(pairs))
    for place in ranking.indices {
      ranking[place].density = antiseeds.density(at: ranking[place].distances)
    }
  }

  private func areComparable(_ a: Int, _ b: Int) -> Bool {
    index.basins[a].representative.isComparable(to: index.basins[b].representative)
  }

  /// The fingerprint distance of two basins; 1 where they do not compare.
  func distance(_ a: Int, _ b: Int) -> Double {
    let (first, second) = (index.basins[a].representative, index.basins[b].representative)
    guard a != b else { return 0 }
    guard first.isComparable(to: second) else { return 1 }
    return first.fingerprint.distance(to: second.fingerprint)
  }
}
