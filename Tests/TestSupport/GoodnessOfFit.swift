import Foundation

/// Whether numbers follow a distribution.
public enum GoodnessOfFit {
  /// The probability that Pearson's χ² would be at least as large if values were uniform in [0, 1).
  ///
  /// - Parameters:
  ///   - values: Independent values of a cumulative distribution.
  ///   - bins: Intervals of equal probability; at least five values should fall into each.
  /// - Returns: The probability, see `chiSquareProbability(_:degreesOfFreedom:)`.
  public static func uniformProbability(_ values: [Double], bins: Int) -> Double {
    var counts = [Double](repeating: 0, count: bins)
    for value in values { counts[min(bins - 1, max(0, Int(value * Double(bins))))] += 1 }
    let expected = Double(values.count) / Double(bins)
    let statistic = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    return chiSquareProbability(statistic, degreesOfFreedom: bins - 1)
  }

  /// The probability that χ² exceeds a number.
  public static func chiSquareProbability(
    _ statistic: Double, degreesOfFreedom: Int
  ) -> Double {
    1 - gammaDistribution(statistic / 2, shape: Double(degreesOfFreedom) / 2)
  }

  /// The probability that a number of the gamma distribution with scale 1 is below x: the regularised
  /// incomplete gamma function P(shape, x), by its power series (DLMF 8.7.1).
  public static func gammaDistribution(_ x: Double, shape: Double) -> Double {
    guard x > 0 else { return 0 }
    var term = 1 / shape
    var sum = term
    var k = 1.0
    while term > sum * 1e-16 {
      term *= x / (shape + k)
      sum += term
      k += 1
    }
    return min(1, sum * exp(shape * log(x) - x - lgamma(shape)))
  }
}
