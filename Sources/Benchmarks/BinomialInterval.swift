import Foundation

/// What a number of successes says of the rate of success.
///
/// The exact interval of C. J. Clopper and E. S. Pearson, Biometrika 26, 404 (1934),
/// doi:10.1093/biomet/26.4.404.
struct BinomialInterval {
  let lower: Double
  let upper: Double

  /// Finds the rates at which so few or so many successes are just not too improbable.
  init(successes: Int, trials: Int, confidence: Double = 0.95) {
    precondition((0...trials).contains(successes), "successes are among the trials")
    let tail = (1 - confidence) / 2
    lower =
      successes == 0
      ? 0 : Self.rate { 1 - Self.probability(ofAtMost: successes - 1, trials, $0) < tail }
    upper =
      successes == trials
      ? 1 : Self.rate { Self.probability(ofAtMost: successes, trials, $0) > tail }
  }

  /// The rate up to which a condition holds, by bisection.
  private static func rate(_ holds: (Double) -> Bool) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if holds(middle) { low = middle } else { high = middle }
    }
    return low
  }

  private static func probability(ofAtMost limit: Int, _ trials: Int, _ rate: Double) -> Double {
    var (sum, ways) = (0.0, 1.0)
    for count in 0...limit {
      sum += ways * pow(rate, Double(count)) * pow(1 - rate, Double(trials - count))
      ways *= Double(trials - count) / Double(count + 1)
    }
    return sum
  }
}
