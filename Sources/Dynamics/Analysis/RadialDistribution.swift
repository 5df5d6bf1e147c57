import Crystal
import NumericalCore

/// The radial distribution functions g(r) of all pairs of elements, averaged over structures.
///
/// g is the density of neighbors at a distance over the mean density of their element, 1 in a gas. Images
/// count as neighbors, an atom's own among them, so that small cells are right, too.
public struct RadialDistribution: Sendable {
  /// The elements, by atomic number.
  public let elements: [ChemicalElement]
  /// Distances are counted up to this one, in Å.
  public let cutoff: Double
  /// The number of intervals of equal width that the distances are counted in.
  public let bins: Int
  /// How many structures were added.
  public private(set) var count = 0
  /// For each ordered pair of elements and interval Σ V n/(N_a N_b), n the number of neighbors b of atoms a.
  private var sums: [Double]
  /// For each ordered pair Σ N_b/V over structures, to turn g into numbers of neighbors.
  private var densities: [Double]

  /// Creates empty functions.
  ///
  /// - Parameters:
  ///   - elements: Which elements occur.
  ///   - cutoff: In Å; positive.
  ///   - bins: Positive.
  public init(elements: [ChemicalElement], cutoff: Double, bins: Int) {
    precondition(cutoff > 0 && cutoff.isFinite && bins > 0, "distances are counted in intervals")
    self.elements = Set(elements).sorted()
    self.cutoff = cutoff
    self.bins = bins
    let pairs = self.elements.count * self.elements.count
    sums = [Double](repeating: 0, count: pairs * bins)
    densities = [Double](repeating: 0, count: self.elements.count)
  }

  /// The width of an interval in Å.
  public var width: Double { cutoff / Double(bins) }

  /// The distance in Å in the middle of an interval.
  public func distance(_ bin: Int) -> Double { (Double(bin) + 0.5) * width }

  /// Adds a bulk structure.
  ///
  /// - Complexity: O(N · neighbors)
  public mutating func add(_ structure: Structure) {
    precondition(structure.periodicity == .full, "a density is that of a bulk structure")
    let places = structure.species.map { element -> Int in
      guard let place = elements.firstIndex(of: element) else {
        preconditionFailure("\(element) was not announced")
      }
      return place
    }
    var atoms = [Double](repeating: 0, count: elements.count)
    for place in places { atoms[place] += 1 }
    let neighbors = NeighborList(structure, cutoff: cutoff)
    for i in places.indices {
      for k in neighbors.neighbors(of: i) {
        let bin = min(bins - 1, Int(neighbors.displacements[k].length / width))
        let other = places[Int(neighbors.indices[k])]
        sums[(places[i] * elements.count + other) * bins + bin] +=
          structure.volume / (atoms[places[i]] * atoms[other])
      }
    }
    for place in elements.indices { densities[place] += atoms[place] / structure.volume }
    count += 1
  }

  /// g(r) of the neighbors of one element, in every interval.
  ///
  /// - Parameters:
  ///   - element: The element of the atoms.
  ///   - neighbor: The element of their neighbors; the function is the same the other way round.
  /// - Returns: One number for each interval; empty for an unknown element or without structures.
  public func values(_ element: ChemicalElement, _ neighbor: ChemicalElement) -> [Double] {
    guard count > 0, let a = elements.firstIndex(of: element),
      let b = elements.firstIndex(of: neighbor)
    else { return [] }
    return (0..<bins).map { bin in
      sums[(a * elements.count + b) * bins + bin] / (Double(count) * shellVolume(bin))
    }
  }

  /// The mean number of neighbors of an element that an atom has within a distance.
  ///
  /// - Parameters:
  ///   - element: The element of the atoms.
  ///   - neighbor: The element of their neighbors.
  ///   - distance: In Å; rounded down to whole intervals.
  /// - Returns: The number, for structures of equal density.
  public func coordination(
    of element: ChemicalElement, by neighbor: ChemicalElement, within distance: Double
  ) -> Double {
    guard count > 0, let b = elements.firstIndex(of: neighbor) else { return 0 }
    let last = min(bins, Int(distance / width))
    let function = values(element, neighbor)
    let density = densities[b] / Double(count)
    return function.prefix(last).enumerated().reduce(0) {
      $0 + $1.element * density * shellVolume($1.offset)
    }
  }

  private func shellVolume(_ bin: Int) -> Double {
    let (inner, outer) = (Double(bin) * width, Double(bin + 1) * width)
    return 4 * Double.pi / 3 * (outer * outer * outer - inner * inner * inner)
  }
}

/// Where a radial distribution has its first peak and the first hollow behind it.
public struct RadialPeak: Sendable, Hashable {
  /// The distance of the peak in Å, by a parabola through the largest three values.
  public let distance: Double
  /// The value there.
  public let height: Double
  /// The distance of the lowest value before the next peak in Å.
  public let hollow: Double
}

extension RadialDistribution {
  /// The first peak of a pair of elements.
  ///
  /// - Parameters:
  ///   - element: The element of the atoms.
  ///   - neighbor: The element of their neighbors.
  /// - Returns: `nil` where there is no value above 1, or no hollow behind it.
  public func firstPeak(
    _ element: ChemicalElement, _ neighbor: ChemicalElement
  ) -> RadialPeak? {
    let g = values(element, neighbor)
    // The peak is the highest place of the first stretch above 1, the hollow the lowest of the stretch
    // below 1 that follows: noise within a stretch does not matter.
    guard let begin = g.firstIndex(where: { $0 > 1 }) else { return nil }
    let end = g[begin...].firstIndex { $0 < 1 } ?? g.endIndex
    let next = g[end...].firstIndex { $0 > 1 } ?? g.endIndex
    guard end < next, let top = (begin..<end).max(by: { g[$0] < g[$1] }),
      let bottom = (end..<next).min(by: { g[$0] < g[$1] })
    else { return nil }
    var (shift, height) = (0.0, g[top])
    if top > 0, top + 1 < g.count {
      let slope = (g[top + 1] - g[top - 1]) / 2
      let curvature = g[top + 1] - 2 * g[top] + g[top - 1]
      if curvature < 0 {
        shift = -slope / curvature
        height -= slope * slope / (2 * curvature)
      }
    }
    return RadialPeak(
      distance: distance(top) + shift * width, height: height, hollow: distance(bottom))
  }
}

extension RadialDistribution: ByteCodable {
  /// Appends elements, intervals and sums.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(elements)
    encoder.encode(cutoff)
    encoder.encode(bins)
    encoder.encode(count)
    encoder.encode(sums)
    encoder.encode(densities)
  }

  /// Reads functions.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    elements = try decoder.decode([ChemicalElement].self)
    cutoff = try decoder.decode()
    bins = try decoder.decode()
    count = try decoder.decode()
    sums = try decoder.decode([Double].self)
    densities = try decoder.decode([Double].self)
    guard bins > 0, cutoff > 0, densities.count == elements.count,
      sums.count == elements.count * elements.count * bins
    else { throw .invalid("\(sums.count) sums of \(elements.count) elements, \(bins) intervals") }
  }
}
