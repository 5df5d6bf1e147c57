/// What moments add to strain derivatives of moments: ∂M/∂ε_αβ = Σ f (∂_α uᵐ) u_β + (sums with f').
///
/// (∂_α uᵐ) u_β is again a monomial of the same degree, so the first sum is made of moments.
struct StrainTerms: Sendable {
  struct Term: Sendable {
    /// 6 · (moment) + (component xx, yy, zz, yz, xz, xy).
    var target: Int32
    /// A moment.
    var source: Int32
    var factor: Double
  }

  let terms: [Term]

  init(_ moments: SphereMoments) {
    var terms: [Term] = []
    for (mu, degree) in moments.largestDegrees.enumerated() {
      let offset = moments.offsets[mu]
      for m in 0..<SphereMoments.monomialCount(upTo: degree) {
        let powers = moments.monomials[m].powers
        let (a, b, c) = (powers.x, powers.y, powers.z)
        func add(_ component: Int, _ factor: Int, _ x: Int, _ y: Int, _ z: Int) {
          guard factor > 0 else { return }
          let parts = z < 2 ? [(x, y, z, 1)] : [(x, y, 0, 1), (x + 2, y, 0, -1), (x, y + 2, 0, -1)]
          for (i, j, k, sign) in parts {
            terms.append(
              Term(
                target: Int32(6 * (offset + m) + component),
                source: Int32(offset + SphereMoments.index(i, j, k)),
                factor: Double(sign * factor)))
          }
        }
        add(0, a, a, b, c)
        add(1, b, a, b, c)
        add(2, c, a, b, c)
        add(3, b, a, b - 1, c + 1)
        add(4, a, a - 1, b, c + 1)
        add(5, a, a - 1, b + 1, c)
      }
    }
    self.terms = terms
  }
}
