import Crystal
import NumericalCore

// What classical potentials ask of a structure before they sum over its pairs.
extension InteratomicPotential {
  /// The place of every atom's element in `elements`.
  func typeIndices(of structure: Structure) throws(PotentialError) -> [Int] {
    var types: [Int] = []
    types.reserveCapacity(structure.atomCount)
    for element in structure.species {
      guard let index = elements.firstIndex(of: element) else {
        throw .unknownElement(element, known: elements)
      }
      types.append(index)
    }
    return types
  }

  /// Refuses cells so dense that the sums would never end.
  ///
  /// - Parameters:
  ///   - structure: Checked where it is a bulk crystal.
  ///   - reach: The largest distance of a pair in Å.
  ///   - most: The largest number of pairs allowed.
  /// - Throws: `PotentialError.notFinite` where there are more.
  func checkDensity(
    _ structure: Structure, reach: Double, most: Double
  ) throws(PotentialError) {
    guard structure.periodicity == .full else { return }
    let atoms = Double(structure.atomCount)
    let pairs = atoms * atoms / structure.volume * 2 / 3 * Double.pi * reach * reach * reach
    guard pairs < most else {
      throw .notFinite(
        "the cell has collapsed: \(structure.volumePerAtom) Å³ per atom, some \(pairs) pairs")
    }
  }
}

extension Structure {
  /// The same crystal with the same atoms in a cell that is no needle: the boxes of translations
  /// around a needle-like cell hold millions.
  var compacted: Structure {
    guard periodicity == .full else { return self }
    let (heights, lengths) = (lattice.heights, lattice.lengths)
    let isSkewed = (0..<3).contains { heights[$0] < 0.25 * lengths[$0] }
    return isSkewed ? reduced() : self
  }
}
