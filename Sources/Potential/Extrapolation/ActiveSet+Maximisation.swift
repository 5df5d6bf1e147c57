import NumericalCore

extension ActiveSet {
  /// What `add` did.
  public struct Growth: Sendable, Hashable {
    /// How many rows were exchanged.
    public var swaps = 0
    /// How many passes over the rows were made; the last one changes nothing.
    public var passes = 0
  }

  // The error of rank-one updates grows with their number and with every small pivot: it is measured
  // after so many swaps, and the inverse is computed from scratch where it exceeds the limit.
  private static let swapsPerMeasurement = 8
  private static let largestDrift = 1e-10
  // Coefficients held at a time: about 1 MB, so that the update of a swap stays in the cache.
  private static let blockElements = 131_072

  /// Exchanges rows with those of a pool until no coefficient exceeds the threshold (maxvol).
  ///
  /// Rows that are pushed out count as part of the pool.
  ///
  /// - Parameters:
  ///   - pool: One row per configuration or atom, m columns.
  ///   - newOrigins: Where each row comes from.
  /// - Returns: What was done.
  /// - Throws: `PotentialError.notFinite` where a row is not finite; the set is unchanged then.
  /// - Complexity: O(rows × m²) per pass and O(block × m + m²) per swap
  @discardableResult
  public mutating func add(
    _ pool: Matrix, origins newOrigins: [Origin]
  ) throws(PotentialError) -> Growth {
    precondition(pool.columns == dimension, "a row has one component per parameter")
    precondition(pool.rows == newOrigins.count, "one origin per row")
    guard pool.elements.allSatisfy(\.isFinite) else {
      throw .notFinite("a row of the active set's pool")
    }
    var displaced = Matrix(rows: 0, columns: dimension)
    var displacedOrigins: [Origin] = []
    var growth = Growth()
    while growth.passes < 1000 {
      growth.passes += 1
      var swaps = maximise(over: pool, newOrigins, &displaced, &displacedOrigins)
      if displaced.rows > 0 {
        let (rows, origins) = (displaced, displacedOrigins)
        swaps += maximise(over: rows, origins, &displaced, &displacedOrigins)
      }
      growth.swaps += swaps
      if swaps == 0 { break }
    }
    return growth
  }

  // One pass over all blocks of a pool; returns the number of swaps.
  private mutating func maximise(
    over pool: Matrix, _ poolOrigins: [Origin], _ displaced: inout Matrix,
    _ displacedOrigins: inout [Origin]
  ) -> Int {
    let m = dimension
    let blockRows = max(m, Self.blockElements / m)
    let present = Set(poolOrigins)
    var swaps = 0
    var start = 0
    while start < pool.rows {
      let end = min(pool.rows, start + blockRows)
      let block = Matrix(
        rows: end - start, columns: m, elements: Array(pool.elements[start * m..<end * m]))
      var table = CoefficientTable(block, inverse)
      var updates = 0
      while let (row, column) = table.largest(above: options.swapThreshold) {
        if let old = origins[column], !present.contains(old), !displacedOrigins.contains(old) {
          displaced = displaced.appending(rows.row(column))
          displacedOrigins.append(old)
        }
        exchange(column, for: block.row(row), poolOrigins[start + row], table.row(row))
        swaps += 1
        updates += 1
        if updates.isMultiple(of: Self.swapsPerMeasurement), drift() > Self.largestDrift {
          refactorize()
          table = CoefficientTable(block, inverse)
          updates = 0
        } else {
          table.exchange(row: row, column: column)
        }
      }
      // The inverse that a set read from its bytes has.
      if updates > 0 { refactorize() }
      start = end
    }
    return swaps
  }

  // Replaces row j by b with coefficients c: A⁻¹ ← A⁻¹ − A⁻¹eⱼ (c − eⱼ) / cⱼ (Sherman–Morrison).
  private mutating func exchange(
    _ j: Int, for row: ArraySlice<Double>, _ origin: Origin, _ coefficients: [Double]
  ) {
    let m = dimension
    rows.elements.replaceSubrange(j * m..<(j + 1) * m, with: row)
    origins[j] = origin
    var direction = coefficients
    direction[j] -= 1
    CoefficientTable.subtractOuter(&inverse, column: j, direction, pivot: coefficients[j])
  }

  /// The error of the inverse: the largest component of A A⁻¹x − x for an x of +1 and −1.
  ///
  /// This is, about, the error of the grade of an active row.
  ///
  /// - Complexity: O(m²)
  package func drift() -> Double {
    let m = dimension
    // Signs without a pattern: the bits of multiples of the golden ratio.
    var probe = Matrix(rows: m, columns: 1)
    for i in 0..<m {
      let bits = UInt64(i + 1) &* 0x9E37_79B9_7F4A_7C15
      probe.elements[i] = bits >> 63 == 0 ? 1 : -1
    }
    var (solved, back) = (probe, probe)
    LinearAlgebra.multiply(inverse, probe, into: &solved)
    LinearAlgebra.multiply(rows, solved, into: &back)
    return zip(back.elements, probe.elements).reduce(0) { largest, pair in
      // A number that is not finite is the largest error.
      let error = abs(pair.0 - pair.1)
      return error.isFinite ? max(largest, error) : .infinity
    }
  }

