import NumericalCore
import Potential
import Testing

@Suite("Active set")
struct ActiveSetTests {
  /// Rows of very different magnitude whose last directions carry nothing.
  static func pool(
    rows: Int, columns: Int, null: Int = 0, seed: UInt64
  ) -> (Matrix, [ActiveSet.Origin]) {
    var random = RandomStream(seed: seed, purpose: .test)
    let rank = columns - null
    var mixing = Matrix(rows: rank, columns: columns)
    for i in mixing.elements.indices { mixing.elements[i] = random.normal() }
    for i in 0..<rank { for j in 0..<columns { mixing[i, j] *= [1e-3, 1, 1e3][j % 3] } }
    var weights = Matrix(rows: rows, columns: rank)
    for i in weights.elements.indices { weights.elements[i] = random.normal() }
    var result = Matrix(rows: rows, columns: columns)
    LinearAlgebra.multiply(weights, mixing, into: &result)
    return (result, (0..<rows).map { ActiveSet.Origin(structure: $0 / 4, atom: $0 % 4) })
  }

  /// The grade by a linear solve with the active rows, without the stored inverse.
  static func directGrades(_ pool: Matrix, _ set: ActiveSet) throws -> [Double] {
    let coefficients = try LinearAlgebra.solve(set.rows.transposed(), pool.transposed())
    return (0..<pool.rows).map { i in
      (0..<pool.columns).map { abs(coefficients[$0, i]) }.max() ?? 0
    }
  }

