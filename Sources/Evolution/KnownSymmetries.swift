import Crystal

/// The symmetries of the last parents: a parent is used several times, and its group takes spglib as long
/// as some relaxations.
///
/// A symmetry is remembered of exactly the same numbers only, so that it changes no result.
struct KnownSymmetries: Sendable {
  private struct Entry {
    let structure: Structure
    let symmetry: SymmetryDescription?
  }

  private var entries: [Entry] = []
  private static let remembered = 64

  /// The symmetry of a structure; `nil` where none can be found.
  mutating func symmetry(of structure: Structure, tolerance: Double) -> SymmetryDescription? {
    if let known = entries.first(where: { $0.structure == structure }) { return known.symmetry }
    // A symmetry that cannot be found is none.
    let found = try? structure.symmetry(tolerance: tolerance)
    if entries.count == Self.remembered { entries.removeFirst() }
    entries.append(Entry(structure: structure, symmetry: found))
    return found
  }
}
