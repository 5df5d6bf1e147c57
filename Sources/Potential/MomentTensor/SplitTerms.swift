/// One product of a split: `weight` times component `first` times component `second` belongs to
/// component `target`.
struct SplitTerm {
  /// The component of the result, as by `TensorTable.code`.
  var target: UInt64
  /// The smaller code of the two factors.
  var first: UInt64
  /// The larger code of the two factors.
  var second: UInt64
  /// How often the product occurs.
  var weight: Int

  init(_ target: UInt64, _ a: UInt64, _ b: UInt64, _ weight: Int) {
    self.target = target
    first = min(a, b)
    second = max(a, b)
    self.weight = weight
  }

  private func precedes(_ other: SplitTerm) -> Bool {
    if target != other.target { return target < other.target }
    if first != other.first { return first < other.first }
    return second < other.second
  }

  /// The terms with equal products summed, in order of target and factors.
  static func merged(_ terms: [SplitTerm]) -> [SplitTerm] {
    var result: [SplitTerm] = []
    result.reserveCapacity(terms.count)
    for term in terms.sorted(by: { $0.precedes($1) }) {
      if let last = result.last, !last.precedes(term) {
        result[result.count - 1].weight += term.weight
      } else {
        result.append(term)
      }
    }
    return result
  }
}

/// The tensors that occur in splits, by number, and the terms of their components.
struct TensorTable {
  /// The tensors.
  private(set) var tensors: [PartialTensor] = []
  private var numbers: [PartialTensor: Int] = [:]

  /// The number of a tensor in standard form.
  mutating func number(of tensor: PartialTensor) -> Int {
    if let number = numbers[tensor] { return number }
    numbers[tensor] = tensors.count
    tensors.append(tensor)
    return tensors.count - 1
  }

  /// One number for a component: the tensor's number, and the powers in the two groups.
  static func code(
    _ tensor: Int, _ a: TensorComponent, _ b: TensorComponent = .scalar
  ) -> UInt64 {
    UInt64(tensor) << 24 | a.code << 12 | b.code
  }

  /// The number of the tensor that a code names.
  static func tensor(of code: UInt64) -> Int { Int(code >> 24) }

  /// The powers that a code names.
  static func components(of code: UInt64) -> (TensorComponent, TensorComponent) {
    (TensorComponent(code: code >> 12 & 0xFFF), TensorComponent(code: code & 0xFFF))
  }

  /// Whether a tensor is a single moment.
  func isMoment(_ number: Int) -> Bool {
    if case .moment = tensors[number] { true } else { false }
  }

  // MARK: terms

  /// The terms of all components of a pair of moments; there is one way only.
  mutating func terms(of pair: PairTensor) -> [SplitTerm] {
    let first = number(of: .moment(pair.first))
    let second = number(of: .moment(pair.second))
    let (a, b) = (pair.groupA, pair.groupB)
    let symmetric = pair.isSymmetric
    var terms: [SplitTerm] = []
    for totalA in TensorComponent.all(a.total) {
      for totalB in TensorComponent.all(b.total) where !symmetric || totalA <= totalB {
        let target = Self.code(0, totalA, totalB)
        for openA in Self.shares(totalA, a) {
          for openB in Self.shares(totalB, b) {
            let (left, right) = (openA.first + openB.first, openA.second + openB.second)
            for inner in TensorComponent.all(pair.shared) {
              terms.append(
                SplitTerm(
                  target, Self.code(first, inner + left), Self.code(second, inner + right),
                  inner.multiplicity * openA.ways * openB.ways))
            }
          }
        }
      }
    }
    return SplitTerm.merged(terms)
  }

  private struct Share {
    var first: TensorComponent
    var second: TensorComponent
    var ways: Int
  }

  // All ways to give the indices of a group to the two moments.
  private static func shares(_ total: TensorComponent, _ group: OpenIndices) -> [Share] {
    if group.second == 0 { return [Share(first: total, second: .scalar, ways: 1)] }
    if group.first == 0 { return [Share(first: .scalar, second: total, ways: 1)] }
    return TensorComponent.all(group.first).compactMap { first in
      total.minus(first).map {
        Share(first: first, second: $0, ways: first.multiplicity * $0.multiplicity)
      }
    }
  }

  /// The terms of a contraction split in a way.
  mutating func terms(
    of contraction: OpenContraction, _ split: ContractionSplit
  ) -> [SplitTerm] {
    let ordered = contraction.reordered(split.order)
    switch split.kind {
    case .moments:
      return terms(
        of: PairTensor(
          first: ordered.radial[0], second: ordered.radial[1], shared: ordered.shared[0][1],
          groupA: .none, groupB: .none))
    case .pairAndMoment: return SplitTerm.merged(pairAndMoment(ordered))
    case .plainPairAndMoment: return SplitTerm.merged(plainPairAndMoment(ordered))
    case .tripleAndMoment: return SplitTerm.merged(tripleAndMoment(ordered))
    case .symmetricPairAndPair: return SplitTerm.merged(symmetricPairAndPair(ordered))
    case .pairAndPair: return SplitTerm.merged(pairAndPair(ordered))
    }
  }

  private mutating func pair(
    _ c: OpenContraction, _ i: Int, _ j: Int, _ a: OpenIndices, _ b: OpenIndices
  ) -> (number: Int, view: PairView) {
    let view = PairView(
      PairTensor(
        first: c.radial[i], second: c.radial[j], shared: c.shared[i][j], groupA: a, groupB: b))
    return (number(of: .pair(view.tensor)), view)
  }

