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

  /// What is left of a set without the structures that the others span already.
  public struct Sparsification: Sendable, Hashable {
    /// Identifiers in ascending order, at most as many as the potential has parameters.
    public let kept: [Int]
    /// How many rows of the active set they own.
    public let activeRows: Int
  }

  /// The structures of a set that the others do not already span: those that own a row of the active
  /// set over all of them.
  ///
  /// - Parameters:
  ///   - pool: The candidates.
  ///   - options: How the active set is built.
  /// - Returns: What is left.
  /// - Throws: `PotentialError.notFinite` where a row is not finite.
  public static func sparsified(
    _ pool: [Candidate], options: ActiveSet.Options = ActiveSet.Options()
  ) throws(PotentialError) -> Sparsification {
    guard !pool.isEmpty else { return Sparsification(kept: [], activeRows: 0) }
    let origins = pool.flatMap { candidate in
      (0..<candidate.rows.rows).map {
        ActiveSet.Origin(structure: candidate.identifier, atom: $0)
      }
    }
    let set = try ActiveSet(covering: stacked(pool), origins: origins, options: options)
    return Sparsification(kept: set.structures(), activeRows: set.filledCount())
  }

  // The rows of all candidates, one candidate after the other.
  private static func stacked(_ pool: [Candidate]) -> Matrix {
    var elements: [Double] = []
    elements.reserveCapacity(pool.reduce(0) { $0 + $1.rows.elements.count })
    for candidate in pool { elements += candidate.rows.elements }
    let count = pool.reduce(0) { $0 + $1.rows.rows }
    return Matrix(rows: count, columns: pool.first?.rows.columns ?? 0, elements: elements)
  }

  // The largest grade of each candidate's rows, by one product for many candidates.
  private static func grades(_ pool: [Candidate], _ set: ActiveSet) -> [Double] {
    var result: [Double] = []
    var start = 0
    while start < pool.count {
      var (end, rows) = (start, 0)
      while end < pool.count, end == start || rows + pool[end].rows.rows <= rowsPerProduct {
        rows += pool[end].rows.rows
        end += 1
      }
      var grades = set.grades(stacked(Array(pool[start..<end])))[...]
      for candidate in pool[start..<end] {
        result.append(grades.prefix(candidate.rows.rows).max() ?? 0)
        grades = grades.dropFirst(candidate.rows.rows)
      }
      start = end
    }
    return result
  }

  private static let rowsPerProduct = 512

  private static func firstLargest(_ values: [Double]) -> Int? {
    values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) }
  }
}
