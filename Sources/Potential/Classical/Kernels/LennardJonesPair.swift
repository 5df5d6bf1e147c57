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

  /// Adds all images.
  ///
  /// - Returns: The force on the first atom in eV/Å.
  func add(_ row: ImagePairs.Row, to total: inout PairLanes) -> Vector3 {
    typealias Lanes = SIMD8<Double>
    var sums = PairLanes()
    let limit = Lanes(repeating: limit)
    let s2 = Lanes(repeating: squaredDiameter)
    let (strength, six) = (Lanes(repeating: strength), Lanes(repeating: 6 * strength))
    let end = Lanes(repeating: isForceShifted ? cutoff : 0)
    let (shift, slope) = (Lanes(repeating: shift), Lanes(repeating: slope))
    let last = row.count(within: cutoff)
    var index = 0
    while index < last {
      let d = row.images(index)
      let r2 = d.square
      index &+= 8
      if all(r2 .>= limit) { continue }
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
      sums.add(u.where(r2, isLessThan: limit), dudr.where(r2, isLessThan: limit), d)
    }
    total.addEnergy(sums)
    return sums.force
  }
}
