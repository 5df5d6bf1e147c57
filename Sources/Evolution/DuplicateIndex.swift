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
/// Two individuals are one basin where their fingerprints are closer than a tolerance and their
/// enthalpies, by one potential, agree: fingerprints are two-body only, and some different
/// structures share one (Oganov & Valle, J. Chem. Phys. 130, 104504 (2009)).
public struct DuplicateIndex: Sendable, Hashable {
  /// The basins in the order of discovery.
  public private(set) var basins: [Basin] = []
  /// Fingerprint distance below which two structures are one.
  public let tolerance: Double
  /// Enthalpy difference in eV per atom above which they are two nevertheless.
  public let enthalpyTolerance: Double
  /// Basins closer than this are kept as neighbors for antiseeds.
  let reach: Double

  /// Fingerprints that screen the others, see `distances(to:)`.
  private var pivots: [StructureFingerprint] = []
  /// √D from every basin to every pivot, 0 where there is no such pivot yet.
  private var pivotChords: [Double] = []
  private static let pivotCount = 4

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
  ///   - tolerance: Fingerprint distance of duplicates.
  ///   - enthalpyTolerance: Largest enthalpy difference of duplicates in eV per atom.
  ///   - reach: Largest fingerprint distance that antiseeds look at.
  public init(tolerance: Double = 0.005, enthalpyTolerance: Double = 0.005, reach: Double = 0.025) {
    precondition(tolerance > 0 && enthalpyTolerance > 0 && reach >= 0, "tolerances are positive")
    self.tolerance = tolerance
    self.enthalpyTolerance = enthalpyTolerance
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
    pivotChords += chords(of: individual.fingerprint)
    addPivot(individual.fingerprint)
    link(index, distances)
    return .new(index)
  }

  /// Puts another individual, or the same one seen by another potential, in a basin's place.
  mutating func replace(_ index: Int, by individual: Individual) {
    let hasMoved = basins[index].representative.fingerprint != individual.fingerprint
    basins[index].representative = individual
    guard hasMoved else { return }
    for (pivot, chord) in chords(of: individual.fingerprint).enumerated() {
      pivotChords[index * Self.pivotCount + pivot] = chord
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
    return first.isComparable(to: second) && energiesAgree(first, second)
      && first.fingerprint.distance(to: second.fingerprint) < tolerance
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

  private func energiesAgree(_ a: Individual, _ b: Individual) -> Bool {
    a.potentialVersion != b.potentialVersion
      || abs(a.enthalpyPerAtom - b.enthalpyPerAtom) <= enthalpyTolerance
  }

  private func chords(of fingerprint: StructureFingerprint) -> [Double] {
    (0..<Self.pivotCount).map { pivot in
      pivot < pivots.count ? fingerprint.distance(to: pivots[pivot]).squareRoot() : 0
    }
  }

  /// Makes one of the first fingerprints a pivot.
  private mutating func addPivot(_ fingerprint: StructureFingerprint) {
    guard pivots.count < Self.pivotCount else { return }
    let pivot = pivots.count
    pivots.append(fingerprint)
    for (index, basin) in basins.enumerated() {
      let chord = basin.representative.fingerprint.distance(to: fingerprint).squareRoot()
      pivotChords[index * Self.pivotCount + pivot] = chord
    }
  }

  /// The basins within reach of an individual.
  ///
  /// With D = (1 − cos θ)/2, √D = sin(θ/2) is half the chord between unit vectors, a metric: where the
  /// chords to a pivot differ by more than the limit, so do the two fingerprints. The result is exact.
  private func distances(to individual: Individual) -> [BasinNeighbor] {
    let limit = max(reach, tolerance)
    let own = chords(of: individual.fingerprint)
    // Far above the rounding of a chord, far below any limit of use.
    let widest = limit.squareRoot() + 1e-6
    var result: [BasinNeighbor] = []
    for index in basins.indices {
      var isNear = true
      for pivot in 0..<Self.pivotCount
      where abs(pivotChords[index * Self.pivotCount + pivot] - own[pivot]) > widest {
        isNear = false
      }
      guard isNear, basins[index].representative.isComparable(to: individual) else { continue }
      let other = basins[index].representative.fingerprint
      let distance = individual.fingerprint.distance(to: other)
      if distance < limit { result.append(BasinNeighbor(index: index, distance: distance)) }
    }
    return result
  }

  private func closest(to individual: Individual, among distances: [BasinNeighbor]) -> Int? {
    var best: BasinNeighbor?
    for candidate in distances
    where candidate.distance < tolerance && !basins[candidate.index].isDiscarded {
      guard energiesAgree(individual, basins[candidate.index].representative) else { continue }
      if candidate.distance < best?.distance ?? .infinity { best = candidate }
    }
    return best?.index
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
  /// Appends tolerances and basins.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(tolerance)
    encoder.encode(enthalpyTolerance)
    encoder.encode(reach)
    encoder.encode(basins)
    encoder.encode(pivots)
    encoder.encode(pivotChords)
  }

  /// Reads tolerances and basins.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    tolerance = try decoder.decode()
    enthalpyTolerance = try decoder.decode()
    reach = try decoder.decode()
    basins = try decoder.decode([Basin].self)
    pivots = try decoder.decode([StructureFingerprint].self)
    pivotChords = try decoder.decode([Double].self)
    guard pivots.count <= Self.pivotCount, pivotChords.count == Self.pivotCount * basins.count
    else {
      throw .invalid("\(pivots.count) pivots, \(pivotChords.count) chords")
    }
    for basin in basins
    where basin.neighbors.contains(where: { !basins.indices.contains($0.index) }) {
      throw .invalid("a neighbor of basin \(basin.representative.id)")
    }
  }
}
