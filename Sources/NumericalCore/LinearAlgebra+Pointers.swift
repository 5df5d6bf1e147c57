import CBLAS

extension LinearAlgebra {
  /// The matrix product C ← α A B + β C on row-major storage, for parts of larger matrices.
  ///
  /// - Parameters:
  ///   - m: Rows of A and C.
  ///   - n: Columns of B and C.
  ///   - k: Columns of A, rows of B.
  ///   - alpha: Factor of the product.
  ///   - a: First factor, rows `lda` apart.
  ///   - lda: Distance of the rows of A.
  ///   - b: Second factor, rows `ldb` apart.
  ///   - ldb: Distance of the rows of B.
  ///   - beta: Factor of the old C.
  ///   - c: Result, rows `ldc` apart.
  ///   - ldc: Distance of the rows of C.
  package static func multiply(
    m: Int, n: Int, k: Int, alpha: Double = 1, a: UnsafePointer<Double>, lda: Int,
    b: UnsafePointer<Double>, ldb: Int, beta: Double = 0, c: UnsafeMutablePointer<Double>, ldc: Int
  ) {
    guard m > 0, n > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a,
      Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
  }

  /// The matrix product C ← α A Bᵀ + β C on row-major storage, for kernels that keep many matrices in
  /// one buffer.
  ///
  /// - Parameters:
  ///   - m: Rows of A and C.
  ///   - n: Rows of B, columns of C.
  ///   - k: Columns of A and B.
  ///   - alpha: Factor of the product.
  ///   - a: First factor, rows `lda` apart.
  ///   - lda: Distance of the rows of A.
  ///   - b: Second factor, rows `ldb` apart.
  ///   - ldb: Distance of the rows of B.
  ///   - beta: Factor of the old C.
  ///   - c: Result, rows `ldc` apart.
  ///   - ldc: Distance of the rows of C.
  package static func multiplyTransposed(
    m: Int, n: Int, k: Int, alpha: Double = 1, a: UnsafePointer<Double>, lda: Int,
    b: UnsafePointer<Double>, ldb: Int, beta: Double = 0, c: UnsafeMutablePointer<Double>, ldc: Int
  ) {
    guard m > 0, n > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda),
      b, Int32(ldb), beta, c, Int32(ldc))
  }

  /// Adds AᵀA to the upper triangle of a square matrix (row-major), the other triangle untouched.
  ///
  /// - Parameters:
  ///   - a: Rows of observations.
  ///   - rowCount: How many.
  ///   - columns: The length of a row, the order of the matrix.
  ///   - gram: The matrix.
  package static func addGram(
    of a: UnsafePointer<Double>, rowCount: Int, columns: Int, to gram: UnsafeMutablePointer<Double>
  ) {
    guard rowCount > 0, columns > 0 else { return }
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, CblasTrans, Int32(columns), Int32(rowCount), 1, a, Int32(columns),
      1, gram, Int32(columns))
  }
}
