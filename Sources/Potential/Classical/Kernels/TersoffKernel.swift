import Crystal
import Foundation
import NumericalCore

/// The energy of one atom: half of its bonds, each weakened by the others.
struct TersoffKernel: Sendable, Hashable {
  private typealias Lanes = SIMD8<Double>

  /// What two elements share; the bond's strength holds χ.
  private struct Pair: Sendable, Hashable {
    let repulsion: Double
    let repulsiveDecay: Double
    let attraction: Double
    let attractiveDecay: Double
    let inner: Double
    let outer: Double
  }

  /// What the central atom's element decides.
  private struct Center: Sendable, Hashable {
    let beta: Double
    let exponent: Double
    let c2: Double
    let d2: Double
    let h: Double
  }

  /// The largest S in Å.
  let cutoff: Double
  private let pairs: [Pair]
  private let centers: [Center]

  /// Rows beyond the shared ones: six of parameters, f_C, f_C', f_C f_A and its derivative, the
  /// repulsion's derivative.
  static let rowCount = 11

  init(
    _ elements: [TersoffPotential.ElementParameters],
    chi: (ChemicalElement, ChemicalElement) -> Double
  ) {
    centers = elements.map {
      Center(beta: $0.beta, exponent: $0.exponent, c2: $0.c * $0.c, d2: $0.d * $0.d, h: $0.h)
    }
    func geometric(_ a: Double, _ b: Double) -> Double { (a * b).squareRoot() }
    var pairs: [Pair] = []
    for a in elements {
      for b in elements {
        let isLike = a.element == b.element
        pairs.append(
          Pair(
            repulsion: geometric(a.repulsion, b.repulsion),
            repulsiveDecay: (a.repulsiveDecay + b.repulsiveDecay) / 2,
            attraction: (isLike ? 1 : chi(a.element, b.element))
              * geometric(a.attraction, b.attraction),
            attractiveDecay: (a.attractiveDecay + b.attractiveDecay) / 2,
            inner: geometric(a.innerCutoff, b.innerCutoff),
            outer: geometric(a.outerCutoff, b.outerCutoff)))
      }
    }
    self.pairs = pairs
    cutoff = pairs.reduce(0) { max($0, $1.outer) }
  }

  /// Sets the parameters of a neighbor.
  func setPair(_ center: Int, _ neighbor: Int, at n: Int, of site: SiteRows) {
    let pair = pairs[center * centers.count + neighbor]
    site.row(0)[n] = pair.repulsion
    site.row(1)[n] = pair.repulsiveDecay
    site.row(2)[n] = pair.attraction
    site.row(3)[n] = pair.attractiveDecay
    site.row(4)[n] = pair.inner
    site.row(5)[n] = pair.outer
  }

  /// Adds up one atom's energy in eV and writes its derivatives; parameters must have been set.
  func energy(of site: SiteRows, center: Int) -> Double {
    var energy = repulsion(site)
    let center = centers[center]
    let (bond, bondSlope, repulsionSlope) = (site.row(8), site.row(9), site.row(10))
    for j in 0..<site.count where site.row(6)[j] != 0 {
      let around = neighborhood(site, j, center)
      let (order, orderSlope) = Self.bondOrder(around.zeta, center)
      energy += 0.5 * order * bond[j]
      // ∂E/∂ζ
      let weight = 0.5 * bond[j] * orderSlope
      let turning = weight / site.distance[j]
      let along = repulsionSlope[j] + 0.5 * order * bondSlope[j] - turning * around.cosines
      site.gradientX[j] += along * site.x[j] + turning * around.direction.x
      site.gradientY[j] += along * site.y[j] + turning * around.direction.y
      site.gradientZ[j] += along * site.z[j] + turning * around.direction.z
      if weight != 0 { addGradients(site, j, center, weight) }
    }
    return energy
  }

  /// The repulsion's energy, and what bonds need of every neighbor.
  @inline(__always)
  private func repulsion(_ site: SiteRows) -> Double {
    var sum = Lanes.zero
    for n in stride(from: 0, to: site.count, by: 8) {
      let r = load8(site.distance + n)
      let (inner, outer) = (load8(site.row(4) + n), load8(site.row(5) + n))
      let outside = r .>= outer
      // f_C = ½ − ½ sin(π (t − ½)) on R < r < S
      let perLength = Lanes(repeating: 1) / (outer - inner)
      let t = ((r - inner) * perLength).clamped(
        lowerBound: .zero, upperBound: Lanes(repeating: 1))
      let (sine, cosine) = vectorSineAndCosine(
        Lanes(repeating: Double.pi) * (t - Lanes(repeating: 0.5)))
      let half = Lanes(repeating: 0.5)
      let inside = r .<= inner
      let f = (half - half * sine).replacing(with: Lanes(repeating: 1), where: inside)
        .replacing(with: Lanes.zero, where: outside)
      let df = (Lanes(repeating: -0.5 * Double.pi) * perLength * cosine)
        .replacing(with: Lanes.zero, where: inside .| outside)
      let (lambda, mu) = (load8(site.row(1) + n), load8(site.row(3) + n))
      let repulsive = load8(site.row(0) + n) * vectorExponential(-lambda * r)
      let attractive = -load8(site.row(2) + n) * vectorExponential(-mu * r)
      // Padding has no parameters.
      let u = (half * f * repulsive).replacing(with: Lanes.zero, where: outside)
      let du = half * (df - f * lambda) * repulsive
      sum += u
      store8(f, site.row(6) + n)
      store8(df, site.row(7) + n)
      store8(f * attractive, site.row(8) + n)
      store8((df - f * mu) * attractive, site.row(9) + n)
      store8(du, site.row(10) + n)
    }
    return sum.total
  }

