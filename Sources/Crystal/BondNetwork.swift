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
  /// 1.25: between neighbors in close-packed metals (lead 1.20, zinc 1.19 for the farther six) and the shortest
  /// contacts of neighboring chains, layers and molecules (tellurium 1.26, iodine 1.26, arsenic 1.31).
  ///
  /// Antimony and bismuth lie below and count as frameworks.
  public static let bondFactor = 1.25

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
    let graph = BondGraph(structure)
    var pieces = [0, 0, 0, 0]
    // The cell in which an atom was met, in lattice vectors.
    var cells = [CellIndex?](repeating: nil, count: structure.atomCount)
    for root in 0..<structure.atomCount where cells[root] == nil {
      var translations = TranslationSpan()
      cells[root] = .zero
      var open = [root]
      while let i = open.popLast() {
        for bond in graph.bonds(of: i) {
          guard let here = cells[i] else { continue }
          let there = here &+ bond.cell
          if let known = cells[bond.atom] {
            translations.insert(there &- known)
          } else {
            cells[bond.atom] = there
            open.append(bond.atom)
          }
        }
      }
      pieces[translations.rank] += 1
    }
    self.pieces = pieces
  }
}

/// A step from one cell to another, in lattice vectors.
typealias CellIndex = SIMD4<Int32>

/// All bonds of a structure: a graph whose edges know which image of an atom they lead to.
struct BondGraph {
  struct Bond {
    let atom: Int
    /// How many lattice vectors further the atom lies than its place in the cell.
    let cell: CellIndex
  }

  private var offsets = [0]
  private var all: [Bond] = []

  init(_ structure: Structure) {
    let radii = structure.species.map(\.covalentRadius)
    let list = NeighborList(
      structure, cutoff: BondNetwork.bondFactor * 2 * radii.reduce(0, max))
    let inverse = structure.lattice.inverse
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let j = Int(list.indices[place])
        let d = list.displacements[place]
        guard d.length < BondNetwork.bondFactor * (radii[i] + radii[j]) else { continue }
        let image = (d - (structure.positions[j] - structure.positions[i])) * inverse
        let cell = CellIndex(
          Int32(image.x.rounded()), Int32(image.y.rounded()), Int32(image.z.rounded()), 0)
        all.append(Bond(atom: j, cell: cell))
      }
      offsets.append(all.count)
    }
  }

  func bonds(of i: Int) -> ArraySlice<Bond> { all[offsets[i]..<offsets[i + 1]] }
}

/// The space that lattice translations span.
private struct TranslationSpan {
  private var first: CellIndex?
  private var normal: CellIndex?
  private(set) var rank = 0

  mutating func insert(_ translation: CellIndex) {
    guard rank < 3, translation != .zero else { return }
    guard let first else {
      self.first = translation
      rank = 1
      return
    }
    guard let normal else {
      let product = Self.cross(first, translation)
      if product != .zero {
        self.normal = product
        rank = 2
      }
      return
    }
    if (normal &* translation).wrappedSum() != 0 { rank = 3 }
  }

  private static func cross(_ a: CellIndex, _ b: CellIndex) -> CellIndex {
    CellIndex(
      a.y &* b.z &- a.z &* b.y, a.z &* b.x &- a.x &* b.z, a.x &* b.y &- a.y &* b.x, 0)
  }
}
