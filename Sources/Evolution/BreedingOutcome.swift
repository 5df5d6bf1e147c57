import Crystal
import NumericalCore

/// Why no child came of an order; the raw values are written to the journal.
public enum RejectionReason: String, Sendable, Hashable, CaseIterable {
  /// None of the allowed space groups can hold the composition.
  case noFeasibleSpaceGroup = "no_feasible_space_group"
  /// Every try had atoms that were too close.
  case minimumDistances = "minimum_distances"
  /// Every try had a cell too flat, too long or too skewed.
  case cellShape = "cell_shape"
  /// Every try had a layer without atoms.
  case vacuum
  /// The operator cannot act on this parent, such as a swap of atoms of one element.
  case notApplicable = "not_applicable"
  /// The child would have been its parent.
  case unchanged
}

extension RejectionReason: ByteCodable {
  /// Appends the reason's name.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(rawValue) }

  /// Reads the reason's name.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let name = try decoder.decode(String.self)
    guard let reason = RejectionReason(rawValue: name) else { throw .invalid("reason '\(name)'") }
    self = reason
  }
}

/// What came of an order.
public enum BreedingOutcome: Sendable, Hashable {
  /// A child in a reduced cell, atoms grouped as in the order's composition, what was done in words
  /// for people, and the recipe of a random structure.
  case offspring(Structure, description: String, recipe: RandomRecipe? = nil)
  /// No child after bounded work.
  case rejected(RejectionReason)

  /// The child, if there is one.
  public var structure: Structure? {
    if case .offspring(let structure, _, _) = self { structure } else { nil }
  }
}

extension BreedingOutcome: ByteCodable {
  /// Appends the case and its values.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .offspring(let structure, let description, let recipe):
      encoder.encode(true)
      encoder.encode(structure)
      encoder.encode(description)
      encoder.encode(recipe)
    case .rejected(let reason):
      encoder.encode(false)
      encoder.encode(reason)
    }
  }

  /// Reads the case and its values.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    if try decoder.decode(Bool.self) {
      let structure = try decoder.decode(Structure.self)
      let description = try decoder.decode(String.self)
      self = .offspring(
        structure, description: description, recipe: try decoder.decode(RandomRecipe?.self))
    } else {
      self = .rejected(try decoder.decode())
    }
  }
}
