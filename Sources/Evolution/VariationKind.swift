import NumericalCore

/// How a candidate came to be; the raw values are the names used in campaign files and journals.
public enum VariationKind: String, Sendable, Hashable, CaseIterable {
  /// A random structure of a random space group.
  case random
  /// A random structure made as the random structures were that became good ones.
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
  /// One parent displaced by a standing wave.
  case ripple
  /// One parent strained and displaced by a standing wave.
  case strainRipple = "strain_ripple"
  /// One parent strained, some of its unlike atoms swapped.
  case strainSwap = "strain_swap"
  /// One parent's cell doubled, its copies displaced against each other.
  case supercell
  /// Atoms of one parent turned into other elements: another composition.
  case transmutation
  /// Atoms added to one parent or taken from it: another composition.
  case addRemove = "add_remove"
  /// A known net with its vertices as atoms.
  case topological
  /// A structure given by the user.
  case seed

  /// The kinds that the search chooses from, in the order of their ratios.
  public static let operators: [VariationKind] = [
    .random, .heredity, .permutation, .softMutation, .latticeMutation,
    .symmetricMutation, .guidedRandom, .ripple, .strainRipple, .strainSwap, .supercell,
    .transmutation, .addRemove, .topological,
  ]

  /// The weight of a kind where nothing else is said.
  ///
  /// Transmutation and adding or removing of atoms act only where the composition may vary.
  public var defaultRatio: Double {
    switch self {
    case .random: 0.15
    case .guidedRandom: 0.45
    case .heredity, .topological, .transmutation, .addRemove: 0.1
    case .softMutation: 0.12
    case .latticeMutation, .strainRipple: 0.08
    case .permutation, .symmetricMutation: 0.03
    case .strainSwap: 0.02
    case .ripple, .supercell, .seed: 0
    }
  }

  /// Weights in the order of `operators`.
  ///
  /// - Parameter weights: The kinds in use; all others get 0.
  /// - Returns: One weight per operator.
  public static func ratios(_ weights: [VariationKind: Double]) -> [Double] {
    operators.map { weights[$0] ?? 0 }
  }

  /// The default weights in the order of `operators`, 0 for those that can never act.
  public static func defaultRatios(in space: CompositionSpace) -> [Double] {
    operators.map { space.obstacle(to: $0) == nil ? $0.defaultRatio : 0 }
  }

  /// Whether another random stream gives another child: soft mutations follow the parent's next mode, and
  /// seeds are given.
  public var isDrawn: Bool { self != .softMutation && self != .seed }

  /// Whether a child holds other atoms than its parent.
  public var changesCell: Bool {
    switch self {
    case .supercell, .transmutation, .addRemove: true
    default: false
    }
  }

  /// How many parents a child of this kind has.
  public var parentCount: Int {
    switch self {
    case .random, .guidedRandom, .topological: 0
    case .heredity: 2
    case .permutation, .softMutation, .latticeMutation, .symmetricMutation, .ripple, .strainRipple,
      .strainSwap, .supercell, .transmutation, .addRemove, .seed:
      1
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
