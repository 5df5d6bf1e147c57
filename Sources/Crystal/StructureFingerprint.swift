import NumericalCore

/// Smeared distances between pairs of elements, the same for every choice of cell, origin, orientation
/// and order of atoms.
///
/// After A. R. Oganov and M. Valle, J. Chem. Phys. 130, 104504 (2009), doi:10.1063/1.3079326.
/// It sees distances alone: homometric structures share one, and mirror images do too. Confirm a
/// duplicate with `Structure.matches(_:tolerance:)`.
///
/// The Gaussians grow with the distance, as the displacement of a peak under a strain does: with the
/// published width of 0.03 Å everywhere a residual strain of 1 % makes two copies of one structure as
/// different as two structures (distances up to 0.10; here up to 0.005, 0.018 where both copies are
/// strained; half of all pairs of random structures lie above 0.25).
public struct StructureFingerprint: Sendable, Hashable {
  /// What goes into a fingerprint.
  ///
  /// Only fingerprints of equal settings can be compared.
  public struct Settings: Sendable, Hashable {
    /// Distances up to this one count, in Å.
    public let cutoffRadius: Double
    /// The width of a bin in Å.
    public let binWidth: Double
    /// The standard deviation in Å of the Gaussian that smears a short distance.
    public let smearing: Double
    /// How much of a distance is added to the standard deviation, in quadrature; 0 for none.
    public let strainSmearing: Double
    /// Distances are scaled to this volume per atom in Å³, so that the residual strain of incomplete
    /// relaxations does not count; not scaled where absent.
    public let volumePerAtom: Double?

    /// Creates settings; lengths are positive.
    public init(
      cutoffRadius: Double = 8, binWidth: Double = 0.16, smearing: Double = 0.1,
      strainSmearing: Double = 0.02, volumePerAtom: Double? = nil
    ) {
      precondition(binWidth > 0 && smearing > 0, "bins and Gaussians have a width")
      precondition((0...0.1).contains(strainSmearing), "distances move by 0 to 10 %")
      precondition(cutoffRadius >= binWidth && cutoffRadius.isFinite, "one bin at least")
      precondition((volumePerAtom ?? 1) > 0, "a volume is positive")
      self.cutoffRadius = cutoffRadius
      self.binWidth = binWidth
      self.smearing = smearing
      self.strainSmearing = strainSmearing
      self.volumePerAtom = volumePerAtom
    }

    /// The number of bins, the last one ending at the cutoff radius or just before.
    public var binCount: Int { Int(cutoffRadius / binWidth + 1e-9) }

    /// The standard deviation in Å of the Gaussian at a distance in Å.
    @inline(__always)
    func smearing(at distance: Double) -> Double {
      let growth = strainSmearing * distance
      return (smearing * smearing + growth * growth).squareRoot()
    }

    /// The distance in Å that lies so many standard deviations beyond the cutoff radius.
    func farthestDistance(deviations: Double) -> Double {
      // Solves r − n σ(r) = cutoff.
      let (growth, least) = (deviations * strainSmearing, deviations * smearing)
      let rest = 1 - growth * growth
      let square = growth * growth * cutoffRadius * cutoffRadius + rest * least * least
      return (cutoffRadius + square.squareRoot()) / rest
    }
  }

  /// The settings it was made with.
  public let settings: Settings
  /// The elements of the structure, by atomic number.
  public let elements: [ChemicalElement]
  /// √w F for every bin of every pair of elements A ≤ B, pair after pair.
  public let components: [Double]
  /// The length of `components`.
  public let norm: Double
  /// The degree of order Π; larger is more ordered.
  public let degreeOfOrder: Double
  /// The degree of order Π of the surroundings of every atom.
  public let atomDegreesOfOrder: [Double]

