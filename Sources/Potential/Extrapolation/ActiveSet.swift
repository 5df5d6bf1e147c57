import NumericalCore

/// The rows that span what a potential was trained on: m rows of length m (one per parameter) whose
/// determinant is, up to the swap threshold, as large as any exchange of one row can make it.
///
/// A row b has the coefficients c = b A⁻¹ in the active rows and the extrapolation grade
/// γ = maxⱼ |cⱼ|: up to 1 the row is interpolated (E. V. Podryabinkin & A. V. Shapeev, Comput. Mater.
/// Sci. 140, 171 (2017), doi:10.1016/j.commatsci.2017.08.031, eqs. 13–16; maxvol: S. A. Goreinov et
/// al., "How to find a good submatrix" (2010)).
///
/// The set starts as ε times a diagonal, so that it works from the first row on. A direction that no
/// row has filled keeps its small row: a structure with a component along it has a grade of about
/// that component over ε — extrapolation, as it must be. **Directions θ → θ + t n that change no
/// site energy** (the mixing of radial functions, exact dependencies among the basis functions, the
/// species shifts of structures of one composition) need no removal: every row is ∂V/∂θ, so b·n = 0
/// for all of them and the coefficients of the small rows left over vanish. What could enter is
/// roundoff, 10⁻¹⁶ |b| / ε; with ε relative to each column's magnitude (`Scaling.columns`) it stays
/// near 10⁻¹¹ and a null direction can neither be swapped in nor own a grade. The same ε bounds the
/// condition of A: a direction is filled only if its component exceeds ε.
public struct ActiveSet: Sendable, Hashable {
  /// What the small starting rows are relative to.
  public enum Scaling: String, Sendable, Hashable, CaseIterable {
    /// The root mean square of each column over the rows the set is built from: the grade does not
    /// depend on the units of the parameters.
    case columns
    /// The number one, as MLIP does.
    case absolute
  }

  /// How a set is built.
  public struct Options: Sendable, Hashable {
    /// A row is swapped in while a coefficient exceeds this; above 1.
    public var swapThreshold: Double
    /// The magnitude of the rows that no structure has filled.
    public var startingMagnitude: Double
    /// What that magnitude is relative to.
    public var scaling: Scaling

    /// Creates options.
    ///
    /// - Parameters:
    ///   - swapThreshold: Above 1; 1.001 by default: closer to 1 costs swaps and gains nothing.
    ///   - startingMagnitude: Positive, 10⁻⁵ by default.
    ///   - scaling: What it is relative to.
    public init(
      swapThreshold: Double = 1.001, startingMagnitude: Double = 1e-5, scaling: Scaling = .columns
    ) {
      precondition(swapThreshold > 1, "a swap threshold of 1 or less need not terminate")
      precondition(startingMagnitude > 0, "the starting rows must be independent")
      self.swapThreshold = swapThreshold
      self.startingMagnitude = startingMagnitude
      self.scaling = scaling
    }

    /// What MLIP-2 does: swaps to 1.0000001 from 10⁻⁵ times the identity.
    public static let mlip = Options(
      swapThreshold: 1.000_000_1, startingMagnitude: 1e-5, scaling: .absolute)
  }

  /// Where a row comes from.
  public struct Origin: Sendable, Hashable {
    /// The structure, by whatever numbers the caller gives.
    public let structure: Int
    /// The atom, `nil` for a row of a whole configuration.
    public let atom: Int?

    /// Creates an origin.
    public init(structure: Int, atom: Int? = nil) {
      self.structure = structure
      self.atom = atom
    }
  }

  /// How the set is built.
  public let options: Options
  /// The active rows, m × m.
  public internal(set) var rows: Matrix
  /// The inverse of `rows`.
  public internal(set) var inverse: Matrix
  /// Where each row comes from; `nil` for a direction that nothing has filled.
  public internal(set) var origins: [Origin?]

  /// Creates a set that nothing has filled.
  ///
  /// - Parameters:
  ///   - dimension: The number of parameters m.
  ///   - magnitudes: The typical magnitude of each column, all positive; 1 where absent.
  ///   - options: How it is built.
  public init(dimension: Int, magnitudes: [Double]? = nil, options: Options = Options()) {
    precondition(dimension > 0, "an active set has at least one row")
    precondition(magnitudes == nil || magnitudes?.count == dimension, "one magnitude per column")
    self.options = options
    rows = Matrix(rows: dimension, columns: dimension)
    inverse = rows
    origins = Array(repeating: nil, count: dimension)
    for j in 0..<dimension {
      let magnitude = options.startingMagnitude * (magnitudes?[j] ?? 1)
      precondition(magnitude > 0 && magnitude.isFinite, "magnitudes must be positive")
      rows[j, j] = magnitude
      inverse[j, j] = 1 / magnitude
    }
  }

