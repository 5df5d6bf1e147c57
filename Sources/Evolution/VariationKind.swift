import NumericalCore

/// How a candidate came to be; the raw values are the names used in campaign files and journals.
public enum VariationKind: String, Sendable, Hashable, CaseIterable {
  /// A random structure of a random space group.
  case random
  /// A random structure of a space group that good structures have.
  case guidedRandom = "guided_random"
  /// A slab of one parent joined to the complementary slab of another.
  case heredity
  /// Unlike atoms of one parent swapped.
  case permutation
  /// One parent displaced along a soft vibration.
  case softMutation = "soft_mutation"
  /// One parent strained at random.
  case latticeMutation = "lattice_mutation"
  /// Orbits of one symmetric parent drawn anew, within its space group or a part of it.
  case symmetricMutation = "symmetric_mutation"
  /// A known net with its vertices as atoms.
  case topological
  /// A structure given by the user.
  case seed

  /// The kinds that the search chooses from, in the order of their ratios.
  public static let operators: [VariationKind] = [
    .random, .heredity, .permutation, .softMutation, .latticeMutation,
    .symmetricMutation, .guidedRandom, .topological,
  ]

  /// How often this kind is used where nothing else is asked for, relative to the others.
  public var defaultRatio: Double {
    switch self {
    case .random, .permutation, .latticeMutation, .topological: 0.1
    case .heredity: 0.4
    case .softMutation, .symmetricMutation, .guidedRandom: 0.2
    case .seed: 0
    }
  }

  /// How many parents a child of this kind has.
  public var parentCount: Int {
    switch self {
    case .random, .guidedRandom, .topological: 0
    case .heredity: 2
    case .permutation, .softMutation, .latticeMutation, .symmetricMutation, .seed: 1
    }
  }
}

extension VariationKind: ByteCodable {
  /// Appends the kind's name.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(rawValue) }

  /// Reads the kind's name.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let name = try decoder.decode(String.self)
    guard let kind = VariationKind(rawValue: name) else { throw .invalid("variation '\(name)'") }
    self = kind
  }
}
