/// Turns contractions into a graph of products of two moments.
///
/// Every contraction is split in each possible way into partial contractions of fewer moments; the
/// way that adds the fewest terms to the graph built so far is taken.
struct ProductGraphBuilder {
  /// A graph in the form of MLIP's tables.
  struct Graph {
    var basicMoments: [BasicMoment] = []
    var products: [MomentProduct] = []
    var momentCount = 0
    var scalarMoments: [Int] = []
  }

  /// Powers of x, y, z: a component of a symmetric tensor.
  struct Powers: Hashable {
    var x: Int
    var y: Int
    var z: Int

    static func + (a: Powers, b: Powers) -> Powers {
      Powers(x: a.x + b.x, y: a.y + b.y, z: a.z + b.z)
    }

    var total: Int { x + y + z }

    /// How many index tuples give this component.
    var multiplicity: Int {
      func factorial(_ n: Int) -> Int { (0..<n).reduce(1) { $0 * ($1 + 1) } }
      return factorial(total) / (factorial(x) * factorial(y) * factorial(z))
    }

    /// All components of a rank.
    static func all(_ rank: Int) -> [Powers] {
      (0...rank).reversed().flatMap { x in
        (0...rank - x).reversed().map { y in Powers(x: x, y: y, z: rank - x - y) }
      }
    }
  }

  /// A moment of the graph times a whole number.
  struct Multiple {
    var moment: Int
    var factor: Int
  }

  private struct Factors: Hashable, Comparable {
    let first: Int
    let second: Int

    init(_ a: Int, _ b: Int) {
      first = min(a, b)
      second = max(a, b)
    }

    static func < (a: Factors, b: Factors) -> Bool { (a.first, a.second) < (b.first, b.second) }
  }

  private typealias Sum = [Factors: Int]

  private var basicMoments: [BasicMoment] = []
  private var indexOfBasic: [BasicMoment: Int] = [:]
  // Terms of the moments beyond the basic ones: first, second, multiplicity, …
  private var moments: [[Int]] = []
  private var indexOfTerms: [[Int]: Int] = [:]
  private var termCount = 0

  /// The graph of contractions; those of lower level must come first.
  static func graph(of contractions: [MomentContraction]) -> Graph {
    var builder = ProductGraphBuilder(contractions)
    var momentOf: [MomentContraction: Int] = [:]
    var graph = Graph()
    for contraction in contractions {
      let parts = contraction.parts
      let moment: Int
      if parts.count > 1 {
        // A product: split off one part; both sides are contractions of lower level.
        let rest = contraction.restricted(to: parts.dropFirst().flatMap { $0 }.sorted())
        guard let first = momentOf[contraction.restricted(to: parts[0])],
          let second = momentOf[rest]
        else { preconditionFailure("parts of a contraction have a lower level") }
        moment = builder.moment(exactly: [Factors(first, second): 1])
      } else {
        moment = builder.moment(ofConnected: contraction)
      }
      momentOf[contraction] = moment
      graph.scalarMoments.append(moment)
    }
    graph.basicMoments = builder.basicMoments
    graph.momentCount = builder.basicMoments.count + builder.moments.count
    for (index, terms) in builder.moments.enumerated() {
      for term in stride(from: 0, to: terms.count, by: 3) {
        graph.products.append(
          MomentProduct(
            first: terms[term], second: terms[term + 1], multiplicity: terms[term + 2],
            target: builder.basicMoments.count + index))
      }
    }
    return graph
  }

  private init(_ contractions: [MomentContraction]) {
    var ranks: [Set<Int>] = []
    for contraction in contractions {
      for (vertex, radial) in contraction.radial.enumerated() {
        while ranks.count <= radial { ranks.append([]) }
        ranks[radial].insert(contraction.rank(vertex))
      }
    }
    for (radial, set) in ranks.enumerated() {
      for rank in set.sorted() {
        for powers in Powers.all(rank) {
          let moment = BasicMoment(radial: radial, x: powers.x, y: powers.y, z: powers.z)
          indexOfBasic[moment] = basicMoments.count
          basicMoments.append(moment)
        }
      }
    }
  }

  // MARK: moments of the graph

  private func basic(_ radial: Int, _ powers: Powers) -> Int {
    let moment = BasicMoment(radial: radial, x: powers.x, y: powers.y, z: powers.z)
    guard let index = indexOfBasic[moment] else {
      preconditionFailure("components of a rank that no contraction has")
    }
    return index
  }

  private func flattened(_ sum: Sum, dividedBy divisor: Int) -> [Int] {
    sum.sorted { $0.key < $1.key }
      .flatMap { [$0.key.first, $0.key.second, $0.value / divisor] }
  }