  // The determinant grew with every swap, so the rows stay independent; where LAPACK still finds a
  // vanishing pivot the updated inverse is kept.
  private mutating func refactorize() {
    guard let exact = try? Self.inverse(of: rows), exact.elements.allSatisfy(\.isFinite) else {
      return
    }
    inverse = exact
  }

  /// The inverse by elimination, and one step of Newton's iteration, X + X (1 − A X).
  ///
  /// Elimination keeps one of A X and X A close to 1; with starting rows of 10⁻⁵ the other may be off by a thousand times as
  /// much, by how much depends on the kernels of BLAS, and the set would be factorised anew after every few swaps.
  ///
  /// - Parameter rows: A, square.
  /// - Returns: The inverse.
  /// - Throws: `LinearAlgebraError` where the rows depend on each other.
  static func inverse(of rows: Matrix) throws(LinearAlgebraError) -> Matrix {
    let first = try LinearAlgebra.inverse(rows)
    var rest = Matrix(rows: rows.rows, columns: rows.columns)
    for i in 0..<rows.rows { rest.elements[i * rows.columns + i] = 1 }
    LinearAlgebra.multiply(alpha: -1, rows, first, beta: 1, into: &rest)
    var refined = first
    LinearAlgebra.multiply(first, rest, beta: 1, into: &refined)
    return refined
  }
}

extension Matrix {
  // The matrix with one more row.
  func appending(_ row: ArraySlice<Double>) -> Matrix {
    Matrix(rows: rows + 1, columns: columns, elements: elements + row)
  }
}

/// The coefficients of a block of rows in the active rows, kept up to date through swaps.
struct CoefficientTable {
  private var values: Matrix
  // The largest square of each row; infinite where a row is not finite.
  private var squares: [Double]

  init(_ block: Matrix, _ inverse: Matrix) {
    values = Matrix(rows: block.rows, columns: inverse.columns)
    LinearAlgebra.multiply(block, inverse, into: &values)
    squares = Self.rowSquares(of: values)
  }

  func row(_ index: Int) -> [Double] { Array(values.row(index)) }

  /// The first place of the largest magnitude, if it exceeds a threshold.
  func largest(above threshold: Double) -> (row: Int, column: Int)? {
    var best = threshold * threshold
    var bestRow = -1
    for (row, square) in squares.enumerated() where square > best {
      best = square
      bestRow = row
    }
    guard bestRow >= 0 else { return nil }
    let row = values.row(bestRow)
    var column = 0
    var largest = -1.0
    for (j, value) in row.enumerated() where value.magnitude > largest {
      largest = value.magnitude
      column = j
    }
    return (bestRow, column)
  }

  /// Brings the table up to date after active row j was replaced by the block's row p: the same
  /// rank-one change as that of the inverse.
  mutating func exchange(row p: Int, column j: Int) {
    var direction = row(p)
    let pivot = direction[j]
    direction[j] -= 1
    Self.subtractOuter(&values, column: j, direction, pivot: pivot)
    squares = Self.rowSquares(of: values)
  }

  /// X ← X − X[:, j] dᵀ / pivot.
  static func subtractOuter(
    _ x: inout Matrix, column j: Int, _ direction: [Double], pivot: Double
  ) {
    let m = x.columns
    let count = x.rows
    x.elements.withUnsafeMutableBufferPointer { values in
      direction.withUnsafeBufferPointer { d in
        for i in 0..<count {
          let row = UnsafeMutableBufferPointer(rebasing: values[i * m..<(i + 1) * m])
          let factor = row[j] / pivot
          if factor == 0 { continue }
          for k in 0..<m { row[k] -= factor * d[k] }
        }
      }
    }
  }

  /// The largest magnitude of every row; infinite where a row is not finite.
  static func rowMaxima(of x: Matrix) -> [Double] { rowSquares(of: x).map { $0.squareRoot() } }

  private static func rowSquares(of x: Matrix) -> [Double] {
    let m = x.columns
    return x.elements.withUnsafeBytes { bytes in
      (0..<x.rows).map { i in
        var lanes = SIMD8<Double>.zero
        var sum = SIMD8<Double>.zero
        var k = 0
        while k + 8 <= m {
          let v = bytes.loadUnaligned(fromByteOffset: 8 * (i * m + k), as: SIMD8<Double>.self)
          let square = v * v
          lanes.replace(with: square, where: square .> lanes)
          sum += square
          k += 8
        }
        var largest = 0.0
        var total = 0.0
        for lane in 0..<8 {
          largest = max(largest, lanes[lane])
          total += sum[lane]
        }
        while k < m {
          let v = bytes.loadUnaligned(fromByteOffset: 8 * (i * m + k), as: Double.self)
          largest = max(largest, v * v)
          total += v * v
          k += 1
        }
        // A comparison with NaN is false; the sum remembers it.
        return total.isFinite ? largest : .infinity
      }
    }
  }
}
