import NumericalCore

/// Several primitive cells of a net that repeat together: a lattice of cells in Hermite normal form.
package struct NetSupercell: Sendable {
  package typealias Cell = TopologyNet.Cell

  /// The rows (a, 0, 0), (b, c, 0), (d, e, f) with 0 ≤ b, d < a and 0 ≤ e < c.
  package let rows: (Cell, Cell, Cell)

  /// How many primitive cells it holds.
  package var count: Int { Int(rows.0.x &* rows.1.y &* rows.2.z) }

  /// Draws one of all lattices with a number of cells, all equally likely.
  package init(count: Int, _ random: inout RandomStream) {
    var shapes: [(Int, Int, Int)] = []
    for a in 1...count where count % a == 0 {
      for c in 1...count / a where (count / a) % c == 0 { shapes.append((a, c, count / a / c)) }
    }
    // So many off-diagonal elements go with a diagonal.
    let weights = shapes.map { Double($0.0 * $0.0 * $0.1) }
    let (a, c, f) = shapes[random.index(weights: weights) ?? 0]
    rows = (
      Cell(Int32(a), 0, 0), Cell(Int32(random.integer(below: a)), Int32(c), 0),
      Cell(Int32(random.integer(below: a)), Int32(random.integer(below: c)), Int32(f))
    )
  }

  /// The rows as real vectors in units of the primitive ones.
  package var matrix: Matrix3 {
    Matrix3(rows: rows.0.scaled(by: 1), rows.1.scaled(by: 1), rows.2.scaled(by: 1))
  }

  /// The number of a cell among those of the supercell.
  package func index(of cell: Cell) -> Int {
    let r = reduced(cell)
    return Int((r.x &* rows.1.y &+ r.y) &* rows.2.z &+ r.z)
  }

  /// The cell of a number.
  package func cell(_ index: Int) -> Cell {
    let f = Int(rows.2.z)
    let c = Int(rows.1.y)
    return Cell(Int32(index / f / c), Int32(index / f % c), Int32(index % f))
  }

  /// Whether a rotation of the net maps the supercell's lattice on itself.
  package func isKept(by rotation: GridOperation) -> Bool {
    reduced(rotation.rotate(rows.0)) == .zero && reduced(rotation.rotate(rows.1)) == .zero
      && reduced(rotation.rotate(rows.2)) == .zero
  }

  private func reduced(_ cell: Cell) -> Cell {
    func quotient(_ x: Int32, _ n: Int32) -> Int32 { x >= 0 ? x / n : -((n - 1 - x) / n) }
    var r = cell
    r = r &- quotient(r.z, rows.2.z) &* rows.2
    r = r &- quotient(r.y, rows.1.y) &* rows.1
    r = r &- quotient(r.x, rows.0.x) &* rows.0
    return r
  }
}
