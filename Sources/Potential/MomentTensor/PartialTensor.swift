/// An intermediate result of a contraction: one, two or three moment tensors of which some indices are
/// contracted and the others left open.
///
/// Open indices that will be contracted with one and the same other moment form a group, and
/// only the symmetric part in them is kept: a component for every power of x, y, z. Where all indices of a
/// group belong to one moment, the component is the plain one; where they belong to several, it
/// contains all ways to give the indices to the moments, so that the sum over components times
/// the other moment's needs no multiplicities.
enum PartialTensor: Hashable {
  /// A moment tensor of radial function μ.
  case moment(Int)
  /// Two moments.
  case pair(PairTensor)
  /// Three moments, with one group.
  case triple(TripleTensor)
}

/// How many indices of the first and of the second moment of a pair are in a group.
struct OpenIndices: Hashable {
  var first: Int
  var second: Int

  static let none = OpenIndices(first: 0, second: 0)

  var total: Int { first + second }
  /// Whether all indices belong to one moment.
  var isPlain: Bool { first == 0 || second == 0 }
  var exchanged: OpenIndices { OpenIndices(first: second, second: first) }
}

/// Two moments with `shared` indices contracted and up to two groups of open ones.
struct PairTensor: Hashable {
  var first: Int
  var second: Int
  var shared: Int
  var groupA: OpenIndices
  var groupB: OpenIndices

  var exchangedMoments: PairTensor {
    PairTensor(
      first: second, second: first, shared: shared, groupA: groupA.exchanged,
      groupB: groupB.exchanged)
  }

  var exchangedGroups: PairTensor {
    PairTensor(first: first, second: second, shared: shared, groupA: groupB, groupB: groupA)
  }

  /// Whether an exchange of the two components gives the same value.
  var isSymmetric: Bool {
    let other = exchangedGroups
    return other == self || other == exchangedMoments
  }

  private var order: [Int] {
    [first, second, groupA.first, groupA.second, groupB.first, groupB.second]
  }

  func precedes(_ other: PairTensor) -> Bool { order.lexicographicallyPrecedes(other.order) }
}

/// A pair as part of a contraction: the tensor in its standard form, and where the two
/// groups that the contraction speaks of are found in it.
struct PairView {
  let tensor: PairTensor
  private let placeOfA: Int
  private let placeOfB: Int
  private let isSymmetric: Bool

  init(_ given: PairTensor) {
    var tensor = given
    let together: Bool
    // Two groups of indices of the same moment are one.
    if given.groupA.total > 0, given.groupB.total > 0,
      given.groupA.first + given.groupB.first == 0 || given.groupA.second + given.groupB.second == 0
    {
      together = true
      tensor.groupA.first += given.groupB.first
      tensor.groupA.second += given.groupB.second
      tensor.groupB = .none
    } else {
      together = false
    }
    let forms = [tensor, tensor.exchangedMoments].flatMap {
      [($0, false), ($0.exchangedGroups, true)]
    }
    let best = forms.dropFirst().reduce(forms[0]) { $1.0.precedes($0.0) ? $1 : $0 }
    self.tensor = best.0
    placeOfA = best.1 ? 1 : 0
    placeOfB = together ? placeOfA : 1 - placeOfA
    isSymmetric = best.0.isSymmetric
  }

  /// The components of the standard form, given those of the contraction's two groups.
  func components(
    _ a: TensorComponent, _ b: TensorComponent
  ) -> (TensorComponent, TensorComponent) {
    var places = (TensorComponent.scalar, TensorComponent.scalar)
    if placeOfA == 0 { places.0 = a } else { places.1 = a }
    if placeOfB == 0 { places.0 = places.0 + b } else { places.1 = places.1 + b }
    return isSymmetric && places.1 < places.0 ? (places.1, places.0) : places
  }
}

/// Three moments with contracted indices between them, and one group of open ones.
struct TripleTensor: Hashable {
  var radial: [Int]
  /// The numbers of indices contracted between moments 0 and 1, 0 and 2, 1 and 2.
  var shared: [Int]
  /// The number of open indices of each.
  var open: [Int]

  var openCount: Int { open.reduce(0, +) }
  /// Whether all open indices belong to one moment.
  var isPlain: Bool { open.count { $0 > 0 } <= 1 }

  func contracted(_ i: Int, _ j: Int) -> Int { shared[i + j - 1] }

  /// The standard form.
  func canonical() -> TripleTensor {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    var best = self
    for order in orders {
      let other = TripleTensor(
        radial: order.map { radial[$0] },
        shared: [
          contracted(order[0], order[1]), contracted(order[0], order[2]),
          contracted(order[1], order[2]),
        ], open: order.map { open[$0] })
      let (a, b) = (other.radial + other.shared + other.open, best.radial + best.shared + best.open)
      if a.lexicographicallyPrecedes(b) { best = other }
    }
    return best
  }
}
