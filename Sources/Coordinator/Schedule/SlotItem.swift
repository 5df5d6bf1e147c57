import NumericalCore

/// What one slot of the log holds (DESIGN R1–R3).
public enum SlotItem: Sendable, Equatable {
  /// Nothing useful was left to do; counted and reported.
  case idle
  /// Work for a worker whose result this slot commits, done for somebody.
  case work(WorkPurpose, WorkOrder)
  /// A label is asked for; the slot commits at once, the result arrives later.
  case labelRequest(label: Int)
  /// A label arrives.
  case labelArrival(label: Int)
  /// A refit is asked for; the slot commits at once, the potential arrives later.
  case refitRequest(version: Int)
  /// A potential version arrives.
  case refitArrival(version: Int)
}

/// For whom a slot's work is done.
public enum WorkPurpose: Sendable, Equatable {
  /// Structure number n of the initial training set.
  case initialStructure(Int)
  /// A new candidate.
  case candidate(Int)
  /// A stopped candidate whose potential has changed.
  case continuation(candidate: Int)
  /// An individual whose energy belongs to an older potential version.
  case refresh(candidate: Int)
  /// The choice of structures to label.
  case selection
  /// The re-ranking of a candidate.
  case rerank(candidate: Int)
  /// A piece of the way of a melt.
  case melt(Int)
}

extension WorkPurpose: ByteCodable {
  /// Appends a tag and the number.
  public func encode(to encoder: inout ByteEncoder) {
    let (tag, number): (UInt8, Int) =
      switch self {
      case .initialStructure(let n): (0, n)
      case .candidate(let n): (1, n)
      case .continuation(let n): (2, n)
      case .refresh(let n): (3, n)
      case .selection: (4, 0)
      case .rerank(let n): (5, n)
      case .melt(let n): (6, n)
      }
    encoder.encode(tag)
    encoder.encode(number)
  }

  /// Reads a tag and the number.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let tag = try decoder.decode(UInt8.self)
    let number = try decoder.decode(Int.self)
    switch tag {
    case 0: self = .initialStructure(number)
    case 1: self = .candidate(number)
    case 2: self = .continuation(candidate: number)
    case 3: self = .refresh(candidate: number)
    case 4: self = .selection
    case 5: self = .rerank(candidate: number)
    case 6: self = .melt(number)
    default: throw .invalid("work purpose \(tag)")
    }
  }
}

extension SlotItem: ByteCodable {
  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .idle: encoder.encode(UInt8(0))
    case .work(let purpose, let order):
      encoder.encode(UInt8(1))
      encoder.encode(purpose)
      encoder.encode(order)
    case .labelRequest(let label):
      encoder.encode(UInt8(2))
      encoder.encode(label)
    case .labelArrival(let label):
      encoder.encode(UInt8(3))
      encoder.encode(label)
    case .refitRequest(let version):
      encoder.encode(UInt8(4))
      encoder.encode(version)
    case .refitArrival(let version):
      encoder.encode(UInt8(5))
      encoder.encode(version)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .idle
    case 1: self = .work(try decoder.decode(), try decoder.decode())
    case 2: self = .labelRequest(label: try decoder.decode(Int.self))
    case 3: self = .labelArrival(label: try decoder.decode(Int.self))
    case 4: self = .refitRequest(version: try decoder.decode(Int.self))
    case 5: self = .refitArrival(version: try decoder.decode(Int.self))
    case let tag: throw .invalid("slot item \(tag)")
    }
  }
}
