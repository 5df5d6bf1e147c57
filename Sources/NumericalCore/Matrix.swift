/// A dense matrix of `Double`s in row-major order.
public struct Matrix: Sendable, Hashable {
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int
  /// The elements, row after row.
  public var elements: [Double]

  /// Creates a matrix of equal elements.
  public init(rows: Int, columns: Int, repeating value: Double = 0) {
    precondition(rows >= 0 && columns >= 0, "a matrix has no negative dimension")
    self.rows = rows
    self.columns = columns
    elements = [Double](repeating: value, count: rows * columns)
  }

  /// Creates a matrix from its elements in row-major order.
  public init(rows: Int, columns: Int, elements: [Double]) {
    precondition(elements.count == rows * columns, "element count must be rows × columns")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// The identity times a number.
  public static func scaledIdentity(_ order: Int, by factor: Double = 1) -> Matrix {
    var matrix = Matrix(rows: order, columns: order)
    for i in 0..<order { matrix[i, i] = factor }
    return matrix
  }

  /// The element in a row and a column.
  @inlinable
  public subscript(row: Int, column: Int) -> Double {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  /// The elements of one row.
  public func row(_ index: Int) -> ArraySlice<Double> {
    elements[index * columns..<(index + 1) * columns]
  }

  /// The transposed matrix.
  ///
  /// - Complexity: O(rows × columns)
  public func transposed() -> Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }
}

extension Matrix: ByteCodable {
  /// Appends the shape and the elements.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(rows)
    encoder.encode(columns)
    encoder.encode(elements)
  }

  /// Reads the shape and the elements.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let rows = try decoder.decode(Int.self)
    let columns = try decoder.decode(Int.self)
    let elements = try decoder.decode([Double].self)
    guard rows >= 0, columns >= 0, elements.count == rows * columns else {
      throw .invalid("matrix \(rows)×\(columns) with \(elements.count) elements")
    }
    self.init(rows: rows, columns: columns, elements: elements)
  }
}
