import NumericalCore

/// Floating-point operations of one evaluation of energy, forces and stress, per atom.
///
/// What the mathematics needs, not what a kernel executes: a fused multiply-add counts two, empty slots
/// and lanes nothing, nor the search for neighbors, which compares more than it computes. So a
/// kernel's operations per second, in terms of these, are a fraction of the processor's peak that it
/// cannot embellish.
public struct EvaluationCost: Sendable, Hashable {
  /// Distances, unit vectors, f_μ and df_μ/dr of all neighbors.
  public var radial: Double
  /// The moments that are summed over neighbors, and those that follow from them.
  public var moments: Double
  /// The products that later ones or the energy need.
  public var graphForward: Double
  /// Their adjoints.
  public var graphBackward: Double
  /// Derivatives with respect to the neighbors' positions, forces and stress.
  public var gradient: Double

  /// All operations.
  public var total: Double { radial + moments + graphForward + graphBackward + gradient }
}

extension MomentTensorPotential {
  /// The operations that an evaluation takes.
  ///
  /// With R radial basis functions, K functions f_μ, n neighbors, S sums f_μ xᵃyᵇzᶜ with c = 0 or 1 (from
  /// which z² = 1 − x² − y² gives the others), B moments that follow, P monomials in the sums:
  ///
  /// - radial: n (20 + 7R + 4KR): 20 for distance, inverse and unit vector; value and slope of a
  ///   Chebyshev polynomial by recurrence and the taper; two multiply-adds per coefficient;
  /// - moments: n (P + 2S) + 2B: a product for a monomial, a multiply-add for a sum, two additions for
  ///   a moment that follows;
  /// - graph forward: two for each term, except of basis functions that nothing else is made of:
  ///   their values are not needed;
  /// - graph backward: two for each factor of each term, and 2B for the moments that follow;
  /// - gradient: n (4S + 6P + 30): two multiply-adds for a sum, three for a monomial (value and two
  ///   derivatives by Horner's rule), projection, forces and strain.
  ///
  /// - Parameter neighborsPerAtom: The mean number n of neighbors within the cutoff.
  /// - Returns: Operations per atom.
  public func evaluationCost(neighborsPerAtom: Double) -> EvaluationCost {
    let (r, k) = (Double(radialBasis.size), Double(radialFunctionCount))
    let sums = basis.summedMoments
    let s = Double(sums.count)
    let b = Double(Set(basis.basicMoments).subtracting(sums).count)
    let p = Double(
      Set(sums.map { BasicMoment(radial: 0, x: $0.x, y: $0.y, z: $0.z) }).count)
    var isFactor = [Bool](repeating: false, count: basis.momentCount)
    for product in basis.products {
      isFactor[product.first] = true
      isFactor[product.second] = true
    }
    let inner = Double(basis.products.count { isFactor[$0.target] })
    let factors = Double(basis.products.reduce(0) { $0 + ($1.first == $1.second ? 1 : 2) })
    let n = neighborsPerAtom
    return EvaluationCost(
      radial: n * (20 + 7 * r + 4 * k * r), moments: n * (p + 2 * s) + 2 * b,
      graphForward: 2 * inner, graphBackward: 2 * factors + 2 * b,
      gradient: n * (4 * s + 6 * p + 30))
  }
}

extension MomentTensorBasis {
  /// The moments with z-power 0 or 1 that all basic moments follow from:
  /// M(a, b, c) = M(a, b, c−2) − M(a+2, b, c−2) − M(a, b+2, c−2), because unit vectors have length 1.
  package var summedMoments: Set<BasicMoment> {
    var found: Set<BasicMoment> = []
    var open = basicMoments
    var seen = Set(basicMoments)
    while let moment = open.popLast() {
      guard moment.z > 1 else {
        found.insert(moment)
        continue
      }
      for (dx, dy) in [(0, 0), (2, 0), (0, 2)] {
        let lower = BasicMoment(
          radial: moment.radial, x: moment.x + dx, y: moment.y + dy, z: moment.z - 2)
        if seen.insert(lower).inserted { open.append(lower) }
      }
    }
    return found
  }
}