  /// Computes the fingerprint of a structure.
  ///
  /// With F_AB(R) = Σ δ(R − R_ij) / (4π R_ij² (N_A N_B/V) Δ) − 1 (equation 3), δ integrated over a bin,
  /// and weights w_AB = N_A N_B/N² over ordered pairs (equation 6), so unlike pairs count twice.
  /// Clusters and slabs, which have no density, use one atom per Å³ and lack the −1.
  ///
  /// - Complexity: O(N × neighbors)
  public init(_ structure: Structure, settings: Settings = Settings()) {
    let surroundings = FingerprintHistogram(structure, settings)
    let bins = settings.binCount
    let kinds = surroundings.elements.count
    let total = Double(structure.atomCount)
    var components: [Double] = []
    components.reserveCapacity(kinds * (kinds + 1) / 2 * bins)
    for a in 0..<kinds {
      for b in a..<kinds {
        let (na, nb) = (surroundings.counts[a], surroundings.counts[b])
        let weight = (a == b ? 1 : 2) * na * nb / (total * total)
        components += surroundings.meanRow(from: a, to: b).map { weight.squareRoot() * $0 }
      }
    }
    self.settings = settings
    elements = surroundings.elements
    self.components = components
    let square = components.map { $0 * $0 }.fixedOrderSum()
    norm = square.squareRoot()
    // Equation 9, with λ the cube root of the volume per atom.
    let scale = settings.binWidth / surroundings.spacing
    degreeOfOrder = scale * square
    atomDegreesOfOrder = (0..<structure.atomCount).map { scale * surroundings.square(ofAtom: $0) }
  }

  /// The cosine distance to another fingerprint, 0 for the same and at most 1 (equation 8).
  ///
  /// Pairs of elements that only one of the structures has count as different.
  ///
  /// - Complexity: O(number of components)
  public func distance(to other: StructureFingerprint) -> Double {
    precondition(settings == other.settings, "fingerprints of different settings do not compare")
    return distance(
      to: other,
      product: elements == other.elements
        ? components.fixedOrderProduct(with: other.components) : productOfSharedPairs(other))
  }

  /// The same where the product of the components is known.
  package func distance(to other: StructureFingerprint, product: Double) -> Double {
    guard norm > 0, other.norm > 0 else { return norm == other.norm ? 0 : 0.5 }
    return max(0, min(1, 0.5 * (1 - product / (norm * other.norm))))
  }

  private func productOfSharedPairs(_ other: StructureFingerprint) -> Double {
    let bins = settings.binCount
    let pairs = Self.pairs(elements)
    let otherPairs = Self.pairs(other.elements)
    var sum = 0.0
    for (index, pair) in pairs.enumerated() {
      guard let match = otherPairs.firstIndex(of: pair) else { continue }
      sum += components[index * bins..<(index + 1) * bins].fixedOrderProduct(
        with: other.components[match * bins..<(match + 1) * bins])
    }
    return sum
  }

  private static func pairs(_ elements: [ChemicalElement]) -> [[ChemicalElement]] {
    elements.indices.flatMap { a in elements[a...].map { [elements[a], $0] } }
  }
}

extension StructureFingerprint.Settings: ByteCodable {
  /// Appends the five numbers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(cutoffRadius)
    encoder.encode(binWidth)
    encoder.encode(smearing)
    encoder.encode(strainSmearing)
    encoder.encode(volumePerAtom)
  }

  /// Reads the five numbers.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let cutoff = try decoder.decode(Double.self)
    let width = try decoder.decode(Double.self)
    let smearing = try decoder.decode(Double.self)
    let growth = try decoder.decode(Double.self)
    let volume = try decoder.decode(Double?.self)
    guard width > 0, smearing > 0, cutoff >= width, cutoff.isFinite, (volume ?? 1) > 0,
      (0...0.1).contains(growth)
    else {
      throw .invalid("settings of a fingerprint")
    }
    self.init(
      cutoffRadius: cutoff, binWidth: width, smearing: smearing, strainSmearing: growth,
      volumePerAtom: volume)
  }
}

extension StructureFingerprint: ByteCodable {
  /// Appends settings, elements, components and degrees of order.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(settings)
    encoder.encode(elements)
    encoder.encode(components)
    encoder.encode(norm)
    encoder.encode(degreeOfOrder)
    encoder.encode(atomDegreesOfOrder)
  }

  /// Reads settings, elements, components and degrees of order.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    settings = try decoder.decode()
    elements = try decoder.decode([ChemicalElement].self)
    components = try decoder.decode([Double].self)
    norm = try decoder.decode()
    degreeOfOrder = try decoder.decode()
    atomDegreesOfOrder = try decoder.decode([Double].self)
    guard components.count == elements.count * (elements.count + 1) / 2 * settings.binCount else {
      throw .invalid("a fingerprint of \(elements) with \(components.count) components")
    }
  }
}
