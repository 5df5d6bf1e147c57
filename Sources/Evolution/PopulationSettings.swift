import Crystal
import NumericalCore

/// What stays the same for the population of a campaign.
public struct PopulationSettings: Sendable, Hashable {
  /// How many individuals breed.
  public let size: Int
  /// What the primitive cells of candidates may hold.
  public let space: CompositionSpace
  /// The space groups that random structures may have.
  public var spaceGroups: [Int]
  /// The starting ratios of the operators, in the order of `VariationKind.operators`.
  public var operators: [Double]
  /// Whether the ratios follow the operators' success.
  public var isAdaptive: Bool
  /// Relative height of antiseeds, 0 for none.
  public var antiseedHeight: Double
  /// Relative width of antiseeds, positive.
  public var antiseedWidth: Double
  /// What makes two structures one.
  public var duplicates: DuplicateRule
  /// Fingerprint distance within which the population has one member at most, the fittest; 0 for none.
  public var nicheRadius: Double
  /// How many packings of the same molecules, chains or layers (``NetSignature``) breed at most, and are among the
  /// best; `nil` for any number.
  ///
  /// Sheets of graphite have stackings without number a few meV apart: they would be all that a search breeds.
  public var packings: Int?
  /// The share of the population that may become parents.
  public var bestFraction: Double
  /// The share of the population that is protected because it is good and different.
  public var survivorShare: Double
  /// The share of the population, by enthalpy, whose median volume is the target volume.
  public var volumeFraction: Double
  /// The first target volume per atom in Å³; by default from tabulated radii.
  public var initialVolumePerAtom: Double?
  /// How many of the best distinct structures are refreshed with the population.
  public var bestCount: Int

  /// Creates settings with default parameters.
  ///
  /// - Parameters:
  ///   - size: How many individuals breed, at least 2.
  ///   - space: What the primitive cells may hold; a valid space.
  public init(size: Int, space: CompositionSpace) {
    precondition(size >= 2 && space.isValid, "a population has members and a composition")
    self.size = size
    self.space = space
    spaceGroups = Array(1...230)
    operators = VariationKind.defaultRatios(in: space)
    isAdaptive = true
    antiseedHeight = AntiseedRecords.defaultHeight
    antiseedWidth = AntiseedRecords.defaultWidth
    duplicates = DuplicateRule()
    nicheRadius = 0
    packings = nil
    bestFraction = 0.7
    survivorShare = 0.15
    volumeFraction = 0.3
    initialVolumePerAtom = nil
    bestCount = 20
  }

  /// Creates settings for listed cells, at least one.
  public init(size: Int, compositions: [Composition]) {
    self.init(size: size, space: .listed(compositions))
  }

  /// Twice the number of atoms in the largest cell, rounded to tens, between 20 and 60.
  public static func defaultSize(for space: CompositionSpace) -> Int {
    min(60, max(20, (2 * space.largestAtomCount + 5) / 10 * 10))
  }
}

extension PopulationSettings: ByteCodable {
  /// Appends every setting.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(size)
    encoder.encode(space)
    encoder.encode(spaceGroups)
    encoder.encode(operators)
    encoder.encode(isAdaptive)
    for value in [
      antiseedHeight, antiseedWidth, bestFraction, survivorShare, volumeFraction,
      nicheRadius,
    ] { encoder.encode(value) }
    encoder.encode(packings)
    encoder.encode(duplicates)
    encoder.encode(initialVolumePerAtom)
    encoder.encode(bestCount)
  }

  /// Reads every setting.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let size = try decoder.decode(Int.self)
    let space = try decoder.decode(CompositionSpace.self)
    guard size >= 2 else { throw .invalid("population of \(size)") }
    self.init(size: size, space: space)
    spaceGroups = try decoder.decode([Int].self)
    operators = try decoder.decode([Double].self)
    isAdaptive = try decoder.decode()
    antiseedHeight = try decoder.decode()
    antiseedWidth = try decoder.decode()
    bestFraction = try decoder.decode()
    survivorShare = try decoder.decode()
    volumeFraction = try decoder.decode()
    nicheRadius = try decoder.decode()
    packings = try decoder.decode(Int?.self)
    duplicates = try decoder.decode()
    initialVolumePerAtom = try decoder.decode(Double?.self)
    bestCount = try decoder.decode()
  }
}
