import Foundation
import NumericalCore

/// Antiseeds: Gaussians in fingerprint distance that fill up basins found again and again.
///
/// A. O. Lyakhov, A. R. Oganov, H. T. Stokes & Q. Zhu, Comput. Phys. Commun. 184, 1172 (2013):
/// fitness_I = H_I + Σ_a n_a W exp(−D_Ia²/2σ²) over the visited basins a, with n_a visits.
///
/// They hold no energies: a refitted potential changes H, never the records. Published widths lie below
/// the duplicate tolerance, which makes σ a counter of visits to the individual's own basin.
public struct AntiseedRecords: Sendable, Hashable {
  /// W in units of the enthalpies' root mean square deviation over the best of the population.
  public let height: Double
  /// σ in units of the mean distance in the best of the population.
  public let width: Double
  /// W in eV per atom, as of the last boundary.
  public private(set) var gaussianHeight: Double
  /// σ as a fingerprint distance, as of the last boundary.
  public private(set) var gaussianWidth: Double

  /// Gaussians end at this many widths.
  static let reachInWidths = 5.0

  /// Creates records that do nothing until the first boundary.
  ///
  /// - Parameters:
  ///   - height: Relative height, 0 for none.
  ///   - width: Relative width, positive.
  public init(height: Double = 0.01, width: Double = 0.005) {
    precondition(height >= 0 && width > 0, "an antiseed has a height and a width")
    self.height = height
    self.width = width
    gaussianHeight = 0
    gaussianWidth = 0
  }

  /// Fits height and width to the population; called at fixed commit boundaries only.
  ///
  /// - Parameters:
  ///   - enthalpies: Enthalpies per atom of the best of the population, in eV.
  ///   - meanDistance: The mean of their mutual fingerprint distances.
  public mutating func rescale(enthalpies: [Double], meanDistance: Double) {
    guard enthalpies.count > 1 else { return }
    let mean = enthalpies.reduce(0, +) / Double(enthalpies.count)
    let square = enthalpies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    gaussianHeight = height * (square / Double(enthalpies.count)).squareRoot()
    gaussianWidth = width * meanDistance
  }

  /// The sum of the Gaussians at a basin, in eV per atom.
  func penalty(of index: Int, in basins: DuplicateIndex) -> Double {
    guard gaussianHeight > 0 else { return 0 }
    let basin = basins.basins[index]
    var sum = Double(basin.visits)
    if gaussianWidth > 0 {
      for neighbor in basin.neighbors
      where neighbor.distance < Self.reachInWidths * gaussianWidth {
        let x = neighbor.distance / gaussianWidth
        sum += Double(basins.basins[neighbor.index].visits) * exp(-0.5 * x * x)
      }
    }
    return gaussianHeight * sum
  }
}

extension AntiseedRecords: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    for value in [height, width, gaussianHeight, gaussianWidth] { encoder.encode(value) }
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    height = try decoder.decode()
    width = try decoder.decode()
    gaussianHeight = try decoder.decode()
    gaussianWidth = try decoder.decode()
  }
}
