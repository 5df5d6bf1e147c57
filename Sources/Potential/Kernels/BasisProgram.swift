/// The product graph of a basis over the independent moments of the sphere relation, as flat lists for
/// the derivatives that training needs.
///
/// Values are, in this order: the independent moments; moments that follow from them; products.
package struct BasisProgram: Sendable {
  /// multiplicity · (first factor) · (second factor), or multiplicity · first where `second` is
  /// negative.
  package struct Term: Sendable {
    /// The first factor, a value.
    package var first: Int32
    /// The second factor, a value, or −1.
    package var second: Int32
    /// How often the term occurs; −1 occurs in the sphere relation.
    package var multiplicity: Double
  }

  /// A flattened list of lists.
  package struct Lists<Element: Sendable>: Sendable {
    package private(set) var offsets: [Int32] = [0]
    package private(set) var elements: [Element] = []

    package init(_ lists: [[Element]]) {
      for list in lists {
        elements += list
        offsets.append(Int32(elements.count))
      }
    }

    package func range(_ list: Int) -> Range<Int> { Int(offsets[list])..<Int(offsets[list + 1]) }
  }

  /// The independent moments.
  package let moments: SphereMoments
  /// The number of values.
  package let valueCount: Int
  /// The value of each basis function.
  package let scalarValues: [Int]
  /// The terms of value `moments.count + n`.
  package let terms: Lists<Term>

  /// Compiles the tables of a basis.
  package init(_ basis: MomentTensorBasis) {
    moments = SphereMoments(basis.basicMoments)
    var builder = Builder(moments)
    let basicCount = basis.basicMoments.count
    var valueOf = basis.basicMoments.map { builder.value(of: $0) }
    valueOf += [Int](repeating: 0, count: basis.momentCount - basicCount)
    var products = [[MomentProduct]](repeating: [], count: basis.momentCount - basicCount)
    var lastTerm = [Int](repeating: -1, count: basis.momentCount)
    for (index, product) in basis.products.enumerated() {
      products[product.target - basicCount].append(product)
      lastTerm[product.target] = index
    }
    // Factors of a term are complete before it, so this order is one of evaluation.
    for moment in (basicCount..<basis.momentCount).sorted(by: {
      (lastTerm[$0], $0) < (lastTerm[$1], $1)
    }) {
      valueOf[moment] = builder.append(
        products[moment - basicCount].map {
          Term(
            first: Int32(valueOf[$0.first]), second: Int32(valueOf[$0.second]),
            multiplicity: Double($0.multiplicity))
        })
    }
    scalarValues = basis.scalarMoments.map { valueOf[$0] }
    valueCount = moments.count + builder.nodes.count
    terms = Lists(builder.nodes)
  }

  private struct Builder {
    let moments: SphereMoments
    var nodes: [[Term]] = []
    private var known: [BasicMoment: Int] = [:]

    init(_ moments: SphereMoments) { self.moments = moments }

    mutating func append(_ terms: [Term]) -> Int {
      nodes.append(terms)
      return moments.count + nodes.count - 1
    }

    mutating func value(of moment: BasicMoment) -> Int {
      let (mu, a, b, c) = (moment.radial, moment.x, moment.y, moment.z)
      if c <= 1 { return moments.offsets[mu] + SphereMoments.index(a, b, c) }
      if let found = known[moment] { return found }
      var parts: [Term] = []
      for (x, y, sign) in [(a, b, 1.0), (a + 2, b, -1), (a, b + 2, -1)] {
        let part = value(of: BasicMoment(radial: mu, x: x, y: y, z: c - 2))
        parts.append(Term(first: Int32(part), second: -1, multiplicity: sign))
      }
      let node = append(parts)
      known[moment] = node
      return node
    }
  }

  /// The terms of a value, none for independent moments.
  package func terms(of value: Int) -> ArraySlice<Term> {
    value < moments.count ? [] : terms.elements[terms.range(value - moments.count)]
  }

  /// The values that a value is made of, itself included, descending; independent moments last.
  package func ancestors(of value: Int) -> [Int] {
    var found: Set<Int> = [value]
    var open = [value]
    while let next = open.popLast() {
      for term in terms(of: next) {
        for factor in [Int(term.first), Int(term.second)]
        where factor >= 0 && found.insert(factor).inserted {
          open.append(factor)
        }
      }
    }
    return found.sorted(by: >)
  }

  /// Computes all values from the independent moments at the beginning of `values`.
  package func forward(_ values: OctetPointer) {
    let (offsets, terms) = (terms.offsets.span, self.terms.elements.span)
    var begin = 0
    for node in 0..<valueCount &- moments.count {
      let end = Int(offsets[unchecked: node &+ 1])
      var sum = Octet.zero
      for index in begin..<end {
        let term = terms[unchecked: index]
        let first = values[Int(term.first)]
        let product = term.second < 0 ? first : first * values[Int(term.second)]
        sum.accumulate(product, Octet(repeating: term.multiplicity))
      }
      values[moments.count &+ node] = sum
      begin = end
    }
  }

  /// Computes ∂V/∂(every value) from ∂V/∂(basis function), `seeds` at the values of basis functions
  /// and zero elsewhere.
  package func backward(
    _ values: OctetPointer, seeds: UnsafePointer<Double>, _ adjoints: OctetPointer
  ) {
    for value in 0..<valueCount { adjoints[value] = Octet(repeating: seeds[value]) }
    var node = valueCount &- moments.count
    while node > 0 {
      node &-= 1
      propagate(adjoints[moments.count &+ node], node, values, adjoints)
    }
  }

  /// Adds what a node, counted from the first value that is no independent moment, passes back to
  /// the adjoints of its factors.
  @inline(__always)
  func propagate(
    _ adjoint: Octet, _ node: Int, _ values: OctetPointer, _ adjoints: OctetPointer
  ) {
    let (offsets, terms) = (terms.offsets.span, self.terms.elements.span)
    for index in Int(offsets[unchecked: node])..<Int(offsets[unchecked: node &+ 1]) {
      let term = terms[unchecked: index]
      let scaled = adjoint * term.multiplicity
      let first = Int(term.first)
      if term.second < 0 {
        adjoints[first] += scaled
      } else {
        let second = Int(term.second)
        adjoints[first].accumulate(scaled, values[second])
        adjoints[second].accumulate(scaled, values[first])
      }
    }
  }
}
