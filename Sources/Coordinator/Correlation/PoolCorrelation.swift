import Dataset
import NumericalCore

/// All that was found out about a potential by a pool of structures.
public struct PoolCorrelation: Sendable {
  /// The structures in the pool.
  public let poolCount: Int
  /// The pressure of the enthalpies in eV/Å³.
  public let pressure: Double
  /// The pool in its own geometry.
  public let comparison: PoolComparison
  /// The pool relaxed by the potential, where that was asked for.
  public var relaxed: RelaxedPool?
  /// Its extrapolation grades, where a training set was given.
  public var grades: GradedPool?
  /// Its environments among those of the training set.
  public var environments: PoolEnvironments?
  /// Refits to parts of the training set; empty where nobody asked for them.
  public var learningCurve: [LearningCurvePoint] = []

  /// Begins with what is always known.
  ///
  /// - Parameters:
  ///   - comparison: The pool in its own geometry.
  ///   - poolCount: The structures in the pool, those that failed among them.
  ///   - pressure: In eV/Å³.
  public init(_ comparison: PoolComparison, poolCount: Int, pressure: Double = 0) {
    self.comparison = comparison
    self.poolCount = poolCount
    self.pressure = pressure
  }

  /// Whether a structure is missing from a comparison.
  public var hasFailures: Bool {
    !comparison.failures.isEmpty || !(relaxed?.failures.isEmpty ?? true)
  }

  /// Writes `correlate.json` and the plots into a folder, which must exist.
  ///
  /// - Returns: The names of the files, in the order they were written.
  /// - Throws: `FileWritingError`.
  public func write(to folder: String) throws(FileWritingError) -> [String] {
    let files = [("correlate.json", json.text() + "\n")] + plots.map { ($0.name, $0.plot.svg()) }
    for (name, text) in files { try AtomicFile.write(text, to: "\(folder)/\(name)") }
    return files.map(\.0)
  }
}
