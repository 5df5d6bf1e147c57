/// The moments that are summed over neighbors when the relation of the unit sphere is used.
///
/// u = (x, y, z) is a unit vector, so z² = 1 − x² − y², and with the same radial function
/// M(a,b,c) = M(a,b,c−2) − M(a+2,b,c−2) − M(a,b+2,c−2). Only moments with c ≤ 1 are independent: (L+1)² up
/// to degree L instead of (L+1)(L+2)(L+3)/6. Moment (μ, m) has the index `offsets[μ] + m`, where the
/// monomials m are ordered by degree, so that those of degree ≤ L are the first (L+1)².
package struct SphereMoments: Sendable {
  /// A monomial xᵃyᵇzᶜ with c ≤ 1.
  package struct Monomial: Sendable {
    /// The powers a, b, c.
    package let powers: SIMD3<Int>
    /// An earlier monomial.
    package let parent: Int
    /// The coordinate (0, 1, 2) that it is multiplied with to give this one.
    package let axis: Int

    /// a + b + c.
    package var degree: Int { powers.x + powers.y + powers.z }
  }

  /// The largest degree for each radial function; it does not grow with μ.
  package let largestDegrees: [Int]
  /// The index of the first moment of each radial function.
  package let offsets: [Int]
  /// The number of independent moments.
  package let count: Int
  /// All monomials, by degree.
  package let monomials: [Monomial]

  /// Finds the moments that a set of basic moments needs; gaps in it are filled.
  package init(_ basicMoments: [BasicMoment]) {
    var degrees = [Int](repeating: 0, count: 1 + (basicMoments.map(\.radial).max() ?? 0))
    for moment in basicMoments {
      degrees[moment.radial] = max(degrees[moment.radial], moment.x + moment.y + moment.z)
    }
    for mu in degrees.indices.dropLast().reversed() {
      degrees[mu] = max(degrees[mu], degrees[mu + 1])
    }
    var offsets: [Int] = []
    var count = 0
    for degree in degrees {
      offsets.append(count)
      count += Self.monomialCount(upTo: degree)
    }
    largestDegrees = degrees
    self.offsets = offsets
    self.count = count
    monomials = (0...degrees[0]).flatMap { n in
      (0...n).map { Self.monomial(n - $0, $0, 0) }
        + (0..<n).map { Self.monomial(n - 1 - $0, $0, 1) }
    }
  }

  /// The number of monomials of degree ≤ L: (L+1)².
  package static func monomialCount(upTo degree: Int) -> Int { (degree + 1) * (degree + 1) }

  /// The number of moments of a radial function.
  package func count(of mu: Int) -> Int { Self.monomialCount(upTo: largestDegrees[mu]) }

  /// The place of a monomial with c ≤ 1.
  package static func index(_ a: Int, _ b: Int, _ c: Int) -> Int {
    let degree = a + b + c
    return degree * degree + (c == 0 ? b : degree + 1 + b)
  }

  private static func monomial(_ a: Int, _ b: Int, _ c: Int) -> Monomial {
    let powers = SIMD3(a, b, c)
    if c > 0 { return Monomial(powers: powers, parent: index(a, b, 0), axis: 2) }
    if b > 0 { return Monomial(powers: powers, parent: index(a, b - 1, 0), axis: 1) }
    return Monomial(powers: powers, parent: a > 0 ? index(a - 1, 0, 0) : 0, axis: 0)
  }
}
