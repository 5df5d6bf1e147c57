import Crystal
import Foundation
import NumericalCore

/// Antiseeds: Gaussians in fingerprint distance that fill up regions visited again and again.
///
/// A. O. Lyakhov, A. R. Oganov, H. T. Stokes & Q. Zhu, Comput. Phys. Commun. 184, 1172 (2013):
/// fitness_I = H_I + Σ_a n_a W exp(−D_Ia²/2σ²) over visited basins a, with n_a visits. W and σ follow
/// the population.
///
/// They hold no energies: a refitted potential changes H, never the records. The published widths lie
/// below the distance of duplicates, so that σ only counts the visits to an individual's own basin; a
/// funnel has hundreds of basins, each visited once. The default width reaches the funnel around a basin.
///
/// Basins closer than `mergeDistance` share one Gaussian, and there are at most `largestCount`: beyond
/// that a basin counts for the closest one. This bounds the work per commit.
public struct AntiseedRecords: Sendable, Hashable {
  /// W in units of the enthalpies' root mean square deviation over the best of the population.
  public let height: Double
  /// σ in units of the mean distance in the best of the population.
  public let width: Double
  /// W in eV per atom, as of the last boundary.
  public private(set) var gaussianHeight: Double
  /// σ as a fingerprint distance, as of the last boundary.
  public private(set) var gaussianWidth: Double

  private var centers: [Center] = []
  /// Every ratio of elements with its Gaussians' fingerprints, row after row.
  private var families: [Family] = []
  /// The Gaussian of every basin, by the basin's index.
  private var centerOfBasin: [Int] = []

  private struct Center: Sendable, Hashable {
    let ratio: [Int]
    let fingerprint: StructureFingerprint
    var visits: Int
  }

  private struct Family: Sendable, Hashable {
    let ratio: [Int]
    var centers: [Int] = []
    var rows: [Double] = []
  }

  private static let mergeDistance: Double = 0.02
  private static let largestCount = 256

  /// Creates records that do nothing until the first boundary.
  ///
  /// - Parameters:
  ///   - height: Relative height, 0 for none.
  ///   - width: Relative width, positive.
  public init(
    height: Double = Self.defaultHeight, width: Double = Self.defaultWidth
  ) {
    precondition(height >= 0 && width > 0, "an antiseed has a height and a width")
    self.height = height
    self.width = width
    gaussianHeight = 0
    gaussianWidth = 0
  }

  /// The relative height.
  ///
  /// On a planted double funnel 0.1 escapes after 1000 candidates and 0.3 after half of that; without
  /// antiseeds, or with the published width, no search of 15 did in 3000. On crystals of up to 48 atoms more
  /// than 0.03 was no help, and on MgAl₂O₄ rather a hindrance: see docs/benchmarks.md.
  public static let defaultHeight = 0.03
  /// The relative width: a Gaussian reaches the funnel around its basin.
  public static let defaultWidth = 0.5

  /// Fits height and width to the population; called at fixed commit boundaries only.
  ///
  /// - Parameters:
  ///   - enthalpies: Enthalpies per atom of the best of the population, in eV.
  ///   - meanDistance: The mean of their mutual fingerprint distances.
  mutating func rescale(enthalpies: [Double], meanDistance: Double) {
    guard enthalpies.count > 1 else { return }
    let mean = enthalpies.reduce(0, +) / Double(enthalpies.count)
    let square = enthalpies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    gaussianHeight = height * (square / Double(enthalpies.count)).squareRoot()
    gaussianWidth = width * meanDistance
  }

  /// The distances of a structure from all Gaussians, by which it is pushed up.
  func distances(from identity: StructureIdentity) -> [Double] {
    guard height > 0 else { return [] }
    // Structures of other elements or ratios are as far as can be.
    var distances = [Double](repeating: 1, count: centers.count)
    guard let family = families.first(where: { $0.ratio == identity.ratio }) else {
      return distances
    }
    let fingerprint = identity.fingerprint
    let products = fixedOrderProducts(ofRows: family.rows, with: fingerprint.components)
    for (center, product) in zip(family.centers, products) {
      distances[center] = fingerprint.distance(
        to: centers[center].fingerprint, product: product)
    }
    return distances
  }

  /// Counts a visit to a basin.
  ///
  /// - Parameters:
  ///   - basin: Its index; a new basin has the next one.
  ///   - identity: What stands for it.
  ///   - distances: Its distances from all Gaussians, where it is new; gets that of a new Gaussian.
  /// - Returns: The Gaussian that has grown, and whether it is a new one.
  mutating func countVisit(
    to basin: Int, _ identity: StructureIdentity, distances: inout [Double]
  ) -> (center: Int, isNew: Bool)? {
    guard height > 0 else { return nil }
    if centerOfBasin.indices.contains(basin) {
      centers[centerOfBasin[basin]].visits += 1
      return (centerOfBasin[basin], false)
    }
    let nearest = distances.indices.min { (distances[$0], $0) < (distances[$1], $1) }
    if let nearest,
      distances[nearest] < Self.mergeDistance || centers.count == Self.largestCount
    {
      centers[nearest].visits += 1
      centerOfBasin.append(nearest)
      return (nearest, false)
    }
    append(Center(ratio: identity.ratio, fingerprint: identity.fingerprint, visits: 1))
    centerOfBasin.append(centers.count - 1)
    distances.append(0)
    return (centers.count - 1, true)
  }

  private mutating func append(_ center: Center) {
    let family =
      families.firstIndex { $0.ratio == center.ratio }
      ?? {
        families.append(Family(ratio: center.ratio))
        return families.count - 1
      }()
    families[family].centers.append(centers.count)
    families[family].rows += center.fingerprint.components
    centers.append(center)
  }

  /// The distance of a structure from one Gaussian.
  func distance(from center: Int, to identity: StructureIdentity) -> Double {
    let center = centers[center]
    guard center.ratio == identity.ratio else { return 1 }
    return center.fingerprint.distance(to: identity.fingerprint)
  }

  /// Σ n exp(−D²/2σ²) at a structure with known distances.
  func density(at distances: [Double]) -> Double {
    var sum = 0.0
    for (center, distance) in zip(centers, distances) {
      sum += Double(center.visits) * weight(distance)
    }
    return sum
  }

  /// exp(−D²/2σ²); before the first boundary there is no width.
  func weight(_ distance: Double) -> Double {
    guard gaussianWidth > 0 else { return 0 }
    let x = distance / gaussianWidth
    return x < 5 ? exp(-0.5 * x * x) : 0
  }
}

extension AntiseedRecords: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    for value in [height, width, gaussianHeight, gaussianWidth] { encoder.encode(value) }
    encoder.encode(centers.count)
    for center in centers {
      encoder.encode(center.ratio)
      encoder.encode(center.fingerprint)
      encoder.encode(center.visits)
    }
    encoder.encode(centerOfBasin)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    height = try decoder.decode()
    width = try decoder.decode()
    gaussianHeight = try decoder.decode()
    gaussianWidth = try decoder.decode()
    let count = try decoder.decode(Int.self)
    guard (0...Self.largestCount).contains(count) else { throw .invalid("\(count) antiseeds") }
    for _ in 0..<count {
      append(
        Center(
          ratio: try decoder.decode([Int].self),
          fingerprint: try decoder.decode(),
          visits: try decoder.decode()))
    }
    centerOfBasin = try decoder.decode([Int].self)
    guard centerOfBasin.allSatisfy(centers.indices.contains) else {
      throw .invalid("a basin without its antiseed")
    }
  }
}