  /// b/χ and its derivative by ζ.
  private static func bondOrder(_ zeta: Double, _ center: Center) -> (Double, Double) {
    guard zeta > 0 else { return (1, 0) }
    let x = pow(center.beta * zeta, center.exponent)
    let order = pow(1 + x, -0.5 / center.exponent)
    return (order, -0.5 * order / (1 + x) * (x / zeta))
  }

  /// ζ, Σ_k f_C g' cos θ and Σ_k f_C g' û_k over the other neighbors.
  private struct Neighborhood {
    let zeta: Double
    let cosines: Double
    let direction: Vector3
  }

  @inline(__always)
  private func neighborhood(_ site: SiteRows, _ j: Int, _ center: Center) -> Neighborhood {
    var (zeta, cosines) = (Lanes.zero, Lanes.zero)
    var (tx, ty, tz) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for n in stride(from: 0, to: site.count, by: 8) {
      let (c, g, dg) = Self.angles(site, j, n, center)
      let f = Self.others(site, j, n)
      zeta = zeta.accumulating(f, g)
      let m = f * dg
      cosines = cosines.accumulating(m, c)
      tx = tx.accumulating(m, load8(site.x + n))
      ty = ty.accumulating(m, load8(site.y + n))
      tz = tz.accumulating(m, load8(site.z + n))
    }
    return Neighborhood(
      zeta: zeta.total, cosines: cosines.total,
      direction: Vector3(tx.total, ty.total, tz.total))
  }

  /// Adds ∂E/∂ζ · ∂ζ/∂r_k to the other neighbors.
  @inline(__always)
  private func addGradients(_ site: SiteRows, _ j: Int, _ center: Center, _ weight: Double) {
    let (ux, uy, uz) = (
      Lanes(repeating: site.x[j]), Lanes(repeating: site.y[j]), Lanes(repeating: site.z[j])
    )
    let weight = Lanes(repeating: weight)
    let own = Lanes(repeating: Double(j))
    for n in stride(from: 0, to: site.count, by: 8) {
      let (c, g, dg) = Self.angles(site, j, n, center)
      let isOwn = load8(site.numbers + n) .== own
      let df = load8(site.row(7) + n).replacing(with: Lanes.zero, where: isOwn)
      let turning = weight * Self.others(site, j, n) * dg / load8(site.distance + n)
      let along = weight * df * g - turning * c
      store8(
        load8(site.gradientX + n).accumulating(along, load8(site.x + n)).accumulating(turning, ux),
        site.gradientX + n)
      store8(
        load8(site.gradientY + n).accumulating(along, load8(site.y + n)).accumulating(turning, uy),
        site.gradientY + n)
      store8(
        load8(site.gradientZ + n).accumulating(along, load8(site.z + n)).accumulating(turning, uz),
        site.gradientZ + n)
    }
  }

  /// f_C of eight neighbors, zero for neighbor j itself.
  @inline(__always)
  private static func others(_ site: SiteRows, _ j: Int, _ n: Int) -> SIMD8<Double> {
    let isOwn = load8(site.numbers + n) .== Lanes(repeating: Double(j))
    return load8(site.row(6) + n).replacing(with: Lanes.zero, where: isOwn)
  }

  /// cos θ, g and dg/d(cos θ) of eight neighbors against neighbor j.
  @inline(__always)
  private static func angles(
    _ site: SiteRows, _ j: Int, _ n: Int, _ center: Center
  ) -> (SIMD8<Double>, SIMD8<Double>, SIMD8<Double>) {
    let c = (Lanes(repeating: site.x[j]) * load8(site.x + n))
      .accumulating(Lanes(repeating: site.y[j]), load8(site.y + n))
      .accumulating(Lanes(repeating: site.z[j]), load8(site.z + n))
    let difference = Lanes(repeating: center.h) - c
    let inverse =
      Lanes(repeating: 1)
      / Lanes(repeating: center.d2).accumulating(difference, difference)
    let term = Lanes(repeating: center.c2) * inverse
    let g = Lanes(repeating: 1 + center.c2 / center.d2) - term
    return (c, g, Lanes(repeating: -2) * term * difference * inverse)
  }
}
