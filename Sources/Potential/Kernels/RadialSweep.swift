/// The radial functions of one pair of species in the form that is quickest to evaluate:
/// f_μ(r) = (r − r_max)² p_μ(ξ), the Chebyshev sums p_μ as polynomials in powers of
/// ξ = (2r − r_min − r_max)/(r_max − r_min), which Horner's rule evaluates with their slopes.
struct RadialPolynomials: Sendable {
  /// Above this size powers lose digits to cancellation and Clenshaw's recurrence is used.
  static let largestPowerBasis = 12

  /// The number R of coefficients of a function.
  let size: Int
  /// The number of functions.
  let functionCount: Int
  // Coefficients of all pairs of species: of each pair two functions after two, index k from R−1 down to
  // 0; a function that stands alone has one of zeros beside it.
  private let coefficients: [Double]
  private let paddedCount: Int
  private let cutoff: Double
  private let middle: Double
  private let rate: Double

  /// Converts the coefficients of a potential.
  ///
  /// - Parameters:
  ///   - basis: The radial basis.
  ///   - functionCount: The number of functions of a pair.
  ///   - parameters: c_μi of pair after pair, μ slow.
  ///   - pairCount: The number of pairs of species.
  init(_ basis: RadialBasis, functionCount: Int, parameters: ArraySlice<Double>, pairCount: Int) {
    size = basis.size
    self.functionCount = functionCount
    cutoff = basis.cutoff
    middle = 0.5 * (basis.cutoff + basis.minimumDistance)
    rate = 2 / (basis.cutoff - basis.minimumDistance)
    let powers = size > Self.largestPowerBasis ? nil : Self.chebyshevPowers(size)
    paddedCount = (functionCount + 1) / 2 * 2
    var converted = [Double](repeating: 0, count: pairCount * paddedCount * size)
    for pair in 0..<pairCount {
      for mu in 0..<functionCount {
        let first = parameters.startIndex + (pair * functionCount + mu) * size
        for k in 0..<size {
          var value = parameters[first + k]
          if let powers {
            value = 0
            for i in k..<size { value += parameters[first + i] * powers[i][k] }
          }
          let couple = (pair * paddedCount + mu / 2 * 2) * size
          converted[couple + 2 * (size - 1 - k) + mu % 2] = basis.scaling * value
        }
      }
    }
    coefficients = converted
  }

  // The coefficient of ξᵏ in T_i.
  private static func chebyshevPowers(_ size: Int) -> [[Double]] {
    var rows = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
    rows[0][0] = 1
    if size > 1 { rows[1][1] = 1 }
    for i in 2..<max(2, size) {
      for k in 0..<size { rows[i][k] = (k > 0 ? 2 * rows[i - 1][k - 1] : 0) - rows[i - 2][k] }
    }
    return rows
  }

  /// Turns vectors into unit vectors and distances and starts the monomials.
  ///
  /// - Parameter slots: The neighbors; vectors are replaced.
  func normalize(_ slots: NeighborSlots) {
    var u = slots.geometry
    var monomial = slots.monomials
    for _ in 0..<slots.count {
      let (x, y, z) = (u[0], u[1], u[2])
      let r = (x * x).accumulating(y, y).accumulating(z, z).squareRoot()
      let inverse = Lanes(repeating: 1) / r
      u[0] = x * inverse
      u[1] = y * inverse
      u[2] = z * inverse
      u[3] = r
      u[4] = inverse
      monomial[0] = Lanes(repeating: 1)
      u += NeighborSlots.geometryStride
      monomial += slots.monomialStride
    }
  }

