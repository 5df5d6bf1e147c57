import Crystal
import Potential

extension ReferenceSettings {
  /// A stand-in for an external engine that knows any elements.
  ///
  /// Pairs of Lennard-Jones form with the minimum at the sum of the covalent radii. It has no chemistry; rehearsals use it to pass
  /// structures through every stage of a campaign.
  public static func rehearsal(for elements: [ChemicalElement]) -> ReferenceSettings {
    ReferenceSettings(.buckingham(rehearsalParameters(for: elements)))
  }

  /// The parameters of the stand-in.
  public static func rehearsalParameters(
    for elements: [ChemicalElement]
  ) -> BuckinghamPotential.Parameters {
    // Depth in eV; unlike pairs bind more, so that compounds hold together.
    let (like, unlike) = (0.3, 0.6)
    let sorted = elements.sorted()
    var pairs: [BuckinghamPotential.Pair] = []
    for (index, a) in sorted.enumerated() {
      for b in sorted[index...] {
        let distance = a.covalentRadius + b.covalentRadius
        let cube = distance * distance * distance
        let sixth = cube * cube
        let depth = a == b ? like : unlike
        // ε [(r₀/r)¹² − 2 (r₀/r)⁶]
        pairs.append(
          BuckinghamPotential.Pair(
            a, b, amplitude: 0, decayLength: 1, dispersion: 2 * depth * sixth,
            wall: depth * sixth * sixth))
      }
    }
    return BuckinghamPotential.Parameters(cutoff: 8, smoothing: 2, charges: [], pairs: pairs)
  }
}
