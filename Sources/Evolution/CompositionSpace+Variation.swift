import Crystal
import NumericalCore

/// Which other cells operators may lead to.
extension CompositionSpace {
  /// Adding or removing changes a cell by this share of its atoms at most, and by at least one.
  private static let largestChange = 0.25

  /// Why an operator can never act on the cells of this space; `nil` where it can.
  public func obstacle(to kind: VariationKind) -> String? {
    switch kind {
    case .permutation, .strainSwap:
      elements.count > 1 ? nil : "there are no unlike atoms to swap"
    case .supercell:
      canDouble ? nil : "no allowed cell holds twice the atoms of another"
    case .transmutation:
      canChange(canTransmute) ? nil : "no two allowed cells differ in elements alone"
    case .addRemove:
      canChange(canResize) ? nil : "no two allowed cells of other ratios differ by a few atoms"
    case .random, .guidedRandom, .topological, .heredity, .softMutation, .latticeMutation,
      .symmetricMutation, .ripple, .strainRipple, .seed:
      nil
    }
  }

  private var canDouble: Bool {
    switch self {
    case .listed(let compositions): compositions.contains { doubled($0) != nil }
    case .variable(_, let atoms): 2 * atoms.lowerBound <= atoms.upperBound
    }
  }

  private func canChange(_ can: (Composition) -> Bool) -> Bool {
    switch self {
    case .listed(let compositions): compositions.contains(where: can)
    case .variable(let elements, let atoms):
      can(Self.composition(elements, elements.indices.map { $0 == 0 ? atoms.lowerBound : 0 }))
    }
  }

  /// The cell with twice the atoms, where it is allowed.
  func doubled(_ composition: Composition) -> Composition? { canonical(composition.repeated(2)) }

  /// Whether some atoms of a cell may become other elements.
  func canTransmute(_ composition: Composition) -> Bool {
    switch self {
    case .listed: !transmuted(composition).isEmpty
    case .variable: canonical(composition) != nil
    }
  }

  /// Whether atoms may be added to a cell or taken from it.
  func canResize(_ composition: Composition) -> Bool {
    switch self {
    case .listed: !resized(composition).isEmpty
    case .variable(_, let atoms): atoms.count > 1
    }
  }

  /// An allowed cell with as many atoms but other elements; `nil` where there is none.
  func transmuted(_ composition: Composition, _ random: inout RandomStream) -> Composition? {
    switch self {
    case .listed:
      let others = transmuted(composition)
      return others.isEmpty ? nil : others[random.integer(below: others.count)]
    case .variable(let elements, _):
      let old = elements.map { composition.count(of: $0) }
      var counts = old
      for _ in 0..<random.integer(below: Self.change(of: composition)) + 1 {
        Self.transmute(&counts, &random)
      }
      // Atoms may have turned back.
      if counts == old { Self.transmute(&counts, &random) }
      return Self.composition(elements, counts)
    }
  }

  /// An allowed cell with some atoms more or some atoms less; `nil` where there is none.
  func resized(_ composition: Composition, _ random: inout RandomStream) -> Composition? {
    switch self {
    case .listed:
      let others = resized(composition)
      return others.isEmpty ? nil : others[random.integer(below: others.count)]
    case .variable(let elements, let atoms):
      var counts = elements.map { composition.count(of: $0) }
      let count = composition.atomCount
      let most = Self.change(of: composition)
      let (room, surplus) = (atoms.upperBound - count, count - atoms.lowerBound)
      guard room > 0 || surplus > 0 else { return nil }
      let isAdding = room > 0 && (surplus <= 0 || random.integer(below: 2) == 0)
      for _ in 0..<random.integer(below: min(most, isAdding ? room : surplus)) + 1 {
        if isAdding {
          counts[random.integer(below: counts.count)] += 1
        } else if let taken = random.index(weights: counts.map(Double.init)) {
          counts[taken] -= 1
        }
      }
      return Self.composition(elements, counts)
    }
  }

  /// A cell between two others for a child of both: as many atoms as one of them, elements in a ratio
  /// between theirs or equal to one of theirs; `nil` where it is not allowed.
  func blended(
    _ first: Composition, _ second: Composition, _ random: inout RandomStream
  ) -> Composition? {
    let share = random.uniform(0.25, 0.75)
    let atoms = random.integer(below: 2) == 0 ? first.atomCount : second.atomCount
    let elements = elements
    let shares = elements.map { element in
      share * Double(first.count(of: element)) / Double(first.atomCount)
        + (1 - share) * Double(second.count(of: element)) / Double(second.atomCount)
    }
    return canonical(Self.composition(elements, Self.rounded(shares, to: atoms)))
  }

  private static func change(of composition: Composition) -> Int {
    max(1, Int((largestChange * Double(composition.atomCount)).rounded()))
  }

  private static func transmute(_ counts: inout [Int], _ random: inout RandomStream) {
    guard let old = random.index(weights: counts.map(Double.init)) else { return }
    let new = (old + 1 + random.integer(below: counts.count - 1)) % counts.count
    counts[old] -= 1
    counts[new] += 1
  }

  private func transmuted(_ composition: Composition) -> [Composition] {
    guard case .listed(let compositions) = self else { return [] }
    return compositions.filter {
      $0.atomCount == composition.atomCount && !$0.hasCounts(of: composition)
    }
  }

  private func resized(_ composition: Composition) -> [Composition] {
    guard case .listed(let compositions) = self else { return [] }
    let most = Self.change(of: composition)
    return compositions.filter { other in
      let difference = other.atomCount - composition.atomCount
      guard difference != 0, abs(difference) <= most, !other.hasRatio(of: composition) else {
        return false
      }
      let (small, large) = difference > 0 ? (composition, other) : (other, composition)
      return small.elements.allSatisfy { small.count(of: $0) <= large.count(of: $0) }
    }
  }
}
