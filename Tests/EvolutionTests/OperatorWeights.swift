import Evolution

extension VariationKind {
  /// Ratios in the order of the operators from those that are not 0.
  static func ratios(_ given: KeyValuePairs<VariationKind, Double>) -> [Double] {
    operators.map { kind in given.first { $0.key == kind }?.value ?? 0 }
  }

  /// The operators that act on atoms and cells without any knowledge of nets.
  static let plainRatios = ratios([
    .random: 0.2, .heredity: 0.4, .permutation: 0.1, .softMutation: 0.2, .latticeMutation: 0.1,
  ])
}
