/// The products that a potential's energy is made of, as flat programs for one sweep forward and
/// one back.
///
/// A *leaf* is a basis function that no product uses. It is never computed: with its coefficient ξ each
/// of its terms ξ m a b is a constant times b in dV/da, and half of Σ a · (those) is its energy
/// (`LeafTerms`). The other products, the *inner nodes*, are put in an order in which what is made is
/// soon used, so that a large graph works in the processor's nearest cache: depth first, in windows;
/// inside a window equally long sums follow each other (`ProductRuns`).
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

  /// So many inner nodes and their adjoints take 12 KiB.
  private static let windowSize = 96

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
    let order = Self.windows(
      Self.depthFirst(scalarMoments, basicCount: basicCount, terms, isFactor), terms)
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

  // Products that are factors of others, each after its own factors, for one basis function after the
  // other.
  private static func depthFirst(
    _ scalars: [Int], basicCount: Int, _ terms: [[MomentProduct]], _ isFactor: [Bool]
  ) -> [Int] {
    var isDone = [Bool](repeating: false, count: terms.count)
    var order: [Int] = []
    var open: [(moment: Int, next: Int)] = []
    for scalar in scalars where scalar >= basicCount && !isDone[scalar] {
      isDone[scalar] = true
      open.append((scalar, 0))
      while let (moment, next) = open.last {
        guard next < 2 * terms[moment].count else {
          open.removeLast()
          if isFactor[moment] { order.append(moment) }
          continue
        }
        open[open.count - 1].next += 1
        let term = terms[moment][next / 2]
        let factor = next % 2 == 0 ? term.first : term.second
        if factor >= basicCount && !isDone[factor] {
          isDone[factor] = true
          open.append((factor, 0))
        }
      }
    }
    return order
  }

  // Inside a window by depth, then by number of terms: runs are long and factors still come first.
  private static func windows(_ order: [Int], _ terms: [[MomentProduct]]) -> [Int] {
    var sorted: [Int] = []
    var depth = [Int](repeating: 0, count: terms.count)
    for first in stride(from: 0, to: order.count, by: windowSize) {
      let window = order[first..<min(first + windowSize, order.count)]
      for moment in window {
        depth[moment] =
          1 + (terms[moment].map { max(depth[$0.first], depth[$0.second]) }.max() ?? 0)
      }
      sorted += window.enumerated().sorted { a, b in
        (depth[a.element], terms[a.element].count, a.offset)
          < (depth[b.element], terms[b.element].count, b.offset)
      }.map(\.element)
      for moment in window { depth[moment] = 0 }
    }
    return sorted
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
