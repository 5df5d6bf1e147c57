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
  /// The other basins so close that antiseeds reach them.
  var neighbors: [BasinNeighbor]
}

/// A close basin and how far it is.
struct BasinNeighbor: Sendable, Hashable {
  let index: Int
  let distance: Double
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
  /// Basins closer than this are kept as neighbors for antiseeds.
  let reach: Double

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
  /// - Parameters:
  ///   - rule: What makes two structures one.
  ///   - reach: Largest fingerprint distance that antiseeds look at.
  public init(rule: DuplicateRule = DuplicateRule(), reach: Double = 0.025) {
    precondition(reach >= 0, "a reach is not negative")
    self.rule = rule
    self.reach = reach
  }

  /// The basin that an individual belongs to, if it was visited before: the closest one.
  ///
  /// - Complexity: O(basins), of which few need a fingerprint distance.
  public func basin(of individual: Individual) -> Basin? {
    closest(to: individual, among: distances(to: individual)).map { basins[$0] }
  }

  /// The best distinct structures, by enthalpy: those that the newest potential has treated first.
  ///
  /// - Parameters:
  ///   - count: How many to return at most.
  ///   - version: The newest potential's version.
  /// - Returns: The best basins, best first.
  /// - Complexity: O(n log n)
  public func best(_ count: Int, version: Int) -> [Basin] {
    bestIndices(count, version: version).map { basins[$0] }
  }

  func bestIndices(_ count: Int, version: Int) -> [Int] {
    let usable = basins.indices.filter { !basins[$0].isDiscarded }
    let sorted = usable.sorted {
      let (a, b) = (basins[$0].representative, basins[$1].representative)
      let (ageA, ageB) = (version - a.potentialVersion, version - b.potentialVersion)
      return (min(ageA, 1), a.enthalpyPerAtom, $0) < (min(ageB, 1), b.enthalpyPerAtom, $1)
    }
    return Array(sorted.prefix(count))
  }

  /// Counts a visit.
  mutating func visit(_ individual: Individual) -> Visit {
    let distances = distances(to: individual)
    if let index = closest(to: individual, among: distances) {
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
        isDiscarded: false, neighbors: []))
    addToScreen(index, individual)
    link(index, distances)
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
    for other in basins.indices { basins[other].neighbors.removeAll { $0.index == index } }
    basins[index].neighbors.removeAll()
    link(index, distances(to: individual).filter { $0.index != index })
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

  private mutating func link(_ index: Int, _ distances: [BasinNeighbor]) {
    for neighbor in distances where neighbor.distance < reach {
      basins[index].neighbors.append(neighbor)
      basins[neighbor.index].neighbors.append(
        BasinNeighbor(index: index, distance: neighbor.distance))
      basins[neighbor.index].neighbors.sort { $0.index < $1.index }
    }
    basins[index].neighbors.sort { $0.index < $1.index }
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

  /// The basins within reach of an individual and those that may be its own.
  private func distances(to individual: Individual) -> [BasinNeighbor] {
    guard let screen = screenOfRatio[individual.identity.ratio] else { return [] }
    let limit = max(reach, rule.fingerprintTolerance)
    var result: [BasinNeighbor] = []
    screens[screen].forEachNear(individual.fingerprint, limit: limit) { index in
      let other = basins[index].representative.fingerprint
      let distance = individual.fingerprint.distance(to: other)
      if distance < limit { result.append(BasinNeighbor(index: index, distance: distance)) }
    }
    return result
  }

  // The closest one that matches exactly.
  private func closest(to individual: Individual, among distances: [BasinNeighbor]) -> Int? {
    let candidates = distances.filter { candidate in
      let basin = basins[candidate.index]
      return candidate.distance < rule.fingerprintTolerance && !basin.isDiscarded
        && rule.enthalpiesAgree(enthalpyDifference(individual, basin.representative))
    }.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
    return candidates.first {
      rule.sitesAgree(individual.identity, basins[$0.index].representative.identity)
    }?.index
  }
}

extension BasinNeighbor: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(index)
    encoder.encode(distance)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    index = try decoder.decode()
    distance = try decoder.decode()
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
    encoder.encode(neighbors)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    id = try decoder.decode()
    representative = try decoder.decode()
    visits = try decoder.decode()
    softMutations = try decoder.decode()
    isDiscarded = try decoder.decode()
    neighbors = try decoder.decode([BasinNeighbor].self)
  }
}

extension DuplicateIndex: ByteCodable {
  /// Appends rule, basins and screens.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(rule)
    encoder.encode(reach)
    encoder.encode(basins)
    encoder.encode(screens)
    for ratio in ratios { encoder.encode(ratio) }
  }

  /// Reads rule, basins and screens.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    rule = try decoder.decode()
    reach = try decoder.decode()
    basins = try decoder.decode([Basin].self)
    screens = try decoder.decode([FingerprintScreen].self)
    for screen in screens.indices {
      ratios.append(try decoder.decode([Int].self))
      screenOfRatio[ratios[screen]] = screen
    }
    for basin in basins
    where basin.neighbors.contains(where: { !basins.indices.contains($0.index) }) {
      throw .invalid("a neighbor of basin \(basin.representative.id)")
    }
    guard screens.flatMap(\.basins).sorted() == Array(basins.indices) else {
      throw .invalid("screens of \(basins.count) basins")
    }
  }
}
