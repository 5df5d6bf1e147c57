/// eˣ of eight numbers at once, to 1 unit in the last place or so; 0 ≤ −x ≤ 700, smaller arguments
/// count as −700.
///
/// Reduction x = k ln 2 + r with |r| ≤ ln 2/2; polynomial of degree 11 in r, fitted at Chebyshev nodes (relative
/// error 2e-17).
@inline(__always)
package func vectorExponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
  typealias Lanes = SIMD8<Double>
  let clamped = Lanes.larger(x, Lanes(repeating: -700))
  // Adding 1.5·2⁵² leaves the nearest integer in the low bits of the sum.
  let shifter = Lanes(repeating: 0x1.8p52)
  let shifted = shifter.accumulating(clamped, Lanes(repeating: 1.442695040888963387))
  let k = shifted - shifter
  // ln 2 in two parts, the first with trailing zeros so that k times it is exact.
  var r = clamped.accumulating(k, Lanes(repeating: -6.93147180369123816490e-01))
  r = r.accumulating(k, Lanes(repeating: -1.90821492927058770002e-10))
  let r2 = r * r
  var even = Lanes(repeating: 2.763263965412376e-07)
  even = Lanes(repeating: 2.480148548228773e-05).accumulating(even, r2)
  even = Lanes(repeating: 0.0013888888952314812).accumulating(even, r2)
  even = Lanes(repeating: 0.04166666666648809).accumulating(even, r2)
  even = Lanes(repeating: 0.5000000000000019).accumulating(even, r2)
  even = Lanes(repeating: 1).accumulating(even, r2)
  var odd = Lanes(repeating: 2.511003761756205e-08)
  odd = Lanes(repeating: 2.7557240918547625e-06).accumulating(odd, r2)
  odd = Lanes(repeating: 0.00019841269890047143).accumulating(odd, r2)
  odd = Lanes(repeating: 0.008333333333319601).accumulating(odd, r2)
  odd = Lanes(repeating: 0.1666666666666668).accumulating(odd, r2)
  odd = Lanes(repeating: 1).accumulating(odd, r2)
  let p = even.accumulating(odd, r)
  // 2ᵏ: the integer shifted into the exponent.
  let bits = unsafeBitCast(shifted, to: SIMD8<UInt64>.self)
  let exponent = (bits &<< 52) &+ SIMD8<UInt64>(repeating: 1023 << 52)
  return p * unsafeBitCast(exponent, to: Lanes.self)
}

#if POLYMORPH_FOUR_LANES
  /// eˣ of four numbers at once, as of eight.
  ///
  /// The two halves of the eight are the same, and the compiler computes them once.
  @inline(__always)
  package func vectorExponential(_ x: SIMD4<Double>) -> SIMD4<Double> {
    vectorExponential(SIMD8(lowHalf: x, highHalf: x)).lowHalf
  }
#endif

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

/// sin x and cos x of eight numbers at once for |x| ≤ π/2, to some 1e-16.
///
/// Taylor series of degrees 21 and 22 (remainders below 2e-18).
@inline(__always)
package func vectorSineAndCosine(_ x: SIMD8<Double>) -> (sine: SIMD8<Double>, cosine: SIMD8<Double>)
{
  typealias Lanes = SIMD8<Double>
  let square = x * x
  var sine = Lanes(repeating: 1 / 51090942171709440000)
  sine = Lanes(repeating: -1 / 121645100408832000).accumulating(sine, square)
  sine = Lanes(repeating: 1 / 355687428096000).accumulating(sine, square)
  sine = Lanes(repeating: -1 / 1307674368000).accumulating(sine, square)
  sine = Lanes(repeating: 1 / 6227020800).accumulating(sine, square)
  sine = Lanes(repeating: -1 / 39916800).accumulating(sine, square)
  sine = Lanes(repeating: 1 / 362880).accumulating(sine, square)
  sine = Lanes(repeating: -1 / 5040).accumulating(sine, square)
  sine = Lanes(repeating: 1 / 120).accumulating(sine, square)
  sine = Lanes(repeating: -1 / 6).accumulating(sine, square)
  sine = Lanes(repeating: 1).accumulating(sine, square)
  var cosine = Lanes(repeating: -1 / 1124000727777607680000)
  cosine = Lanes(repeating: 1 / 2432902008176640000).accumulating(cosine, square)
  cosine = Lanes(repeating: -1 / 6402373705728000).accumulating(cosine, square)
  cosine = Lanes(repeating: 1 / 20922789888000).accumulating(cosine, square)
  cosine = Lanes(repeating: -1 / 87178291200).accumulating(cosine, square)
  cosine = Lanes(repeating: 1 / 479001600).accumulating(cosine, square)
  cosine = Lanes(repeating: -1 / 3628800).accumulating(cosine, square)
  cosine = Lanes(repeating: 1 / 40320).accumulating(cosine, square)
  cosine = Lanes(repeating: -1 / 720).accumulating(cosine, square)
  cosine = Lanes(repeating: 1 / 24).accumulating(cosine, square)
  cosine = Lanes(repeating: -1 / 2).accumulating(cosine, square)
  cosine = Lanes(repeating: 1).accumulating(cosine, square)
  return (sine * x, cosine)
}
