import Crystal
import NumericalCore

/// A minimum of the energy landscape that the search has visited.
public struct Basin: Sendable, Hashable {
  /// The number of the individual that found the basin first.
  public let id: Int
  /// The individual that stands for the basin: the lowest one found, of the newest potential.
  public internal(set) var representative: Individual
  /// How often the basin was found.
  public internal(set) var visits: Int
  /// How many soft mutations started from it.
  public internal(set) var softMutations: Int
  /// Whether a newer potential could not treat it or showed that it is another basin.
  public internal(set) var isDiscarded: Bool
}

/// All distinct basins that were visited, whatever became of them, with their number of visits.
///
/// A `DuplicateRule` decides whether two individuals are one basin; a `FingerprintScreen` per ratio of the
/// elements finds those that come into question.
public struct DuplicateIndex: Sendable, Hashable {
  /// The basins in the order of discovery.
  public private(set) var basins: [Basin] = []
  /// What makes two structures one.
  public let rule: DuplicateRule
  private var screens: [FingerprintScreen] = []
  /// The ratio that each screen is for, and where to find it.
  private var ratios: [[Int]] = []
  private var screenOfRatio: [[Int]: Int] = [:]

  /// What a visit found.
  enum Visit {
    case new(Int)
    case known(Int, hasImproved: Bool)

    var index: Int {
      switch self {
      case .new(let index), .known(let index, _): index
      }
    }
  }

  /// Creates an empty index.
  ///
  /// - Parameter rule: What makes two structures one.
  public init(rule: DuplicateRule = DuplicateRule()) { self.rule = rule }

  /// The basin that an individual belongs to, if it was visited before: the closest one.
  ///
  /// - Complexity: O(basins), of which few need a fingerprint distance.
  public func basin(of individual: Individual) -> Basin? {
    closest(to: individual).map { basins[$0] }
  }

  /// The best distinct structures, by enthalpy: those that the newest potential has treated first.
  ///
  /// - Parameters:
  ///   - count: How many to return at most.
  ///   - version: The newest potential's version.
  /// - Returns: The best basins, best first.
  /// - Complexity: O(n log n)
  public func best(_ count: Int, version: Int) -> [Basin] {
    bestIndices(count, version: version, by: \.enthalpyPerAtom).map { basins[$0] }
  }

  /// The best by a height of one's own.
  func bestIndices(_ count: Int, version: Int, by height: (Individual) -> Double) -> [Int] {
    let usable = basins.indices.filter { !basins[$0].isDiscarded }
    let keys = usable.map { place in
      let individual = basins[place].representative
      return (min(version - individual.potentialVersion, 1), height(individual), place)
    }
    return keys.sorted(by: <).prefix(count).map(\.2)
  }

  /// Counts a visit.
  mutating func visit(_ individual: Individual) -> Visit {
    if let index = closest(to: individual) {
      basins[index].visits += 1
      let old = basins[index].representative
      let isNewer = individual.potentialVersion > old.potentialVersion
      let isLower = individual.enthalpyPerAtom < old.enthalpyPerAtom
      if isNewer || isLower {
        replace(index, by: individual)
        return .known(index, hasImproved: true)
      }
      return .known(index, hasImproved: false)
    }
    let index = basins.count
    basins.append(
      Basin(
        id: individual.id, representative: individual, visits: 1, softMutations: 0,
        isDiscarded: false))
    addToScreen(index, individual)
    return .new(index)
  }

  /// Puts another individual, or the same one seen by another potential, in a basin's place.
  mutating func replace(_ index: Int, by individual: Individual) {
    let hasMoved = basins[index].representative.fingerprint != individual.fingerprint
    basins[index].representative = individual
    guard hasMoved else { return }
    if let screen = screenOfRatio[individual.identity.ratio] {
      screens[screen].replace(index, by: individual.fingerprint)
    }
  }

  mutating func discard(_ index: Int) { basins[index].isDiscarded = true }
  mutating func addVisits(_ visits: Int, to index: Int) { basins[index].visits += visits }
  mutating func countSoftMutation(of index: Int) { basins[index].softMutations += 1 }

  /// Whether two basins have become one.
  func areDuplicates(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (basins[a].representative, basins[b].representative)
    return rule.areDuplicates(
      first.identity, second.identity, enthalpyDifference: enthalpyDifference(first, second))
  }

  // Enthalpies of different potentials do not compare.
  private func enthalpyDifference(_ a: Individual, _ b: Individual) -> Double? {
    a.potentialVersion == b.potentialVersion ? a.enthalpyPerAtom - b.enthalpyPerAtom : nil
  }

  private mutating func addToScreen(_ index: Int, _ individual: Individual) {
    let ratio = individual.identity.ratio
    let screen = screenOfRatio[ratio] ?? screens.count
    if screen == screens.count {
      screens.append(FingerprintScreen())
      ratios.append(ratio)
      screenOfRatio[ratio] = screen
    }
    let known = basins
    screens[screen].append(index, individual.fingerprint) { known[$0].representative.fingerprint }
  }

  // Of the basins that may be the individual's, the closest one that matches exactly.
  private func closest(to individual: Individual) -> Int? {
    guard let screen = screenOfRatio[individual.identity.ratio] else { return nil }
    var candidates: [(distance: Double, index: Int)] = []
    screens[screen].forEachNear(individual.fingerprint, limit: rule.fingerprintTolerance) { index in
      let basin = basins[index]
      guard !basin.isDiscarded,
        rule.enthalpiesAgree(enthalpyDifference(individual, basin.representative))
      else { return }
      let distance = individual.fingerprint.distance(to: basin.representative.fingerprint)
      if distance < rule.fingerprintTolerance { candidates.append((distance, index)) }
    }
    candidates.sort { ($0.distance, $0.index) < ($1.distance, $1.index) }
    return candidates.first {
      rule.sitesAgree(individual.identity, basins[$0.index].representative.identity)
    }?.index
  }
}

extension Basin: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(id)
    encoder.encode(representative)
    encoder.encode(visits)
    encoder.encode(softMutations)
    encoder.encode(isDiscarded)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    id = try decoder.decode()
    representative = try decoder.decode()
    visits = try decoder.decode()
    softMutations = try decoder.decode()
    isDiscarded = try decoder.decode()
  }
}

extension DuplicateIndex: ByteCodable {
  /// Appends rule, basins and screens.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(rule)
    encoder.encode(basins)
    encoder.encode(screens)
    for ratio in ratios { encoder.encode(ratio) }
  }

  /// Reads rule, basins and screens.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    rule = try decoder.decode()
    basins = try decoder.decode([Basin].self)
    screens = try decoder.decode([FingerprintScreen].self)
    for screen in screens.indices {
      ratios.append(try decoder.decode([Int].self))
      screenOfRatio[ratios[screen]] = screen
    }
    guard screens.flatMap(\.basins).sorted() == Array(basins.indices) else {
      throw .invalid("screens of \(basins.count) basins")
    }
  }
}
