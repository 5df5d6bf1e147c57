import Crystal
import NumericalCore

/// A set of symmetry-equivalent positions of a space group: the points that one site symmetry fixes
/// (a point, a line, a plane or all of space) and the operations that make the other images.
package struct WyckoffPosition: Sendable {
  /// Images in the **primitive** cell.
  package let multiplicity: Int
  /// Free coordinates of the position, 0 … 3.
  package let dimension: Int
  /// A point of the position, fractional in the conventional cell.
  package let origin: Vector3
  /// The directions in which a point may move, fractional in the conventional cell; steps from 0 to 1
  /// along each reach every point of the position.
  package let directions: [Vector3]
  /// One operation per image, by index into the group's operations; the first is the identity.
  package let images: [Int]

  /// A point of the position, uniform over it.
  package func point(_ random: inout RandomStream) -> Vector3 {
    var point = origin
    for direction in directions { point += random.uniform() * direction }
    return point
  }
}

/// The Wyckoff positions of a space group, derived from its operations.
///
/// `WyckoffDerivation` finds them; over the 230 groups they are the 1731 positions of the International
/// Tables, here in the order of their letters.
package struct WyckoffTable: Sendable {
  /// One operation per element of the point group; the identity first.
  package let operations: [GridOperation]
  /// Steps of the operations' translations per cell edge.
  package let steps: Int
  /// Lattice points per conventional cell.
  package let cellsPerConventionalCell: Int
  /// Three vectors of the primitive lattice, rows in units of the conventional vectors.
  package let primitiveBasis: Matrix3
  /// The positions in the order of their letters, which is that of growing multiplicity.
  package let positions: [WyckoffPosition]

  /// Derives the positions of a space group in its default setting.
  package init(_ group: SpaceGroup) {
    var derivation = WyckoffDerivation(group)
    derivation.run()
    operations = derivation.operations
    steps = Int(derivation.steps)
    cellsPerConventionalCell = derivation.centrings.count
    primitiveBasis = derivation.primitiveBasis()
    let found = derivation.found.enumerated().sorted {
      ($0.element.multiplicity, $0.element.dimension, $0.offset)
        < ($1.element.multiplicity, $1.element.dimension, $1.offset)
    }.map(\.element)
    positions = WyckoffLetters.order(of: group.number, count: found.count).map { found[$0] }
  }

  /// The letter of a position in the International Tables.
  package func letter(of position: Int) -> Character { WyckoffLetters.letter(position) }

  /// The order of the site symmetry of a position.
  package func siteSymmetryOrder(of position: Int) -> Int {
    operations.count / positions[position].multiplicity
  }
}
