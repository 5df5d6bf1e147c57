/// The product graph of a basis as flat lists: values 0 ..< `basicSlotCount` are moments summed
/// over neighbors, the others follow in an order in which every factor precedes its products.
///
/// Each value is gathered: one accumulator, one store.
package struct ProductProgram: Sendable {
  /// A term of a sum: values (or a value and an adjoint), and how often.
  package struct Term: Sendable {
    /// The first factor: a value in the forward direction, an adjoint in the backward direction.
    package var first: Int32
    /// The second factor, a value.
    package var second: Int32
    /// How often the term occurs.
    package var multiplicity: Double
  }

  /// The number of moments summed over neighbors.
  package let basicSlotCount: Int
  /// The number of values.
  package let valueCount: Int
  /// The value of each basis function.
  package let scalarValues: [Int32]

  // Terms of value basicSlotCount + n: forwardTerms[forwardOffsets[n] ..< forwardOffsets[n + 1]].
  private let forwardOffsets: [Int32]
  private let forwardTerms: [Term]
  // Terms of the adjoint of value n.
  private let backwardOffsets: [Int32]
  private let backwardTerms: [Term]
  // The products that basis function α is made of, last first.
  private let ancestorOffsets: [Int32]
  private let ancestors: [Int32]

  /// Flattens validated tables.
  package init(
    basicSlots: [Int], basicSlotCount: Int, products: [MomentProduct], momentCount: Int,
    scalarMoments: [Int]
  ) {
    var lastTerm = [Int](repeating: -1, count: momentCount)
    for (index, product) in products.enumerated() { lastTerm[product.target] = index }
    // A moment without terms is zero; it comes first and costs nothing.
    let order = (basicSlots.count..<momentCount).sorted { (lastTerm[$0], $0) < (lastTerm[$1], $1) }
    var valueOf = basicSlots + [Int](repeating: 0, count: momentCount - basicSlots.count)
    for (place, moment) in order.enumerated() { valueOf[moment] = basicSlotCount + place }
    let valueCount = basicSlotCount + order.count

    var forward = [[Term]](repeating: [], count: order.count)
    var backward = [[Term]](repeating: [], count: valueCount)
    for product in products {
      let (i, j) = (valueOf[product.first], valueOf[product.second])
      let k = valueOf[product.target]
      let times = Double(product.multiplicity)
      forward[k - basicSlotCount].append(
        Term(first: Int32(i), second: Int32(j), multiplicity: times))
      if i == j {
        backward[i].append(Term(first: Int32(k), second: Int32(i), multiplicity: 2 * times))
      } else {
        backward[i].append(Term(first: Int32(k), second: Int32(j), multiplicity: times))
        backward[j].append(Term(first: Int32(k), second: Int32(i), multiplicity: times))
      }
    }
    self.basicSlotCount = basicSlotCount
    self.valueCount = valueCount
    scalarValues = scalarMoments.map { Int32(valueOf[$0]) }
    (forwardOffsets, forwardTerms) = Self.flattened(forward)
    (backwardOffsets, backwardTerms) = Self.flattened(backward)
    (ancestorOffsets, ancestors) = Self.flattened(
      Self.ancestors(of: scalarValues, basicSlotCount, forward))
  }

  private static func flattened<T>(_ lists: [[T]]) -> (offsets: [Int32], elements: [T]) {
    var offsets: [Int32] = [0]
    var elements: [T] = []
    for list in lists {
      elements += list
      offsets.append(Int32(elements.count))
    }
    return (offsets, elements)
  }

  private static func ancestors(
    of scalars: [Int32], _ basicSlotCount: Int, _ forward: [[Term]]
  ) -> [[Int32]] {
    var stamp = [Int](repeating: -1, count: forward.count)
    return scalars.enumerated().map { number, scalar in
      var found: [Int32] = []
      var open = [Int(scalar) - basicSlotCount]
      while let node = open.popLast() {
        guard node >= 0, stamp[node] != number else { continue }
        stamp[node] = number
        found.append(Int32(node))
        for term in forward[node] {
          open.append(Int(term.first) - basicSlotCount)
          open.append(Int(term.second) - basicSlotCount)
        }
      }
      return found.sorted(by: >)
    }
  }

  /// Computes all products from the basic moments at the beginning of `values`.
  package func forward(_ values: LanePointer) {
    let (offsets, terms) = (forwardOffsets.span, forwardTerms.span)
    var begin = 0
    for node in 0..<valueCount &- basicSlotCount {
      let end = Int(offsets[unchecked: node &+ 1])
      var sum = Lanes.zero
      for index in begin..<end {
        let term = terms[unchecked: index]
        let product = values[Int(term.first)] * values[Int(term.second)]
        sum.addProduct(product, Lanes(repeating: term.multiplicity))
      }
      values[basicSlotCount &+ node] = sum
      begin = end
    }
  }

  /// Computes ∂V/∂(every value).
  ///
  /// - Parameters:
  ///   - values: All values.
  ///   - seeds: For each value the coefficient of the basis functions that are this value.
  ///   - adjoints: Receives the derivatives.
  package func backward(_ values: LanePointer, seeds: Span<Double>, _ adjoints: LanePointer) {
    let (offsets, terms) = (backwardOffsets.span, backwardTerms.span)
    var end = terms.count
    var value = valueCount
    while value > 0 {
      value &-= 1
      let begin = Int(offsets[unchecked: value])
      var sum = Lanes(repeating: seeds[unchecked: value])
      for index in begin..<end {
        let term = terms[unchecked: index]
        let product = adjoints[Int(term.first)] * values[Int(term.second)]
        sum.addProduct(product, Lanes(repeating: term.multiplicity))
      }
      adjoints[value] = sum
      end = begin
    }
  }

  /// Computes the change of all values with a change of the basic moments, given at the beginning of
  /// `tangents`.
  package func forwardTangent(_ values: LanePointer, _ tangents: LanePointer) {
    let (offsets, terms) = (forwardOffsets.span, forwardTerms.span)
    for node in 0..<valueCount &- basicSlotCount {
      var sum = Lanes.zero
      for index in Int(offsets[unchecked: node])..<Int(offsets[unchecked: node &+ 1]) {
        let term = terms[unchecked: index]
        let (i, j) = (Int(term.first), Int(term.second))
        let product = (tangents[i] * values[j]).addingProduct(values[i], tangents[j])
        sum.addProduct(product, Lanes(repeating: term.multiplicity))
      }
      tangents[basicSlotCount &+ node] = sum
    }
  }

  /// Computes the change of the adjoints with a change of the values.
  package func backwardTangent(
    _ values: LanePointer, _ tangents: LanePointer, _ adjoints: LanePointer,
    _ adjointTangents: LanePointer
  ) {
    let (offsets, terms) = (backwardOffsets.span, backwardTerms.span)
    var value = valueCount
    while value > 0 {
      value &-= 1
      var sum = Lanes.zero
      for index in Int(offsets[unchecked: value])..<Int(offsets[unchecked: value &+ 1]) {
        let term = terms[unchecked: index]
        let (k, other) = (Int(term.first), Int(term.second))
        let product = (adjointTangents[k] * values[other])
          .addingProduct(adjoints[k], tangents[other])
        sum.addProduct(product, Lanes(repeating: term.multiplicity))
      }
      adjointTangents[value] = sum
    }
  }

  /// Computes ∂B/∂(basic moments) of one basis function, visiting only what it is made of.
  ///
  /// - Parameters:
  ///   - scalar: The number of the basis function.
  ///   - values: All values.
  ///   - adjoints: Receives the derivatives at its beginning; must be zero beyond the basic moments,
  ///     and is left so.
  package func gradient(of scalar: Int, _ values: LanePointer, _ adjoints: LanePointer) {
    let (offsets, terms) = (forwardOffsets.span, forwardTerms.span)
    for slot in 0..<basicSlotCount { adjoints[slot] = .zero }
    adjoints[Int(scalarValues[scalar])] = Lanes(repeating: 1)
    for place in Int(ancestorOffsets[scalar])..<Int(ancestorOffsets[scalar &+ 1]) {
      let node = Int(ancestors.span[unchecked: place])
      let adjoint = adjoints[basicSlotCount &+ node]
      adjoints[basicSlotCount &+ node] = .zero
      for index in Int(offsets[unchecked: node])..<Int(offsets[unchecked: node &+ 1]) {
        let term = terms[unchecked: index]
        let (i, j) = (Int(term.first), Int(term.second))
        let scaled = adjoint * term.multiplicity
        adjoints[i].addProduct(scaled, values[j])
        adjoints[j].addProduct(scaled, values[i])
      }
    }
  }
}