  @Test("After maxvol no row of the pool is extrapolated", arguments: 0..<40)
  func poolIsInterpolated(seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed), purpose: .test, slot: 1)
    let columns = 1 + random.integer(below: 40)
    let rows = 1 + random.integer(below: 200)
    let null = random.integer(below: max(1, columns / 3))
    let (pool, origins) = Self.pool(rows: rows, columns: columns, null: null, seed: UInt64(seed))
    for options in [ActiveSet.Options(), .mlip] {
      let set = try ActiveSet(covering: pool, origins: origins, options: options)
      let grades = set.grades(pool)
      #expect(try #require(grades.max()) <= options.swapThreshold + 1e-9)
      for (fast, direct) in zip(grades, try Self.directGrades(pool, set)) {
        #expect(abs(fast - direct) <= 1e-9 * max(1, direct))
      }
      #expect(set.filledCount() == min(rows, columns - null))
      for (row, origin) in zip(0..<columns, set.origins) {
        guard let origin, let index = origins.firstIndex(of: origin) else { continue }
        #expect(Array(set.rows.row(row)) == Array(pool.row(index)))
      }
    }
  }

  @Test("A row in the span of the pool is not extrapolated by null directions")
  func nullDirections() throws {
    let (pool, origins) = Self.pool(rows: 300, columns: 60, null: 12, seed: 7)
    let set = try ActiveSet(covering: pool, origins: origins)
    #expect(set.filledCount() == 48)
    let (other, _) = Self.pool(rows: 300, columns: 60, null: 12, seed: 7)
    var mean = [Double](repeating: 0, count: 60)
    for i in 0..<300 { for j in 0..<60 { mean[j] += other[i, j] / 300 } }
    #expect(set.grade(mean) < 1)
    // A component along a direction that nothing fills is far outside.
    var fresh = mean
    var random = RandomStream(seed: 3, purpose: .test)
    for j in 0..<60 { fresh[j] += 0.1 * [1e-3, 1, 1e3][j % 3] * random.normal() }
    #expect(set.grade(fresh) > 100)
  }

  @Test("A column that no structure fills makes any structure that does extrapolative")
  func newColumn() throws {
    var (pool, origins) = Self.pool(rows: 100, columns: 12, seed: 5)
    for i in 0..<100 { pool[i, 4] = 0 }
    let set = try ActiveSet(covering: pool, origins: origins)
    var row = Array(pool.row(0))
    #expect(set.grade(row) <= 1.001)
    row[4] = 1e-2
    #expect(set.grade(row) > 10)
  }

  @Test("Rows added in two parts are all interpolated, also those pushed out", arguments: 0..<10)
  func incremental(seed: Int) throws {
    let (pool, origins) = Self.pool(rows: 160, columns: 20, seed: UInt64(seed))
    let half = 80 * 20
    let first = Matrix(rows: 80, columns: 20, elements: Array(pool.elements[..<half]))
    let second = Matrix(rows: 80, columns: 20, elements: Array(pool.elements[half...]))
    var set = try ActiveSet(covering: first, origins: Array(origins[..<80]))
    let active = Set(set.origins.compactMap { $0 })
    try set.add(second, origins: Array(origins[80...]))
    let grades = set.grades(pool)
    for i in 0..<160 where i >= 80 || active.contains(origins[i]) {
      #expect(grades[i] <= 1.001 + 1e-9)
    }
    let repeated = try set.add(second, origins: Array(origins[80...]))
    #expect(repeated.swaps == 0)
  }

  @Test("The inverse does not drift through hundreds of swaps")
  func drift() throws {
    // Ever larger rows: each is swapped in.
    let (pool, origins) = Self.pool(rows: 1200, columns: 48, null: 5, seed: 13)
    var set = ActiveSet(dimension: 48, options: ActiveSet.Options(startingMagnitude: 1e-5))
    var swaps = 0
    for first in stride(from: 0, to: 1200, by: 40) {
      var rows = Matrix(
        rows: 40, columns: 48, elements: Array(pool.elements[first * 48..<(first + 40) * 48]))
      for i in rows.elements.indices { rows.elements[i] *= 1 + 0.01 * Double(first) }
      swaps += try set.add(rows, origins: Array(origins[first..<first + 40])).swaps
      #expect(set.drift() < 1e-9)
    }
    #expect(swaps > 500)
    let exact = try LinearAlgebra.inverse(set.rows)
    var coefficients = Matrix(rows: pool.rows, columns: 48)
    LinearAlgebra.multiply(pool, exact, into: &coefficients)
    for (i, grade) in set.grades(pool).enumerated() {
      let direct = coefficients.row(i).reduce(0) { max($0, abs($1)) }
      #expect(abs(grade - direct) <= 1e-9 * max(1, direct))
    }
  }

  @Test("Every exchange enlarges the determinant")
  func determinantGrows() throws {
    let (pool, origins) = Self.pool(rows: 60, columns: 6, seed: 11)
    // By elimination: eigenvalues of the rows' products would lose the ten digits between starting rows
    // and others twice.
    func logVolume(_ set: ActiveSet) -> Double {
      var rows = (0..<6).map { Array(set.rows.row($0)) }
      var sum = 0.0
      for column in 0..<6 {
        let pivot = (column..<6).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
        rows.swapAt(column, pivot)
        sum += logarithm(abs(rows[column][column]))
        for other in (column + 1)..<max(6, column + 1) {
          let factor = rows[other][column] / rows[column][column]
          for k in column..<6 { rows[other][k] -= factor * rows[column][k] }
        }
      }
      return sum
    }
    var set = ActiveSet(dimension: 6)
    var last = logVolume(set)
    for i in 0..<60 {
      let row = Matrix(rows: 1, columns: 6, elements: Array(pool.row(i)))
      let growth = try set.add(row, origins: [origins[i]])
      let now = logVolume(set)
      #expect(growth.swaps == 0 ? now == last : now > last)
      last = now
    }
  }

  @Test("Duplicated, zero and single rows are harmless")
  func degenerate() throws {
    let zero = Matrix(rows: 5, columns: 7)
    let origins = (0..<5).map { ActiveSet.Origin(structure: $0) }
    let empty = try ActiveSet(covering: zero, origins: origins)
    #expect(empty.filledCount() == 0)
    #expect(empty.grades(zero) == [0, 0, 0, 0, 0])
    let ones = Matrix(rows: 5, columns: 7, repeating: 1)
    let single = try ActiveSet(covering: ones, origins: origins)
    #expect(single.filledCount() == 1)
    #expect(single.structures() == [0])
    let none = ActiveSet(dimension: 7)
    #expect(none.grades(Matrix(rows: 0, columns: 7)) == [])
  }

  @Test("A row that is not finite has an infinite grade and is refused")
  func notFinite() throws {
    let (pool, origins) = Self.pool(rows: 30, columns: 9, seed: 2)
    var set = try ActiveSet(covering: pool, origins: origins)
    for bad in [Double.nan, .infinity] {
      var row = Array(pool.row(3))
      row[2] = bad
      #expect(set.grade(row) == .infinity)
      let before = set
      #expect(throws: PotentialError.self) {
        try set.add(Matrix(rows: 1, columns: 9, elements: row), origins: [origins[0]])
      }
      #expect(set == before)
    }
  }

  @Test("Bytes bring back the same set and the same grades")
  func bytes() throws {
    let (pool, origins) = Self.pool(rows: 90, columns: 24, null: 3, seed: 9)
    let set = try ActiveSet(covering: pool, origins: origins)
    let copy = try ActiveSet(canonicalBytes: set.canonicalBytes)
    #expect(copy == set)
    #expect(copy.grades(pool) == set.grades(pool))
  }
}
