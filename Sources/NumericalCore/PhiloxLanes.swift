/// Eight consecutive blocks of Philox 4×32-10 at once, one in each lane.
///
/// Numbers of 32 bits stand in lanes of 64, where their products fit.
struct PhiloxLanes {
  private typealias Lanes = SIMD8<UInt64>

  /// Two numbers uniform in [−1, 1) from each block, as `2 * uniform() - 1` draws them one after the other.
  let u: SIMD8<Double>
  /// Likewise.
  let v: SIMD8<Double>

  /// Takes the blocks of eight counters that differ in their first number; it must not overflow.
  init(first counter: SIMD4<UInt32>, key: SIMD2<UInt32>) {
    let low = Lanes(repeating: 0xFFFF_FFFF)
    let places = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
    var c0 = Lanes(repeating: UInt64(counter[0])) &+ places
    var c1 = Lanes(repeating: UInt64(counter[1]))
    var c2 = Lanes(repeating: UInt64(counter[2]))
    var c3 = Lanes(repeating: UInt64(counter[3]))
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let p0 = Lanes(repeating: 0xD251_1F53) &* (c0 & low)
      let p1 = Lanes(repeating: 0xCD9E_8D57) &* (c2 & low)
      c0 = (p1 &>> 32) ^ c1 ^ Lanes(repeating: UInt64(k0))
      c1 = p1 & low
      c2 = (p0 &>> 32) ^ c3 ^ Lanes(repeating: UInt64(k1))
      c3 = p0 & low
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    u = Self.uniform(low: c0, high: c1)
    v = Self.uniform(low: c2, high: c3)
  }

  // The upper 53 of 64 bits, doubled less one: all but the last step is exact.
  @inline(__always)
  private static func uniform(low: Lanes, high: Lanes) -> SIMD8<Double> {
    // 2⁵² and 2⁵² plus a whole number below 2³² differ in their last bits alone.
    let base = Lanes(repeating: 0x4330_0000_0000_0000)
    let big = SIMD8<Double>(repeating: 0x1p52)
    let upper = unsafeBitCast((high &>> 11) | base, to: SIMD8<Double>.self) - big
    let rest = ((high & Lanes(repeating: 0x7FF)) &<< 21) | (low &>> 11)
    let lower = unsafeBitCast(rest | base, to: SIMD8<Double>.self) - big
    let number = upper * SIMD8(repeating: 0x1p-20) + lower * SIMD8(repeating: 0x1p-52)
    return number - SIMD8(repeating: 1)
  }
}
