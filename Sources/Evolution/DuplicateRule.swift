import Crystal
import NumericalCore

/// What it takes to know a structure again; made once per structure.
public struct StructureIdentity: Sendable, Hashable {
  /// The fingerprint, by which most different structures are told apart.
  public let fingerprint: StructureFingerprint
  /// The cell that the exact comparison uses; none for structures that do not repeat everywhere.
  package let cell: MatchingCell?
  /// Atomic number and smallest count of every element.
  let ratio: [Int]

  /// Prepares a structure for comparisons.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - fingerprint: Its fingerprint, with the settings that all structures of a search share.
  public init(_ structure: Structure, fingerprint: StructureFingerprint) {
    self.fingerprint = fingerprint
    cell = MatchingCell(structure)
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    let composition = structure.composition()
    let common = composition.counts.reduce(0) { divisor($0, $1) }
    ratio = zip(composition.elements, composition.counts).flatMap {
      [$0.atomicNumber, $1 / common]
    }
  }

  /// Whether both have the same elements in the same ratios, so that fingerprints and enthalpies
  /// compare.
  func isComparable(to other: StructureIdentity) -> Bool { ratio == other.ratio }
}

/// Decides whether two relaxed structures are one, the same way at every stage of a search: when
/// candidates enter, after a refit, for seeds, in rankings and exports.
///
/// Enthalpies first, then fingerprints, then an exact match of lattice and sites; each is cheaper than
/// the next. The first two only rule out. Fingerprints hold two-body distances (Oganov & Valle, J. Chem.
/// Phys. 130, 104504 (2009)), so that homometric structures share one, and the swap of two atoms may
/// change one by less than a residual strain does. Mirror images are one structure: no potential tells
/// them apart.
public struct DuplicateRule: Sendable, Hashable {
  /// Fingerprint distance above which two structures are two.
  public let fingerprintTolerance: Double
  /// Enthalpy difference in eV per atom above which they are two; 1 % of strain is worth 1 to 10 meV.
  public let enthalpyTolerance: Double
  /// What the exact match allows.
  public let matching: MatchingTolerance

  /// Creates a rule.
  ///
  /// - Parameters:
  ///   - fingerprintTolerance: Fingerprint distance above which structures are different.
  ///   - enthalpyTolerance: Enthalpy difference in eV per atom above which they are.
  ///   - matching: What the exact match allows.
  public init(
    fingerprintTolerance: Double = 0.02, enthalpyTolerance: Double = 0.01,
    matching: MatchingTolerance = MatchingTolerance()
  ) {
    precondition(fingerprintTolerance > 0 && enthalpyTolerance > 0, "tolerances are positive")
    self.fingerprintTolerance = fingerprintTolerance
    self.enthalpyTolerance = enthalpyTolerance
    self.matching = matching
  }

  /// Whether two structures are one.
  ///
  /// - Parameters:
  ///   - one: A structure.
  ///   - other: Another one.
  ///   - enthalpyDifference: In eV per atom; absent where the enthalpies come of different potentials.
  /// - Returns: Whether they are.
  public func areDuplicates(
    _ one: StructureIdentity, _ other: StructureIdentity, enthalpyDifference: Double?
  ) -> Bool {
    one.isComparable(to: other) && enthalpiesAgree(enthalpyDifference)
      && one.fingerprint.distance(to: other.fingerprint) < fingerprintTolerance
      && sitesAgree(one, other)
  }

  func enthalpiesAgree(_ difference: Double?) -> Bool {
    difference.map { abs($0) <= enthalpyTolerance } ?? true
  }

  /// The exact match; clusters and slabs have none, there the fingerprint must be the same.
  func sitesAgree(_ one: StructureIdentity, _ other: StructureIdentity) -> Bool {
    guard let first = one.cell, let second = other.cell else {
      return one.cell == other.cell
        && one.fingerprint.distance(to: other.fingerprint) < 0.05 * fingerprintTolerance
    }
    return first.matches(second, tolerance: matching)
  }
}

extension DuplicateRule: ByteCodable {
  /// Appends the tolerances.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(fingerprintTolerance)
    encoder.encode(enthalpyTolerance)
    encoder.encode(matching)
  }

  /// Reads the tolerances.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let fingerprint = try decoder.decode(Double.self)
    let enthalpy = try decoder.decode(Double.self)
    guard fingerprint > 0, enthalpy > 0 else {
      throw .invalid("tolerances of duplicates \(fingerprint) and \(enthalpy)")
    }
    self.init(
      fingerprintTolerance: fingerprint, enthalpyTolerance: enthalpy,
      matching: try decoder.decode())
  }
}
