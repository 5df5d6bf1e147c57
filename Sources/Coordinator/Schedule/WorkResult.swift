import Crystal
import Evolution
import NumericalCore

/// A structure at rest in a potential or in the reference method, with what a worker found out about it.
public struct RelaxedCandidate: Sendable, Equatable, ByteCodable {
  /// The relaxed structure, reduced and wrapped.
  public var structure: Structure
  /// Energy, forces and stress at rest.
  public var evaluation: Evaluation
  /// Enthalpy at the campaign's pressure, per atom, in eV.
  public var enthalpyPerAtom: Double
  /// Whether forces and stress met the tolerances before the step limit.
  public var hasConverged: Bool
  /// The order of its point group, 1 without symmetry.
  ///
  /// The space group takes as long as some relaxations; it is
  /// found where it is shown.
  public var pointGroupOrder: Int
  /// The fingerprint, for duplicates and antiseeds.
  public var fingerprint: StructureFingerprint
  /// The largest extrapolation grade of the final geometry; 0 for the reference method.
  public var grade: Double
  /// What is known of single atoms, for the choice of heredity slabs.
  public var measure: AtomMeasure

  /// Creates a relaxed candidate.
  public init(
    structure: Structure, evaluation: Evaluation, enthalpyPerAtom: Double,
    hasConverged: Bool, pointGroupOrder: Int,
    fingerprint: StructureFingerprint, grade: Double, measure: AtomMeasure = .none
  ) {
    self.structure = structure
    self.evaluation = evaluation
    self.enthalpyPerAtom = enthalpyPerAtom
    self.hasConverged = hasConverged
    self.pointGroupOrder = pointGroupOrder
    self.fingerprint = fingerprint
    self.grade = grade
    self.measure = measure
  }

  /// Appends every property.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(structure)
    encoder.encode(evaluation)
    encoder.encode(enthalpyPerAtom)
    encoder.encode(hasConverged)
    encoder.encode(pointGroupOrder)
    encoder.encode(fingerprint)
    encoder.encode(grade)
    encoder.encode(measure)
  }

  /// Reads every property.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    structure = try decoder.decode()
    evaluation = try decoder.decode()
    enthalpyPerAtom = try decoder.decode()
    hasConverged = try decoder.decode()
    pointGroupOrder = try decoder.decode()
    fingerprint = try decoder.decode()
    grade = try decoder.decode()
    measure = try decoder.decode()
    let measured: Int? =
      switch measure {
      case .none: nil
      case .order(let values), .siteEnergies(let values): values.count
      }
    guard enthalpyPerAtom.isFinite, evaluation.isFinite(),
      evaluation.forces.count == structure.atomCount,
      measured == nil || measured == structure.atomCount
    else { throw .invalid("a relaxed candidate whose numbers do not belong to its structure") }
  }
}

/// How a relaxation with the potential ended.
///
/// Every ending is a recorded outcome, none is an abort.
public enum RelaxationEnding: Sendable, Equatable, ByteCodable {
  /// No structure could be bred.
  case rejected(String)
  /// The structure came to rest, or ran into the step limit.
  case relaxed(RelaxedCandidate)
  /// The potential extrapolated: the grade reached γ_break. The geometry is the last reliable one.
  case stopped(grade: Double, lastReliable: Structure)
  /// It collapsed, exploded, broke a minimum distance or could not be evaluated.
  case failed(String)

  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .rejected(let reason):
      encoder.encode(UInt8(0))
      encoder.encode(reason)
    case .relaxed(let candidate):
      encoder.encode(UInt8(1))
      encoder.encode(candidate)
    case .stopped(let grade, let structure):
      encoder.encode(UInt8(2))
      encoder.encode(grade)
      encoder.encode(structure)
    case .failed(let reason):
      encoder.encode(UInt8(3))
      encoder.encode(reason)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .rejected(try decoder.decode(String.self))
    case 1: self = .relaxed(try decoder.decode())
    case 2:
      self = .stopped(
        grade: try decoder.decode(Double.self), lastReliable: try decoder.decode())
    case 3: self = .failed(try decoder.decode(String.self))
    case let tag: throw .invalid("relaxation ending \(tag)")
    }
  }
}

