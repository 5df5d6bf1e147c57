import Crystal
import Evolution
import NumericalCore

/// The random structures that a search would start from.
struct RandomStructures {
  let composition: Composition
  private var breeder = Breeder()
  private let settings: BreedingSettings
  private let volumePerAtom: Double
  private let seed: UInt64

  /// Prepares a composition with the usual minimum distances.
  ///
  /// - Parameters:
  ///   - composition: The atoms of the cell.
  ///   - spaceGroups: The groups that are drawn from.
  ///   - seed: Another seed gives other structures.
  init(_ composition: Composition, spaceGroups: [Int] = Array(1...230), seed: Int = 1) {
    self.composition = composition
    self.seed = UInt64(seed)
    settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements), spaceGroups: spaceGroups)
    volumePerAtom = VolumeEstimate.fromRadii(composition)
  }

  /// The minimum distances that every structure keeps.
  var minimumDistances: MinimumDistances { settings.minimumDistances }

  /// The structure of a number; `nil` where bounded tries found none.
  mutating func structure(_ number: Int) -> Structure? {
    let order = BreedingOrder(
      kind: .random, composition: composition, targetVolumePerAtom: volumePerAtom)
    var random = RandomStream(seed: seed, purpose: .test, slot: UInt64(number))
    return breeder.breed(order, settings: settings, random: &random).structure
  }

  /// The structure of a number in one space group; `nil` where bounded tries found none.
  mutating func structure(_ number: Int, group: Int) -> Structure? {
    var random = RandomStream(
      seed: seed, purpose: .test, slot: UInt64(number), attempt: UInt32(group))
    return breeder.randomStructure(
      group: group, composition: composition, volumePerAtom: volumePerAtom, settings: settings,
      random: &random)
  }

  /// The groups that can hold the composition.
  mutating func feasibleGroups() -> [Int] { breeder.feasibleGroups(for: composition) }
}

extension RandomStructures {
  /// The options of benchmarks that relax random structures.
  static let options: [Syntax.Option] = [
    .init("composition", "FORMULA", "atoms of the cell; default Ti4O8"),
    .init("starts", "N", "random structures; 7 or more, default 50"),
    .init("seed", "S", "of the random structures; default 1"),
    .init("without-symmetry", nil, "all starts in space group 1; default all groups"),
  ]

  /// The structures that a command line asks for, in the order of their numbers.
  ///
  /// - Throws: `WrongCommandLine` where an option has no meaning, `BenchmarkFailure` where no structure
  ///   was made.
  static func starts(_ arguments: Arguments) throws -> (starts: [Structure], source: Self) {
    var source = RandomStructures(
      try arguments.composition("composition", default: "Ti4O8"),
      spaceGroups: arguments.has("without-symmetry") ? [1] : Array(1...230),
      seed: try arguments.integer("seed", in: 0...Int(Int32.max), default: 1))
    let count = try arguments.integer("starts", in: 7...100_000, default: 50)
    let starts = (0..<count).compactMap { source.structure($0) }
    guard !starts.isEmpty else { throw BenchmarkFailure("no random structure was made") }
    return (starts, source)
  }
}
