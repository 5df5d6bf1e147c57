import Crystal
import Potential

/// The rigid-ion models of the reference files, spelled out where tests must not read files.
public enum ClassicalModels {
  /// Rigid ions for TiO2, with a short-range wall.
  ///
  /// M. Matsui and M. Akaogi, Mol. Simul. 6, 239 (1991).
  ///
  /// - Parameters:
  ///   - smoothing: Width in Å of the switch at the cutoff.
  ///   - cutoff: Where pairs end, in Å.
  ///   - ewaldAccuracy: Relative accuracy of the Ewald sum.
  /// - Returns: The potential.
  /// - Throws: `PotentialError` where the arguments contradict each other.
  public static func titaniumDioxide(
    smoothing: Double = 0, cutoff: Double = 15, ewaldAccuracy: Double = 1e-10
  ) throws -> BuckinghamPotential {
    let (ti, o) = (try element("Ti"), try element("O"))
    return try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: cutoff, smoothing: smoothing,
        charges: [.init(ti, charge: 2.196), .init(o, charge: -1.098)],
        pairs: [
          .init(ti, ti, amplitude: 31120.1, decayLength: 0.1540, dispersion: 5.25, wall: 1),
          .init(o, o, amplitude: 11782.7, decayLength: 0.2340, dispersion: 30.22, wall: 1),
          .init(ti, o, amplitude: 16957.5, decayLength: 0.1940, dispersion: 12.59, wall: 1),
        ], ewaldAccuracy: ewaldAccuracy))
  }

  /// Point charges ±1 and nothing else.
  public static func pointCharges(
    _ cation: String, _ anion: String, ewaldAccuracy: Double
  ) throws -> BuckinghamPotential {
    try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: 5, charges: [.init(element(cation), charge: 1), .init(element(anion), charge: -1)],
        pairs: [], ewaldAccuracy: ewaldAccuracy))
  }

  /// The element of a symbol.
  public static func element(_ symbol: String) throws -> ChemicalElement {
    guard let element = ChemicalElement(symbol: symbol) else {
      throw CrystalError.composition("no element \(symbol)")
    }
    return element
  }
}