  private mutating func intern(_ terms: [Int]) -> Int {
    if let index = indexOfTerms[terms] { return index }
    let index = basicMoments.count + moments.count
    moments.append(terms)
    indexOfTerms[terms] = index
    termCount += terms.count / 3
    return index
  }

  private mutating func moment(exactly sum: Sum) -> Int { intern(flattened(sum, dividedBy: 1)) }

  // A moment that a sum is a multiple of, so that sums that differ by a factor share it.
  private mutating func multiple(of sum: Sum) -> Multiple {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    let common = sum.values.reduce(0, divisor)
    return Multiple(moment: intern(flattened(sum, dividedBy: common)), factor: common)
  }

  private func add(_ a: Multiple, _ b: Multiple, times weight: Int = 1, to sum: inout Sum) {
    sum[Factors(a.moment, b.moment), default: 0] += weight * a.factor * b.factor
  }

  private mutating func undo(to count: Int) {
    while moments.count > count {
      let terms = moments.removeLast()
      indexOfTerms[terms] = nil
      termCount -= terms.count / 3
    }
  }

  // MARK: partial contractions

  // Two moments contracted over `shared` indices, with components of the open ones given.
  private mutating func pair(
    _ i: Int, _ openI: Powers, _ j: Int, _ openJ: Powers, shared: Int
  ) -> Multiple {
    var sum: Sum = [:]
    for inner in Powers.all(shared) {
      add(
        Multiple(moment: basic(i, inner + openI), factor: 1),
        Multiple(moment: basic(j, inner + openJ), factor: 1), times: inner.multiplicity, to: &sum)
    }
    return multiple(of: sum)
  }

  // The same, summed over all ways to give the open indices `total` to the two moments, so that one
  // product with a component of a third moment contracts them all.
  private mutating func symmetricPair(
    _ i: Int, _ rankI: Int, _ j: Int, _ rankJ: Int, shared: Int, total: Powers
  ) -> Multiple {
    var sum: Sum = [:]
    for openI in Powers.all(rankI) {
      guard let openJ = total.minus(openI) else { continue }
      for inner in Powers.all(shared) {
        add(
          Multiple(moment: basic(i, inner + openI), factor: 1),
          Multiple(moment: basic(j, inner + openJ), factor: 1),
          times: inner.multiplicity * openI.multiplicity * openJ.multiplicity, to: &sum)
      }
    }
    return multiple(of: sum)
  }

  private mutating func moment(ofConnected contraction: MomentContraction) -> Int {
    guard contraction.count > 1 else {
      return basic(contraction.radial[0], Powers(x: 0, y: 0, z: 0))
    }
    let ways = Self.ways(contraction.count)
    var best: (way: Way, cost: Int)?
    for way in ways {
      let (count, terms) = (moments.count, termCount)
      _ = moment(exactly: sum(of: contraction, way))
      let cost = termCount - terms
      undo(to: count)
      if best.map({ cost < $0.cost }) ?? true { best = (way, cost) }
    }
    guard let best else { preconditionFailure("a contraction can be split in some way") }
    return moment(exactly: sum(of: contraction, best.way))
  }

  /// How a connected contraction is split: vertices in an order, and which partial contractions.
  private struct Way {
    enum Kind { case two, threeByPairs, threeSymmetric, fourByPairs, fourByTriple, fourByChain }
    let kind: Kind
    let order: [Int]
  }

