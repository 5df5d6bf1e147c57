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

  /// The smallest cell that holds the crystal, found from pure translations.
  ///
  /// Atoms that translations join are replaced by their mean. Nothing is turned or made symmetric.
  ///
  /// - Parameter tolerance: How far in Å an atom may lie from where a translation puts it.
  /// - Returns: A cell with fewer atoms and short vectors, its atoms in groups of one element; the structure as it
  ///   is where it has no such cell, or does not repeat in all directions.
  public func repeatingUnit(within tolerance: Double) -> Structure {
    // The strain decides nothing within one structure.
    let matching = MatchingTolerance(displacement: tolerance)
    guard let cell = MatchingCell(self, tolerance: matching), cell.atomCount < atomCount,
      let unit = cell.structure
    else { return self }
    return unit
  }
}
