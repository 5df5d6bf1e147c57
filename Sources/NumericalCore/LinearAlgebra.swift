import CBLAS

/// Why a dense linear-algebra routine gave no result.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
  /// A pivot vanished: the matrix is singular.
  case singular(pivot: Int)
  /// A leading minor is not positive: the matrix is not positive definite.
  case notPositiveDefinite(minor: Int)
  /// An iterative routine did not converge.
  case notConverged(routine: String)
  /// An argument was refused by the library.
  case illegalArgument(routine: String, position: Int)

  /// The message for people.
  public var description: String {
    switch self {
    case .singular(let pivot): "matrix is singular (pivot \(pivot) vanishes)"
    case .notPositiveDefinite(let minor): "matrix is not positive definite (minor \(minor))"
    case .notConverged(let routine): "\(routine) did not converge"
    case .illegalArgument(let routine, let position): "\(routine) refused argument \(position)"
    }
  }
}

/// Dense linear algebra by BLAS and LAPACK, always on one thread: parallel runs come from ranks, and
/// one thread keeps sums in one order.
public enum LinearAlgebra {
  /// Keeps BLAS on one thread.
  ///
  /// Called first by every program.
  public static func useOneThread() { openblas_set_num_threads(1) }

  /// The processor core that BLAS chose its kernels for, such as `SkylakeX`.
  public static var coreName: String { String(cString: polymorph_openblas_corename()) }

  /// The library's version and build options.
  public static var configuration: String { String(cString: polymorph_openblas_config()) }

