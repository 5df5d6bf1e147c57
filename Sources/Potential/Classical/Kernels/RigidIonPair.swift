import Foundation
import NumericalCore

/// Parameters of the short-range part of one pair of elements:
/// u(r) = A exp(−r/ρ) − C/r⁶ + W/r¹².
struct ShortRangePair: Sendable, Hashable {
  /// A in eV.
  var amplitude: Double
  /// −1/ρ in 1/Å.
  var negativeInverseLength: Double
  /// C in eV Å⁶.
  var dispersion: Double
  /// W in eV Å¹².
  var wall: Double

  /// Whether all terms vanish.
  var isZero: Bool { amplitude == 0 && dispersion == 0 && wall == 0 }

  /// Whether only the exponential is there.
  var isExponential: Bool { dispersion == 0 && wall == 0 }

  /// Where A exp(−r/ρ) has fallen below 10⁻¹⁴ eV, in Å; the sum beyond it counts for nothing.
  var exponentialReach: Double {
    abs(amplitude) <= 1e-14 ? 0 : -log(abs(amplitude) / 1e-14) / negativeInverseLength
  }
}

/// A pair of ions: the short-range part within its cutoff, and Coulomb's interaction, screened in
/// crystals.
///
/// Images come sorted by distance, more or less: near ones get everything, those in the middle the
/// short-range part, far ones powers only.
struct RigidIonPair {
  private typealias Lanes = SIMD8<Double>

  /// The short-range part.
  let short: ShortRangePair
  /// Its cutoff in Å.
  let cutoff: Double
  /// The width in Å of the switch 1 → 0 before the cutoff; 0 for none.
  let smoothing: Double
  /// k_e q_i q_j in eV Å.
  let charge: Double
  /// α in 1/Å, 0 in clusters.
  let alpha: Double
  /// Where the screened interaction is cut, in Å; infinite in clusters.
  let screenedCutoff: Double
  private let exponentialReach: Double
  // The square of the screened cutoff, below the squared distance of the padding.
  private let screenedLimit: Double

  init(
    _ short: ShortRangePair, cutoff: Double, smoothing: Double, charge: Double,
    screening: EwaldScreening?
  ) {
    self.short = short
    self.cutoff = cutoff
    self.smoothing = smoothing
    self.charge = charge
    alpha = screening?.alpha ?? 0
    screenedCutoff = screening?.realCutoff ?? .infinity
    screenedLimit = min(screenedCutoff * screenedCutoff, 1e16)
    exponentialReach = min(cutoff, short.exponentialReach)
  }

  /// Adds all images.
  ///
  /// - Returns: The force on the first atom in eV/Å.
  func add(_ row: ImagePairs.Row, to total: inout PairLanes) -> Vector3 {
    var sums = PairLanes()
    let limit = Lanes(repeating: cutoff * cutoff)
    let screenedLimit = Lanes(repeating: screenedLimit)
    var place = 0
    let near = charge == 0 ? 0 : row.count(within: screenedCutoff)
    if short.isZero {
      while place < near {
        let d = row.images(place)
        place &+= 8
        let coulomb = ScreenedCoulomb.lanes(d.square, alpha: alpha)
        let product = Lanes(repeating: charge).where(d.square, isLessThan: screenedLimit)
        sums.add(product * coulomb.energy, product * coulomb.slope, d)
      }
      total.addEnergy(sums)
      return sums.force
    }
    let last = max(near, row.count(within: short.isExponential ? exponentialReach : cutoff))
    let nearLimit = Lanes(repeating: charge == 0 ? 0 : self.screenedLimit)
    let exponentialLimit = Lanes(repeating: exponentialReach * exponentialReach)
    while place < last {
      let d = row.images(place)
      place &+= 8
      if any(d.square .< nearLimit) {
        let coulomb = ScreenedCoulomb.lanes(d.square, alpha: alpha)
        let product = Lanes(repeating: charge).where(d.square, isLessThan: screenedLimit)
        let pair = shortRange(coulomb.distance, coulomb.inverse, hasExponential: true)
        sums.add(
          pair.energy.where(d.square, isLessThan: limit).accumulating(product, coulomb.energy),
          pair.slope.where(d.square, isLessThan: limit).accumulating(product, coulomb.slope), d)
      } else if any(d.square .< exponentialLimit) {
        let r = d.square.squareRoot()
        let pair = shortRange(r, Lanes(repeating: 1) / r, hasExponential: true)
        sums.add(
          pair.energy.where(d.square, isLessThan: limit),
          pair.slope.where(d.square, isLessThan: limit), d)
      } else if short.isExponential || all(d.square .>= limit) {
        continue
      } else if smoothing > 0 {
        let r = d.square.squareRoot()
        let pair = shortRange(r, Lanes(repeating: 1) / r, hasExponential: false)
        sums.add(
          pair.energy.where(d.square, isLessThan: limit),
          pair.slope.where(d.square, isLessThan: limit), d)
      } else {
        let i2 = (Lanes(repeating: 1) / d.square).where(d.square, isLessThan: limit)
        let pair = powers(i2)
        sums.add(pair.energy, pair.slope, d)
      }
    }
    total.addEnergy(sums)
    return sums.force
  }

  /// u(r) and u'(r)/r.
  private struct Terms {
    var energy: SIMD8<Double>
    var slope: SIMD8<Double>
  }

