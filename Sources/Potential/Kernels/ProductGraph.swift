/// The products that a potential's energy is made of, as flat programs for one sweep forward and
/// one back.
///
/// A *leaf* is a basis function that no product uses. It is never computed: with its coefficient ξ each
/// of its terms ξ m a b is a constant times b in dV/da, and half of Σ a · (those) is its energy
/// (`LeafTerms`). The other products, the *inner nodes*, are ordered by depth and length, so that equally
/// long sums follow each other (`ProductRuns`). An order in which what is made is soon used, depth first
/// in windows of 24 to 400 nodes, was tried: levels 16 to 24 take the same time.
struct ProductGraph: Sendable {
  /// Moments, one place that holds nothing of use, then inner nodes: the number of values.
  let nodeCount: Int
  /// For every basis function the place of its value; leaves lie behind the nodes and are computed only
  /// where they are asked for.
  let placeOfScalar: [Int]
  /// The leaves' terms.
  let leaves: LeafTerms
  private let inner: ProductRuns
  private let leafSums: ProductRuns

  /// The number of values with those of leaves.
  var valueCount: Int { nodeCount + leafSums.sumCount }

  /// The number of terms of inner nodes, and of constants of leaves.
  var termCounts: (inner: Int, leaves: Int) { (inner.termCount, leaves.pairs.count) }

  /// Compiles validated tables.
  ///
  /// - Parameters:
  ///   - layout: Where basic moments are.
  ///   - products: The terms of the other moments.
  ///   - momentCount: The number of all moments.
  ///   - scalarMoments: The moments that are basis functions.
  init(
    _ layout: MomentLayout, products: [MomentProduct], momentCount: Int, scalarMoments: [Int]
  ) {
    let basicCount = layout.slotOfBasicMoment.count
    var isFactor = [Bool](repeating: false, count: momentCount)
    var terms = [[MomentProduct]](repeating: [], count: momentCount)
    for product in products {
      isFactor[product.first] = true
      isFactor[product.second] = true
      terms[product.target].append(product)
    }
    let order = Self.order(products, basicCount: basicCount, terms, isFactor)
    let firstInner = layout.slotCount + 1
    var placeOf = layout.slotOfBasicMoment + [Int](repeating: -1, count: momentCount - basicCount)
    for (index, moment) in order.enumerated() { placeOf[moment] = firstInner + index }
    nodeCount = firstInner + order.count
    let leafMoments = Self.leaves(scalarMoments, basicCount: basicCount, terms, isFactor)
    let nodeCount = nodeCount
    var placeOfLeaf: [Int: Int] = [:]
    for (index, moment) in leafMoments.enumerated() { placeOfLeaf[moment] = nodeCount + index }
    placeOfScalar = scalarMoments.map { placeOf[$0] >= 0 ? placeOf[$0] : placeOfLeaf[$0] ?? 0 }
    inner = ProductRuns(
      order.map { Self.sum(terms[$0], placeOf) }, firstPlace: firstInner)
    leafSums = ProductRuns(
      leafMoments.map { Self.sum(terms[$0], placeOf) }, firstPlace: nodeCount)
    var contributions: [LeafTerms.Contribution] = []
    for (scalar, moment) in scalarMoments.enumerated() where placeOf[moment] < 0 {
      for term in terms[moment] {
        contributions.append(
          LeafTerms.Contribution(
            scalar: scalar, first: placeOf[term.first], second: placeOf[term.second],
            multiplicity: term.multiplicity))
      }
    }
    leaves = LeafTerms(contributions, nodeCount: nodeCount)
  }

  private static func sum(_ terms: [MomentProduct], _ placeOf: [Int]) -> [ProductRuns.Term] {
    terms.map {
      ProductRuns.Term(
        first: placeOf[$0.first], second: placeOf[$0.second], multiplicity: $0.multiplicity)
    }
  }

  // Basis functions that are no factors, each once, those of equally many terms together.
  private static func leaves(
    _ scalars: [Int], basicCount: Int, _ terms: [[MomentProduct]], _ isFactor: [Bool]
  ) -> [Int] {
    var isDone = [Bool](repeating: false, count: terms.count)
    var leaves: [Int] = []
    for scalar in scalars where scalar >= basicCount && !isFactor[scalar] && !isDone[scalar] {
      isDone[scalar] = true
      leaves.append(scalar)
    }
    return leaves.sorted { (terms[$0].count, $0) < (terms[$1].count, $1) }
  }

  // Products that are factors of others, by depth, then by number of terms.
  private static func order(
    _ products: [MomentProduct], basicCount: Int, _ terms: [[MomentProduct]], _ isFactor: [Bool]
  ) -> [Int] {
    var depth = [Int](repeating: 0, count: terms.count)
    for term in products {
      depth[term.target] = max(depth[term.target], 1 + max(depth[term.first], depth[term.second]))
    }
    return (basicCount..<terms.count).filter { isFactor[$0] }
      .sorted { (depth[$0], terms[$0].count, $0) < (depth[$1], terms[$1].count, $1) }
  }

  /// Computes the inner nodes from the moments at the beginning of the values.
  func forward(_ values: LanePointer) { inner.forward(values) }

  /// Computes the basis functions that are leaves, from the nodes.
  func computeLeaves(_ values: LanePointer) { leafSums.forward(values) }

  /// Completes dV/d(value) of all nodes from what leaves and coefficients contribute.
  func backward(_ values: LanePointer, _ adjoints: LanePointer) {
    inner.backward(values, adjoints)
  }
}
