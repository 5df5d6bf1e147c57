import Foundation
import NumericalCore

/// Energy, force and strain derivative of one pair of atoms, summed over its images.
struct PairSum {
  /// Energy in eV.
  var energy = 0.0
  /// The force on the first atom in eV/Å; the second feels the opposite.
  var force = Vector3.zero
  /// ∂E/∂ε in eV.
  var virial = Matrix3.zero
}

/// Energy, force and strain derivative of eight pairs at a time.
struct PairLanes {
  private typealias Lanes = SIMD8<Double>
  private var energy = SIMD8<Double>.zero
  private var (fx, fy, fz) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
  private var (xx, yy, zz) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
  private var (xy, xz, yz) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)

  /// Adds pairs of energy u and u'(r)/r at displacements.
  @inline(__always)
  mutating func add(
    _ u: SIMD8<Double>, _ slope: SIMD8<Double>, _ dx: SIMD8<Double>, _ dy: SIMD8<Double>,
    _ dz: SIMD8<Double>
  ) {
    energy += u
    let (gx, gy, gz) = (slope * dx, slope * dy, slope * dz)
    fx += gx
    fy += gy
    fz += gz
    xx = xx.accumulating(gx, dx)
    yy = yy.accumulating(gy, dy)
    zz = zz.accumulating(gz, dz)
    xy = xy.accumulating(gx, dy)
    xz = xz.accumulating(gx, dz)
    yz = yz.accumulating(gy, dz)
  }

  /// The sum over the lanes.
  var total: PairSum {
    let (sxy, sxz, syz) = (xy.sum(), xz.sum(), yz.sum())
    return PairSum(
      energy: energy.sum(), force: Vector3(fx.sum(), fy.sum(), fz.sum()),
      virial: Matrix3(
        rows: Vector3(xx.sum(), sxy, sxz), Vector3(sxy, yy.sum(), syz),
        Vector3(sxz, syz, zz.sum())))
  }
}

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

  /// Sums over the images d + T of a displacement.
  ///
  /// - Parameters:
  ///   - displacement: d from the first to the second atom in Å.
  ///   - first: The first entry of the translations to use.
  ///   - last: One beyond the last.
  ///   - x: x components of the translations, readable for 7 entries beyond the last.
  ///   - y: y components.
  ///   - z: z components.
  ///   - cutoff: r_c in Å.
  ///   - width: The width w in Å of the switch 1 → 0 on [r_c − w, r_c]; 0 for none.
  /// - Returns: Energy, force on the first atom and ∂E/∂ε.
  func sum(
    _ displacement: Vector3, _ first: Int, _ last: Int, _ x: UnsafePointer<Double>,
    _ y: UnsafePointer<Double>, _ z: UnsafePointer<Double>, cutoff: Double, width: Double
  ) -> PairSum {
    typealias Lanes = SIMD8<Double>
    var sums = PairLanes()
    let (ox, oy, oz) = (
      Lanes(repeating: displacement.x), Lanes(repeating: displacement.y),
      Lanes(repeating: displacement.z)
    )
    let (a, b) = (Lanes(repeating: amplitude), Lanes(repeating: negativeInverseLength))
    let (c, w) = (Lanes(repeating: dispersion), Lanes(repeating: wall))
    let limit = Lanes(repeating: cutoff * cutoff)
    let inverseWidth = Lanes(repeating: width > 0 ? 1 / width : 0)
    let inner = Lanes(repeating: cutoff - width)
    var index = first
    while index < last {
      let (dx, dy, dz) = (ox + load8(x + index), oy + load8(y + index), oz + load8(z + index))
      let r2 = (dx * dx).accumulating(dy, dy).accumulating(dz, dz)
      index &+= 8
      let outside = r2 .>= limit
      if all(outside) { continue }
      let r = r2.squareRoot()
      let inverse = Lanes(repeating: 1) / r
      let i2 = inverse * inverse
      let i6 = i2 * i2 * i2
      let repulsion = a * vectorExponential(b * r)
      let dispersion = c * i6
      let wall = w * i6 * i6
      var u = repulsion - dispersion + wall
      // u'(r)/r
      var slope = repulsion * b * inverse
      slope = (Lanes(repeating: 6) * dispersion - Lanes(repeating: 12) * wall) * i2 + slope
      if width > 0 {
        // S(t) = 1 − 10t³ + 15t⁴ − 6t⁵ has two vanishing derivatives at both ends.
        let raw = (r - inner) * inverseWidth
        let t = raw.clamped(lowerBound: .zero, upperBound: Lanes(repeating: 1))
        let t2 = t * t
        let polynomial =
          Lanes(repeating: 10) + t * (Lanes(repeating: -15) + Lanes(repeating: 6) * t)
        let s = Lanes(repeating: 1) - t2 * t * polynomial
        let rest = Lanes(repeating: 1) - t
        let ds = Lanes(repeating: -30) * t2 * rest * rest * inverseWidth
        slope = slope * s + u * ds * inverse
        u *= s
      }
      u = u.replacing(with: 0, where: outside)
      slope = slope.replacing(with: 0, where: outside)
      sums.add(u, slope, dx, dy, dz)
    }
    return sums.total
  }
}

/// Sums the screened Coulomb interaction erfc(α r)/r of two unit charges over images, in 1/Å.
///
/// - Parameters:
///   - displacement: d from the first to the second atom in Å.
///   - first: The first entry of the translations to use.
///   - last: One beyond the last.
///   - x: x components of the translations.
///   - y: y components.
///   - z: z components.
///   - cutoff: Largest distance in Å.
///   - alpha: α in 1/Å.
/// - Returns: Energy, force on the first atom and ∂E/∂ε for unit charges and k_e = 1.
func screenedCoulombSum(
  _ displacement: Vector3, _ first: Int, _ last: Int, _ x: UnsafePointer<Double>,
  _ y: UnsafePointer<Double>, _ z: UnsafePointer<Double>, cutoff: Double, alpha: Double
) -> PairSum {
  var sum = PairSum()
  var (xx, yy, zz, xy, xz, yz) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
  let limit = cutoff * cutoff
  let prefactor = 2 * alpha / Double.pi.squareRoot()
  for index in first..<max(first, last) {
    let dx = displacement.x + x[index]
    let dy = displacement.y + y[index]
    let dz = displacement.z + z[index]
    let r2 = dx * dx + dy * dy + dz * dz
    if r2 >= limit { continue }
    let r = r2.squareRoot()
    let e = complementaryErrorFunction(alpha * r) / r
    let slope = -(e + prefactor * exp(-alpha * alpha * r2)) / r2
    sum.energy += e
    let (gx, gy, gz) = (slope * dx, slope * dy, slope * dz)
    sum.force += Vector3(gx, gy, gz)
    xx += gx * dx
    yy += gy * dy
    zz += gz * dz
    xy += gx * dy
    xz += gx * dz
    yz += gy * dz
  }
  sum.virial = Matrix3(rows: Vector3(xx, xy, xz), Vector3(xy, yy, yz), Vector3(xz, yz, zz))
  return sum
}
