/// A full contraction of one to four moment tensors to a scalar, as a coloured multigraph: vertex i is a
/// moment with radial function `radial[i]`, and its degree is the tensor's rank ν; an edge is a
/// contracted index.
package struct MomentContraction: Hashable {
  /// The radial function of each moment, ascending.
  package let radial: [Int]
  /// The number of contracted indices of each pair (0,1), (0,2), …, (1,2) and so on.
  package let edges: [Int]

  /// Most radial functions and the highest rank that occur; limits of the published method.
  static let largestRadial = 5
  static let largestRank = 10

  /// The number of moments.
  package var count: Int { radial.count }

  /// The number of indices contracted between two different moments.
  package func contracted(_ i: Int, _ j: Int) -> Int { edges[Self.pair(i, j, of: count)] }

  /// The rank of a moment.
  func rank(_ i: Int) -> Int { (0..<count).reduce(0) { $1 == i ? $0 : $0 + contracted(i, $1) } }

  /// The sum of 2 + 4μ + ν over the moments.
  var level: Int {
    radial.reduce(0) { $0 + 2 + 4 * $1 } + 2 * edges.reduce(0, +)
  }

  static func pair(_ i: Int, _ j: Int, of count: Int) -> Int {
    let (low, high) = (min(i, j), max(i, j))
    return low * (2 * count - low - 1) / 2 + high - low - 1
  }

  /// The connected parts, as lists of vertices.
  var parts: [[Int]] {
    var partOf = Array(0..<count)
    for i in 0..<count {
      for j in i + 1..<max(count, i + 1) where contracted(i, j) > 0 {
        let (old, new) = (partOf[j], partOf[i])
        for k in 0..<count where partOf[k] == old { partOf[k] = new }
      }
    }
    return (0..<count).map { part in (0..<count).filter { partOf[$0] == part } }
      .filter { !$0.isEmpty }
  }

  /// The contraction of some of the moments among themselves.
  func restricted(to vertices: [Int]) -> MomentContraction {
    relabelled(vertices).canonical()
  }

  // The vertices in another order, or some of them.
  private func relabelled(_ order: [Int]) -> MomentContraction {
    var newEdges: [Int] = []
    for i in 0..<order.count {
      for j in i + 1..<max(order.count, i + 1) { newEdges.append(contracted(order[i], order[j])) }
    }
    return MomentContraction(radial: order.map { radial[$0] }, edges: newEdges)
  }

  /// The representative of the isomorphism class: radial functions ascending, then the
  /// lexicographically largest list of edges.
  func canonical() -> MomentContraction {
    var best: MomentContraction?
    for order in Self.permutations[count] {
      let other = relabelled(order)
      guard zip(other.radial, other.radial.dropFirst()).allSatisfy(<=) else { continue }
      if let current = best, !current.edges.lexicographicallyPrecedes(other.edges) { continue }
      best = other
    }
    return best ?? self
  }

  private static let permutations: [[[Int]]] = (0...4).map(permutations(of:))

  private static func permutations(of count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(of: count - 1).flatMap { shorter in
      (0..<count).map { place in
        var longer = shorter
        longer.insert(count - 1, at: place)
        return longer
      }
    }
  }

  /// One contraction of every class with a level not above the given one, by level, then number of
  /// moments, radial functions and edges.
  ///
  /// - Parameter level: The highest level.
  /// - Returns: The contractions, in the order of the basis functions.
  package static func all(level: Int) -> [MomentContraction] {
    var found: [MomentContraction] = []
    for count in 1...4 {
      for radial in ascendingRadials(count, level: level) {
        let left = level - radial.reduce(0) { $0 + 2 + 4 * $1 }
        for edges in edgeLists(count * (count - 1) / 2, sum: left / 2) {
          let contraction = MomentContraction(radial: radial, edges: edges)
          let ranks = (0..<count).map(contraction.rank)
          if ranks.allSatisfy({ $0 <= largestRank }), contraction == contraction.canonical() {
            found.append(contraction)
          }
        }
      }
    }
    return found.sorted { a, b in
      if a.level != b.level { return a.level < b.level }
      if a.count != b.count { return a.count < b.count }
      if a.radial != b.radial { return a.radial.lexicographicallyPrecedes(b.radial) }
      return a.edges.lexicographicallyPrecedes(b.edges)
    }
  }

  private static func ascendingRadials(_ count: Int, level: Int) -> [[Int]] {
    var lists: [[Int]] = [[]]
    for _ in 0..<count {
      lists = lists.flatMap { list in
        ((list.last ?? 0)...largestRadial).map { list + [$0] }
      }
    }
    return lists.filter { $0.reduce(0) { $0 + 2 + 4 * $1 } <= level }
  }

  private static func edgeLists(_ count: Int, sum: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return (0...sum).flatMap { first in
      edgeLists(count - 1, sum: sum - first).map { [first] + $0 }
    }
  }
}
