import NumericalCore
import Testing

@Suite("Linear algebra")
struct LinearAlgebraTests {
  /// Well-conditioned systems of order up to 20: a few hundred units in the last place.
  private let roundoff = 1e-11

  private func random(_ rows: Int, _ columns: Int, _ stream: inout RandomStream) -> Matrix {
    Matrix(
      rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in stream.normal() })
  }

  private func product(_ a: Matrix, _ b: Matrix) -> Matrix {
    var c = Matrix(rows: a.rows, columns: b.columns)
    for i in 0..<a.rows {
      for j in 0..<b.columns { for k in 0..<a.columns { c[i, j] += a[i, k] * b[k, j] } }
    }
    return c
  }

  private func difference(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  @Test(
    "Products honour transposition and both factors", arguments: [(3, 5, 4), (1, 7, 2), (9, 9, 9)])
  func products(m: Int, k: Int, n: Int) {
    var stream = RandomStream(seed: 1, purpose: .test, slot: UInt64(m))
    let (a, b, c) = (random(m, k, &stream), random(k, n, &stream), random(m, n, &stream))
    let plain = product(a, b)
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      var result = c
      LinearAlgebra.multiply(
        alpha: 2, ta ? a.transposed() : a, transposeA: ta, tb ? b.transposed() : b, transposeB: tb,
        beta: -0.5, into: &result)
      let expected = Matrix(
        rows: m, columns: n, elements: zip(plain.elements, c.elements).map { 2 * $0 - 0.5 * $1 })
      #expect(difference(result, expected) < roundoff)
    }
  }

  @Test("Gram matrices add to the upper triangle only, from the leading rows only")
  func gram() {
    var stream = RandomStream(seed: 2, purpose: .test)
    let a = random(12, 5, &stream)
    let start = random(5, 5, &stream)
    var gram = start
    LinearAlgebra.addGram(alpha: 3, of: a, rowCount: 8, to: &gram)
    for i in 0..<5 {
      for j in 0..<5 {
        let sum = (0..<8).reduce(0.0) { $0 + a[$1, i] * a[$1, j] }
        let expected = j >= i ? start[i, j] + 3 * sum : start[i, j]
        #expect(abs(gram[i, j] - expected) < roundoff)
      }
    }
  }

  @Test("Solutions, inverses and eigenvectors fulfil their equations")
  func solutions() throws {
    for seed in 0..<100 {
      var stream = RandomStream(seed: 3, purpose: .test, slot: UInt64(seed))
      let n = 1 + stream.integer(below: 20)
      var a = random(n, n, &stream)
      for i in 0..<n { a[i, i] += 12 }
      let b = random(n, 3, &stream)
      #expect(difference(product(a, try LinearAlgebra.solve(a, b)), b) < roundoff)
      let inverse = try LinearAlgebra.inverse(a)
      #expect(difference(product(a, inverse), .scaledIdentity(n)) < roundoff)
      var positive = product(a.transposed(), a)
      let x = try LinearAlgebra.solvePositiveDefinite(positive, b)
      #expect(difference(product(positive, x), b) < 100 * roundoff)
      let (values, vectors) = try LinearAlgebra.symmetricEigen(positive)
      #expect(values == values.sorted())
      #expect(difference(product(vectors, vectors.transposed()), .scaledIdentity(n)) < roundoff)
      var scaled = vectors
      for i in 0..<n { for j in 0..<n { scaled[i, j] *= values[i] } }
      #expect(difference(product(vectors, positive), scaled) < 1000 * roundoff, "seed \(seed)")
      positive[n - 1, n - 1] = -1
      #expect(throws: LinearAlgebraError.self) {
        try LinearAlgebra.solvePositiveDefinite(positive, b)
      }
    }
  }

  @Test("Singular matrices throw, empty ones do not")
  func singular() throws {
    let zero = Matrix(rows: 3, columns: 3)
    #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try LinearAlgebra.inverse(zero) }
    #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try LinearAlgebra.solve(zero, zero) }
    let none = Matrix(rows: 0, columns: 0)
    #expect(try LinearAlgebra.solve(none, none) == none)
    #expect(try LinearAlgebra.symmetricEigen(none).values.isEmpty)
  }

  @Test("3×3 inverses, determinants and products agree with the general routines")
  func matrix3() throws {
    for seed in 0..<200 {
      var stream = RandomStream(seed: 4, purpose: .test, slot: UInt64(seed))
      func vector() -> Vector3 { Vector3(stream.normal(), stream.normal(), stream.normal()) }
      let m = Matrix3(rows: vector(), vector(), vector())
      let n = Matrix3(rows: vector(), vector(), vector())
      let v = vector()
      guard abs(m.determinant) > 0.1, let inverse = m.inverse else { continue }
      #expect((m * inverse - .identity).largestMagnitude < roundoff, "seed \(seed)")
      #expect(abs((m * n).determinant - m.determinant * n.determinant) < roundoff, "seed \(seed)")
      #expect((v * m - m.transposed * v).length < roundoff, "seed \(seed)")
      #expect(((m * n).transposed - n.transposed * m.transposed).largestMagnitude < roundoff)
      #expect((v * Matrix3.outer(v, v) - v.squaredLength * v).length < roundoff, "seed \(seed)")
    }
    #expect(Matrix3.zero.inverse == nil)
  }
}
