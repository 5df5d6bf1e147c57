import Crystal
import NumericalCore

extension LennardJonesPotential {
  /// What becomes of the pair energy at the cutoff r_c.
  public enum Truncation: String, Sendable, Hashable, CaseIterable {
    /// u(r) up to r_c: the energy jumps there.
    case none
    /// u(r) − u(r_c): the energy is continuous, the force jumps.
    case shift
    /// u(r) − u(r_c) − (r − r_c) u'(r_c): energy and force are continuous.
    case forceShift = "force-shift"
  }

  /// The interaction of a pair of elements, u(r) = 4 ε [(σ/r)¹² − (σ/r)⁶].
  public struct Pair: Sendable, Hashable {
    /// One element.
    public let first: ChemicalElement
    /// The other, possibly the same.
    public let second: ChemicalElement
    /// ε in eV, the depth of the well.
    public let depth: Double
    /// σ in Å, where u vanishes.
    public let diameter: Double
    /// r_c in Å; `nil` for none, which only clusters allow.
    public let cutoff: Double?

    /// Creates a pair interaction.
    ///
    /// - Parameters:
    ///   - first: One element.
    ///   - second: The other, possibly the same.
    ///   - depth: ε in eV.
    ///   - diameter: σ in Å.
    ///   - cutoff: r_c in Å; `nil` for none.
    public init(
      _ first: ChemicalElement, _ second: ChemicalElement, depth: Double, diameter: Double,
      cutoff: Double?
    ) {
      self.first = first
      self.second = second
      self.depth = depth
      self.diameter = diameter
      self.cutoff = cutoff
    }

    /// Whether the pair is the one of two elements, in either order.
    public func joins(_ a: ChemicalElement, _ b: ChemicalElement) -> Bool {
      (first, second) == (a, b) || (first, second) == (b, a)
    }
  }

  /// Everything that defines a Lennard-Jones potential.
  public struct Parameters: Sendable, Hashable {
    /// What becomes of the energy at the cutoffs.
    public var truncation: Truncation
    /// The pairs; every pair of the elements that occur must be there.
    public var pairs: [Pair]

    /// Creates parameters.
    public init(truncation: Truncation, pairs: [Pair]) {
      self.truncation = truncation
      self.pairs = pairs
    }

    func validate() throws(PotentialError) {
      guard !pairs.isEmpty else { throw .invalidParameters("no pairs") }
      for (index, pair) in pairs.enumerated() {
        let name = "pair \(pair.first)–\(pair.second)"
        guard pair.diameter > 0, pair.diameter.isFinite, pair.depth.isFinite else {
          throw .invalidParameters(
            "\(name): epsilon \(pair.depth) eV, sigma \(pair.diameter) Å; "
              + "a finite energy and a positive length are needed")
        }
        if let cutoff = pair.cutoff {
          guard cutoff > 0, cutoff.isFinite else {
            throw .invalidParameters("\(name): cutoff \(cutoff) Å; a positive length is needed")
          }
        } else if truncation != .none {
          throw .invalidParameters("\(name): a \(truncation.rawValue) needs a cutoff")
        }
        guard !pairs[..<index].contains(where: { $0.joins(pair.first, pair.second) }) else {
          throw .invalidParameters("\(name) is given twice")
        }
      }
      let elements = Set(pairs.flatMap { [$0.first, $0.second] }).sorted()
      for (index, a) in elements.enumerated() {
        for b in elements[index...] where !pairs.contains(where: { $0.joins(a, b) }) {
          throw .invalidParameters("no pair \(a)–\(b)")
        }
      }
    }
  }
}

extension LennardJonesPotential.Parameters: ByteCodable {
  /// Appends all parameters, pairs in a canonical order.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(truncation.rawValue)
    func ordered(_ pair: LennardJonesPotential.Pair) -> (ChemicalElement, ChemicalElement) {
      (min(pair.first, pair.second), max(pair.first, pair.second))
    }
    let sorted = pairs.sorted { ordered($0) < ordered($1) }
    encoder.encode(sorted.map { ordered($0).0 })
    encoder.encode(sorted.map { ordered($0).1 })
    for pair in sorted {
      encoder.encode(pair.depth)
      encoder.encode(pair.diameter)
      encoder.encode(pair.cutoff)
    }
  }

  /// Reads all parameters.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let word: String = try decoder.decode()
    guard let truncation = LennardJonesPotential.Truncation(rawValue: word) else {
      throw .invalid("truncation '\(word)'")
    }
    let firsts = try decoder.decode([ChemicalElement].self)
    let seconds = try decoder.decode([ChemicalElement].self)
    guard firsts.count == seconds.count else { throw .invalid("pairs of different numbers") }
    var pairs: [LennardJonesPotential.Pair] = []
    for (first, second) in zip(firsts, seconds) {
      let depth: Double = try decoder.decode()
      let diameter: Double = try decoder.decode()
      let cutoff = try decoder.decode(Double?.self)
      pairs.append(
        LennardJonesPotential.Pair(
          first, second, depth: depth, diameter: diameter, cutoff: cutoff))
    }
    self.init(truncation: truncation, pairs: pairs)
  }
}