  /// Creates the set of maximal determinant over some rows.
  ///
  /// - Parameters:
  ///   - pool: One row per configuration or atom, m columns.
  ///   - origins: Where each row comes from.
  ///   - options: How it is built.
  /// - Throws: `PotentialError.notFinite` where a row is not finite.
  public init(
    covering pool: Matrix, origins: [Origin], options: Options = Options()
  ) throws(PotentialError) {
    let magnitudes = options.scaling == .columns ? Self.columnMagnitudes(of: pool) : nil
    self.init(dimension: pool.columns, magnitudes: magnitudes, options: options)
    try add(pool, origins: origins)
  }

  /// The number of rows, which is the number of parameters.
  public var dimension: Int { rows.rows }

  /// How many rows come from structures.
  ///
  /// - Complexity: O(m)
  public func filledCount() -> Int { origins.count { $0 != nil } }

  /// The structures that own at least one row, in ascending order.
  ///
  /// - Complexity: O(m log m)
  public func structures() -> [Int] { Set(origins.compactMap { $0?.structure }).sorted() }

  /// The extrapolation grade of one row; infinite where the row is not finite.
  public func grade(_ row: [Double]) -> Double {
    grades(Matrix(rows: 1, columns: row.count, elements: row))[0]
  }

  /// The extrapolation grades of many rows, by one matrix product; infinite where a row is not finite.
  ///
  /// - Complexity: O(rows × m²)
  public func grades(_ pool: Matrix) -> [Double] {
    precondition(pool.columns == dimension, "a row has one component per parameter")
    var coefficients = Matrix(rows: pool.rows, columns: dimension)
    LinearAlgebra.multiply(pool, inverse, into: &coefficients)
    return CoefficientTable.rowMaxima(of: coefficients)
  }

  /// The extrapolation grades of rows that are zero outside of some columns.
  ///
  /// - Parameters:
  ///   - pool: One row per configuration or atom, m columns.
  ///   - columns: Ranges of columns without overlap; all other columns of every row are zero.
  /// - Returns: What `grades(_:)` gives, to roundoff.
  /// - Complexity: O(rows × m × columns in the ranges)
  package func grades(_ pool: Matrix, nonzeroIn columns: [Range<Int>]) -> [Double] {
    precondition(pool.columns == dimension, "a row has one component per parameter")
    precondition(columns.allSatisfy { 0 <= $0.lowerBound && $0.upperBound <= dimension })
    var coefficients = Matrix(rows: pool.rows, columns: dimension)
    pool.elements.withUnsafeBufferPointer { rows in
      inverse.elements.withUnsafeBufferPointer { inverse in
        coefficients.elements.withUnsafeMutableBufferPointer { result in
          guard let a = rows.baseAddress, let b = inverse.baseAddress, let c = result.baseAddress
          else { return }
          for range in columns {
            LinearAlgebra.multiply(
              m: pool.rows, n: dimension, k: range.count, a: a + range.lowerBound, lda: dimension,
              b: b + range.lowerBound * dimension, ldb: dimension, beta: 1, c: c, ldc: dimension)
          }
        }
      }
    }
    return CoefficientTable.rowMaxima(of: coefficients)
  }

  // The root mean square of every column. A column that is zero throughout (a pair of species that
  // no structure holds) takes the median of the others: anything along it is then far outside.
  static func columnMagnitudes(of pool: Matrix) -> [Double] {
    var squares = [Double](repeating: 0, count: pool.columns)
    for i in 0..<pool.rows {
      for j in 0..<pool.columns { squares[j] += pool[i, j] * pool[i, j] }
    }
    let magnitudes = squares.map { ($0 / Double(max(1, pool.rows))).squareRoot() }
    let present = magnitudes.filter { $0 > 0 && $0.isFinite }.sorted()
    let median = present.isEmpty ? 1 : present[present.count / 2]
    return magnitudes.map { $0 > 1e-12 * median && $0.isFinite ? $0 : median }
  }
}

extension ActiveSet: ByteCodable {
  /// Appends options, rows and origins; the inverse follows from the rows.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(options.swapThreshold)
    encoder.encode(options.startingMagnitude)
    encoder.encode(options.scaling.rawValue)
    encoder.encode(rows)
    for origin in origins {
      encoder.encode(origin?.structure)
      encoder.encode(origin?.atom)
    }
  }

  /// Reads options, rows and origins and inverts the rows.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let threshold = try decoder.decode(Double.self)
    let magnitude = try decoder.decode(Double.self)
    guard let scaling = Scaling(rawValue: try decoder.decode(String.self)), threshold > 1,
      magnitude > 0
    else { throw .invalid("options of an active set") }
    options = Options(
      swapThreshold: threshold, startingMagnitude: magnitude, scaling: scaling)
    rows = try decoder.decode(Matrix.self)
    guard rows.rows == rows.columns, rows.rows > 0 else { throw .invalid("active set not square") }
    origins = []
    for _ in 0..<rows.rows {
      let structure = try decoder.decode(Int?.self)
      let atom = try decoder.decode(Int?.self)
      origins.append(structure.map { Origin(structure: $0, atom: atom) })
    }
    do { inverse = try Self.inverse(of: rows) } catch {
      throw .invalid("active set: \(error)")
    }
  }
}
