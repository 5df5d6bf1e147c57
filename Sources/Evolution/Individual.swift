import Crystal
import NumericalCore

/// A relaxed candidate with what the search must know of it.
public struct Individual: Sendable, Hashable {
  /// The candidate's number; a continuation keeps it.
  public let id: Int
  /// The relaxed structure.
  public let structure: Structure
  /// Enthalpy in eV per atom, by the potential of `potentialVersion`.
  public let enthalpyPerAtom: Double
  /// What it takes to know the structure again.
  public let identity: StructureIdentity
  /// How the candidate came to be.
  public let kind: VariationKind
  /// The parents' numbers.
  public let parents: [Int]
  /// How it was made, if it began as a random structure.
  public let recipe: RandomRecipe?
  /// The order of the point group after relaxation, 1 without symmetry.
  public let pointGroupOrder: Int
  /// The version of the potential that gave the enthalpy.
  public let potentialVersion: Int
  /// What is known of single atoms; without it, the fingerprint's order per atom takes its place.
  public let measure: AtomMeasure
  /// What the cell holds; derived from the structure.
  let composition: Composition

  /// Creates an individual; the enthalpy must be finite.
  public init(
    id: Int, structure: Structure, enthalpyPerAtom: Double, fingerprint: StructureFingerprint,
    kind: VariationKind, parents: [Int] = [], recipe: RandomRecipe? = nil, pointGroupOrder: Int = 1,
    potentialVersion: Int = 0, measure: AtomMeasure = .none
  ) {
    precondition(enthalpyPerAtom.isFinite, "an individual has a finite enthalpy")
    precondition(
      measure.count.map { $0 == structure.atomCount } ?? true, "one number per atom is needed")
    self.id = id
    self.structure = structure
    self.enthalpyPerAtom = enthalpyPerAtom
    identity = StructureIdentity(structure, fingerprint: fingerprint)
    self.kind = kind
    self.parents = parents
    self.recipe = recipe
    self.pointGroupOrder = pointGroupOrder
    self.potentialVersion = potentialVersion
    self.measure = measure
    composition = structure.composition()
  }

  /// The structure's fingerprint.
  public var fingerprint: StructureFingerprint { identity.fingerprint }

  /// The individual as the potential of another version sees it.
  ///
  /// - Parameters:
  ///   - enthalpyPerAtom: The new enthalpy in eV per atom.
  ///   - potentialVersion: The version that gave it.
  ///   - structure: The structure, if it was relaxed again, with its fingerprint.
  ///   - measure: The new numbers per atom.
  /// - Returns: The individual with the same number, operator and parents.
  public func refreshed(
    enthalpyPerAtom: Double, potentialVersion: Int,
    structure: (structure: Structure, fingerprint: StructureFingerprint, pointGroupOrder: Int)? =
      nil,
    measure: AtomMeasure = .none
  ) -> Individual {
    Individual(
      id: id, structure: structure?.structure ?? self.structure,
      enthalpyPerAtom: enthalpyPerAtom, fingerprint: structure?.fingerprint ?? fingerprint,
      kind: kind, parents: parents, recipe: recipe,
      pointGroupOrder: structure?.pointGroupOrder ?? pointGroupOrder,
      potentialVersion: potentialVersion, measure: measure)
  }

  /// The measure, or the order that the fingerprint tells of every atom where there is none.
  var bestMeasure: AtomMeasure {
    guard case .none = measure, fingerprint.atomDegreesOfOrder.count == structure.atomCount else {
      return measure
    }
    return .order(fingerprint.atomDegreesOfOrder)
  }

  /// Whether both have the same elements in the same ratios, so that fingerprints and enthalpies
  /// compare.
  func isComparable(to other: Individual) -> Bool {
    identity.isComparable(to: other.identity)
  }
}

extension Individual: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(id)
    encoder.encode(structure)
    encoder.encode(enthalpyPerAtom)
    encoder.encode(fingerprint)
    encoder.encode(kind)
    encoder.encode(parents)
    encoder.encode(recipe)
    encoder.encode(pointGroupOrder)
    encoder.encode(potentialVersion)
    encoder.encode(measure)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    id = try decoder.decode()
    structure = try decoder.decode()
    enthalpyPerAtom = try decoder.decode()
    let fingerprint = try decoder.decode(StructureFingerprint.self)
    kind = try decoder.decode()
    parents = try decoder.decode([Int].self)
    recipe = try decoder.decode(RandomRecipe?.self)
    pointGroupOrder = try decoder.decode()
    potentialVersion = try decoder.decode()
    measure = try decoder.decode()
    identity = StructureIdentity(structure, fingerprint: fingerprint)
    composition = structure.composition()
    guard enthalpyPerAtom.isFinite, measure.count.map({ $0 == structure.atomCount }) ?? true else {
      throw .invalid("individual \(id)")
    }
  }
}
