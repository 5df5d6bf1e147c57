import NumericalCore

/// What the bonds of a structure hold together: molecules, chains, layers or a framework.
///
/// Atoms are bonded where they are closer than ``bondFactor`` times the sum of their covalent radii. The
/// dimension is the rank of the lattice translations under which a piece is bonded to its own images (M. Ashton
/// et al., Phys. Rev. Lett. 118, 106101 (2017); P. M. Larsen et al., Phys. Rev. Materials 3, 034003 (2019)).
///
/// ```swift
/// BondNetwork(graphite).dimension  // 2
/// ```
public struct BondNetwork: Sendable, Hashable {
  /// 1.2: between the longest bonds and the shortest contacts of neighboring layers and molecules.
  public static let bondFactor = 1.2

  /// How many pieces of each dimension lie in a cell, by dimension: molecules and single atoms, chains, layers,
  /// frameworks.
  ///
  /// A chain, layer or framework that is bonded to only every second image of itself counts once.
  public let pieces: [Int]

  /// The highest dimension of all pieces, 0 … 3.
  public var dimension: Int { pieces.lastIndex { $0 > 0 } ?? 0 }

  /// Finds the pieces.
  ///
  /// - Parameter structure: The atoms, in any cell.
  public init(_ structure: Structure) {
    var pieces = [0, 0, 0, 0]
    let radii = structure.species.map(\.covalentRadius)
    let longest = radii.reduce(0, max)
    let list = NeighborList(structure, cutoff: Self.bondFactor * 2 * longest)
    let inverse = structure.lattice.inverse
    // The cell in which an atom was met, in lattice vectors.
    var cells = [Vector3?](repeating: nil, count: structure.atomCount)
    for root in 0..<structure.atomCount where cells[root] == nil {
      var translations = TranslationSpan()
      cells[root] = .zero
      var open = [root]
      while let i = open.popLast() {
        for place in list.neighbors(of: i) {
          let j = Int(list.indices[place])
          let d = list.displacements[place]
          guard d.length < Self.bondFactor * (radii[i] + radii[j]), let here = cells[i] else {
            continue
          }
          let image = d - (structure.positions[j] - structure.positions[i])
          let there = here + (image * inverse).map { $0.rounded() }
          if let known = cells[j] {
            translations.insert(there - known)
          } else {
            cells[j] = there
            open.append(j)
          }
        }
      }
      pieces[translations.rank] += 1
    }
    self.pieces = pieces
  }
}

/// The space that lattice translations span; their components are whole numbers, and products of them exact.
private struct TranslationSpan {
  private var first: Vector3?
  private var normal: Vector3?
  private(set) var rank = 0

  mutating func insert(_ translation: Vector3) {
    guard rank < 3, translation != .zero else { return }
    guard let first else {
      self.first = translation
      rank = 1
      return
    }
    guard let normal else {
      let product = first.cross(translation)
      if product != .zero {
        self.normal = product
        rank = 2
      }
      return
    }
    if normal.dot(translation) != 0 { rank = 3 }
  }
}
