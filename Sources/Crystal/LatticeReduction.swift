import NumericalCore

/// Short bases of the same lattice.
enum LatticeReduction {
  /// Integers M, determinant ±1, such that the rows of M L are as short as possible, shortest first.
  ///
  /// Greedy reduction of a three-dimensional basis; its result is Minkowski-reduced (P. Nguyen and
  /// D. Stehlé, ACM Trans. Algorithms 5, 46 (2009), doi:10.1145/1597036.1597050, figure 3).
  ///
  /// - Parameter vectors: Rows a, b, c in Å, independent.
  /// - Returns: The multiples M.
  static func short(_ vectors: Matrix3) -> Matrix3 {
    if isShort(vectors) { return .identity }
    var m = Matrix3.identity
    var rows = vectors
    // Each round shortens a vector; the bound only guards against rounding that would never settle.
    for _ in 0..<1000 {
      sort(&rows, &m)
      reducePair(&rows, &m)
      sort(&rows, &m)
      let (i, j) = closest(rows)
      let shorter = rows.c - i * rows.a - j * rows.b
      guard shorter.squaredLength < rows.c.squaredLength * (1 - 1e-12) else { break }
      m.c = m.c - i * m.a - j * m.b
      // From the integers, so that rounding does not add up.
      rows.c = m.c * vectors
    }
    sort(&rows, &m)
    return m
  }

  /// The shortest basis of the plane lattice of two vectors (Lagrange and Gauss).
  static func shortPair(_ u: Vector3, _ v: Vector3) -> (Vector3, Vector3) {
    var rows = Matrix3(rows: u, v, .zero)
    var m = Matrix3.identity
    reducePair(&rows, &m)
    let original = Matrix3(rows: u, v, .zero)
    return (m.a * original, m.b * original)
  }

  // Lengths ascending and no vector shorter than a sum or difference of it with the others.
  private static func isShort(_ r: Matrix3) -> Bool {
    let (aa, bb, cc) = (r.a.squaredLength, r.b.squaredLength, r.c.squaredLength)
    guard aa <= bb && bb <= cc else { return false }
    let (ab, ac, bc) = (r.a.dot(r.b), r.a.dot(r.c), r.b.dot(r.c))
    guard 2 * abs(ab) <= aa, 2 * abs(ac) <= aa, 2 * abs(bc) <= bb else { return false }
    // Only where an odd number of the products is negative can a ± b ± c be shorter than c.
    let negative = ab * ac * bc < 0
    return !negative || 2 * (abs(ab) + abs(ac) + abs(bc)) <= aa + bb
  }

  private static func sort(_ rows: inout Matrix3, _ m: inout Matrix3) {
    if rows.b.squaredLength < rows.a.squaredLength {
      (rows.a, rows.b) = (rows.b, rows.a)
      (m.a, m.b) = (m.b, m.a)
    }
    if rows.c.squaredLength < rows.b.squaredLength {
      (rows.b, rows.c) = (rows.c, rows.b)
      (m.b, m.c) = (m.c, m.b)
    }
    if rows.b.squaredLength < rows.a.squaredLength {
      (rows.a, rows.b) = (rows.b, rows.a)
      (m.a, m.b) = (m.b, m.a)
    }
  }

  private static func reducePair(_ rows: inout Matrix3, _ m: inout Matrix3) {
    for _ in 0..<1000 {
      if rows.b.squaredLength < rows.a.squaredLength {
        (rows.a, rows.b) = (rows.b, rows.a)
        (m.a, m.b) = (m.b, m.a)
      }
      let n = (rows.a.dot(rows.b) / rows.a.squaredLength).rounded()
      let shorter = rows.b - n * rows.a
      guard n != 0, shorter.squaredLength < rows.b.squaredLength * (1 - 1e-12) else { return }
      rows.b = shorter
      m.b = m.b - n * m.a
    }
  }

  // The lattice point i a + j b closest to c, a and b being reduced: next to the rounded solution.
  private static func closest(_ rows: Matrix3) -> (i: Double, j: Double) {
    let (aa, bb, ab) = (rows.a.squaredLength, rows.b.squaredLength, rows.a.dot(rows.b))
    let (ac, bc) = (rows.a.dot(rows.c), rows.b.dot(rows.c))
    let determinant = aa * bb - ab * ab
    let x = ((bb * ac - ab * bc) / determinant).rounded()
    let y = ((aa * bc - ab * ac) / determinant).rounded()
    var best = (i: x, j: y)
    var shortest = (rows.c - x * rows.a - y * rows.b).squaredLength
    for i in [x - 1, x, x + 1] {
      for j in [y - 1, y, y + 1] {
        let square = (rows.c - i * rows.a - j * rows.b).squaredLength
        if square < shortest * (1 - 1e-12) {
          shortest = square
          best = (i, j)
        }
      }
    }
    return best
  }
}
