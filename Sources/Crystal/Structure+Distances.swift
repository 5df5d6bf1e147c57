import NumericalCore

extension Structure {
  /// The same bulk crystal in its Niggli cell, with all atoms inside and in the same order.
  ///
  /// The cell is right-handed. Structures that do not repeat in all directions keep their cell and are only wrapped.
  public func reduced() -> Structure {
    guard periodicity == .full else { return wrapped() }
    return Structure(unchecked: lattice.niggliReduced(), periodicity, species, positions).wrapped()
  }

  /// The distance in Å between the two atoms closest to each other, images included.
  ///
  /// - Returns: `nil` for a single atom that does not repeat.
  /// - Complexity: O(N) beyond a thousand atoms, O(N²) below.
  public func shortestDistance() -> Double? {
    let frame = PeriodicFrame(lattice, periodicity)
    var bound = frame.periodicCount > 0 ? frame.translations.a.squaredLength : Double.infinity
    let wrapped = positions.map { frame.wrapped($0) }
    for i in 0..<atomCount {
      for j in (i + 1)..<max(i + 1, min(atomCount, i + 1000)) {
        bound = min(bound, (wrapped[j] - wrapped[i]).squaredLength)
      }
    }
    guard bound.isFinite else { return nil }
    guard bound > 0 else { return 0 }
    // The bound is reached by some pair, so the list holds the closest one.
    let list = NeighborList(self, cutoff: bound.squareRoot() * (1 + 1e-9))
    return list.displacements.reduce(bound) { min($0, $1.squaredLength) }.squareRoot()
  }
}
