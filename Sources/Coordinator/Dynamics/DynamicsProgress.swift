import Crystal
import Dynamics
import NumericalCore

/// How far a plan has come: what a checkpoint holds.
struct DynamicsProgress: Sendable {
  /// What is under way.
  enum Position: Sendable {
    /// A stage by its place, the step at which it began, and the atoms.
    case stage(Int, firstStep: Int, DynamicalState)
    /// Melt and quench.
    case meltQuench(MeltQuenchState)
    /// Nothing.
    case finished(DynamicalState)
  }

  var position: Position
  /// What the stage under way was like so far.
  var averages: StageAverages
  /// The stages that are over, one JSON object each.
  var summaries: [JSONValue] = []
  /// The lengths in bytes of the table, of the file of frames, and of the motion of the stage under way.
  var tableLength = 0
  var framesLength = 0
  var motionLength = 0
}

extension DynamicsProgress: ByteCodable {
  private static let version: UInt8 = 3

  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(Self.version)
    switch position {
    case .stage(let place, let firstStep, let state):
      encoder.encode(UInt8(0))
      encoder.encode(place)
      encoder.encode(firstStep)
      encoder.encode(state)
    case .meltQuench(let state):
      encoder.encode(UInt8(1))
      encoder.encode(state)
    case .finished(let state):
      encoder.encode(UInt8(2))
      encoder.encode(state)
    }
    encoder.encode(averages)
    encoder.encode(summaries.count)
    for summary in summaries { encoder.encode(summary) }
    encoder.encode(tableLength)
    encoder.encode(framesLength)
    encoder.encode(motionLength)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let version = try decoder.decode(UInt8.self)
    guard version == Self.version else { throw .invalid("a checkpoint of version \(version)") }
    switch try decoder.decode(UInt8.self) {
    case 0:
      position = .stage(
        try decoder.decode(), firstStep: try decoder.decode(),
        try decoder.decode(DynamicalState.self))
    case 1: position = .meltQuench(try decoder.decode(MeltQuenchState.self))
    case 2: position = .finished(try decoder.decode(DynamicalState.self))
    case let other: throw .invalid("position \(other)")
    }
    averages = try decoder.decode(StageAverages.self)
    let count: Int = try decoder.decode()
    guard (0...decoder.remaining).contains(count) else { throw .invalid("\(count) summaries") }
    for _ in 0..<count { summaries.append(try decoder.decode(JSONValue.self)) }
    tableLength = try decoder.decode()
    framesLength = try decoder.decode()
    motionLength = try decoder.decode()
  }
}

extension JSONValue: ByteCodable {
  /// Appends the value, numbers bit for bit.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .null: encoder.encode(UInt8(0))
    case .flag(let value):
      encoder.encode(UInt8(1))
      encoder.encode(value)
    case .integer(let value):
      encoder.encode(UInt8(2))
      encoder.encode(value)
    case .number(let value):
      encoder.encode(UInt8(3))
      encoder.encode(value)
    case .text(let value):
      encoder.encode(UInt8(4))
      encoder.encode(value)
    case .list(let values):
      encoder.encode(UInt8(5))
      encoder.encode(values)
    case .object(let members):
      encoder.encode(UInt8(6))
      encoder.encode(members.count)
      for member in members {
        encoder.encode(member.key)
        encoder.encode(member.value)
      }
    }
  }

  /// Reads a value.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .null
    case 1: self = .flag(try decoder.decode())
    case 2: self = .integer(try decoder.decode())
    case 3: self = .number(try decoder.decode())
    case 4: self = .text(try decoder.decode())
    case 5: self = .list(try decoder.decode([JSONValue].self))
    case 6:
      let count: Int = try decoder.decode()
      guard (0...decoder.remaining).contains(count) else { throw .invalid("\(count) keys") }
      var members: [Member] = []
      for _ in 0..<count {
        let key: String = try decoder.decode()
        members.append(Member(key, try decoder.decode(JSONValue.self)))
      }
      self = .object(members)
    case let other: throw .invalid("JSON value of kind \(other)")
    }
  }
}
