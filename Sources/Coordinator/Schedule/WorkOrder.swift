import Crystal
import Evolution
import NumericalCore

/// What a worker is asked to do.
///
/// Together with the campaign's settings an order says everything: no state of an earlier order
/// survives in a worker, apart from potentials, which are immutable and named by version.
public enum WorkOrder: Sendable, Equatable {
  /// Make a structure for the initial training set.
  case generate(BreedingOrder, stream: Int)
  /// Breed a candidate and relax it with a potential version.
  case explore(BreedingOrder, stream: Int, version: Int)
  /// Relax a candidate further from a geometry, with a newer potential version.
  case resume(Structure, version: Int)
  /// Evaluate a relaxed individual with a newer potential version; relax it where it is no longer at rest.
  case refresh(Structure, version: Int)
  /// Choose from a pool the structures that widen the active set of a potential version.
  case select([Structure], version: Int, limit: Int)
  /// Label a structure with the reference method; again where an earlier try was ended from outside.
  case label(Structure, again: Bool)
  /// Train potential `version` on labelled structures, starting from an earlier version where there is one.
  case refit([LabelledStructure], version: Int, start: Int?)
  /// The same for the potential that moves melts.
  case refitForMelts([LabelledStructure], version: Int, start: Int?)
  /// Relax a finished candidate with the reference method.
  case rerank(Structure)
  /// Scatter atoms, with a volume per atom in Å³, for the initial training set.
  case scatter(Composition, volumePerAtom: Double, stream: Int)
  /// Move a melt on, with a potential version; with other velocities for every attempt that is not 0.
  case melt(MeltProgress, run: Int, attempt: Int, version: Int)

  /// The potential version that the worker must hold, if any; version 0 is the reference method,
  /// which every worker has.
  public var requiredVersion: Int? {
    switch self {
    case .explore(_, _, let version), .resume(_, let version), .refresh(_, let version),
      .select(_, let version, _), .melt(_, _, _, let version):
      version > 0 ? version : nil
    case .refit(_, _, let start), .refitForMelts(_, _, let start): start
    case .generate, .label, .rerank, .scatter: nil
    }
  }

  /// Whether the reference method is asked.
  public var asksReference: Bool {
    switch self {
    case .label, .rerank: true
    case .explore(_, _, let version), .resume(_, let version), .refresh(_, let version),
      .melt(_, _, _, let version):
      version == 0
    case .generate, .select, .refit, .refitForMelts, .scatter: false
    }
  }

  /// Whether the work may take much longer than a relaxation: nothing is queued behind it.
  public var isSlow: Bool {
    switch self {
    case .label, .refit, .refitForMelts, .rerank, .melt: true
    case .generate, .explore, .resume, .refresh, .select, .scatter: false
    }
  }
}

extension WorkOrder: ByteCodable {
  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .generate(let order, let stream):
      encoder.encode(UInt8(0))
      encoder.encode(order)
      encoder.encode(stream)
    case .explore(let order, let stream, let version):
      encoder.encode(UInt8(1))
      encoder.encode(order)
      encoder.encode(stream)
      encoder.encode(version)
    case .resume(let structure, let version):
      encoder.encode(UInt8(2))
      encoder.encode(structure)
      encoder.encode(version)
    case .refresh(let structure, let version):
      encoder.encode(UInt8(3))
      encoder.encode(structure)
      encoder.encode(version)
    case .select(let pool, let version, let limit):
      encoder.encode(UInt8(4))
      encoder.encode(pool)
      encoder.encode(version)
      encoder.encode(limit)
    case .label(let structure, let again):
      encoder.encode(UInt8(5))
      encoder.encode(structure)
      encoder.encode(again)
    case .refit(let labelled, let version, let start):
      encoder.encode(UInt8(6))
      encoder.encode(labelled)
      encoder.encode(version)
      encoder.encode(start)
    case .rerank(let structure):
      encoder.encode(UInt8(7))
      encoder.encode(structure)
    case .refitForMelts(let labelled, let version, let start):
      encoder.encode(UInt8(10))
      encoder.encode(labelled)
      encoder.encode(version)
      encoder.encode(start)
    case .scatter(let composition, let volume, let stream):
      encoder.encode(UInt8(8))
      encoder.encode(composition)
      encoder.encode(volume)
      encoder.encode(stream)
    case .melt(let progress, let run, let attempt, let version):
      encoder.encode(UInt8(9))
      encoder.encode(progress)
      encoder.encode(run)
      encoder.encode(attempt)
      encoder.encode(version)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0:
      self = .generate(try decoder.decode(), stream: try decoder.decode(Int.self))
    case 1:
      self = .explore(
        try decoder.decode(), stream: try decoder.decode(Int.self),
        version: try decoder.decode(Int.self))
    case 2: self = .resume(try decoder.decode(), version: try decoder.decode(Int.self))
    case 3: self = .refresh(try decoder.decode(), version: try decoder.decode(Int.self))
    case 4:
      self = .select(
        try decoder.decode([Structure].self), version: try decoder.decode(Int.self),
        limit: try decoder.decode(Int.self))
    case 5: self = .label(try decoder.decode(), again: try decoder.decode(Bool.self))
    case 6:
      self = .refit(
        try decoder.decode([LabelledStructure].self), version: try decoder.decode(Int.self),
        start: try decoder.decode(Int?.self))
    case 7: self = .rerank(try decoder.decode())
    case 8:
      self = .scatter(
        try decoder.decode(), volumePerAtom: try decoder.decode(Double.self),
        stream: try decoder.decode(Int.self))
    case 9:
      self = .melt(
        try decoder.decode(), run: try decoder.decode(Int.self),
        attempt: try decoder.decode(Int.self), version: try decoder.decode(Int.self))
    case 10:
      self = .refitForMelts(
        try decoder.decode([LabelledStructure].self), version: try decoder.decode(Int.self),
        start: try decoder.decode(Int?.self))
    case let tag: throw .invalid("work order \(tag)")
    }
  }
}
