import Crystal
import Foundation
import NumericalCore

/// Rigid ions: u(r) = A exp(−r/ρ) − C/r⁶ + W/r¹² between pairs within a cutoff, and Coulomb's
/// interaction of point charges by an Ewald sum.
///
/// Crystals that repeat in three directions use the Ewald sum, clusters the direct sum; other
/// periodicities are possible without charges only. A charged cell has no energy: it is refused, not
/// neutralised, because a uniform background would make compositions incomparable.
///
/// The short-range part ends abruptly at the cutoff, as published energies assume; a `smoothing`
/// width makes it twice differentiable. The reference potentials of the test fixtures are of this
/// kind (M. Matsui and M. Akaogi, Mol. Simul. 6, 239 (1991), doi:10.1080/08927029108022432).
public struct BuckinghamPotential: InteratomicPotential, Hashable {
  /// The parameters it was made from.
  public let parameters: Parameters
  /// The elements of charges and pairs, by atomic number.
  public let elements: [ChemicalElement]

  let elementCharges: [Double]
  let table: [ShortRangePair]

  /// Creates a potential.
  ///
  /// - Throws: `PotentialError.invalidParameters` where a length is not positive, the smoothing is
  ///   wider than the cutoff, a number is not finite, or a pair occurs twice.
  public init(_ parameters: Parameters) throws(PotentialError) {
    try parameters.validate()
    self.parameters = parameters
    let elements = Set(
      parameters.charges.map(\.element) + parameters.pairs.flatMap { [$0.first, $0.second] }
    ).sorted()
    self.elements = elements
    var charges = [Double](repeating: 0, count: elements.count)
    for ion in parameters.charges {
      if let index = elements.firstIndex(of: ion.element) { charges[index] = ion.charge }
    }
    let empty = ShortRangePair(
      amplitude: 0, negativeInverseLength: -1, dispersion: 0, wall: 0)
    var table = [ShortRangePair](repeating: empty, count: elements.count * elements.count)
    for pair in parameters.pairs {
      guard let i = elements.firstIndex(of: pair.first),
        let j = elements.firstIndex(of: pair.second)
      else { continue }
      let entry = ShortRangePair(
        amplitude: pair.amplitude, negativeInverseLength: -1 / pair.decayLength,
        dispersion: pair.dispersion, wall: pair.wall)
      table[i * elements.count + j] = entry
      table[j * elements.count + i] = entry
    }
    elementCharges = charges
    self.table = table
  }

  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of a structure.
  ///
  /// - Throws: `PotentialError.unknownElement`; `.unsupportedPeriodicity` for charged ions in wires and
  ///   slabs; `.invalidParameters` for a periodic cell that is not neutral; `.notFinite` where atoms
  ///   coincide or the cell has collapsed.
  /// - Complexity: O(N) pairs in range, O(N^3/2) for the Ewald sum.
  public func evaluation(of given: Structure) throws(PotentialError) -> Evaluation {
    let structure = given.compacted
    let types = try typeIndices(of: structure)
    let charges = types.map { elementCharges[$0] }
    let isCharged = charges.contains { $0 != 0 }
    try checkPeriodicity(structure, charges: charges, isCharged: isCharged)
    let screening =
      isCharged && structure.periodicity == .full
      ? EwaldScreening(structure: structure, accuracy: parameters.ewaldAccuracy) : nil
    try checkDensity(
      structure, reach: max(parameters.cutoff, screening?.realCutoff ?? 0),
      most: Self.largestPairCount)

    var energy = 0.0
    var virial = Matrix3.zero
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    addPairs(
      structure, types, screening, energy: &energy, forces: &forces, virial: &virial)
    if let screening {
      ReciprocalEwaldSum(
        structure.lattice, atomCount: structure.atomCount, alpha: screening.alpha,
        cutoff: screening.reciprocalCutoff
      ).add(
        fractional: structure.fractionalPositions(), charges: charges, energy: &energy,
        forces: &forces, virial: &virial)
      let squares = charges.reduce(0) { $0 + $1 * $1 }
      energy -= PhysicalConstants.coulomb * screening.alpha / Double.pi.squareRoot() * squares
    }
    let result = Evaluation(
      energy: energy, forces: forces, virial: virial.symmetrized, of: structure)
    guard result.isFinite() else {
      throw .notFinite("energy \(energy) eV; atoms coincide")
    }
    return result
  }

  private func checkPeriodicity(
    _ structure: Structure, charges: [Double], isCharged: Bool
  ) throws(PotentialError) {
    guard isCharged else { return }
    let count = structure.periodicity.count
    guard count == 0 || count == 3 else {
      throw .unsupportedPeriodicity(
        "charges repeat in \(count) directions; an Ewald sum needs a bulk crystal (3) or a cluster (0)"
      )
    }
    let total = charges.reduce(0, +)
    let scale = charges.reduce(0) { $0 + abs($1) }
    guard count == 0 || abs(total) <= 1e-6 * scale else {
      throw .invalidParameters(
        "the charges of \(structure.composition().formula) sum to \(total) e; a periodic cell must be neutral"
      )
    }
  }

  /// About a second of work; ordinary cells have 10⁴ to 10⁶ pairs.
  private static let largestPairCount = 1e8
}
