import NumericalCore

/// What rank 0 sends to a worker and a worker to rank 0; the first byte is the version of the format.
enum WorkerMessage: Equatable {
  case potential(version: Int, bytes: [UInt8])
  case order(WorkID, WorkOrder)
  case stop
  case completion(WorkID, WorkResult, seconds: Double)
  case defect(WorkID, String)

  static let format: UInt8 = 1
}

extension WorkerMessage: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(Self.format)
    switch self {
    case .potential(let version, let bytes):
      encoder.encode(UInt8(0))
      encoder.encode(version)
      encoder.encode(bytes)
    case .order(let id, let order):
      encoder.encode(UInt8(1))
      encoder.encode(id)
      encoder.encode(order)
    case .stop:
      encoder.encode(UInt8(2))
    case .completion(let id, let result, let seconds):
      encoder.encode(UInt8(3))
      encoder.encode(id)
      encoder.encode(result)
      encoder.encode(seconds)
    case .defect(let id, let message):
      encoder.encode(UInt8(4))
      encoder.encode(id)
      encoder.encode(message)
    }
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let format = try decoder.decode(UInt8.self)
    guard format == Self.format else { throw .invalid("message format \(format)") }
    switch try decoder.decode(UInt8.self) {
    case 0:
      self = .potential(
        version: try decoder.decode(Int.self), bytes: try decoder.decode([UInt8].self))
    case 1: self = .order(try decoder.decode(), try decoder.decode())
    case 2: self = .stop
    case 3:
      self = .completion(
        try decoder.decode(), try decoder.decode(), seconds: try decoder.decode(Double.self))
    case 4: self = .defect(try decoder.decode(), try decoder.decode(String.self))
    case let tag: throw .invalid("message \(tag)")
    }
  }
}