  /// −C/r⁶ + W/r¹² from 1/r².
  @inline(__always)
  private func powers(_ i2: SIMD8<Double>) -> Terms {
    let i4 = i2 * i2
    let i6 = i4 * i2
    let u = Lanes(repeating: -short.dispersion).accumulating(Lanes(repeating: short.wall), i6)
    let slope = Lanes(repeating: 6 * short.dispersion)
      .accumulating(Lanes(repeating: -12 * short.wall), i6)
    return Terms(energy: u * i6, slope: slope * (i4 * i4))
  }

  /// The short-range part, switched off towards the cutoff where the switch has a width.
  @inline(__always)
  private func shortRange(
    _ r: SIMD8<Double>, _ inverse: SIMD8<Double>, hasExponential: Bool
  ) -> Terms {
    var pair = powers(inverse * inverse)
    if hasExponential {
      let b = Lanes(repeating: short.negativeInverseLength)
      let repulsion = Lanes(repeating: short.amplitude) * vectorExponential(b * r)
      pair.energy += repulsion
      pair.slope = pair.slope.accumulating(repulsion * b, inverse)
    }
    if smoothing > 0 {
      // S(t) = 1 − 10t³ + 15t⁴ − 6t⁵ has two vanishing derivatives at both ends. Beyond the cutoff the
      // pair does not count.
      let perWidth = Lanes(repeating: 1 / smoothing)
      let t = Lanes.larger((r - Lanes(repeating: cutoff - smoothing)) * perWidth, .zero)
      let t2 = t * t
      let polynomial =
        Lanes(repeating: 10) + t * (Lanes(repeating: -15) + Lanes(repeating: 6) * t)
      let s = Lanes(repeating: 1) - t2 * t * polynomial
      let rest = Lanes(repeating: 1) - t
      let ds = Lanes(repeating: -30) * t2 * rest * rest * perWidth
      pair.slope = pair.slope * s + pair.energy * ds * inverse
      pair.energy *= s
    }
    return pair
  }
}

/// The interaction erfc(αr)/r of unit charges, eight at a time.
package struct ScreenedCoulomb {
  /// erfc(αr)/r in 1/Å.
  package let energy: SIMD8<Double>
  /// Its derivative over r, in 1/Å³.
  package let slope: SIMD8<Double>
  /// r in Å.
  package let distance: SIMD8<Double>
  /// 1/r in 1/Å.
  package let inverse: SIMD8<Double>

  /// Evaluates eight distances, to some 1e-15 of 1/r for αr up to 6.
  ///
  /// (x + 4) exp(x²) erfc(x) is a polynomial of degree 16 in (7x/3 − 4)/(x + 4), after the map of
  /// M. M. Shepherd and J. G. Laframboise, Math. Comput. 36, 249 (1981); fitted at Chebyshev nodes of
  /// 0 ≤ x ≤ 6, relative error 7e-16. One division serves that map and 1/r.
  ///
  /// - Parameters:
  ///   - square: r² in Å².
  ///   - alpha: α in 1/Å.
  /// - Returns: Energy and slope, r and 1/r.
  @inline(__always)
  package static func lanes(_ square: SIMD8<Double>, alpha: Double) -> ScreenedCoulomb {
    typealias Lanes = SIMD8<Double>
    let r = square.squareRoot()
    let x = Lanes(repeating: alpha) * r
    let shifted = x + Lanes(repeating: 4)
    let quotient = Lanes(repeating: 1) / (r * shifted)
    let inverse = quotient * shifted
    let t = Lanes(repeating: -4).accumulating(x, Lanes(repeating: 7.0 / 3)) * (quotient * r)
    let t2 = t * t
    var even = Lanes(repeating: 2.423813110413969e-10)
    even = Lanes(repeating: -7.340188659723692e-09).accumulating(even, t2)
    even = Lanes(repeating: 2.0634722215979536e-07).accumulating(even, t2)
    even = Lanes(repeating: -5.2713142452240315e-06).accumulating(even, t2)
    even = Lanes(repeating: 3.7272205359963875e-05).accumulating(even, t2)
    even = Lanes(repeating: 0.008205543289258864).accumulating(even, t2)
    even = Lanes(repeating: 0.12079874130875444).accumulating(even, t2)
    even = Lanes(repeating: 0.6792914038443536).accumulating(even, t2)
    even = Lanes(repeating: 1.6555549504197955).accumulating(even, t2)
    var odd = Lanes(repeating: 3.978876539375962e-10)
    odd = Lanes(repeating: -5.662639264055459e-09).accumulating(odd, t2)
    odd = Lanes(repeating: -2.6304219383582974e-07).accumulating(odd, t2)
    odd = Lanes(repeating: 2.7686585902877903e-05).accumulating(odd, t2)
    odd = Lanes(repeating: -0.0011947580702902274).accumulating(odd, t2)
    odd = Lanes(repeating: -0.03633305208478414).accumulating(odd, t2)
    odd = Lanes(repeating: -0.3182810048712267).accumulating(odd, t2)
    odd = Lanes(repeating: -1.1803357642499643).accumulating(odd, t2)
    let gaussian = vectorExponential(Lanes(repeating: -alpha * alpha) * square)
    let energy = gaussian * even.accumulating(odd, t) * quotient
    // −(erfc(αr)/r + 2α/√π exp(−α²r²))/r²
    let prefactor = Lanes(repeating: -2 * alpha / Double.pi.squareRoot())
    let slope = (prefactor * gaussian - energy) * (inverse * inverse)
    return ScreenedCoulomb(energy: energy, slope: slope, distance: r, inverse: inverse)
  }
}
