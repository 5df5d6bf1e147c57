import NumericalCore

/// Smeared distances between pairs of elements, the same for every choice of cell, origin, orientation
/// and order of atoms.
///
/// After A. R. Oganov and M. Valle, J. Chem. Phys. 130, 104504 (2009), doi:10.1063/1.3079326.
/// It sees distances alone: homometric structures share one, and mirror images do too. Confirm a
/// duplicate with `Structure.matches(_:tolerance:)`.
public struct StructureFingerprint: Sendable, Hashable {
  /// What goes into a fingerprint.
  ///
  /// Only fingerprints of equal settings can be compared.
  public struct Settings: Sendable, Hashable {
    /// Distances up to this one count, in Å.
    public let cutoffRadius: Double
    /// The width of a bin in Å.
    public let binWidth: Double
    /// The standard deviation in Å of the Gaussian that smears a distance.
    public let smearing: Double
    /// Distances are scaled to this volume per atom in Å³, so that the residual strain of incomplete
    /// relaxations does not count; not scaled where absent.
    public let volumePerAtom: Double?

    /// Creates settings; all numbers are positive.
    public init(
      cutoffRadius: Double = 10, binWidth: Double = 0.08, smearing: Double = 0.03,
      volumePerAtom: Double? = nil
    ) {
      precondition(binWidth > 0 && smearing > 0, "bins and Gaussians have a width")
      precondition(cutoffRadius >= binWidth && cutoffRadius.isFinite, "one bin at least")
      precondition((volumePerAtom ?? 1) > 0, "a volume is positive")
      self.cutoffRadius = cutoffRadius
      self.binWidth = binWidth
      self.smearing = smearing
      self.volumePerAtom = volumePerAtom
    }

    /// The number of bins, the last one ending at the cutoff radius or just before.
    public var binCount: Int { Int(cutoffRadius / binWidth + 1e-9) }
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
    guard norm > 0, other.norm > 0 else { return norm == other.norm ? 0 : 0.5 }
    let product =
      elements == other.elements
      ? Self.dot(components[...], other.components[...]) : productOfSharedPairs(other)
    return max(0, min(1, 0.5 * (1 - product / (norm * other.norm))))
  }

  private func productOfSharedPairs(_ other: StructureFingerprint) -> Double {
    let bins = settings.binCount
    let pairs = Self.pairs(elements)
    let otherPairs = Self.pairs(other.elements)
    var sum = 0.0
    for (index, pair) in pairs.enumerated() {
      guard let match = otherPairs.firstIndex(of: pair) else { continue }
      sum += Self.dot(
        components[index * bins..<(index + 1) * bins],
        other.components[match * bins..<(match + 1) * bins])
    }
    return sum
  }

  private static func pairs(_ elements: [ChemicalElement]) -> [[ChemicalElement]] {
    elements.indices.flatMap { a in elements[a...].map { [elements[a], $0] } }
  }

  // Lane-wise in a fixed order, without an array of products.
  private static func dot(_ u: ArraySlice<Double>, _ v: ArraySlice<Double>) -> Double {
    u.withUnsafeBufferPointer { u in
      v.withUnsafeBufferPointer { v in
        var lanes = SIMD8<Double>.zero
        let whole = u.count / 8 * 8
        for start in stride(from: 0, to: whole, by: 8) {
          var (x, y) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
          for lane in 0..<8 {
            x[lane] = u[start + lane]
            y[lane] = v[start + lane]
          }
          lanes += x * y
        }
        var sum =
          ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
          + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
        for index in whole..<u.count { sum += u[index] * v[index] }
        return sum
      }
    }
  }
}

extension StructureFingerprint.Settings: ByteCodable {
  /// Appends the four numbers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(cutoffRadius)
    encoder.encode(binWidth)
    encoder.encode(smearing)
    encoder.encode(volumePerAtom)
  }

  /// Reads the four numbers.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let cutoff = try decoder.decode(Double.self)
    let width = try decoder.decode(Double.self)
    let smearing = try decoder.decode(Double.self)
    let volume = try decoder.decode(Double?.self)
    guard width > 0, smearing > 0, cutoff >= width, cutoff.isFinite, (volume ?? 1) > 0 else {
      throw .invalid("settings of a fingerprint")
    }
    self.init(cutoffRadius: cutoff, binWidth: width, smearing: smearing, volumePerAtom: volume)
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
