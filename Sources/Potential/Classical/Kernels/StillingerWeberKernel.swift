import NumericalCore

/// The energy of one atom: half of its pairs and all angles at it.
struct StillingerWeberKernel {
  private typealias Lanes = SIMD8<Double>

  private let sigma: Double
  private let cutoff: Double
  // A ε/2 and B: half of a pair belongs to each atom.
  private let pairStrength: Double
  private let repulsion: Double
  private let repulsiveExponent: Int
  private let attractiveExponent: Int
  // γ σ, λ ε, cos θ₀
  private let angleLength: Double
  private let angleStrength: Double
  private let cosine: Double

  /// Rows beyond the shared ones: w = exp(γσ/(r − aσ)), w', and the pair's u'/2.
  static let rowCount = 3

  init(_ p: StillingerWeberPotential.Parameters) {
    sigma = p.sigma
    cutoff = p.cutoff
    pairStrength = p.pairStrength * p.epsilon / 2
    repulsion = p.repulsion
    repulsiveExponent = p.repulsiveExponent
    attractiveExponent = p.attractiveExponent
    angleLength = p.angleDecay * p.sigma
    angleStrength = p.angleStrength * p.epsilon
    cosine = p.cosine
  }

  /// Adds up one atom's energy in eV and writes its derivatives.
  func energy(of site: SiteRows) -> Double {
    var energy = pairs(site)
    let (weights, slopes, pairSlopes) = (site.row(0), site.row(1), site.row(2))
    for j in 0..<site.count where weights[j] != 0 {
      let angles = angles(site, at: j)
      energy += 0.5 * angleStrength * weights[j] * angles.energy
      // ∂cos θ/∂r_j = (û_k − cos θ û_j)/r_j
      let turning = 2 * angleStrength * weights[j] / site.distance[j]
      let along =
        pairSlopes[j] + angleStrength * slopes[j] * angles.energy - turning * angles.cosines
      site.gradientX[j] = along * site.x[j] + turning * angles.direction.x
      site.gradientY[j] = along * site.y[j] + turning * angles.direction.y
      site.gradientZ[j] = along * site.z[j] + turning * angles.direction.z
    }
    return energy
  }

  /// Pair energies, and what angles need of every neighbor.
  @inline(__always)
  private func pairs(_ site: SiteRows) -> Double {
    let (weights, slopes, pairSlopes) = (site.row(0), site.row(1), site.row(2))
    var sum = Lanes.zero
    for n in stride(from: 0, to: site.count, by: 8) {
      let r = load8(site.distance + n)
      let outside = r .>= Lanes(repeating: cutoff)
      let inverse = Lanes(repeating: 1) / r
      let toEnd = Lanes(repeating: 1) / (r - Lanes(repeating: cutoff))
      let ratio = Lanes(repeating: sigma) * inverse
      let repulsive = Lanes(repeating: repulsion) * power(ratio, repulsiveExponent)
      let attractive = power(ratio, attractiveExponent)
      let decay = vectorExponential(Lanes(repeating: sigma) * toEnd)
      let strength = Lanes(repeating: pairStrength)
      let u = strength * (repulsive - attractive) * decay
      let polynomial =
        Lanes(repeating: Double(attractiveExponent)) * attractive
        - Lanes(repeating: Double(repulsiveExponent)) * repulsive
      let slope =
        strength * polynomial * inverse * decay - u * Lanes(repeating: sigma) * toEnd * toEnd
      let w =
        angleLength == sigma ? decay : vectorExponential(Lanes(repeating: angleLength) * toEnd)
      let dw = Lanes(repeating: -angleLength) * toEnd * toEnd * w
      sum += u.replacing(with: Lanes.zero, where: outside)
      store8(w.replacing(with: Lanes.zero, where: outside), weights + n)
      store8(dw.replacing(with: Lanes.zero, where: outside), slopes + n)
      store8(slope.replacing(with: Lanes.zero, where: outside), pairSlopes + n)
    }
    return sum.total
  }

  /// Σ_k w_k δ², Σ_k w_k δ cos θ and Σ_k w_k δ û_k over the other neighbors, with δ = cos θ − cos θ₀.
  private struct Angles {
    let energy: Double
    let cosines: Double
    let direction: Vector3
  }

  @inline(__always)
  private func angles(_ site: SiteRows, at j: Int) -> Angles {
    let weights = site.row(0)
    let (ux, uy, uz) = (
      Lanes(repeating: site.x[j]), Lanes(repeating: site.y[j]), Lanes(repeating: site.z[j])
    )
    let own = Lanes(repeating: Double(j))
    let rest = Lanes(repeating: cosine)
    var (energy, cosines) = (Lanes.zero, Lanes.zero)
    var (tx, ty, tz) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for n in stride(from: 0, to: site.count, by: 8) {
      let (x, y, z) = (load8(site.x + n), load8(site.y + n), load8(site.z + n))
      let c = (ux * x).accumulating(uy, y).accumulating(uz, z)
      let isOwn = load8(site.numbers + n) .== own
      let w = load8(weights + n).replacing(with: Lanes.zero, where: isOwn)
      let delta = c - rest
      let m = w * delta
      energy = energy.accumulating(m, delta)
      cosines = cosines.accumulating(m, c)
      tx = tx.accumulating(m, x)
      ty = ty.accumulating(m, y)
      tz = tz.accumulating(m, z)
    }
    return Angles(
      energy: energy.total, cosines: cosines.total,
      direction: Vector3(tx.total, ty.total, tz.total))
  }

  @inline(__always)
  private func power(_ base: SIMD8<Double>, _ exponent: Int) -> SIMD8<Double> {
    var (result, square, rest) = (SIMD8<Double>(repeating: 1), base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
