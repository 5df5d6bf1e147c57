import Crystal

/// The volume that random structures start from.
public enum VolumeEstimate {
  /// Space per atom over the volume of its covalent sphere: 1.0 in molybdenum, 1.6 in rutile, 2.1 in
  /// spinel and 3.5 in diamond-structure silicon.
  private static let spacePerSphere = 2.0

  /// A first guess from tabulated covalent radii, in Å³ per atom.
  public static func fromRadii(_ composition: Composition) -> Double {
    total(composition) / Double(composition.atomCount)
  }

  /// The same for the whole cell, in Å³.
  static func total(_ composition: Composition) -> Double {
    var sum = 0.0
    for (element, count) in zip(composition.elements, composition.counts) {
      let radius = element.covalentRadius
      sum += Double(count) * 4 / 3 * .pi * radius * radius * radius
    }
    return spacePerSphere * sum
  }

  /// The median of some volumes per atom; `nil` where there are none.
  package static func median(_ volumes: [Double]) -> Double? {
    guard !volumes.isEmpty else { return nil }
    let sorted = volumes.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle])
  }
}
