import Crystal

extension Structure {
  /// The species number of every atom in a potential.
  ///
  /// Elements are matched with elements. An unnamed species k is species k of a potential, whether
  /// that names its species or not.
  ///
  /// - Parameter elements: The potential's species.
  /// - Returns: One number for each atom.
  /// - Throws: `PotentialError` where the potential does not know an element.
  func speciesIndices(among elements: [ChemicalElement]) throws(PotentialError) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(atomCount)
    var last: (element: ChemicalElement, index: Int)?
    for element in species {
      if let last, last.element == element {
        indices.append(last.index)
        continue
      }
      let index = try Self.index(of: element, among: elements)
      indices.append(index)
      last = (element, index)
    }
    return indices
  }

  private static func index(
    of element: ChemicalElement, among elements: [ChemicalElement]
  ) throws(PotentialError) -> Int {
    if let index = elements.firstIndex(of: element) { return index }
    if let type = element.unnamedType, type < elements.count { return type }
    if element.unnamedType == nil, elements.allSatisfy({ $0.unnamedType != nil }) {
      throw .invalidParameters(
        "the potential's \(elements.count) species have no names, so none is known to be \(element); "
          + "name them with --elements")
    }
    throw .unknownElement(element, known: elements)
  }
}
