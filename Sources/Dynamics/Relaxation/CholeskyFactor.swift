import Foundation

/// The Cholesky factor of a symmetric positive definite matrix, in storage that is used again.
///
/// Rows are padded with zeros to full vectors, so every sum runs over whole vectors in a fixed order.
package struct CholeskyFactor {
  private typealias Lanes = SIMD8<Double>

  /// The order of the matrix.
  package let order: Int
  private let vectorsPerRow: Int
  /// The matrix before `factorize`, row by row; only the lower triangle counts.
  private var matrix: [Lanes]
  /// The factor, zero above the diagonal.
  private var factor: [Lanes]

  /// Makes room for a matrix and fills it with zeros.
  package init(order: Int) {
    self.order = order
    vectorsPerRow = (order + 7) / 8
    matrix = [Lanes](repeating: .zero, count: order * vectorsPerRow)
    factor = matrix
  }

  /// Replaces the matrix and factors it.
  ///
  /// Rounding may make a pivot vanish; a tiny one takes its place.
  ///
  /// - Parameter fill: Adds to the lower triangle of a zero matrix: elements and the distance of rows.
  package mutating func factorize(_ fill: (UnsafeMutablePointer<Double>, Int) -> Void) {
    let (n, width) = (order, vectorsPerRow)
    let stride = 8 * width
    withElements { a, l in
      a.update(repeating: 0, count: n * stride)
      l.update(repeating: 0, count: n * stride)
      fill(a, stride)
      for j in 0..<n {
        let vectors = (j + 7) / 8
        let row = l + j * stride
        let pivot = a[j * stride + j] - Self.product(row, row, vectors)
        let root = max(pivot, 1e-12).squareRoot()
        let inverse = 1 / root
        row[j] = root
        var i = j + 1
        while i + 4 <= n {
          let target = l + i * stride + j
          let source = a + i * stride + j
          let sums = Self.products(l + i * stride, stride, row, vectors)
          for lane in 0..<4 {
            target[lane * stride] = (source[lane * stride] - sums[lane]) * inverse
          }
          i += 4
        }
        while i < n {
          let sum = Self.product(l + i * stride, row, vectors)
          l[i * stride + j] = (a[i * stride + j] - sum) * inverse
          i += 1
        }
      }
    }
  }

  /// Solves M z = v.
  ///
  /// - Parameter vector: v, replaced by z; components beyond the order become zero.
  package func solve(_ vector: inout [Double]) {
    let (n, stride) = (order, 8 * vectorsPerRow)
    precondition(vector.count >= n, "the vector is shorter than the matrix")
    factor.withUnsafeBytes { bytes in
      guard let l = bytes.baseAddress?.assumingMemoryBound(to: Double.self) else { return }
      vector.withUnsafeMutableBufferPointer { v in
        for i in 0..<n {
          let row = l + i * stride
          var (s0, s1, s2, s3) = (v[i], 0.0, 0.0, 0.0)
          var k = 0
          while k + 4 <= i {
            s0 -= row[k] * v[k]
            s1 -= row[k + 1] * v[k + 1]
            s2 -= row[k + 2] * v[k + 2]
            s3 -= row[k + 3] * v[k + 3]
            k += 4
          }
          while k < i {
            s0 -= row[k] * v[k]
            k += 1
          }
          v[i] = ((s0 + s1) + (s2 + s3)) / row[i]
        }
        for i in (0..<n).reversed() {
          let row = l + i * stride
          let z = v[i] / row[i]
          v[i] = z
          for k in 0..<i { v[k] -= row[k] * z }
        }
        for i in n..<max(v.count, n) { v[i] = 0 }
      }
    }
  }

  private mutating func withElements(
    _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
  ) {
    matrix.withUnsafeMutableBytes { a in
      factor.withUnsafeMutableBytes { l in
        guard let a = a.baseAddress?.assumingMemoryBound(to: Double.self),
          let l = l.baseAddress?.assumingMemoryBound(to: Double.self)
        else { return }
        body(a, l)
      }
    }
  }

  /// The scalar product of two rows.
  @inline(__always)
  private static func product(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ vectors: Int
  ) -> Double {
    var sum = Lanes.zero
    for k in 0..<vectors { sum.accumulate(lanes(a, k), lanes(b, k)) }
    return sum.sum()
  }

  /// The scalar products of four rows, `stride` apart, with one.
  @inline(__always)
  private static func products(
    _ a: UnsafePointer<Double>, _ stride: Int, _ b: UnsafePointer<Double>, _ vectors: Int
  ) -> SIMD4<Double> {
    var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for k in 0..<vectors {
      let v = lanes(b, k)
      s0.accumulate(lanes(a, k), v)
      s1.accumulate(lanes(a + stride, k), v)
      s2.accumulate(lanes(a + 2 * stride, k), v)
      s3.accumulate(lanes(a + 3 * stride, k), v)
    }
    return SIMD4(s0.sum(), s1.sum(), s2.sum(), s3.sum())
  }

  @inline(__always)
  private static func lanes(_ a: UnsafePointer<Double>, _ k: Int) -> Lanes {
    UnsafeRawPointer(a + 8 * k).loadUnaligned(as: Lanes.self)
  }
}