  private static func ways(_ count: Int) -> [Way] {
    switch count {
    case 2: return [Way(kind: .two, order: [0, 1])]
    case 3:
      let orders = [[0, 1, 2], [0, 2, 1], [1, 2, 0]]
      return orders.map { Way(kind: .threeSymmetric, order: $0) }
        + orders.map { Way(kind: .threeByPairs, order: $0) }
    default:
      let pairs = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]].map {
        Way(kind: .fourByPairs, order: $0)
      }
      var triples: [Way] = []
      for last in 0..<4 {
        let others = (0..<4).filter { $0 != last }
        for middle in others {
          let ends = others.filter { $0 != middle }
          triples.append(Way(kind: .fourByTriple, order: ends + [middle, last]))
          triples.append(Way(kind: .fourByChain, order: ends + [middle, last]))
        }
      }
      return pairs + triples
    }
  }

  private mutating func sum(of contraction: MomentContraction, _ way: Way) -> Sum {
    let mu = way.order.map { contraction.radial[$0] }
    let n = way.order.map { i in
      way.order.map { j in i == j ? 0 : contraction.contracted(i, j) }
    }
    switch way.kind {
    case .two: return sumOfTwo(mu, n)
    case .threeSymmetric: return sumOfThreeSymmetric(mu, n)
    case .threeByPairs: return sumOfThreeByPairs(mu, n)
    case .fourByPairs: return sumOfFourByPairs(mu, n)
    case .fourByTriple: return sumOfFourByTriple(mu, n)
    case .fourByChain:
      // Only where the first two moments have no index in common with the last.
      return n[0][3] + n[1][3] == 0 ? sumOfFourByChain(mu, n) : sumOfFourByTriple(mu, n)
    }
  }

  private func sumOfTwo(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for p in Powers.all(n[0][1]) {
      add(
        Multiple(moment: basic(mu[0], p), factor: 1), Multiple(moment: basic(mu[1], p), factor: 1),
        times: p.multiplicity, to: &sum)
    }
    return sum
  }

  private mutating func sumOfThreeSymmetric(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for p in Powers.all(n[0][2] + n[1][2]) {
      let partial = symmetricPair(
        mu[0], n[0][2], mu[1], n[1][2], shared: n[0][1], total: p)
      add(partial, Multiple(moment: basic(mu[2], p), factor: 1), to: &sum)
    }
    return sum
  }

  private mutating func sumOfThreeByPairs(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for p in Powers.all(n[0][2]) {
      for q in Powers.all(n[1][2]) {
        let partial = pair(mu[0], p, mu[1], q, shared: n[0][1])
        add(
          partial, Multiple(moment: basic(mu[2], p + q), factor: 1),
          times: p.multiplicity * q.multiplicity, to: &sum)
      }
    }
    return sum
  }

  private mutating func sumOfFourByPairs(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for p02 in Powers.all(n[0][2]) {
      for p03 in Powers.all(n[0][3]) {
        for p12 in Powers.all(n[1][2]) {
          for p13 in Powers.all(n[1][3]) {
            let left = pair(mu[0], p02 + p03, mu[1], p12 + p13, shared: n[0][1])
            let right = pair(mu[2], p02 + p12, mu[3], p03 + p13, shared: n[2][3])
            let weight =
              p02.multiplicity * p03.multiplicity * p12.multiplicity * p13.multiplicity
            add(left, right, times: weight, to: &sum)
          }
        }
      }
    }
    return sum
  }

  // Moments 0, 1, 2 contracted, symmetric in the indices open to moment 3.
  private mutating func sumOfFourByTriple(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for total in Powers.all(n[0][3] + n[1][3] + n[2][3]) {
      var triple: Sum = [:]
      for p03 in Powers.all(n[0][3]) {
        guard let rest = total.minus(p03) else { continue }
        for p13 in Powers.all(n[1][3]) {
          guard let p23 = rest.minus(p13) else { continue }
          for p02 in Powers.all(n[0][2]) {
            for p12 in Powers.all(n[1][2]) {
              let ends = pair(mu[0], p02 + p03, mu[1], p12 + p13, shared: n[0][1])
              let weight =
                p03.multiplicity * p13.multiplicity * p23.multiplicity * p02.multiplicity
                * p12.multiplicity
              add(
                ends, Multiple(moment: basic(mu[2], p02 + p12 + p23), factor: 1), times: weight,
                to: &triple)
            }
          }
        }
      }
      add(multiple(of: triple), Multiple(moment: basic(mu[3], total), factor: 1), to: &sum)
    }
    return sum
  }

  // Moments 0 and 1 contracted, then with 2, then with 3.
  private mutating func sumOfFourByChain(_ mu: [Int], _ n: [[Int]]) -> Sum {
    var sum: Sum = [:]
    for outer in Powers.all(n[2][3]) {
      var triple: Sum = [:]
      for p in Powers.all(n[0][2] + n[1][2]) {
        let ends = symmetricPair(mu[0], n[0][2], mu[1], n[1][2], shared: n[0][1], total: p)
        add(ends, Multiple(moment: basic(mu[2], p + outer), factor: 1), to: &triple)
      }
      add(
        multiple(of: triple), Multiple(moment: basic(mu[3], outer), factor: 1),
        times: outer.multiplicity, to: &sum)
    }
    return sum
  }
}

extension ProductGraphBuilder.Powers {
  /// The powers left after some are given away, `nil` where there are not enough.
  fileprivate func minus(_ other: Self) -> Self? {
    guard x >= other.x, y >= other.y, z >= other.z else { return nil }
    return Self(x: x - other.x, y: y - other.y, z: z - other.z)
  }
}
