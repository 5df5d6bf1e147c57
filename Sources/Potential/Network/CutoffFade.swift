import NumericalCore

/// f_c(r) = ½ (cos(π r/r_c) + 1) and its slope, of the square of the distance: no square root, no cosine.
///
/// With t = r²/r_c² it is (1 − t)² q(t). The power series of q is that of f_c divided by (1 − t)²; as both f_c and its
/// slope vanish at t = 1, its coefficients are the tails Σ_{k > n} (k − n − 1) c_k of c_k = ½ (−1)ᵏ π²ᵏ/(2k)!, and fall as
/// fast. Value and slope are exactly zero from the cutoff on.
struct CutoffFade: Sendable, Hashable {
  /// 1/r_c² in Å⁻².
  let inverseSquare: Double
  /// r_c in Å.
  let cutoff: Double

  static let count = 15
  /// The coefficients of q, the constant one first.
  static let coefficients: [Double] = {
    var c = [Double](repeating: 0.5, count: 40)
    for k in 1..<c.count {
      c[k] = -c[k - 1] * Double.pi * Double.pi / Double(2 * k * (2 * k - 1))
    }
    // c₀ is ½ + ½, but has no part in a tail.
    return (0..<count).map { n in
      (n + 1..<c.count).reversed().reduce(0) { $0 + Double($1 - n - 1) * c[$1] }
    }
  }()

  init(cutoff: Double) {
    self.cutoff = cutoff
    inverseSquare = 1 / (cutoff * cutoff)
  }

  /// f_c and df_c/d(r²).
  ///
  /// - Parameters:
  ///   - square: r² in Å².
  ///   - q: The coefficients.
  /// - Returns: Both, zero from the cutoff on.
  @inline(__always)
  func values(
    _ square: Lanes, _ q: UnsafePointer<Double>
  ) -> (value: Lanes, slope: Lanes) {
    let one = Lanes(repeating: 1)
    let t = Lanes.smaller(square * Lanes(repeating: inverseSquare), one)
    var value = Lanes(repeating: q[Self.count &- 1])
    var slope = Lanes.zero
    var n = Self.count &- 2
    while n >= 0 {
      slope = value.accumulating(slope, t)
      value = Lanes(repeating: q[n]).accumulating(value, t)
      n &-= 1
    }
    let left = one - t
    // d/dt (1 − t)² q = (1 − t) ((1 − t) q′ − 2 q).
    let inner = (left * slope) - (value + value)
    return (left * left * value, left * inner * Lanes(repeating: inverseSquare))
  }

  /// f_c alone.
  @inline(__always)
  func value(_ square: Lanes, _ q: UnsafePointer<Double>) -> Lanes {
    let one = Lanes(repeating: 1)
    let t = Lanes.smaller(square * Lanes(repeating: inverseSquare), one)
    var value = Lanes(repeating: q[Self.count &- 1])
    var n = Self.count &- 2
    while n >= 0 {
      value = Lanes(repeating: q[n]).accumulating(value, t)
      n &-= 1
    }
    let left = one - t
    return left * left * value
  }
}
