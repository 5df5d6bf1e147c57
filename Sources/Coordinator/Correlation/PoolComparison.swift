import Dataset

/// The potential against the reference method over those structures of a pool that the potential could treat.
public struct PoolComparison: Sendable {
  /// A structure that has no energy by the potential.
  public struct Failure: Sendable, Hashable {
    /// Its number in the file, from 1.
    public let number: Int
    /// Why.
    public let reason: String
  }

  /// The structures that are compared, in the order of the file.
  public let entries: [PoolStructure]
  /// Their energies by the potential in eV per atom.
  public let modelPerAtom: [Double]
  /// How well both methods agree.
  public let statistics: PoolStatistics
  /// The structures that are not compared.
  public let failures: [Failure]

  /// Compares two methods.
  ///
  /// - Parameters:
  ///   - entries: The structures, at least one.
  ///   - modelPerAtom: Their energies by the potential in eV per atom.
  ///   - failures: Structures that are not among them.
  ///   - window: Up to which ΔE structures count as low, in eV per atom.
  public init(
    _ entries: [PoolStructure], modelPerAtom: [Double], failures: [Failure] = [], window: Double
  ) {
    self.entries = entries
    self.modelPerAtom = modelPerAtom
    self.failures = failures
    statistics = PoolStatistics(
      model: modelPerAtom, reference: entries.map(\.referencePerAtom),
      formulas: entries.map(\.formula), window: window)
  }
}

/// A pool whose structures the potential has relaxed.
public struct RelaxedPool: Sendable {
  /// The energies of the potential at its own minima, against the reference method's in the pool's geometry; `nil`
  /// where no structure relaxed.
  public let comparison: PoolComparison?
  /// The structures that failed, collapsed or exploded.
  public let failures: [PoolComparison.Failure]
  /// The same over the structures alone that did not become others; `nil` where there is none.
  public let kept: PoolComparison?
  /// The numbers of the structures whose relaxation ended at the limit of steps; they are compared all the same.
  public let unconverged: [Int]
  /// The numbers of the structures that became others: the potential's minimum does not match the pool's
  /// geometry.
  public let moved: [Int]
  /// The numbers of those that are no crystals, of which this is not known.
  public let unmatched: [Int]
}

/// Extrapolation grades of a pool.
public struct GradedPool: Sendable {
  /// The numbers of the structures, in the order of the file.
  public let numbers: [Int]
  /// Their grades γ.
  public let grades: [Double]
  /// Up to which grade a structure is interpolated: what swaps of active rows leave above 1 is no excess.
  public let threshold: Double
  /// Pearson's correlation of γ with the absolute error of ΔE (`PoolStatistics.errorsFromMean`).
  public let pearson: Double?
  /// Spearman's correlation of the two, which a few very large grades do not decide.
  public let spearman: Double?

  /// How many structures the potential extrapolates to.
  public var extrapolated: Int { grades.count { $0 > threshold } }

  /// Compares grades with errors.
  ///
  /// - Parameters:
  ///   - grades: The grade of each structure of the comparison.
  ///   - threshold: Up to which one a structure is interpolated.
  ///   - comparison: The pool in its own geometry.
  init(_ grades: [Double], threshold: Double, of comparison: PoolComparison) {
    self.threshold = threshold
    numbers = comparison.entries.map(\.number)
    self.grades = grades
    let errors = comparison.statistics.errorsFromMean.map(abs)
    let together = CandidateGroups(grades.map { _ in 0 })
    // An infinite grade, of atoms that nearly coincide, has a rank but no deviation from a mean.
    pearson = grades.allSatisfy(\.isFinite) ? together.pearson(grades, errors) : nil
    let finite = grades.map { min($0, .greatestFiniteMagnitude) }
    spearman = together.spearman(finite, errors, tieWidths: (0, 0))
  }
}
