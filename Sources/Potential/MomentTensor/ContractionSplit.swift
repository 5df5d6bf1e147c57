/// A way to compute a contraction (or a partial one of three moments): as a sum of products of components
/// of two smaller tensors.
struct ContractionSplit {
  /// What is multiplied with what; moments are numbered as in `order`.
  enum Kind {
    /// Two moments.
    case moments
    /// Moments 0 and 1, with what goes to moment 2 as one group and what stays open as the other,
    /// times moment 2.
    case pairAndMoment
    /// The same, with the indices of moment 0 as one group and those of moment 1 as the other.
    case plainPairAndMoment
    /// Moments 0, 1 and 2 times moment 3.
    case tripleAndMoment
    /// Moments 0 and 1, with what goes to moment 2 as one group and what goes to moment 3 as the
    /// other, times moments 2 and 3.
    case symmetricPairAndPair
    /// Moments 0 and 1 times moments 2 and 3, a group for each.
    case pairAndPair
  }

  /// What is multiplied with what.
  let kind: Kind
  /// The moments of the contraction.
  let order: [Int]

  /// The ways to split a connected contraction of two to four moments.
  static func all(_ count: Int) -> [ContractionSplit] {
    func splits(_ kind: Kind, _ orders: [[Int]]) -> [ContractionSplit] {
      orders.map { ContractionSplit(kind: kind, order: $0) }
    }
    switch count {
    case 2: return splits(.moments, [[0, 1]])
    case 3:
      let orders = [[0, 1, 2], [0, 2, 1], [1, 2, 0]]
      return splits(.pairAndMoment, orders) + splits(.plainPairAndMoment, orders)
    default:
      let pairs = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]]
      return splits(.tripleAndMoment, [[0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 3, 1], [1, 2, 3, 0]])
        + splits(.symmetricPairAndPair, pairs + pairs.map { [$0[2], $0[3], $0[0], $0[1]] })
        + splits(.pairAndPair, pairs)
    }
  }
}

/// A contraction with its open indices, as the splits see it: up to four moments.
struct OpenContraction {
  /// The radial functions.
  let radial: [Int]
  /// The number of indices contracted between two moments.
  let shared: [[Int]]
  /// The number of open indices of each moment.
  let open: [Int]

  /// The number of moments.
  var count: Int { radial.count }
  /// Whether the open indices, if any, belong to one moment.
  var isPlain: Bool { open.count { $0 > 0 } <= 1 }

  init(_ contraction: MomentContraction) {
    let vertices = 0..<contraction.count
    radial = contraction.radial
    shared = vertices.map { i in vertices.map { $0 == i ? 0 : contraction.contracted(i, $0) } }
    open = vertices.map { _ in 0 }
  }

  init(_ tensor: TripleTensor) {
    radial = tensor.radial
    shared = (0..<3).map { i in (0..<3).map { $0 == i ? 0 : tensor.contracted(i, $0) } }
    open = tensor.open
  }

  private init(radial: [Int], shared: [[Int]], open: [Int]) {
    (self.radial, self.shared, self.open) = (radial, shared, open)
  }

  func reordered(_ order: [Int]) -> OpenContraction {
    OpenContraction(
      radial: order.map { radial[$0] },
      shared: order.map { i in order.map { shared[i][$0] } }, open: order.map { open[$0] })
  }
}