  /// The matrix product C ← α A B + β C on row-major storage.
  ///
  /// - Parameters:
  ///   - alpha: Factor of the product.
  ///   - a: First factor, or its transpose where `transposeA`.
  ///   - transposeA: Whether to use Aᵀ.
  ///   - b: Second factor, or its transpose where `transposeB`.
  ///   - transposeB: Whether to use Bᵀ.
  ///   - beta: Factor of the old C.
  ///   - c: Result; its shape must fit.
  public static func multiply(
    alpha: Double = 1, _ a: Matrix, transposeA: Bool = false, _ b: Matrix, transposeB: Bool = false,
    beta: Double = 0, into c: inout Matrix
  ) {
    let m = transposeA ? a.columns : a.rows
    let k = transposeA ? a.rows : a.columns
    let n = transposeB ? b.rows : b.columns
    precondition(k == (transposeB ? b.columns : b.rows), "inner dimensions differ")
    precondition(c.rows == m && c.columns == n, "the result has the wrong shape")
    guard m > 0, n > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      Int32(m), Int32(n), Int32(k), alpha, a.elements, Int32(max(1, a.columns)), b.elements,
      Int32(max(1, b.columns)), beta, &c.elements, Int32(n))
  }

  /// Adds α AᵀA to the upper triangle of a square matrix (row-major), the other triangle untouched.
  ///
  /// - Parameters:
  ///   - alpha: Factor of the product.
  ///   - a: Rows of observations.
  ///   - rowCount: How many leading rows of `a` to use.
  ///   - gram: Square matrix of order `a.columns`.
  public static func addGram(alpha: Double = 1, of a: Matrix, rowCount: Int, to gram: inout Matrix)
  {
    precondition(rowCount <= a.rows && gram.rows == a.columns && gram.columns == a.columns)
    guard rowCount > 0 else { return }
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, CblasTrans, Int32(a.columns), Int32(rowCount), alpha, a.elements,
      Int32(a.columns), 1, &gram.elements, Int32(gram.columns))
  }

  /// Solves A x = b for a symmetric positive definite A (Cholesky; both triangles are read as equal).
  ///
  /// - Returns: The solution, with as many columns as `b`.
  /// - Throws: `LinearAlgebraError` where A is not positive definite.
  public static func solvePositiveDefinite(
    _ a: Matrix, _ b: Matrix
  ) throws(LinearAlgebraError) -> Matrix {
    precondition(a.rows == a.columns && a.rows == b.rows, "shapes do not fit")
    guard a.rows > 0 else { return b }
    var factor = a.elements
    var order = Int32(a.rows)
    var info: Int32 = 0
    var triangle = CChar(UInt8(ascii: "U"))
    dpotrf_(&triangle, &order, &factor, &order, &info)
    if info > 0 { throw .notPositiveDefinite(minor: Int(info)) }
    if info < 0 { throw .illegalArgument(routine: "dpotrf", position: Int(-info)) }
    var columns = b.transposed()  // LAPACK wants columns
    var count = Int32(b.columns)
    dpotrs_(&triangle, &order, &count, factor, &order, &columns.elements, &order, &info)
    if info < 0 { throw .illegalArgument(routine: "dpotrs", position: Int(-info)) }
    return columns.transposed()
  }

  /// Solves A x = b for a general square A (LU with partial pivoting).
  ///
  /// - Throws: `LinearAlgebraError` where A is singular.
  public static func solve(_ a: Matrix, _ b: Matrix) throws(LinearAlgebraError) -> Matrix {
    precondition(a.rows == a.columns && a.rows == b.rows, "shapes do not fit")
    guard a.rows > 0 else { return b }
    var (factor, pivots) = try factorize(a.transposed())
    var columns = b.transposed()
    var order = Int32(a.rows)
    var count = Int32(b.columns)
    var info: Int32 = 0
    var mode = CChar(UInt8(ascii: "N"))
    dgetrs_(
      &mode, &order, &count, &factor, &order, &pivots, &columns.elements, &order, &info)
    if info < 0 { throw .illegalArgument(routine: "dgetrs", position: Int(-info)) }
    return columns.transposed()
  }

  /// The inverse of a general square matrix.
  ///
  /// - Throws: `LinearAlgebraError` where the matrix is singular.
  public static func inverse(_ a: Matrix) throws(LinearAlgebraError) -> Matrix {
    precondition(a.rows == a.columns, "only square matrices have an inverse")
    guard a.rows > 0 else { return a }
    // The inverse of the transpose is the transpose of the inverse, so row-major order may stay.
    var (factor, pivots) = try factorize(a)
    var order = Int32(a.rows)
    var info: Int32 = 0
    var size = Int32(64 * a.rows)
    var work = [Double](repeating: 0, count: Int(size))
    dgetri_(&order, &factor, &order, &pivots, &work, &size, &info)
    if info > 0 { throw .singular(pivot: Int(info)) }
    if info < 0 { throw .illegalArgument(routine: "dgetri", position: Int(-info)) }
    return Matrix(rows: a.rows, columns: a.rows, elements: factor)
  }

  /// Eigenvalues in ascending order and eigenvectors (as rows) of a symmetric matrix.
  ///
  /// - Throws: `LinearAlgebraError.notConverged`.
  public static func symmetricEigen(
    _ a: Matrix
  ) throws(LinearAlgebraError) -> (values: [Double], vectors: Matrix) {
    precondition(a.rows == a.columns, "only square matrices have eigenvalues")
    guard a.rows > 0 else { return ([], a) }
    var vectors = a.elements
    var values = [Double](repeating: 0, count: a.rows)
    var order = Int32(a.rows)
    var info: Int32 = 0
    var size = Int32(max(1, 34 * a.rows))
    var work = [Double](repeating: 0, count: Int(size))
    var job = CChar(UInt8(ascii: "V"))
    var triangle = CChar(UInt8(ascii: "U"))
    dsyev_(&job, &triangle, &order, &vectors, &order, &values, &work, &size, &info)
    if info > 0 { throw .notConverged(routine: "dsyev") }
    if info < 0 { throw .illegalArgument(routine: "dsyev", position: Int(-info)) }
    return (values, Matrix(rows: a.rows, columns: a.rows, elements: vectors))
  }

  // LU factors of the column-major reading of the elements.
  private static func factorize(
    _ a: Matrix
  ) throws(LinearAlgebraError) -> (factor: [Double], pivots: [Int32]) {
    var factor = a.elements
    var pivots = [Int32](repeating: 0, count: a.rows)
    var order = Int32(a.rows)
    var columns = order
    var leading = order
    var info: Int32 = 0
    dgetrf_(&order, &columns, &factor, &leading, &pivots, &info)
    if info > 0 { throw .singular(pivot: Int(info)) }
    if info < 0 { throw .illegalArgument(routine: "dgetrf", position: Int(-info)) }
    return (factor, pivots)
  }
}
