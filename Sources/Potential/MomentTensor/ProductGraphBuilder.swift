/// Turns contractions into a graph of products of two moments.
///
/// Connected contractions are split as `SplitSearch` chooses; the others are products of two basis
/// functions of lower level. Sums that are equal, or multiples of each other, are one moment.
package struct ProductGraphBuilder {
  /// A graph in the form of MLIP's tables.
  package struct Graph: Equatable {
    var basicMoments: [BasicMoment] = []
    var products: [MomentProduct] = []
    var momentCount = 0
    var scalarMoments: [Int] = []
  }

  /// A moment of the graph times a whole number.
  private struct Multiple {
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

  private var table = TensorTable()
  private var splitOfTensor: [Int] = []
  // Terms of the components of tensors asked for so far.
  private var terms: [Int: [UInt64: [SplitTerm]]] = [:]
  private var momentOfComponent: [UInt64: Multiple] = [:]

  private var basicMoments: [BasicMoment] = []
  private var indexOfBasic: [BasicMoment: Int] = [:]
  // Terms of the moments beyond the basic ones: first, second, multiplicity, …
  private var moments: [[Int]] = []
  private var indexOfTerms: [[Int]: Int] = [:]

  /// The graph of contractions; those of lower level must come first.
  ///
  /// - Parameter contractions: All contractions up to a level, by level.
  /// - Returns: The graph.
  package static func graph(of contractions: [MomentContraction]) -> Graph {
    var builder = ProductGraphBuilder(contractions)
    let scalars = builder.scalars(contractions)
    var graph = Graph(
      basicMoments: builder.basicMoments,
      momentCount: builder.basicMoments.count + builder.moments.count, scalarMoments: scalars)
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
      for powers in set.sorted().flatMap(TensorComponent.all) {
        let moment = BasicMoment(radial: radial, x: powers.x, y: powers.y, z: powers.z)
        indexOfBasic[moment] = basicMoments.count
        basicMoments.append(moment)
      }
    }
  }

  // The moment of each contraction.
  private mutating func scalars(_ contractions: [MomentContraction]) -> [Int] {
    let factors = contractions.map(\.factors)
    let used = Set(factors.compactMap(\.self).flatMap { [$0.first, $0.second] })
    let connected = contractions.indices.filter {
      factors[$0] == nil && contractions[$0].count > 1
    }
    var search = SplitSearch(
      connected.map { contractions[$0] },
      isFactor: connected.map { used.contains(contractions[$0]) }, table: &table)
    search.run()
    splitOfTensor = table.tensors.indices.map { search.split(ofTensor: $0) }

    var momentOf: [MomentContraction: Int] = [:]
    var done = 0
    for (index, contraction) in contractions.enumerated() {
      if let (a, b) = factors[index] {
        guard let first = momentOf[a], let second = momentOf[b] else {
          preconditionFailure("parts of a contraction have a lower level")
        }
        momentOf[contraction] = intern([min(first, second), max(first, second), 1])
      } else if contraction.count == 1 {
        momentOf[contraction] = basic(contraction.radial[0], .scalar)
      } else {
        let split = ContractionSplit.all(contraction.count)[search.split(ofContraction: done)]
        let terms = table.terms(of: OpenContraction(contraction), split)
        momentOf[contraction] = intern(flattened(sum(terms), dividedBy: 1))
        done += 1
      }
    }
    return contractions.compactMap { momentOf[$0] }
  }

  // MARK: moments of the graph

  private func basic(_ radial: Int, _ powers: TensorComponent) -> Int {
    let moment = BasicMoment(radial: radial, x: powers.x, y: powers.y, z: powers.z)
    guard let index = indexOfBasic[moment] else {
      preconditionFailure("components of a rank that no contraction has")
    }
    return index
  }

  private mutating func intern(_ terms: [Int]) -> Int {
    if let index = indexOfTerms[terms] { return index }
    let index = basicMoments.count + moments.count
    moments.append(terms)
    indexOfTerms[terms] = index
    return index
  }

  private func flattened(_ sum: [Factors: Int], dividedBy divisor: Int) -> [Int] {
    sum.sorted { $0.key < $1.key }
      .flatMap { [$0.key.first, $0.key.second, $0.value / divisor] }
  }

  private mutating func sum(_ terms: [SplitTerm]) -> [Factors: Int] {
    var sum: [Factors: Int] = [:]
    for term in terms {
      let (a, b) = (moment(ofComponent: term.first), moment(ofComponent: term.second))
      sum[Factors(a.moment, b.moment), default: 0] += term.weight * a.factor * b.factor
    }
    return sum
  }

  // Components that differ by a factor share a moment.
  private mutating func moment(ofComponent code: UInt64) -> Multiple {
    if let known = momentOfComponent[code] { return known }
    let number = TensorTable.tensor(of: code)
    let (a, b) = TensorTable.components(of: code)
    let result: Multiple
    if case .moment(let radial) = table.tensors[number] {
      result = Multiple(moment: basic(radial, a), factor: 1)
    } else {
      let sum = sum(terms(number)[TensorTable.code(0, a, b)] ?? [])
      let common = sum.values.reduce(0, Self.divisor)
      result = Multiple(moment: intern(flattened(sum, dividedBy: common)), factor: common)
    }
    momentOfComponent[code] = result
    return result
  }

  private mutating func terms(_ number: Int) -> [UInt64: [SplitTerm]] {
    if let known = terms[number] { return known }
    let all: [SplitTerm]
    switch table.tensors[number] {
    case .moment: all = []
    case .pair(let pair): all = table.terms(of: pair)
    case .triple(let triple):
      let split = ContractionSplit.all(3)[splitOfTensor[number]]
      all = table.terms(of: OpenContraction(triple), split)
    }
    let byTarget = Dictionary(grouping: all, by: \.target)
    terms[number] = byTarget
    return byTarget
  }

  private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
}

extension MomentContraction {
  /// A disconnected contraction as the product of two of lower level, `nil` for a connected one.
  ///
  /// Moments of rank 0 are multiplied with each other first: their products occur most often.
  var factors: (first: MomentContraction, second: MomentContraction)? {
    let parts = parts.sorted { $0.count < $1.count }
    guard parts.count > 1 else { return nil }
    let several = parts.count > 2 && parts[1].count == 1 ? 2 : 1
    return (
      restricted(to: parts[..<several].flatMap { $0 }.sorted()),
      restricted(to: parts[several...].flatMap { $0 }.sorted())
    )
  }
}
