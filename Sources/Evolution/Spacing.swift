import Crystal
import NumericalCore

/// How far apart children place their atoms, beyond the minimum distances.
///
/// Minimum distances are limits that nothing may cross; atoms placed just above them feel forces of
/// 10²–10³ eV/Å, which no potential is trained on. So every child is first tried wider: unlike atoms near
/// a bond length, atoms of one element in a compound as far apart as second neighbors, both in units of
/// the sum of covalent radii. Where no place is found the demand is lowered step by step down to the
/// limits themselves, so that every structure stays possible.
struct Spacing {
  /// 1 is the widest, 0 the minimum distances alone.
  private(set) var demand: Double

  private static let step = 0.25
  /// Distances over the sum of covalent radii at full demand: 0.9 of a bond between unlike atoms, and
  /// the O–O distance of close-packed oxides (2.1 Å) between like ones.
  private static let bonded = 0.85
  private static let unbonded = 1.6

  /// Draws a first demand; different candidates begin differently.
  init(_ random: inout RandomStream) { demand = random.uniform(0.5, 1) }

  /// Lowers the demand.
  ///
  /// - Returns: Whether there was anything left to lower.
  mutating func lower() -> Bool {
    guard demand > 0 else { return false }
    demand = max(0, demand - Self.step)
    return true
  }

  /// The distances to keep for a composition.
  func distances(_ composition: Composition, limits: MinimumDistances) -> MinimumDistances {
    let elements = composition.elements
    var pairs: [(ChemicalElement, ChemicalElement, Double)] = []
    for (index, a) in elements.enumerated() {
      for b in elements[index...] {
        let isBonded = a != b || elements.count == 1
        let wide = (isBonded ? Self.bonded : Self.unbonded) * (a.covalentRadius + b.covalentRadius)
        let limit = limits[a, b]
        pairs.append((a, b, max(limit, limit + demand * (wide - limit))))
      }
    }
    return MinimumDistances(
      elements: elements, covalentFraction: limits.covalentFraction, pairs: pairs)
  }
}
