import Crystal
import NumericalCore
import Potential

/// The choice of structures that a potential extrapolates to most: from a pool, those that enlarge
/// the determinant of the active set (Podryabinkin & Shapeev 2017).
///
/// The structure of the largest grade enters first; its rows are exchanged into the active set until
/// they are interpolated, the rest of the pool is graded anew, and so on. A structure whose rows
/// later ones push out is dropped again. So never more structures are chosen than the potential has
/// parameters, none is chosen for what another one brings already, and the order tells which matter
/// most where the number of labels is limited.
public struct DOptimalSelection: Sendable {
  /// A structure of the pool as the active set sees it.
  public struct Candidate: Sendable {
    /// Its identifier, unlike all others of the pool and of the active set.
    public let identifier: Int
    /// One row per atom or configuration, from `ExtrapolationGrader.rows(of:)`.
    public let rows: Matrix

    /// Creates a candidate.
    public init(identifier: Int, rows: Matrix) {
      self.identifier = identifier
      self.rows = rows
    }
  }

  /// Identifiers of the chosen structures, the first choice first.
  public let selected: [Int]
  /// The grade of every candidate before anything was chosen, in the order of the pool.
  public let grades: [Double]
  /// The active set with the chosen structures.
  public let activeSet: ActiveSet

  /// Chooses from a pool.
  ///
  /// - Parameters:
  ///   - pool: The candidates.
  ///   - activeSet: What the training set spans.
  ///   - threshold: Candidates below this grade are not chosen; the active set's swap threshold where
  ///     lower.
  ///   - limit: Most structures to choose; `nil`: as many as needed to interpolate the pool.
  /// - Throws: `PotentialError.notFinite` where a row is not finite.
  public init(
    from pool: [Candidate], extending activeSet: ActiveSet, threshold: Double = 1,
    limit: Int? = nil
  ) throws(PotentialError) {
    precondition(Set(pool.map(\.identifier)).count == pool.count, "identifiers must differ")
    let known = Set(activeSet.structures())
    precondition(!pool.contains { known.contains($0.identifier) }, "an identifier is taken")
    let lowest = max(threshold, activeSet.options.swapThreshold)
    var grown = activeSet
    var order: [Int] = []
    let first = Self.grades(pool, grown)
    var current = first
    // A structure chosen earlier may enter again with rows that others pushed out; every entry
    // enlarges the determinant, so this ends.
    while let best = Self.firstLargest(current), current[best] > lowest {
      let candidate = pool[best]
      let isNew = !order.contains(candidate.identifier)
      guard !isNew || order.count < limit ?? .max else { break }
      let origins = (0..<candidate.rows.rows).map {
        ActiveSet.Origin(structure: candidate.identifier, atom: $0)
      }
      try grown.add(candidate.rows, origins: origins)
      let active = Set(grown.structures())
      if isNew { order.append(candidate.identifier) }
      order = order.filter { active.contains($0) }
      current = Self.grades(pool, grown)
    }
    selected = order
    grades = first
    self.activeSet = grown
  }

  /// The structures of a set that the others do not already span: those that own a row of the active
  /// set over all of them.
  ///
  /// - Parameters:
  ///   - pool: The candidates.
  ///   - options: How the active set is built.
  /// - Returns: Identifiers in ascending order, at most as many as the potential has parameters.
  /// - Throws: `PotentialError.notFinite` where a row is not finite.
  public static func sparsified(
    _ pool: [Candidate], options: ActiveSet.Options = ActiveSet.Options()
  ) throws(PotentialError) -> [Int] {
    guard let dimension = pool.first?.rows.columns else { return [] }
    var elements: [Double] = []
    var origins: [ActiveSet.Origin] = []
    for candidate in pool {
      elements += candidate.rows.elements
      for atom in 0..<candidate.rows.rows {
        origins.append(ActiveSet.Origin(structure: candidate.identifier, atom: atom))
      }
    }
    let rows = Matrix(rows: origins.count, columns: dimension, elements: elements)
    return try ActiveSet(covering: rows, origins: origins, options: options).structures()
  }

  private static func grades(_ pool: [Candidate], _ set: ActiveSet) -> [Double] {
    pool.map { set.grades($0.rows).max() ?? 0 }
  }

  private static func firstLargest(_ values: [Double]) -> Int? {
    values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) }
  }
}
