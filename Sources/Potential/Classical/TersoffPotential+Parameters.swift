import Crystal
import NumericalCore

extension TersoffPotential {
  /// The parameters of one element; the names are those of the paper.
  public struct ElementParameters: Sendable, Hashable {
    /// The element.
    public var element: ChemicalElement
    /// A in eV, the strength of the repulsion.
    public var repulsion: Double
    /// B in eV, the strength of the bond.
    public var attraction: Double
    /// λ in 1/Å.
    public var repulsiveDecay: Double
    /// μ in 1/Å.
    public var attractiveDecay: Double
    /// β, without unit.
    public var beta: Double
    /// n, without unit.
    public var exponent: Double
    /// c, without unit.
    public var c: Double
    /// d, without unit.
    public var d: Double
    /// h, the cosine of the favoured angle.
    public var h: Double
    /// R in Å, where the cutoff function begins.
    public var innerCutoff: Double
    /// S in Å, where it ends.
    public var outerCutoff: Double

    /// Creates the parameters of an element.
    ///
    /// - Parameters:
    ///   - element: The element.
    ///   - repulsion: A in eV.
    ///   - attraction: B in eV.
    ///   - repulsiveDecay: λ in 1/Å.
    ///   - attractiveDecay: μ in 1/Å.
    ///   - beta: β.
    ///   - exponent: n.
    ///   - c: c.
    ///   - d: d.
    ///   - h: h.
    ///   - innerCutoff: R in Å.
    ///   - outerCutoff: S in Å.
    public init(
      _ element: ChemicalElement, repulsion: Double, attraction: Double, repulsiveDecay: Double,
      attractiveDecay: Double, beta: Double, exponent: Double, c: Double, d: Double, h: Double,
      innerCutoff: Double, outerCutoff: Double
    ) {
      self.element = element
      self.repulsion = repulsion
      self.attraction = attraction
      self.repulsiveDecay = repulsiveDecay
      self.attractiveDecay = attractiveDecay
      self.beta = beta
      self.exponent = exponent
      self.c = c
      self.d = d
      self.h = h
      self.innerCutoff = innerCutoff
      self.outerCutoff = outerCutoff
    }

    var numbers: [Double] {
      [
        repulsion, attraction, repulsiveDecay, attractiveDecay, beta, exponent, c, d, h,
        innerCutoff, outerCutoff,
      ]
    }
  }

  /// The factor χ that scales the bonds of two unlike elements.
  public struct Mixing: Sendable, Hashable {
    /// One element.
    public let first: ChemicalElement
    /// The other.
    public let second: ChemicalElement
    /// χ, without unit.
    public let chi: Double

    /// Creates a factor.
    public init(_ first: ChemicalElement, _ second: ChemicalElement, chi: Double) {
      self.first = first
      self.second = second
      self.chi = chi
    }

    /// Whether the factor is the one of two elements, in either order.
    public func joins(_ a: ChemicalElement, _ b: ChemicalElement) -> Bool {
      (first, second) == (a, b) || (first, second) == (b, a)
    }
  }

  /// Everything that defines a Tersoff potential.
  public struct Parameters: Sendable, Hashable {
    /// The elements.
    public var elements: [ElementParameters]
    /// χ of every pair of unlike elements.
    public var mixing: [Mixing]

    /// Creates parameters.
    public init(elements: [ElementParameters], mixing: [Mixing] = []) {
      self.elements = elements
      self.mixing = mixing
    }

    func validate() throws(PotentialError) {
      guard !elements.isEmpty else { throw .invalidParameters("no elements") }
      for (index, p) in elements.enumerated() {
        guard p.numbers.allSatisfy(\.isFinite) else {
          throw .invalidParameters("\(p.element): a parameter is not finite")
        }
        guard p.repulsion > 0, p.attraction > 0, p.repulsiveDecay > 0, p.attractiveDecay > 0,
          p.beta >= 0, p.exponent > 0, p.d != 0
        else {
          throw .invalidParameters(
            "\(p.element): A, B, lambda, mu and n are positive, beta is not negative, d not zero")
        }
        guard p.innerCutoff > 0, p.outerCutoff > p.innerCutoff else {
          throw .invalidParameters(
            "\(p.element): R \(p.innerCutoff) Å and S \(p.outerCutoff) Å; 0 < R < S is needed")
        }
        guard !elements[..<index].contains(where: { $0.element == p.element }) else {
          throw .invalidParameters("\(p.element) is given twice")
        }
      }
      for (index, m) in mixing.enumerated() {
        guard m.first != m.second, m.chi >= 0, m.chi.isFinite else {
          throw .invalidParameters("chi \(m.chi) of \(m.first)–\(m.second)")
        }
        guard !mixing[..<index].contains(where: { $0.joins(m.first, m.second) }) else {
          throw .invalidParameters("chi of \(m.first)–\(m.second) is given twice")
        }
      }
      for (index, a) in elements.enumerated() {
        for b in elements[..<index]
        where !mixing.contains(where: { $0.joins(a.element, b.element) }) {
          throw .invalidParameters("no chi of \(b.element)–\(a.element)")
        }
      }
    }
  }
}

extension TersoffPotential.Parameters: ByteCodable {
  /// Appends all parameters, elements and factors in a canonical order.
  public func encode(to encoder: inout ByteEncoder) {
    let sorted = elements.sorted { $0.element < $1.element }
    encoder.encode(sorted.map(\.element))
    for p in sorted { encoder.encode(p.numbers) }
    func ordered(_ m: TersoffPotential.Mixing) -> (ChemicalElement, ChemicalElement) {
      (min(m.first, m.second), max(m.first, m.second))
    }
    let factors = mixing.sorted { ordered($0) < ordered($1) }
    encoder.encode(factors.map { ordered($0).0 })
    encoder.encode(factors.map { ordered($0).1 })
    encoder.encode(factors.map(\.chi))
  }

  /// Reads all parameters.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    var elements: [TersoffPotential.ElementParameters] = []
    for element in try decoder.decode([ChemicalElement].self) {
      let v = try decoder.decode([Double].self)
      guard v.count == 11 else { throw .invalid("another number of parameters") }
      elements.append(
        TersoffPotential.ElementParameters(
          element, repulsion: v[0], attraction: v[1], repulsiveDecay: v[2], attractiveDecay: v[3],
          beta: v[4], exponent: v[5], c: v[6], d: v[7], h: v[8], innerCutoff: v[9],
          outerCutoff: v[10]))
    }
    let firsts = try decoder.decode([ChemicalElement].self)
    let seconds = try decoder.decode([ChemicalElement].self)
    let factors = try decoder.decode([Double].self)
    guard firsts.count == factors.count, seconds.count == factors.count else {
      throw .invalid("factors of different numbers")
    }
    self.init(
      elements: elements,
      mixing: factors.indices.map {
        TersoffPotential.Mixing(firsts[$0], seconds[$0], chi: factors[$0])
      })
  }
}
