import Dataset
import NumericalCore
import Potential
import Testing

@Suite("D-optimal selection")
struct DOptimalSelectionTests {
  static let columns = 15

  static func candidates(
    _ count: Int, atoms: Int, first: Int, spread: Double = 1, seed: UInt64
  ) -> [DOptimalSelection.Candidate] {
    var random = RandomStream(seed: seed, purpose: .test)
    return (0..<count).map { index in
      var rows = Matrix(rows: atoms, columns: columns)
      for i in rows.elements.indices { rows.elements[i] = spread * random.normal() }
      return DOptimalSelection.Candidate(identifier: first + index, rows: rows)
    }
  }

  static func activeSet(of candidates: [DOptimalSelection.Candidate]) throws -> ActiveSet {
    let elements = candidates.flatMap(\.rows.elements)
    let origins = candidates.flatMap { candidate in
      (0..<candidate.rows.rows).map {
        ActiveSet.Origin(structure: candidate.identifier, atom: $0)
      }
    }
    return try ActiveSet(
      covering: Matrix(rows: origins.count, columns: columns, elements: elements),
      origins: origins)
  }

  @Test("What is chosen makes the rest of the pool interpolated", arguments: 0..<20)
  func poolIsInterpolated(seed: Int) throws {
    let training = Self.candidates(3, atoms: 4, first: 0, seed: UInt64(seed))
    let pool = Self.candidates(
      50, atoms: 1 + seed % 4, first: 3, spread: 2, seed: UInt64(seed) + 99)
    let choice = try DOptimalSelection(from: pool, extending: try Self.activeSet(of: training))
    #expect(!choice.selected.isEmpty)
    #expect(choice.selected.count <= Self.columns)
    #expect(Set(choice.selected).isSubset(of: Set(choice.activeSet.structures())))
    for candidate in pool {
      let grade = try #require(choice.activeSet.grades(candidate.rows).max())
      #expect(grade <= 1.001 + 1e-9)
    }
  }

  @Test("A pool far larger than the number of parameters gives at most that many")
  func boundedByParameters() throws {
    let pool = Self.candidates(2000, atoms: 1, first: 0, seed: 4)
    let choice = try DOptimalSelection(
      from: pool, extending: ActiveSet(dimension: Self.columns))
    #expect(choice.selected.count == Self.columns)
    #expect(try DOptimalSelection.sparsified(pool).kept.count == Self.columns)
  }

  @Test("A limit keeps the most extrapolative first, a threshold leaves the tame ones out")
  func limitAndThreshold() throws {
    let training = Self.candidates(30, atoms: 4, first: 0, seed: 1)
    let set = try Self.activeSet(of: training)
    let tame = Self.candidates(10, atoms: 4, first: 100, spread: 0.1, seed: 2)
    let wild = Self.candidates(10, atoms: 4, first: 200, spread: 20, seed: 3)
    let pool = tame + wild
    let choice = try DOptimalSelection(from: pool, extending: set, threshold: 2.1, limit: 2)
    #expect(choice.selected.count == 2)
    let largest = try #require(choice.grades.max())
    #expect(choice.grades.firstIndex(of: largest).map { pool[$0].identifier } == choice.selected[0])
    let all = try DOptimalSelection(from: pool, extending: set, threshold: 2.1)
    #expect(all.selected.allSatisfy { $0 >= 200 })
    let none = try DOptimalSelection(from: tame, extending: set)
    #expect(none.selected.isEmpty)
    #expect(none.activeSet == set)
  }

  @Test("Duplicates of a structure are chosen once")
  func duplicates() throws {
    let one = Self.candidates(1, atoms: 2, first: 0, seed: 8)[0]
    let pool = (0..<6).map { DOptimalSelection.Candidate(identifier: $0, rows: one.rows) }
    let choice = try DOptimalSelection(from: pool, extending: ActiveSet(dimension: Self.columns))
    #expect(choice.selected == [0])
    #expect(try DOptimalSelection.sparsified(pool).kept.count == 1)
  }

  @Test("A sparsified set spans all of what it was made from", arguments: 0..<10)
  func sparsification(seed: Int) throws {
    // Few structures of many atoms: several rows of the active set belong to each.
    let pool = Self.candidates(40, atoms: 6, first: 7, seed: UInt64(seed))
    let sparse = try DOptimalSelection.sparsified(pool)
    #expect(sparse.activeRows == Self.columns)
    #expect(sparse.kept.count <= Self.columns)
    #expect(sparse.kept == sparse.kept.sorted())
    let kept = pool.filter { sparse.kept.contains($0.identifier) }
    #expect(kept.count == sparse.kept.count)
    // The active rows are all there, and any dominant set of them gives small grades elsewhere.
    let again = try DOptimalSelection.sparsified(kept)
    #expect(again.activeRows == Self.columns)
    let set = try Self.activeSet(of: pool)
    #expect(set.structures() == sparse.kept)
    for candidate in pool {
      #expect(try #require(set.grades(candidate.rows).max()) <= 1.001 + 1e-9)
    }
  }

  @Test("An empty pool selects nothing")
  func emptyPool() throws {
    let choice = try DOptimalSelection(from: [], extending: ActiveSet(dimension: 3))
    #expect(choice.selected.isEmpty)
    #expect(try DOptimalSelection.sparsified([]).kept == [])
  }
}
