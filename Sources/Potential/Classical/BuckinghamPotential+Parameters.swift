import Crystal
import NumericalCore

extension BuckinghamPotential {
  /// The charge of an ion.
  public struct Ion: Sendable, Hashable {
    /// The element.
    public let element: ChemicalElement
    /// Its charge in units of e.
    public let charge: Double

    /// Creates an ion of a charge in units of e.
    public init(_ element: ChemicalElement, charge: Double) {
      self.element = element
      self.charge = charge
    }
  }

  /// The short-range interaction of a pair of elements, A exp(−r/ρ) − C/r⁶ + W/r¹².
  public struct Pair: Sendable, Hashable {
    /// One element.
    public let first: ChemicalElement
    /// The other, possibly the same.
    public let second: ChemicalElement
    /// A in eV.
    public let amplitude: Double
    /// ρ in Å.
    public let decayLength: Double
    /// C in eV Å⁶.
    public let dispersion: Double
    /// W in eV Å¹².
    public let wall: Double

    /// Creates a pair interaction.
    ///
    /// - Parameters:
    ///   - first: One element.
    ///   - second: The other, possibly the same.
    ///   - amplitude: A in eV.
    ///   - decayLength: ρ in Å.
    ///   - dispersion: C in eV Å⁶.
    ///   - wall: W in eV Å¹².
    public init(
      _ first: ChemicalElement, _ second: ChemicalElement, amplitude: Double, decayLength: Double,
      dispersion: Double = 0, wall: Double = 0
    ) {
      self.first = first
      self.second = second
      self.amplitude = amplitude
      self.decayLength = decayLength
      self.dispersion = dispersion
      self.wall = wall
    }
  }

  /// Everything that defines a Buckingham potential.
  public struct Parameters: Sendable, Hashable {
    /// The cutoff of the short-range part in Å.
    public var cutoff: Double
    /// The width in Å over which the short-range part is switched off, 0 for an abrupt end.
    public var smoothing: Double
    /// The charges; elements that are not named are neutral.
    public var charges: [Ion]
    /// The short-range pairs; pairs that are not named interact by their charges only.
    public var pairs: [Pair]
    /// The relative accuracy of the Ewald sum, 1e-15 … 1e-3: both parts are cut where their terms
    /// have fallen to this fraction.
    public var ewaldAccuracy: Double

    /// Creates parameters.
    ///
    /// - Parameters:
    ///   - cutoff: The cutoff of the short-range part in Å.
    ///   - smoothing: The width in Å over which the short-range part is switched off, 0 for an
    ///     abrupt end.
    ///   - charges: The charges; elements that are not named are neutral.
    ///   - pairs: The short-range pairs.
    ///   - ewaldAccuracy: The relative accuracy of the Ewald sum.
    public init(
      cutoff: Double, smoothing: Double = 0, charges: [Ion], pairs: [Pair],
      ewaldAccuracy: Double = 1e-10
    ) {
      self.cutoff = cutoff
      self.smoothing = smoothing
      self.charges = charges
      self.pairs = pairs
      self.ewaldAccuracy = ewaldAccuracy
    }

    func validate() throws(PotentialError) {
      guard cutoff > 0, cutoff.isFinite else {
        throw .invalidParameters("cutoff \(cutoff) Å; a positive length is needed")
      }
      guard smoothing >= 0, smoothing < cutoff else {
        throw .invalidParameters("smoothing \(smoothing) Å; allowed is 0 up to the cutoff")
      }
      guard ewaldAccuracy >= 1e-15, ewaldAccuracy <= 1e-3 else {
        throw .invalidParameters("Ewald accuracy \(ewaldAccuracy); allowed is 1e-15 … 1e-3")
      }
      guard !charges.isEmpty || !pairs.isEmpty else {
        throw .invalidParameters("neither charges nor pairs")
      }
      for (index, ion) in charges.enumerated() {
        guard ion.charge.isFinite else {
          throw .invalidParameters("the charge of \(ion.element) is \(ion.charge)")
        }
        guard !charges[..<index].contains(where: { $0.element == ion.element }) else {
          throw .invalidParameters("\(ion.element) has two charges")
        }
      }
      for (index, pair) in pairs.enumerated() {
        let name = "pair \(pair.first)–\(pair.second)"
        guard pair.decayLength > 0, pair.decayLength.isFinite else {
          throw .invalidParameters(
            "\(name): rho \(pair.decayLength) Å; a positive length is needed")
        }
        guard pair.amplitude.isFinite, pair.dispersion.isFinite, pair.wall.isFinite else {
          throw .invalidParameters("\(name): a parameter is not finite")
        }
        let key = Set([pair.first, pair.second])
        guard !pairs[..<index].contains(where: { Set([$0.first, $0.second]) == key }) else {
          throw .invalidParameters("\(name) is given twice")
        }
      }
    }
  }
}

extension BuckinghamPotential.Parameters: ByteCodable {
  /// Appends all parameters, charges and pairs in a canonical order.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(cutoff)
    encoder.encode(smoothing)
    encoder.encode(ewaldAccuracy)
    let ions = charges.sorted { $0.element < $1.element }
    encoder.encode(ions.map(\.element))
    encoder.encode(ions.map(\.charge))
    func ordered(_ pair: BuckinghamPotential.Pair) -> (ChemicalElement, ChemicalElement) {
      (min(pair.first, pair.second), max(pair.first, pair.second))
    }
    let sorted = pairs.sorted { ordered($0) < ordered($1) }
    encoder.encode(sorted.map { ordered($0).0 })
    encoder.encode(sorted.map { ordered($0).1 })
    for pair in sorted {
      encoder.encode(pair.amplitude)
      encoder.encode(pair.decayLength)
      encoder.encode(pair.dispersion)
      encoder.encode(pair.wall)
    }
  }

  /// Reads all parameters.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let cutoff: Double = try decoder.decode()
    let smoothing: Double = try decoder.decode()
    let accuracy: Double = try decoder.decode()
    let ionElements = try decoder.decode([ChemicalElement].self)
    let ionCharges = try decoder.decode([Double].self)
    let firsts = try decoder.decode([ChemicalElement].self)
    let seconds = try decoder.decode([ChemicalElement].self)
    guard ionElements.count == ionCharges.count, firsts.count == seconds.count else {
      throw .invalid("charges or pairs of different numbers")
    }
    var pairs: [BuckinghamPotential.Pair] = []
    for (first, second) in zip(firsts, seconds) {
      let amplitude: Double = try decoder.decode()
      let decayLength: Double = try decoder.decode()
      let dispersion: Double = try decoder.decode()
      let wall: Double = try decoder.decode()
      pairs.append(
        BuckinghamPotential.Pair(
          first, second, amplitude: amplitude, decayLength: decayLength, dispersion: dispersion,
          wall: wall))
    }
    let ions = zip(ionElements, ionCharges).map { element, charge in
      BuckinghamPotential.Ion(element, charge: charge)
    }
    self.init(
      cutoff: cutoff, smoothing: smoothing, charges: ions, pairs: pairs, ewaldAccuracy: accuracy)
  }
}
