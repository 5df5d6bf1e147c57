import Crystal
import NumericalCore

/// A number per atom that tells the good parts of a parent from the bad ones.
public enum AtomMeasure: Sendable, Hashable {
  /// Nothing is known of single atoms.
  case none
  /// The degree of order of every atom: more is better (Oganov & Valle, J. Chem. Phys. 130, 104504
  /// (2009)).
  case order([Double])
  /// The potential's energy of every atom in eV: less is better.
  case siteEnergies([Double])

  /// The numbers turned so that more is better, `nil` where there are none.
  var qualities: [Double]? {
    switch self {
    case .none: nil
    case .order(let values): values
    case .siteEnergies(let values): values.map { -$0 }
    }
  }

  var count: Int? {
    switch self {
    case .none: nil
    case .order(let values), .siteEnergies(let values): values.count
    }
  }
}

extension AtomMeasure: ByteCodable {
  /// Appends the case and its numbers.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .none: encoder.encode(UInt8(0))
    case .order(let values):
      encoder.encode(UInt8(1))
      encoder.encode(values)
    case .siteEnergies(let values):
      encoder.encode(UInt8(2))
      encoder.encode(values)
    }
  }

  /// Reads the case and its numbers.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .none
    case 1: self = .order(try decoder.decode([Double].self))
    case 2: self = .siteEnergies(try decoder.decode([Double].self))
    case let other: throw .invalid("atom measure \(other)")
    }
  }
}

/// A parent as the worker sees it.
public struct Parent: Sendable, Hashable {
  /// The individual's number.
  public let id: Int
  /// Its relaxed structure.
  public let structure: Structure
  /// What is known of its atoms, in the structure's order.
  public let measure: AtomMeasure
  /// Its soft vibrations, where somebody has computed them; without them, a soft mutation follows the
  /// bond-strength model.
  public let modes: VibrationalModes?

  /// Creates a parent; the measure must have one number per atom, a mode one displacement.
  public init(
    id: Int, structure: Structure, measure: AtomMeasure = .none, modes: VibrationalModes? = nil
  ) {
    precondition(
      measure.count.map { $0 == structure.atomCount } ?? true, "one number per atom is needed")
    precondition(
      modes.map { $0.atomCount == structure.atomCount } ?? true, "modes belong to other atoms")
    self.id = id
    self.structure = structure
    self.measure = measure
    self.modes = modes
  }

  /// The same parent with its soft vibrations.
  public func with(modes: VibrationalModes?) -> Parent {
    Parent(id: id, structure: structure, measure: measure, modes: modes)
  }
}

extension Parent: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(id)
    encoder.encode(structure)
    encoder.encode(measure)
    encoder.encode(modes)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    id = try decoder.decode()
    structure = try decoder.decode()
    measure = try decoder.decode()
    modes = try decoder.decode(VibrationalModes?.self)
    guard measure.count.map({ $0 == structure.atomCount }) ?? true,
      modes.map({ $0.atomCount == structure.atomCount }) ?? true
    else {
      throw .invalid("a measure or modes of other than \(structure.atomCount) atoms")
    }
  }
}

/// One candidate to be made: everything that a worker must know besides the campaign's settings.
public struct BreedingOrder: Sendable, Hashable {
  /// The operator.
  public var kind: VariationKind
  /// The atoms of the child's **primitive** cell.
  public var composition: Composition
  /// As many parents as the operator needs.
  public var parents: [Parent]
  /// Volume per atom in Å³ of random structures.
  public var targetVolumePerAtom: Double
  /// How to make a random structure, what is tried first in front; any way where none of them works.
  public var recipes: [RandomRecipe]
  /// Which soft mode to follow: 0 the softest, 1 the next non-degenerate one, …; beyond the last, a
  /// random combination of low modes.
  public var modeIndex: Int
  /// Whether to follow the mode backwards.
  public var modeIsReversed: Bool

  /// Creates an order.
  ///
  /// - Parameters:
  ///   - kind: The operator.
  ///   - composition: The atoms of the child's primitive cell.
  ///   - parents: As many parents as the operator needs.
  ///   - targetVolumePerAtom: Volume per atom of random structures in Å³, positive.
  ///   - recipes: How to make a random structure; empty: any way.
  ///   - modeIndex: The soft mode to follow.
  ///   - modeIsReversed: Whether to follow it backwards.
  public init(
    kind: VariationKind, composition: Composition, parents: [Parent] = [],
    targetVolumePerAtom: Double, recipes: [RandomRecipe] = [], modeIndex: Int = 0,
    modeIsReversed: Bool = false
  ) {
    precondition(parents.count == kind.parentCount, "\(kind) needs \(kind.parentCount) parents")
    precondition(targetVolumePerAtom > 0 && modeIndex >= 0, "volume and mode must be valid")
    self.kind = kind
    self.composition = composition
    self.parents = parents
    self.targetVolumePerAtom = targetVolumePerAtom
    self.recipes = recipes
    self.modeIndex = modeIndex
    self.modeIsReversed = modeIsReversed
  }

  /// The same order with its recipes in another sequence: that of a place first, then those after it, then
  /// those before.
  public func rotated(by place: Int) -> BreedingOrder {
    guard !recipes.isEmpty, place > 0 else { return self }
    var order = self
    let start = place % recipes.count
    order.recipes = Array(recipes[start...] + recipes[..<start])
    return order
  }
}

extension BreedingOrder: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(kind)
    encoder.encode(composition)
    encoder.encode(parents)
    encoder.encode(targetVolumePerAtom)
    encoder.encode(recipes)
    encoder.encode(modeIndex)
    encoder.encode(modeIsReversed)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    kind = try decoder.decode()
    composition = try decoder.decode()
    parents = try decoder.decode([Parent].self)
    targetVolumePerAtom = try decoder.decode()
    recipes = try decoder.decode([RandomRecipe].self)
    modeIndex = try decoder.decode()
    modeIsReversed = try decoder.decode()
    guard parents.count == kind.parentCount, targetVolumePerAtom > 0, modeIndex >= 0 else {
      throw .invalid("order of kind \(kind.rawValue) with \(parents.count) parents")
    }
  }
}
