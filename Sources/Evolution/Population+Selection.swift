import Crystal
import NumericalCore

extension Population {
  /// Decides what the next candidate is: operator by the current ratios, parents by rank, the soft
  /// mode by how often the parent was used.
  ///
  /// The first `size` candidates are random or topological structures.
  ///
  /// - Parameter random: The slot's own stream.
  /// - Returns: What to make.
  /// - Complexity: O(N)
  public mutating func orderNext(random: inout RandomStream) -> BreedingOrder {
    defer { orderCount += 1 }
    let isStarting = orderCount < settings.size || ranking.count < 2
    let kind = isStarting ? chooseGenerator(&random) : chooseOperator(&random)
    switch kind {
    case .random, .topological, .seed:
      let composition = settings.compositions[random.integer(below: settings.compositions.count)]
      return BreedingOrder(
        kind: kind == .seed ? .random : kind, composition: composition,
        targetVolumePerAtom: targetVolumePerAtom(for: composition))
    case .guidedRandom:
      let composition = settings.compositions[random.integer(below: settings.compositions.count)]
      return BreedingOrder(
        kind: .guidedRandom, composition: composition,
        targetVolumePerAtom: targetVolumePerAtom(for: composition),
        spaceGroups: chooseSpaceGroup(&random).map { [$0] } ?? [])
    case .heredity:
      let parents = chooseParents(2, &random)
      return order(.heredity, parents, like: parents[random.integer(below: 2)])
    case .symmetricMutation:
      let parents = chooseParents(1, &random, preferring: hasSymmetry)
      return order(kind, parents, like: parents[0])
    case .permutation, .latticeMutation:
      let parents = chooseParents(1, &random)
      return order(kind, parents, like: parents[0])
    case .softMutation:
      let parents = chooseParents(1, &random)
      let basin = ranking[parents[0]].basin
      let uses = index.basins[basin].softMutations
      index.countSoftMutation(of: basin)
      var order = order(.softMutation, parents, like: parents[0])
      // Both signs of a mode are separate children; then comes the next mode.
      order.modeIndex = uses / 2
      order.modeIsReversed = uses % 2 == 1
      return order
    }
  }

  /// One of the operators that need nothing found before, by their ratios; random structures where none
  /// is used.
  private func chooseGenerator(_ random: inout RandomStream) -> VariationKind {
    let kinds = [VariationKind.random, .topological]
    let weights = kinds.map { operators.ratio(of: $0) }
    return random.index(weights: weights).map { kinds[$0] } ?? .random
  }

  private func chooseOperator(_ random: inout RandomStream) -> VariationKind {
    let hasUnlikeAtoms = settings.compositions.contains { $0.elements.count > 1 }
    let hasSeveralAtoms = settings.compositions.contains { $0.atomCount > 1 }
    let weights = VariationKind.operators.map { kind in
      switch kind {
      case .permutation: hasUnlikeAtoms ? operators.ratio(of: kind) : 0
      case .softMutation: hasSeveralAtoms ? operators.ratio(of: kind) : 0
      default: operators.ratio(of: kind)
      }
    }
    return random.index(weights: weights).map { VariationKind.operators[$0] } ?? .random
  }

  /// Different members by rank: with n eligible ones the chance falls linearly, n − r for rank r.
  ///
  /// Where some of them are preferred, the others are chosen only if there are not enough.
  private func chooseParents(
    _ wanted: Int, _ random: inout RandomStream,
    preferring isPreferred: (Int) -> Bool = { _ in true }
  ) -> [Int] {
    let eligible = min(
      ranking.count,
      max(wanted, Int((settings.bestFraction * Double(ranking.count)).rounded(.up))))
    // Small enough not to matter beside any rank.
    var weights = (0..<eligible).map { Double(eligible - $0) * (isPreferred($0) ? 1 : 1e-9) }
    var chosen: [Int] = []
    for _ in 0..<wanted {
      let pick = random.index(weights: weights) ?? 0
      chosen.append(pick)
      weights[pick] = 0
    }
    return chosen
  }

  /// The space group of one of the best quarter of all distinct structures, the better the likelier.
  ///
  /// Good structures of a compound tend to have the same few groups, and a random structure of such
  /// a group is far likelier to be good than one of any group. P1 does not count, as it says nothing.
  private func chooseSpaceGroup(_ random: inout RandomStream) -> Int? {
    let usable = index.basins.filter { !$0.isDiscarded && $0.representative.spaceGroup > 1 }
    let best = usable.sorted {
      ($0.representative.enthalpyPerAtom, $0.id) < ($1.representative.enthalpyPerAtom, $1.id)
    }.prefix(max(1, (usable.count + 3) / 4))
    let weights = best.indices.map { Double(best.count - $0) }
    return random.index(weights: weights).map { best[$0].representative.spaceGroup }
  }

  private func hasSymmetry(rank: Int) -> Bool {
    index.basins[ranking[rank].basin].representative.spaceGroup > 1
  }

  /// An order for a child with the composition of one of its parents.
  private func order(_ kind: VariationKind, _ ranks: [Int], like model: Int) -> BreedingOrder {
    let parents = ranks.map { rank in
      let individual = index.basins[ranking[rank].basin].representative
      return Parent(
        id: individual.id, structure: individual.structure, measure: individual.bestMeasure)
    }
    let found = index.basins[ranking[model].basin].representative.structure.composition()
    let composition =
      settings.compositions.first { known in
        known.atomCount == found.atomCount
          && zip(known.elements, known.counts).allSatisfy { element, count in
            zip(found.elements, found.counts).contains { $0 == element && $1 == count }
          }
      } ?? found
    return BreedingOrder(
      kind: kind, composition: composition, parents: parents,
      targetVolumePerAtom: targetVolumePerAtom(for: composition))
  }

  /// Keeps, besides the best by enthalpy, those of the better half that are farthest from what is
  /// kept already (greedy max–min fingerprint distance).
  mutating func chooseSurvivors() {
    let wanted = min(
      ranking.count, max(1, Int((settings.survivorShare * Double(settings.size)).rounded())))
    let sorted = ranking.map(\.basin).sorted {
      let (a, b) = (index.basins[$0].representative, index.basins[$1].representative)
      return (a.enthalpyPerAtom, $0) < (b.enthalpyPerAtom, $1)
    }
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
      for b in best.prefix(position) {
        sum += distance(a, b)
        pairs += 1
      }
    }
    guard pairs > 0 else { return }
    antiseeds.rescale(
      enthalpies: best.map { index.basins[$0].representative.enthalpyPerAtom },
      meanDistance: sum / Double(pairs))
    for place in ranking.indices {
      ranking[place].density = antiseeds.density(at: ranking[place].distances)
    }
  }

  /// The fingerprint distance of two basins; 1 where they do not compare.
  func distance(_ a: Int, _ b: Int) -> Double {
    let (first, second) = (index.basins[a].representative, index.basins[b].representative)
    guard a != b else { return 0 }
    guard first.isComparable(to: second) else { return 1 }
    return first.fingerprint.distance(to: second.fingerprint)
  }
}
