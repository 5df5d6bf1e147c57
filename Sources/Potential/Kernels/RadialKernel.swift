/// Radial functions of eight atoms' neighbors.
package enum RadialKernel {
  /// Computes φ_i(r) = s (r − r_max)² T_i(ξ) and dφ_i/dr for some slots.
  ///
  /// ξ = (2r − r_min − r_max)/(r_max − r_min), Novikov et al. 2021, eq. 5; Chebyshev polynomials and
  /// their derivatives by recurrence.
  ///
  /// - Parameters:
  ///   - basis: The radial basis; its size is at least 1.
  ///   - r: Distances in Å.
  ///   - slots: How many distances.
  ///   - phi: Receives φ_i, function i from `i * spacing` on.
  ///   - slope: Receives dφ_i/dr likewise.
  ///   - spacing: The distance between functions in memory.
  @inline(__always)
  package static func functions(
    _ basis: RadialBasis, _ r: LanePointer, slots: Int, phi: LanePointer, slope: LanePointer,
    spacing: Int
  ) {
    let rate = 2 / (basis.cutoff - basis.minimumDistance)
    let middle = 0.5 * (basis.cutoff + basis.minimumDistance)
    for s in 0..<slots {
      let beyond = r[s] - basis.cutoff
      let weight = beyond * beyond * basis.scaling
      let weightSlope = beyond * (2 * basis.scaling)
      let xi = (r[s] - middle) * rate
      let twice = xi + xi
      // T and dT/dr of two successive functions.
      var (before, now) = (Lanes(repeating: 1), xi)
      var (beforeSlope, nowSlope) = (Lanes.zero, Lanes(repeating: rate))
      for i in 0..<basis.size {
        phi[i &* spacing &+ s] = weight * before
        slope[i &* spacing &+ s] = (weight * beforeSlope).addingProduct(weightSlope, before)
        let next = (-before).addingProduct(twice, now)
        let nextSlope = (-beforeSlope).addingProduct(twice, nowSlope)
          .addingProduct(now, Lanes(repeating: 2 * rate))
        (before, now) = (now, next)
        (beforeSlope, nowSlope) = (nowSlope, nextSlope)
      }
    }
  }
}
