import Crystal
import NumericalCore

/// Pairs and angles of one element.
///
/// F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262,
/// equations 2.1 to 2.6 with r in Å and energies in eV:
/// E = Σ_{i<j} A ε [B (σ/r)^p − (σ/r)^q] exp(σ/(r − aσ))
///   + Σ_i Σ_{j<k} λ ε (cos θ_jik + 1/3)² exp(γσ/(r_ij − aσ)) exp(γσ/(r_ik − aσ)),
/// both within r < aσ, where all derivatives vanish.
public struct StillingerWeberPotential: InteratomicPotential, Hashable {
  /// The parameters it was made from.
  public let parameters: Parameters

  /// The element it knows.
  public var elements: [ChemicalElement] { [parameters.element] }

  /// Everything that defines a Stillinger–Weber potential; the names are those of the paper.
  public struct Parameters: Sendable, Hashable {
    /// The element.
    public var element: ChemicalElement
    /// ε in eV.
    public var epsilon: Double
    /// σ in Å.
    public var sigma: Double
    /// A, without unit.
    public var pairStrength: Double
    /// B, without unit.
    public var repulsion: Double
    /// p.
    public var repulsiveExponent: Int
    /// q.
    public var attractiveExponent: Int
    /// a: the cutoff in units of σ.
    public var reach: Double
    /// λ, without unit.
    public var angleStrength: Double
    /// γ, without unit.
    public var angleDecay: Double
    /// The cosine of the angle without energy; −1/3 in the paper.
    public var cosine: Double

    /// Creates parameters.
    ///
    /// - Parameters:
    ///   - element: The element.
    ///   - epsilon: ε in eV.
    ///   - sigma: σ in Å.
    ///   - pairStrength: A.
    ///   - repulsion: B.
    ///   - repulsiveExponent: p.
    ///   - attractiveExponent: q.
    ///   - reach: a, the cutoff in units of σ.
    ///   - angleStrength: λ.
    ///   - angleDecay: γ.
    ///   - cosine: The cosine of the angle without energy.
    public init(
      _ element: ChemicalElement, epsilon: Double, sigma: Double, pairStrength: Double,
      repulsion: Double, repulsiveExponent: Int, attractiveExponent: Int, reach: Double,
      angleStrength: Double, angleDecay: Double, cosine: Double = -1.0 / 3
    ) {
      self.element = element
      self.epsilon = epsilon
      self.sigma = sigma
      self.pairStrength = pairStrength
      self.repulsion = repulsion
      self.repulsiveExponent = repulsiveExponent
      self.attractiveExponent = attractiveExponent
      self.reach = reach
      self.angleStrength = angleStrength
      self.angleDecay = angleDecay
      self.cosine = cosine
    }

    /// a σ in Å, where everything ends.
    public var cutoff: Double { reach * sigma }

    func validate() throws(PotentialError) {
      for (name, value) in [
        ("epsilon", epsilon), ("sigma", sigma), ("a", reach), ("gamma", angleDecay),
      ] {
        guard value > 0, value.isFinite else {
          throw .invalidParameters("\(name) is \(value); a positive number is needed")
        }
      }
      for (name, value) in [
        ("A", pairStrength), ("B", repulsion), ("lambda", angleStrength),
        ("the cosine", cosine),
      ] {
        guard value.isFinite else { throw .invalidParameters("\(name) is \(value)") }
      }
      for (name, value) in [("p", repulsiveExponent), ("q", attractiveExponent)] {
        guard (0...Self.largestExponent).contains(value) else {
          throw .invalidParameters(
            "\(name) is \(value); allowed is 0 … \(Self.largestExponent)")
        }
      }
    }

    /// The largest p and q allowed.
    public static let largestExponent = 24
  }

  /// Creates a potential.
  ///
  /// - Throws: `PotentialError.invalidParameters` where a length, ε, a or γ is not positive, an exponent
  ///   is out of range, or a number is not finite.
  public init(_ parameters: Parameters) throws(PotentialError) {
    try parameters.validate()
    self.parameters = parameters
  }

  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of a structure, of any periodicity.
  ///
  /// - Throws: `PotentialError.unknownElement`; `.notFinite` where atoms coincide or the cell has collapsed.
  /// - Complexity: O(N n²) for n neighbors.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    _ = try typeIndices(of: structure)
    try checkDensity(
      structure, reach: parameters.cutoff,
      most: AngularSums.largestNeighborCount * Double(structure.atomCount))
    let kernel = StillingerWeberKernel(parameters)
    let list = NeighborList(structure, cutoff: parameters.cutoff)
    var sums = AngularSums(atomCount: structure.atomCount)
    sums.add(list, rowCount: StillingerWeberKernel.rowCount) { _, site in kernel.energy(of: site) }
    return try sums.evaluation(of: structure)
  }
}

extension StillingerWeberPotential.Parameters: ByteCodable {
  /// Appends all parameters.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(element)
    encoder.encode([repulsiveExponent, attractiveExponent])
    encoder.encode([
      epsilon, sigma, pairStrength, repulsion, reach, angleStrength, angleDecay, cosine,
    ])
  }

  /// Reads all parameters.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let element = try decoder.decode(ChemicalElement.self)
    let exponents = try decoder.decode([Int].self)
    let v = try decoder.decode([Double].self)
    guard exponents.count == 2, v.count == 8 else { throw .invalid("another number of parameters") }
    self.init(
      element, epsilon: v[0], sigma: v[1], pairStrength: v[2], repulsion: v[3],
      repulsiveExponent: exponents[0], attractiveExponent: exponents[1], reach: v[4],
      angleStrength: v[5], angleDecay: v[6], cosine: v[7])
  }
}
