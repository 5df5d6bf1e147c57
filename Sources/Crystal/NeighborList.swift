import NumericalCore

/// All neighbors of all atoms closer than a cutoff radius, periodic images included.
///
/// The list is full: a pair is found from both of its atoms, with exactly opposite displacements. An
/// atom has its own images as neighbors, never itself. The neighbors of an atom are ordered by their
/// index, images of one atom by lattice translation, so the same structure always gives the same list.
public struct NeighborList: Sendable {
  /// Where the neighbors of each atom start: those of atom i are `offsets[i]..<offsets[i + 1]`.
  public let offsets: [Int]
  /// The index of the atom that each neighbor is an image of.
  public let indices: [Int32]
  /// The vectors from each atom to its neighbors, r_j + image − r_i, in Å.
  public let displacements: [Vector3]

  /// Finds the neighbors of every atom.
  ///
  /// Works for every cell, whatever its skew, handedness, size and periodicity, and for atoms that lie
  /// outside of it.
  ///
  /// - Parameters:
  ///   - structure: The atoms.
  ///   - cutoff: Neighbors are closer than this, in Å; positive and finite.
  /// - Complexity: O(number of neighbors + N) from some hundred atoms on, O(number of neighbors + N²)
  ///   with a small factor below.
  public init(_ structure: Structure, cutoff: Double) {
    self.init(structure, cutoff: cutoff, method: .automatic)
  }

  /// How neighbors are searched; the list is the same, bit for bit.
  package enum Method: Sendable {
    /// Whatever is faster.
    case automatic
    /// All images in reach laid out once, every atom looks at all of them.
    case ghosts
    /// Bins about the size of the cutoff.
    case bins
  }

  package init(_ structure: Structure, cutoff: Double, method: Method) {
    precondition(cutoff > 0 && cutoff.isFinite, "a cutoff radius is positive and finite")
    precondition(structure.atomCount < Int(Int32.max), "atoms are counted in 32 bits")
    let search = NeighborSearch(structure, cutoff: cutoff)
    let useBins =
      switch method {
      case .automatic: search.prefersBins
      case .ghosts: false
      case .bins: search.allowsBins
      }
    self = useBins ? search.listByBins() : search.listByGhosts()
  }

  init(offsets: [Int], indices: [Int32], displacements: [Vector3]) {
    self.offsets = offsets
    self.indices = indices
    self.displacements = displacements
  }

  /// Calls a closure with the indices i ≤ j and the squared distance in Å² of every pair closer than a
  /// cutoff in Å, without making a list; that of an atom and its image is met in both directions.
  package static func forEachPair(
    in structure: Structure, closerThan cutoff: Double,
    _ body: (_ i: Int, _ j: Int, _ squaredDistance: Double) -> Void
  ) {
    precondition(cutoff > 0 && cutoff.isFinite, "a cutoff radius is positive and finite")
    NeighborSearch(structure, cutoff: cutoff).forEachPair(body)
  }

  /// The number of atoms.
  public var atomCount: Int { offsets.count - 1 }

  /// The places of one atom's neighbors in `indices` and `displacements`.
  @inlinable
  public func neighbors(of i: Int) -> Range<Int> { offsets[i]..<offsets[i + 1] }
}
