import Crystal
import NumericalCore

/// The switched repulsion of two elements.
///
/// V(r) = K φ(r/a)/r + S(r) with K = (e²/4πε₀) Z₁Z₂ and φ(x) = Σ c_k exp(−d_k x); S is the constant C below r₁, and
/// A/3 (r − r₁)³ + B/4 (r − r₁)⁴ + C from r₁ to r₂ (LAMMPS's manual, `pair_style zbl`).
package struct RepulsionPair: Sendable {
  /// r₁ in Å.
  package let inner: Double
  /// r₂ in Å.
  package let outer: Double
  // K c_k in eV Å, d_k/a in 1/Å.
  private let weights: SIMD4<Double>
  private let rates: SIMD4<Double>
  // A in eV/Å³, B in eV/Å⁴, C in eV.
  private var square = 0.0
  private var cube = 0.0
  private var constant = 0.0

  // The universal screening function, with the digits of LAMMPS.
  private static let shares = SIMD4(0.18175, 0.50986, 0.28022, 0.02817)
  private static let exponents = SIMD4(3.19980, 0.94229, 0.40290, 0.20162)

  /// Prepares the coefficients.
  package init(_ repulsion: ShortRangeRepulsion, _ a: ChemicalElement, _ b: ChemicalElement) {
    inner = repulsion.innerRadius(a, b)
    outer = repulsion.outerRadius(a, b)
    let (z1, z2) = (Double(a.atomicNumber), Double(b.atomicNumber))
    let length = 0.46850 / (Self.screeningPower(z1) + Self.screeningPower(z2))
    weights = PhysicalConstants.coulomb * z1 * z2 * Self.shares
    rates = Self.exponents / length
    let (value, slope, curvature) = unswitched(at: outer)
    let width = outer - inner
    square = (-3 * slope + width * curvature) / (width * width)
    cube = (2 * slope - width * curvature) / (width * width * width)
    constant = -value + width * slope / 2 - width * width * curvature / 12
  }

  // Z^0.23.
  private static func screeningPower(_ z: Double) -> Double { exponential(0.23 * logarithm(z)) }

  // K φ/r and its first two derivatives.
  private func unswitched(at r: Double) -> (value: Double, slope: Double, curvature: Double) {
    var sums = (0.0, 0.0, 0.0)
    for k in 0..<4 {
      let term = weights[k] * exponential(-rates[k] * r)
      sums.0 += term
      sums.1 -= rates[k] * term
      sums.2 += rates[k] * rates[k] * term
    }
    return (
      sums.0 / r, (sums.1 - sums.0 / r) / r, (sums.2 - 2 * sums.1 / r + 2 * sums.0 / (r * r)) / r
    )
  }

  /// V in eV and dV/dr in eV/Å at eight distances in Å; zero from the outer radius on.
  @inline(__always)
  func evaluate(_ r: SIMD8<Double>) -> (energy: SIMD8<Double>, slope: SIMD8<Double>) {
    typealias Octet = SIMD8<Double>
    let inverse = Octet(repeating: 1) / r
    var (sum, sumSlope) = (Octet.zero, Octet.zero)
    for k in 0..<4 {
      let rate = Octet(repeating: -rates[k])
      let term = Octet(repeating: weights[k]) * vectorExponential(r * rate)
      sum += term
      sumSlope.accumulate(term, rate)
    }
    let coulomb = sum * inverse
    let beyond = Octet.larger(r - Octet(repeating: inner), .zero)
    let (a, b) = (Octet(repeating: square), Octet(repeating: cube))
    let (a3, b4) = (Octet(repeating: square / 3), Octet(repeating: cube / 4))
    let beyond2 = beyond * beyond
    let energy = (coulomb + Octet(repeating: constant))
      .accumulating(beyond2 * beyond, a3.accumulating(b4, beyond))
    let slope = ((sumSlope - coulomb) * inverse)
      .accumulating(beyond2, a.accumulating(b, beyond))
    let limit = Octet(repeating: outer)
    return (energy.where(r, isLessThan: limit), slope.where(r, isLessThan: limit))
  }

  /// V in eV and dV/dr in eV/Å at a distance in Å.
  package func values(at r: Double) -> (energy: Double, slope: Double) {
    let (energy, slope) = evaluate(SIMD8(repeating: r))
    return (energy[0], slope[0])
  }
}
