/// A 3×3 matrix, held as three **rows**.
///
/// Lattices, strains and stresses are of this type.
@frozen
public struct Matrix3: Sendable, Hashable {
  /// First row.
  public var a: Vector3
  /// Second row.
  public var b: Vector3
  /// Third row.
  public var c: Vector3

  /// Creates a matrix from its rows.
  @inlinable
  public init(rows a: Vector3, _ b: Vector3, _ c: Vector3) {
    self.a = a
    self.b = b
    self.c = c
  }

  /// Creates a diagonal matrix.
  @inlinable
  public init(diagonal d: Vector3) {
    self.init(rows: Vector3(d.x, 0, 0), Vector3(0, d.y, 0), Vector3(0, 0, d.z))
  }

  /// The identity.
  @inlinable
  public static var identity: Matrix3 { Matrix3(diagonal: Vector3(1, 1, 1)) }

  /// The null matrix.
  @inlinable
  public static var zero: Matrix3 { Matrix3(diagonal: .zero) }

  /// Row 0, 1 or 2.
  @inlinable
  public subscript(row: Int) -> Vector3 {
    get {
      precondition(row >= 0 && row < 3, "row must be 0, 1 or 2")
      return row == 0 ? a : (row == 1 ? b : c)
    }
    set {
      precondition(row >= 0 && row < 3, "row must be 0, 1 or 2")
      if row == 0 { a = newValue } else if row == 1 { b = newValue } else { c = newValue }
    }
  }

  /// The element in a row and a column, each 0, 1 or 2.
  @inlinable
  public subscript(row: Int, column: Int) -> Double {
    get { self[row][column] }
    set { self[row][column] = newValue }
  }

  /// The determinant a · (b × c); for a lattice the signed volume.
  @inlinable
  public var determinant: Double { a.dot(b.cross(c)) }

  /// The sum of the diagonal elements.
  @inlinable
  public var trace: Double { a.x + b.y + c.z }

  /// The transposed matrix.
  @inlinable
  public var transposed: Matrix3 {
    Matrix3(
      rows: Vector3(a.x, b.x, c.x), Vector3(a.y, b.y, c.y), Vector3(a.z, b.z, c.z))
  }

  /// The symmetric part (M + Mᵀ)/2.
  @inlinable
  public var symmetrized: Matrix3 { 0.5 * (self + transposed) }

  /// The inverse matrix, or `nil` where the determinant is zero or not finite.
  @inlinable
  public var inverse: Matrix3? {
    let d = determinant
    guard d != 0, d.isFinite else { return nil }
    let columns = Matrix3(rows: b.cross(c) / d, c.cross(a) / d, a.cross(b) / d)
    return columns.transposed
  }

  /// Whether no element is infinite or NaN.
  @inlinable
  public var isFinite: Bool { a.isFinite && b.isFinite && c.isFinite }

  /// The square root of the sum of the squared elements.
  @inlinable
  public var frobeniusNorm: Double {
    (a.squaredLength + b.squaredLength + c.squaredLength).squareRoot()
  }

  /// The element of largest magnitude, as a magnitude.
  public var largestMagnitude: Double {
    var largest = 0.0
    for row in [a, b, c] { largest = max(largest, abs(row.x), abs(row.y), abs(row.z)) }
    return largest
  }

  /// The tensor product uᵀ v: element (i, j) is uᵢ vⱼ.
  @inlinable
  public static func outer(_ u: Vector3, _ v: Vector3) -> Matrix3 {
    Matrix3(rows: u.x * v, u.y * v, u.z * v)
  }
}

extension Matrix3 {
  /// The sum of two matrices.
  @inlinable
  public static func + (l: Matrix3, r: Matrix3) -> Matrix3 {
    Matrix3(rows: l.a + r.a, l.b + r.b, l.c + r.c)
  }

  /// The difference of two matrices.
  @inlinable
  public static func - (l: Matrix3, r: Matrix3) -> Matrix3 {
    Matrix3(rows: l.a - r.a, l.b - r.b, l.c - r.c)
  }

  /// The matrix scaled by a number.
  @inlinable
  public static func * (factor: Double, m: Matrix3) -> Matrix3 {
    Matrix3(rows: factor * m.a, factor * m.b, factor * m.c)
  }

  /// The product of a row vector and a matrix, v M.
  @inlinable
  public static func * (v: Vector3, m: Matrix3) -> Vector3 {
    v.x * m.a + v.y * m.b + v.z * m.c
  }

  /// The product of a matrix and a column vector, M v.
  @inlinable
  public static func * (m: Matrix3, v: Vector3) -> Vector3 {
    Vector3(m.a.dot(v), m.b.dot(v), m.c.dot(v))
  }

  /// The matrix product.
  @inlinable
  public static func * (l: Matrix3, r: Matrix3) -> Matrix3 {
    Matrix3(rows: l.a * r, l.b * r, l.c * r)
  }

  /// Adds another matrix.
  @inlinable
  public static func += (l: inout Matrix3, r: Matrix3) { l = l + r }

  /// Subtracts another matrix.
  @inlinable
  public static func -= (l: inout Matrix3, r: Matrix3) { l = l - r }
}
