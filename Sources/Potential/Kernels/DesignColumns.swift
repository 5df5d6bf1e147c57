/// The order of the columns of a design matrix in which it is computed, and how basis functions get
/// their gradients.
///
/// Most basis functions are products of others: ∇(B_α B_β) = B_α ∇B_β + B_β ∇B_α needs two operations
/// for a number of the gradient. Only the connected ones, which are no such products, need a Jacobian
/// ∂B/∂M and a matrix product. Each depends on few moments, so they are collected in tiles of eight
/// that depend on similar ones. Products of one factor with successive columns are made together
/// (runs).
package struct DesignColumns: Sendable {
  /// Eight columns and the moments that they depend on.
  package struct Tile: Sendable {
    /// The moments, ascending, as a range of `moments`.
    package var support: Range<Int>
  }

  /// The pruned backward pass of one connected basis function.
  package struct Gradient: Sendable {
    /// The value of the function.
    package var value: Int
    /// The products and dependent moments it is made of, descending, as a range of `nodes`.
    package var nodes: Range<Int>
    /// The moments it depends on, as a range of `places`.
    package var places: Range<Int>
  }

  /// Where a derivative with respect to a moment goes: `moment`, and the place in the Jacobians of
  /// all tiles.
  package struct Place: Sendable {
    package var moment: Int32
    package var target: Int32
  }

  /// Columns `first` ..< `first + count` are the products of column `factor` with the columns from
  /// `partner` on, times a multiplicity.
  package struct Run: Sendable, BitwiseCopyable {
    package var factor: Int
    package var partner: Int
    package var first: Int
    package var count: Int
    package var multiplicity: Double
  }

  /// The tiles; tile n has the columns 8n ..< 8n + 8, some perhaps unused.
  package private(set) var tiles: [Tile] = []
  /// The moments of all tiles.
  package private(set) var moments: [Int32] = []
  /// The backward passes of all connected functions.
  package private(set) var gradients: [Gradient] = []
  /// Nodes of the backward passes, counted from the first value that is no independent moment.
  package private(set) var nodes: [Int32] = []
  /// Where the backward passes write.
  package private(set) var places: [Place] = []
  /// The products of columns, in the order in which they can be made.
  package private(set) var runs: [Run] = []
  /// The value of each column, −1 where it is unused.
  package private(set) var values: [Int]
  /// The column of every basis function.
  package private(set) var columnOfScalar: [Int]
  /// Where the columns that are used end.
  package private(set) var usedWidth = 0
  /// The width of a row: a multiple of 8, with room for a vector after `usedWidth`.
  package private(set) var width = 0

  /// Orders the basis functions of a program.
  package init(_ program: BasisProgram) {
    let products = Self.products(of: program)
    values = []
    columnOfScalar = []
    var useCount: [Int: Int] = [:]
    for pair in products.values {
      useCount[pair.first, default: 0] += 1
      useCount[pair.second, default: 0] += 1
    }
    var connected: [Int] = []
    for value in program.scalarValues where products[value] == nil && !connected.contains(value) {
      connected.append(value)
    }
    addTiles(of: connected, useCount, program)
    addRuns(products)
    let columnOf = Dictionary(
      values.enumerated().filter { $1 >= 0 }.map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
    columnOfScalar = program.scalarValues.map { columnOf[$0] ?? 0 }
    usedWidth = values.count
    width =
      (usedWidth + Octet.scalarCount + Octet.scalarCount - 1) / Octet.scalarCount
      * Octet.scalarCount
    values += [Int](repeating: -1, count: width - values.count)
  }

  // The basis functions that are a product of two others.
  private static func products(of program: BasisProgram) -> [Int: Pair] {
    let scalars = Set(program.scalarValues)
    var found: [Int: Pair] = [:]
    for value in program.scalarValues {
      let terms = program.terms(of: value)
      guard terms.count == 1, let term = terms.first, term.second >= 0 else { continue }
      let (first, second) = (Int(term.first), Int(term.second))
      if scalars.contains(first), scalars.contains(second) {
        found[value] = Pair(first: first, second: second, multiplicity: term.multiplicity)
      }
    }
    return found
  }

  private struct Pair {
    var first: Int
    var second: Int
    var multiplicity: Double
  }

  // MARK: tiles

  private mutating func addTiles(
    of connected: [Int], _ useCount: [Int: Int], _ program: BasisProgram
  ) {
    let ancestors = Dictionary(
      uniqueKeysWithValues: connected.map { ($0, program.ancestors(of: $0)) })
    let supports = ancestors.mapValues { Set($0.filter { $0 < program.moments.count }) }
    func uses(_ value: Int) -> Int { useCount[value] ?? 0 }
    // The factors used most come first, so that runs are long.
    let byUse = connected.filter { uses($0) > 0 }.sorted { (uses($1), $0) < (uses($0), $1) }
    var groups = [Array(byUse.prefix(Octet.scalarCount))]
    groups += Self.clusters(Array(byUse.dropFirst(Octet.scalarCount)), supports)
    groups += Self.clusters(connected.filter { uses($0) == 0 }, supports)
    var first = 0
    for group in groups where !group.isEmpty {
      let support = group.reduce(into: Set<Int>()) { $0.formUnion(supports[$1] ?? []) }.sorted()
      let start = moments.count
      moments += support.map { Int32($0) }
      tiles.append(Tile(support: start..<moments.count))
      for (column, value) in group.enumerated() {
        let nodeStart = nodes.count
        let all = ancestors[value] ?? []
        nodes += all.filter { $0 >= program.moments.count }.map {
          Int32($0 - program.moments.count)
        }
        let placeStart = places.count
        for (n, moment) in support.enumerated() where supports[value]?.contains(moment) ?? false {
          places.append(
            Place(moment: Int32(moment), target: Int32((first + n) * Octet.scalarCount + column)))
        }
        gradients.append(
          Gradient(
            value: value, nodes: nodeStart..<nodes.count, places: placeStart..<places.count))
      }
      first += support.count
      values += group + [Int](repeating: -1, count: Octet.scalarCount - group.count)
    }
  }

  // Greedily: the largest support first, joined by what adds the fewest moments.
  private static func clusters(_ all: [Int], _ supports: [Int: Set<Int>]) -> [[Int]] {
    func size(_ value: Int) -> Int { supports[value]?.count ?? 0 }
    var left = all.sorted { (size($1), $0) < (size($0), $1) }
    var result: [[Int]] = []
    while !left.isEmpty {
      var group = [left.removeFirst()]
      var union = supports[group[0]] ?? []
      while group.count < Octet.scalarCount, !left.isEmpty {
        var best = (place: 0, added: Int.max)
        for (place, value) in left.enumerated() {
          let added = supports[value]?.subtracting(union).count ?? 0
          if added < best.added { best = (place, added) }
        }
        let value = left.remove(at: best.place)
        union.formUnion(supports[value] ?? [])
        group.append(value)
      }
      result.append(group)
    }
    return result
  }

  // MARK: runs

  // Repeatedly the longest run of products whose factors have columns.
  private mutating func addRuns(_ products: [Int: Pair]) {
    var columnOf = Dictionary(
      values.enumerated().filter { $1 >= 0 }.map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
    var left = products
    while !left.isEmpty {
      // Products that can be made now, by both choices of the factor that is broadcast.
      var ready: [Int: [Int: Int]] = [:]
      for (value, pair) in left {
        guard let first = columnOf[pair.first], let second = columnOf[pair.second] else { continue }
        ready[first, default: [:]][second] = value
        ready[second, default: [:]][first] = value
      }
      var best = Run(factor: 0, partner: 0, first: 0, count: 0, multiplicity: 1)
      for factor in ready.keys.sorted() {
        let partners = ready[factor] ?? [:]
        func times(_ partner: Int) -> Double? {
          partners[partner].flatMap { left[$0]?.multiplicity }
        }
        for start in partners.keys.sorted() where times(start - 1) != times(start) {
          var count = 1
          while times(start + count) == times(start) { count += 1 }
          if count > best.count {
            best = Run(
              factor: factor, partner: start, first: values.count, count: count,
              multiplicity: times(start) ?? 1)
          }
        }
      }
      precondition(best.count > 0, "factors precede their products")
      for place in 0..<best.count {
        guard let value = ready[best.factor]?[best.partner + place] else { continue }
        columnOf[value] = values.count
        values.append(value)
        left[value] = nil
      }
      runs.append(best)
    }
  }
}

extension DesignColumns {
  /// Computes ∂B/∂M of all connected basis functions, one after the other, visiting only what each is
  /// made of.
  ///
  /// - Parameters:
  ///   - program: The product graph.
  ///   - values: Its values.
  ///   - scratch: As many numbers, all zero, and left so.
  ///   - jacobians: Receives for each moment of each tile eight numbers, one for each column; those
  ///     of functions that do not depend on the moment stay as they are.
  func gradients(
    _ program: BasisProgram, _ values: OctetPointer, scratch: OctetPointer,
    to jacobians: OctetPointer
  ) {
    let momentCount = program.moments.count
    for gradient in gradients {
      scratch[gradient.value] = Octet(repeating: 1)
      for n in gradient.nodes {
        let node = Int(nodes[n])
        let adjoint = scratch[momentCount &+ node]
        scratch[momentCount &+ node] = .zero
        program.propagate(adjoint, node, values, scratch)
      }
      for n in gradient.places {
        let place = places[n]
        jacobians[Int(place.target)] = scratch[Int(place.moment)]
        scratch[Int(place.moment)] = .zero
      }
    }
  }
}
