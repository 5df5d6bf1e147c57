extension Structure {
  /// Whether another structure is the same bulk crystal: a rotation, mirror and shift bring its lattice
  /// and all its atoms onto this one's, whatever cells they are given in.
  ///
  /// Confirms duplicates that fingerprints propose. Where one structure is compared with many, make its
  /// `MatchingCell` once.
  ///
  /// - Parameters:
  ///   - other: The other structure.
  ///   - tolerance: How far they may differ.
  /// - Returns: `false` also where a structure does not repeat in all directions.
  /// - Complexity: O(N²) for each symmetry of the lattice and each atom of the rarest element.
  public func matches(
    _ other: Structure, tolerance: MatchingTolerance = MatchingTolerance()
  ) -> Bool {
    guard let one = MatchingCell(self, tolerance: tolerance),
      let two = MatchingCell(other, tolerance: tolerance)
    else { return false }
    return one.matches(two, tolerance: tolerance)
  }
}
