/// eˣ of eight numbers at once, to 1 unit in the last place or so; 0 ≤ −x ≤ 700, smaller arguments
/// count as −700.
///
/// Reduction x = k ln 2 + r with |r| ≤ ln 2/2, Taylor series of degree 13 in r (remainder 4e-18).
@inline(__always)
func vectorExponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
  typealias Lanes = SIMD8<Double>
  let clamped = x.replacing(with: Lanes(repeating: -700), where: x .< Lanes(repeating: -700))
  // Adding 1.5·2⁵² leaves the nearest integer in the low bits of the sum.
  let shifter = Lanes(repeating: 0x1.8p52)
  let shifted = shifter.accumulating(clamped, Lanes(repeating: 1.442695040888963387))
  let k = shifted - shifter
  // ln 2 in two parts, the first with trailing zeros so that k times it is exact.
  var r = clamped.accumulating(k, Lanes(repeating: -6.93147180369123816490e-01))
  r = r.accumulating(k, Lanes(repeating: -1.90821492927058770002e-10))
  var p = Lanes(repeating: 1 / 6227020800)
  p = Lanes(repeating: 1 / 479001600).accumulating(p, r)
  p = Lanes(repeating: 1 / 39916800).accumulating(p, r)
  p = Lanes(repeating: 1 / 3628800).accumulating(p, r)
  p = Lanes(repeating: 1 / 362880).accumulating(p, r)
  p = Lanes(repeating: 1 / 40320).accumulating(p, r)
  p = Lanes(repeating: 1 / 5040).accumulating(p, r)
  p = Lanes(repeating: 1 / 720).accumulating(p, r)
  p = Lanes(repeating: 1 / 120).accumulating(p, r)
  p = Lanes(repeating: 1 / 24).accumulating(p, r)
  p = Lanes(repeating: 1 / 6).accumulating(p, r)
  p = Lanes(repeating: 0.5).accumulating(p, r)
  p = Lanes(repeating: 1).accumulating(p, r)
  p = Lanes(repeating: 1).accumulating(p, r)
  // 2ᵏ: the integer shifted into the exponent.
  let bits = unsafeBitCast(shifted, to: SIMD8<UInt64>.self)
  let exponent = (bits &<< 52) &+ SIMD8<UInt64>(repeating: 1023 << 52)
  return p * unsafeBitCast(exponent, to: Lanes.self)
}

/// Eight numbers from memory that need not be aligned.
@inline(__always)
func load8(_ pointer: UnsafePointer<Double>) -> SIMD8<Double> {
  UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
}

/// Writes eight numbers to memory that need not be aligned.
@inline(__always)
func store8(_ value: SIMD8<Double>, _ pointer: UnsafeMutablePointer<Double>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD8<Double>.self)
}
