import NumericalCore

/// How far two structures may differ and still be one crystal.
///
/// Relaxations end within a force and a stress, not at the minimum itself: what is left is a strain of up
/// to about 1 % and displacements of a few hundredths of an Å. Twice of both, with some room, is the
/// default.
public struct MatchingTolerance: Sendable, Hashable {
  /// How far in Å an atom may lie from its partner after the best common shift.
  public let displacement: Double
  /// How much any length may be stretched at a common volume; volumes may differ by three times this.
  public let strain: Double

  /// Creates tolerances; both are positive, and a strain is at most 0.2.
  public init(displacement: Double = 0.15, strain: Double = 0.03) {
    precondition(displacement > 0 && displacement.isFinite, "a tolerance is positive")
    precondition(strain > 0 && strain <= 0.2, "a tolerance of strain lies between 0 and 0.2")
    self.displacement = displacement
    self.strain = strain
  }
}

extension MatchingTolerance: ByteCodable {
  /// Appends both numbers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(displacement)
    encoder.encode(strain)
  }

  /// Reads both numbers.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let displacement = try decoder.decode(Double.self)
    let strain = try decoder.decode(Double.self)
    guard displacement > 0, displacement.isFinite, strain > 0, strain <= 0.2 else {
      throw .invalid("matching tolerances \(displacement) and \(strain)")
    }
    self.init(displacement: displacement, strain: strain)
  }
}
