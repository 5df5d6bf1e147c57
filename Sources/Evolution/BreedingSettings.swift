import Crystal
import NumericalCore

/// What stays the same for all candidates of a campaign: the rules a child must keep and the
/// parameters of the variation operators.
///
/// Defaults follow the literature cited at the operators.
public struct BreedingSettings: Sendable, Hashable {
  /// The shortest allowed distance of every pair of elements.
  public var minimumDistances: MinimumDistances
  /// The space groups of random structures by number, 1 … 230; each at most once.
  public var spaceGroups: [Int]
  /// The random structures' volume is the target times a factor between 1 − spread and 1 + spread.
  public var volumeSpread: Double
  /// Rejected: cells whose longest reduced lattice vector exceeds the shortest by this factor.
  public var largestAspectRatio: Double
  /// Rejected: reduced cells with an angle further than this from 90°, in radians.
  public var largestSkew: Double
  /// Rejected: cells with a layer of this thickness in Å that holds no atom.
  public var largestGap: Double
  /// The smallest share of the atoms that each parent of a heredity child must give, 0 … 0.5.
  public var smallestParentShare: Double
  /// Heredity takes several slabs where a cell holds more atoms than this.
  public var atomsPerSlabPair: Int
  /// Bias of the heredity slab in eV: p ∝ exp(−mean site energy / bias).
  public var siteEnergyBias: Double
  /// A permutation swaps at most this share of the atoms of the rarer element, at least one pair.
  public var largestSwapShare: Double
  /// Smallest standard deviation of a lattice mutation's strain components.
  public var smallestStrain: Double
  /// Largest standard deviation of a lattice mutation's strain components.
  public var largestStrain: Double
  /// Largest displacement of a soft mutation, in units of the mean covalent radius.
  public var softDisplacement: Double
  /// Largest displacement of the weak soft mutation after a lattice mutation, in the same unit.
  public var weakDisplacement: Double
  static let usualAtomsPerPlainCell = 25
  static let usualSubcellShare = 0.3
  /// Random structures with more atoms than this are made of subcells now and then.
  public var atomsPerPlainCell: Int
  /// How often that is, 0 … 1.
  public var subcellShare: Double
  /// Which nets topological structures may use.
  public var topologies: TopologySettings
  /// Smallest amplitude of a ripple in Å.
  public var smallestRipple: Double
  /// Largest amplitude of a ripple in Å.
  public var largestRipple: Double
  /// Largest standard deviation in Å of the displacements that tell the copies in a doubled cell apart.
  public var supercellDisplacement: Double
  /// How often an operator starts over before it gives up.
  public var attempts: Int

  /// Creates settings with the default operator parameters.
  ///
  /// - Parameters:
  ///   - minimumDistances: The shortest allowed distances.
  ///   - spaceGroups: Space groups of random structures.
  public init(minimumDistances: MinimumDistances, spaceGroups: [Int] = Array(1...230)) {
    precondition(spaceGroups.allSatisfy { (1...230).contains($0) }, "groups are 1 … 230")
    precondition(Set(spaceGroups).count == spaceGroups.count, "a space group is named twice")
    self.minimumDistances = minimumDistances
    self.spaceGroups = spaceGroups
    volumeSpread = 0.15
    largestAspectRatio = 7
    largestSkew = 1.0
    largestGap = 6
    smallestParentShare = 0.25
    atomsPerSlabPair = 24
    siteEnergyBias = 0.01
    largestSwapShare = 0.5
    smallestStrain = 0.2
    largestStrain = 0.5
    softDisplacement = 3
    weakDisplacement = 0.5
    atomsPerPlainCell = Self.usualAtomsPerPlainCell
    subcellShare = Self.usualSubcellShare
    topologies = TopologySettings()
    smallestRipple = 0.5
    largestRipple = 1
    supercellDisplacement = 0.25
    attempts = 40
  }
}

extension BreedingSettings: ByteCodable {
  /// Appends every setting.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(minimumDistances)
    encoder.encode(spaceGroups)
    for value in [
      volumeSpread, largestAspectRatio, largestSkew, largestGap, smallestParentShare,
      siteEnergyBias, largestSwapShare, smallestStrain, largestStrain, softDisplacement,
      weakDisplacement, smallestRipple, largestRipple, supercellDisplacement, subcellShare,
    ] { encoder.encode(value) }
    encoder.encode(atomsPerSlabPair)
    encoder.encode(atomsPerPlainCell)
    encoder.encode(attempts)
    encoder.encode(topologies)
  }

  /// Reads every setting.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let distances = try decoder.decode(MinimumDistances.self)
    let groups = try decoder.decode([Int].self)
    guard groups.allSatisfy({ (1...230).contains($0) }), Set(groups).count == groups.count else {
      throw .invalid("space groups \(groups)")
    }
    self.init(minimumDistances: distances, spaceGroups: groups)
    volumeSpread = try decoder.decode()
    largestAspectRatio = try decoder.decode()
    largestSkew = try decoder.decode()
    largestGap = try decoder.decode()
    smallestParentShare = try decoder.decode()
    siteEnergyBias = try decoder.decode()
    largestSwapShare = try decoder.decode()
    smallestStrain = try decoder.decode()
    largestStrain = try decoder.decode()
    softDisplacement = try decoder.decode()
    weakDisplacement = try decoder.decode()
    smallestRipple = try decoder.decode()
    largestRipple = try decoder.decode()
    supercellDisplacement = try decoder.decode()
    subcellShare = try decoder.decode()
    atomsPerSlabPair = try decoder.decode()
    atomsPerPlainCell = try decoder.decode()
    attempts = try decoder.decode()
    topologies = try decoder.decode()
  }
}
