import NumericalCore

/// A primitive cell of a bulk crystal in the form that comparisons need: short vectors, atoms by element.
///
/// Made once per structure and compared often. Pure translations are found within a tolerance, and atoms
/// that they join are replaced by their mean.
public struct MatchingCell: Sendable, Hashable {
  /// Short vectors of the crystal's lattice as rows, in Å.
  let vectors: Matrix3
  /// The elements, the rarest first, ties by atomic number.
  let elements: [ChemicalElement]
  /// Where each element's atoms end in `positions`.
  let ends: [Int]
  /// Fractional positions, element by element.
  let positions: [Vector3]

  /// Takes over a structure.
  ///
  /// - Parameters:
  ///   - structure: A bulk crystal; `nil` comes of anything else.
  ///   - tolerance: Whether atoms repeat within the cell is decided by its displacement.
  /// - Complexity: O(N²) times the number of atoms of the rarest element, nearly always O(N²).
  public init?(_ structure: Structure, tolerance: MatchingTolerance = MatchingTolerance()) {
    guard structure.periodicity == .full else { return nil }
    let composition = structure.composition()
    let order = composition.elements.indices.sorted {
      (composition.counts[$0], $0) < (composition.counts[$1], $1)
    }
    let elements = order.map { composition.elements[$0] }
    let short = LatticeReduction.short(structure.lattice.vectors) * structure.lattice.vectors
    guard let inverse = short.inverse else { return nil }
    var ends: [Int] = []
    var positions: [Vector3] = []
    positions.reserveCapacity(structure.atomCount)
    for element in elements {
      for (atom, position) in structure.positions.enumerated()
      where structure.species[atom] == element {
        positions.append(position * inverse)
      }
      ends.append(positions.count)
    }
    let whole = MatchingCell(vectors: short, elements: elements, ends: ends, positions: positions)
    self = whole.primitive(within: tolerance.displacement) ?? whole
  }

  init(vectors: Matrix3, elements: [ChemicalElement], ends: [Int], positions: [Vector3]) {
    self.vectors = vectors
    self.elements = elements
    self.ends = ends
    self.positions = positions
  }

  /// The number of atoms.
  public var atomCount: Int { positions.count }

  /// The volume per atom in Å³.
  public var volumePerAtom: Double { abs(vectors.determinant) / Double(positions.count) }

  /// The cell as a structure; `nil` only where it is too flat for a lattice.
  var structure: Structure? {
    let species = elements.indices.flatMap { kind in
      Array(repeating: elements[kind], count: atoms(of: kind).count)
    }
    guard let lattice = try? Lattice(vectors) else { return nil }
    return try? Structure(lattice: lattice, species: species, fractionalPositions: positions)
  }

  /// The atoms of an element, by its place in `elements`.
  func atoms(of kind: Int) -> Range<Int> { (kind == 0 ? 0 : ends[kind - 1])..<ends[kind] }
}