  /// Computes f_μ, z f_μ and df_μ/dr of neighbors of one species.
  ///
  /// - Parameters:
  ///   - slots: The neighbors; receives functions and slopes.
  ///   - range: Which slots.
  ///   - pair: The number of the pair of species.
  func evaluate(_ slots: NeighborSlots, _ range: Range<Int>, pair: Int) {
    coefficients.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let first = base + pair * size * paddedCount
      for function in stride(from: 0, to: functionCount, by: 2) {
        let c = first + function * size
        sums(slots, range, function, c)
      }
    }
  }

  /// Two functions, each at two slots, with their slopes in ξ: independent sums that keep the
  /// processor busy.
  private struct Quartet {
    var p0: Lanes
    var p1: Lanes
    var q0: Lanes
    var q1: Lanes
    var dp0 = Lanes.zero
    var dp1 = Lanes.zero
    var dq0 = Lanes.zero
    var dq1 = Lanes.zero

    @inline(__always)
    init(_ c: UnsafePointer<Double>) {
      (p0, p1) = (Lanes(repeating: c[0]), Lanes(repeating: c[0]))
      (q0, q1) = (Lanes(repeating: c[1]), Lanes(repeating: c[1]))
    }
  }

  @inline(__always)
  private func sums(
    _ slots: NeighborSlots, _ range: Range<Int>, _ function: Int, _ c: UnsafePointer<Double>
  ) {
    let usesPowers = size <= Self.largestPowerBasis
    var slot = range.lowerBound
    while slot < range.upperBound {
      // An odd slot at the end is computed twice.
      let other = min(slot &+ 1, range.upperBound &- 1)
      let u = slots.geometry + slot &* NeighborSlots.geometryStride
      let v = slots.geometry + other &* NeighborSlots.geometryStride
      let (r0, r1) = (u[3], v[3])
      let (x, y) = ((r0 - middle) * rate, (r1 - middle) * rate)
      let sums = usesPowers ? horner(c, x, y) : clenshaw(c, x, y)
      let isLast = function &+ 1 == functionCount
      store(slots, slot, function, u[2], r0, sums.p0, sums.dp0)
      store(slots, other, function, v[2], r1, sums.p1, sums.dp1)
      if !isLast {
        store(slots, slot, function &+ 1, u[2], r0, sums.q0, sums.dq0)
        store(slots, other, function &+ 1, v[2], r1, sums.q1, sums.dq1)
      }
      slot &+= 2
    }
  }

  @inline(__always)
  private func store(
    _ slots: NeighborSlots, _ slot: Int, _ function: Int, _ z: Lanes, _ r: Lanes, _ p: Lanes,
    _ slope: Lanes
  ) {
    let beyond = r - cutoff
    let weight = beyond * beyond
    let value = weight * p
    let f = slots.functions + (slot &* slots.functionStride &+ 2 &* function)
    f[0] = value
    f[1] = value * z
    slots.slopes[slot &* slots.radialCount &+ function] =
      (weight * rate * slope).accumulating(beyond + beyond, p)
  }

  @inline(__always)
  private func horner(_ first: UnsafePointer<Double>, _ x: Lanes, _ y: Lanes) -> Quartet {
    var c = first
    var s = Quartet(c)
    for _ in 1..<max(1, size) {
      c += 2
      s.dp0 = s.p0.accumulating(s.dp0, x)
      s.dp1 = s.p1.accumulating(s.dp1, y)
      s.dq0 = s.q0.accumulating(s.dq0, x)
      s.dq1 = s.q1.accumulating(s.dq1, y)
      let (a, b) = (Lanes(repeating: c[0]), Lanes(repeating: c[1]))
      s.p0 = a.accumulating(s.p0, x)
      s.p1 = a.accumulating(s.p1, y)
      s.q0 = b.accumulating(s.q0, x)
      s.q1 = b.accumulating(s.q1, y)
    }
    return s
  }

  @inline(never)
  private func clenshaw(_ first: UnsafePointer<Double>, _ x: Lanes, _ y: Lanes) -> Quartet {
    var s = Quartet(first)
    (s.p0, s.dp0) = clenshaw(first, x)
    (s.p1, s.dp1) = clenshaw(first, y)
    (s.q0, s.dq0) = clenshaw(first + 1, x)
    (s.q1, s.dq1) = clenshaw(first + 1, y)
    return s
  }

  // C. W. Clenshaw, Math. Tables Aids Comput. 9, 118 (1955): b_k = c_k + 2ξ b_{k+1} − b_{k+2}, the sum is
  // c₀ + ξ b₁ − b₂; slopes by differentiating each line.
  private func clenshaw(_ c: UnsafePointer<Double>, _ xi: Lanes) -> (Lanes, Lanes) {
    let twice = xi + xi
    var (b1, b2, s1, s2) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for k in 0..<size &- 1 {
      let b = (c[2 &* k] - b2).accumulating(twice, b1)
      let s = (b1 + b1 - s2).accumulating(twice, s1)
      (b1, b2, s1, s2) = (b, b1, s, s1)
    }
    let last = c[2 &* (size &- 1)]
    return ((last - b2).accumulating(xi, b1), (b1 - s2).accumulating(xi, s1))
  }
}