/// A structure on which the potential extrapolated, a candidate for labelling.
public struct ExtrapolativeStructure: Sendable, Equatable, ByteCodable {
  /// The structure.
  public let structure: Structure
  /// Its grade γ.
  public let grade: Double

  /// Creates an entry.
  public init(structure: Structure, grade: Double) {
    self.structure = structure
    self.grade = grade
  }

  /// Appends structure and grade.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(structure)
    encoder.encode(grade)
  }

  /// Reads structure and grade.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    structure = try decoder.decode()
    grade = try decoder.decode()
  }
}

/// A relaxation's ending with what it cost and what it hands back for labelling.
public struct RelaxationReport: Sendable, Equatable, ByteCodable {
  /// How it ended.
  public var ending: RelaxationEnding
  /// At most three structures worth labelling.
  public var extrapolative: [ExtrapolativeStructure]
  /// How many energy-force evaluations it took.
  public var evaluations: Int
  /// How the candidate was made, if it began as a random structure.
  public var recipe: RandomRecipe?

  /// Creates a report.
  public init(
    ending: RelaxationEnding, extrapolative: [ExtrapolativeStructure] = [], evaluations: Int
  ) {
    self.ending = ending
    self.extrapolative = extrapolative
    self.evaluations = evaluations
  }

  /// Appends every property.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(ending)
    encoder.encode(extrapolative)
    encoder.encode(evaluations)
    encoder.encode(recipe)
  }

  /// Reads every property.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    ending = try decoder.decode()
    extrapolative = try decoder.decode([ExtrapolativeStructure].self)
    evaluations = try decoder.decode()
    recipe = try decoder.decode(RandomRecipe?.self)
  }
}

/// What a worker sends back.
public enum WorkResult: Sendable, Equatable {
  /// A structure of the initial training set, bred or scattered.
  case generated(Structure)
  /// No structure could be generated.
  case notGenerated(String)
  /// A relaxation with the potential: of a candidate, a continuation or a refresh.
  case relaxation(RelaxationReport)
  /// Places in the pool of the structures chosen for labelling, in ascending order.
  case selected([Int])
  /// What the reference method says of a structure.
  case labelled(Evaluation)
  /// The reference method gave nothing.
  case labelFailed(String)
  /// A trained potential: its file, its active set and the training errors, as immutable bytes.
  case trained([UInt8])
  /// Training gave nothing.
  case trainingFailed(String)
  /// A candidate relaxed with the reference method.
  case reranked(RelaxationReport)
  /// A melt that was moved on.
  case melted(MeltReport)
}

extension WorkResult: ByteCodable {
  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .generated(let structure):
      encoder.encode(UInt8(0))
      encoder.encode(structure)
    case .notGenerated(let reason):
      encoder.encode(UInt8(1))
      encoder.encode(reason)
    case .relaxation(let report):
      encoder.encode(UInt8(2))
      encoder.encode(report)
    case .selected(let places):
      encoder.encode(UInt8(3))
      encoder.encode(places)
    case .labelled(let evaluation):
      encoder.encode(UInt8(4))
      encoder.encode(evaluation)
    case .labelFailed(let reason):
      encoder.encode(UInt8(5))
      encoder.encode(reason)
    case .trained(let bytes):
      encoder.encode(UInt8(6))
      encoder.encode(bytes)
    case .trainingFailed(let reason):
      encoder.encode(UInt8(7))
      encoder.encode(reason)
    case .reranked(let report):
      encoder.encode(UInt8(8))
      encoder.encode(report)
    case .melted(let report):
      encoder.encode(UInt8(9))
      encoder.encode(report)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .generated(try decoder.decode())
    case 1: self = .notGenerated(try decoder.decode(String.self))
    case 2: self = .relaxation(try decoder.decode())
    case 3: self = .selected(try decoder.decode([Int].self))
    case 4: self = .labelled(try decoder.decode())
    case 5: self = .labelFailed(try decoder.decode(String.self))
    case 6: self = .trained(try decoder.decode([UInt8].self))
    case 7: self = .trainingFailed(try decoder.decode(String.self))
    case 8: self = .reranked(try decoder.decode())
    case 9: self = .melted(try decoder.decode())
    case let tag: throw .invalid("work result \(tag)")
    }
  }
}