  private mutating func pairAndMoment(_ c: OpenContraction) -> [SplitTerm] {
    let inner = OpenIndices(first: c.shared[0][2], second: c.shared[1][2])
    let outer = OpenIndices(first: c.open[0], second: c.open[1])
    let (number, view) = pair(c, 0, 1, inner, outer)
    let moment = self.number(of: .moment(c.radial[2]))
    let isPlain = c.isPlain
    var terms: [SplitTerm] = []
    for q in TensorComponent.all(inner.total) {
      for r in TensorComponent.all(outer.total) {
        let (a, b) = view.components(q, r)
        let left = Self.code(number, a, b)
        for p in TensorComponent.all(c.open[2]) {
          var weight = inner.isPlain ? q.multiplicity : 1
          if !isPlain { weight *= (outer.isPlain ? r.multiplicity : 1) * p.multiplicity }
          terms.append(
            SplitTerm(Self.code(0, r + p), left, Self.code(moment, q + p), weight))
        }
      }
    }
    return terms
  }

  private mutating func plainPairAndMoment(_ c: OpenContraction) -> [SplitTerm] {
    let (number, view) = pair(
      c, 0, 1, OpenIndices(first: c.shared[0][2] + c.open[0], second: 0),
      OpenIndices(first: 0, second: c.shared[1][2] + c.open[1]))
    let moment = self.number(of: .moment(c.radial[2]))
    let isPlain = c.isPlain
    var terms: [SplitTerm] = []
    for q0 in TensorComponent.all(c.shared[0][2]) {
      for q1 in TensorComponent.all(c.shared[1][2]) {
        for p0 in TensorComponent.all(c.open[0]) {
          for p1 in TensorComponent.all(c.open[1]) {
            let (a, b) = view.components(q0 + p0, q1 + p1)
            let left = Self.code(number, a, b)
            for p2 in TensorComponent.all(c.open[2]) {
              let ways = p0.multiplicity * p1.multiplicity * p2.multiplicity
              terms.append(
                SplitTerm(
                  Self.code(0, p0 + p1 + p2), left, Self.code(moment, q0 + q1 + p2),
                  q0.multiplicity * q1.multiplicity * (isPlain ? 1 : ways)))
            }
          }
        }
      }
    }
    return terms
  }

  private mutating func tripleAndMoment(_ c: OpenContraction) -> [SplitTerm] {
    let tensor = TripleTensor(
      radial: Array(c.radial[..<3]), shared: [c.shared[0][1], c.shared[0][2], c.shared[1][2]],
      open: (0..<3).map { c.shared[$0][3] })
    let number = self.number(of: .triple(tensor.canonical()))
    let moment = self.number(of: .moment(c.radial[3]))
    return TensorComponent.all(tensor.openCount).map { q in
      SplitTerm(
        0, Self.code(number, q), Self.code(moment, q), tensor.isPlain ? q.multiplicity : 1)
    }
  }

  private mutating func symmetricPairAndPair(_ c: OpenContraction) -> [SplitTerm] {
    let to2 = OpenIndices(first: c.shared[0][2], second: c.shared[1][2])
    let to3 = OpenIndices(first: c.shared[0][3], second: c.shared[1][3])
    let (left, leftView) = pair(c, 0, 1, to2, to3)
    let (right, rightView) = pair(
      c, 2, 3, OpenIndices(first: to2.total, second: 0), OpenIndices(first: 0, second: to3.total))
    var terms: [SplitTerm] = []
    for q2 in TensorComponent.all(to2.total) {
      for q3 in TensorComponent.all(to3.total) {
        let (a, b) = leftView.components(q2, q3)
        let (d, e) = rightView.components(q2, q3)
        terms.append(
          SplitTerm(
            0, Self.code(left, a, b), Self.code(right, d, e),
            (to2.isPlain ? q2.multiplicity : 1) * (to3.isPlain ? q3.multiplicity : 1)))
      }
    }
    return terms
  }

  private mutating func pairAndPair(_ c: OpenContraction) -> [SplitTerm] {
    let n = c.shared
    let (left, leftView) = pair(
      c, 0, 1, OpenIndices(first: n[0][2] + n[0][3], second: 0),
      OpenIndices(first: 0, second: n[1][2] + n[1][3]))
    let (right, rightView) = pair(
      c, 2, 3, OpenIndices(first: n[0][2] + n[1][2], second: 0),
      OpenIndices(first: 0, second: n[0][3] + n[1][3]))
    var terms: [SplitTerm] = []
    for p02 in TensorComponent.all(n[0][2]) {
      for p03 in TensorComponent.all(n[0][3]) {
        for p12 in TensorComponent.all(n[1][2]) {
          for p13 in TensorComponent.all(n[1][3]) {
            let (a, b) = leftView.components(p02 + p03, p12 + p13)
            let (d, e) = rightView.components(p02 + p12, p03 + p13)
            let ways =
              p02.multiplicity * p03.multiplicity * p12.multiplicity * p13.multiplicity
            terms.append(
              SplitTerm(0, Self.code(left, a, b), Self.code(right, d, e), ways))
          }
        }
      }
    }
    return terms
  }
}
