import NumericalCore

/// A 3×3 matrix of whole numbers, held as three rows: the rotation part of a symmetry operation.
public struct IntegerMatrix3: Sendable, Hashable {
  /// First row.
  public let a: SIMD3<Int>
  /// Second row.
  public let b: SIMD3<Int>
  /// Third row.
  public let c: SIMD3<Int>

  /// Creates a matrix from its rows.
  public init(rows a: SIMD3<Int>, _ b: SIMD3<Int>, _ c: SIMD3<Int>) {
    self.a = a
    self.b = b
    self.c = c
  }

  /// The identity.
  public static let identity = IntegerMatrix3(
    rows: SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

  /// The element in a row and a column, each 0, 1 or 2.
  public subscript(row: Int, column: Int) -> Int {
    row == 0 ? a[column] : (row == 1 ? b[column] : c[column])
  }

  /// The same numbers as a real matrix.
  public var matrix: Matrix3 {
    func row(_ r: SIMD3<Int>) -> Vector3 { Vector3(Double(r.x), Double(r.y), Double(r.z)) }
    return Matrix3(rows: row(a), row(b), row(c))
  }

  /// The determinant: 1 for rotations, −1 for rotoinversions.
  public var determinant: Int {
    a.x * (b.y * c.z - b.z * c.y) - a.y * (b.x * c.z - b.z * c.x) + a.z * (b.x * c.y - b.y * c.x)
  }

  /// The sum of the diagonal elements.
  public var trace: Int { a.x + b.y + c.z }
}

/// A symmetry operation x' = W x + w on fractional positions, which are columns here as in the
/// International Tables.
public struct SymmetryOperation: Sendable, Hashable {
  /// The matrix W.
  public let rotation: IntegerMatrix3
  /// The vector w, in fractions of the cell.
  public let translation: Vector3

  /// Creates an operation.
  public init(rotation: IntegerMatrix3, translation: Vector3) {
    self.rotation = rotation
    self.translation = translation
  }

  /// The identity.
  public static let identity = SymmetryOperation(rotation: .identity, translation: .zero)

  /// Where the operation takes a fractional position; not wrapped.
  public func applied(to position: Vector3) -> Vector3 { rotation.matrix * position + translation }

  /// The orthogonal matrix R that turns Cartesian rows, r' = r R + const, in a lattice with this symmetry.
  public func cartesianRotation(in lattice: Lattice) -> Matrix3 {
    lattice.inverse * rotation.matrix.transposed * lattice.vectors
  }
}
