import NumericalCore

/// One pair of elements: u(r) = 4 ε [(σ/r)¹² − (σ/r)⁶] − shift − (r − r_c) slope within r_c.
struct LennardJonesPair: Sendable, Hashable {
  /// r_c in Å, infinite for none.
  let cutoff: Double
  // 4 ε in eV, σ² in Å².
  private let strength: Double
  private let squaredDiameter: Double
  // u(r_c) in eV and u'(r_c) in eV/Å, zero where they are not taken off.
  private let shift: Double
  private let slope: Double
  private let isForceShifted: Bool
  // Below the squared distance of the translations' padding.
  private let limit: Double

  init(_ pair: LennardJonesPotential.Pair, _ truncation: LennardJonesPotential.Truncation) {
    cutoff = pair.cutoff ?? .infinity
    limit = min(cutoff * cutoff, 1e16)
    strength = 4 * pair.depth
    squaredDiameter = pair.diameter * pair.diameter
    isForceShifted = truncation == .forceShift
    guard truncation != .none, let end = pair.cutoff else {
      (shift, slope) = (0, 0)
      return
    }
    let i2 = squaredDiameter / (end * end)
    let i6 = i2 * i2 * i2
    shift = strength * i6 * (i6 - 1)
    slope = isForceShifted ? 6 * strength * i6 * (1 - 2 * i6) / end : 0
  }

  /// Sums over the images d + T of a displacement.
  ///
  /// - Parameters:
  ///   - displacement: d from the first to the second atom in Å.
  ///   - first: The first entry of the translations to use.
  ///   - last: One beyond the last.
  ///   - x: x components of the translations, readable for 7 entries beyond the last.
  ///   - y: y components.
  ///   - z: z components.
  /// - Returns: Energy, force on the first atom and ∂E/∂ε.
  func sum(
    _ displacement: Vector3, _ first: Int, _ last: Int, _ x: UnsafePointer<Double>,
    _ y: UnsafePointer<Double>, _ z: UnsafePointer<Double>
  ) -> PairSum {
    typealias Lanes = SIMD8<Double>
    var sums = PairLanes()
    let (ox, oy, oz) = (
      Lanes(repeating: displacement.x), Lanes(repeating: displacement.y),
      Lanes(repeating: displacement.z)
    )
    let limit = Lanes(repeating: limit)
    let s2 = Lanes(repeating: squaredDiameter)
    let (strength, six) = (Lanes(repeating: strength), Lanes(repeating: 6 * strength))
    let end = Lanes(repeating: isForceShifted ? cutoff : 0)
    let (shift, slope) = (Lanes(repeating: shift), Lanes(repeating: slope))
    var index = first
    while index < last {
      let (dx, dy, dz) = (ox + load8(x + index), oy + load8(y + index), oz + load8(z + index))
      let r2 = (dx * dx).accumulating(dy, dy).accumulating(dz, dz)
      index &+= 8
      let outside = r2 .>= limit
      if all(outside) { continue }
      let inverse = Lanes(repeating: 1) / r2
      let i2 = s2 * inverse
      let i6 = i2 * i2 * i2
      var u = strength * i6 * (i6 - Lanes(repeating: 1)) - shift
      // u'(r)/r
      var dudr = six * i6 * (Lanes(repeating: 1) - (i6 + i6)) * inverse
      if isForceShifted {
        let r = r2.squareRoot()
        u -= (r - end) * slope
        dudr -= slope * r * inverse
      }
      u = u.replacing(with: 0, where: outside)
      dudr = dudr.replacing(with: 0, where: outside)
      sums.add(u, dudr, dx, dy, dz)
    }
    return sums.total
  }
}
