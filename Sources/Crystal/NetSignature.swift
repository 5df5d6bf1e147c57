/// What the bonds of a structure say of it: the same for all ways to pack the same molecules, chains or layers.
///
/// It counts the atoms of each element that have a coordination sequence: how many atoms lie one, two, … bonds away
/// (G. O. Brunner and F. Laves, Wiss. Z. Techn. Univ. Dresden 20, 387 (1971)). Neither the cell nor strain changes
/// it; structures of one net that differ in angles alone share it, too.
public struct NetSignature: Sendable, Hashable {
  /// Atoms that the bonds do not tell apart.
  private struct Site: Hashable {
    let element: ChemicalElement
    let sequence: [Int]
  }

  /// How many atoms of a kind there are for each formula of the smallest whole numbers.
  private let counts: [Site: Int]

  /// Finds the signature.
  ///
  /// - Parameters:
  ///   - structure: The atoms, in any cell.
  ///   - shells: How many bonds away is looked; at least 1.
  /// - Complexity: Linear in atoms and in the number of bonds within so many shells, s³ in a framework.
  public init(_ structure: Structure, shells: Int = 6) {
    let graph = BondGraph(structure)
    var counts: [Site: Int] = [:]
    for atom in 0..<structure.atomCount {
      let site = Site(
        element: structure.species[atom],
        sequence: Self.sequence(from: atom, in: graph, shells: shells))
      counts[site, default: 0] += 1
    }
    let common = counts.values.reduce(0, Composition.greatestCommonDivisor)
    self.counts = counts.mapValues { $0 / max(1, common) }
  }

  /// The coordination sequences, each once, in ascending order.
  package var coordinationSequences: [[Int]] {
    Set(counts.keys.map(\.sequence)).sorted { $0.lexicographicallyPrecedes($1) }
  }

  private struct Place: Hashable {
    let atom: Int
    let cell: CellIndex
  }

  private static func sequence(from atom: Int, in graph: BondGraph, shells: Int) -> [Int] {
    let origin = Place(atom: atom, cell: .zero)
    // An atom next to shell n lies in shell n - 1, n or n + 1.
    var (last, shell): (Set<Place>, Set<Place>) = ([], [origin])
    return (0..<shells).map { _ in
      var next: Set<Place> = []
      for place in shell {
        for bond in graph.bonds(of: place.atom) {
          let neighbor = Place(atom: bond.atom, cell: place.cell &+ bond.cell)
          if !last.contains(neighbor), !shell.contains(neighbor) { next.insert(neighbor) }
        }
      }
      (last, shell) = (shell, next)
      return next.count
    }
  }
}
