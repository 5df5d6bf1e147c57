import NumericalCore

/// Names a piece of work from its dispatch to its result.
public enum WorkID: Sendable, Hashable, ByteCodable {
  /// The work of a slot.
  case slot(Int)
  /// A label on its way.
  case label(Int)
  /// A potential version on its way.
  case refit(Int)

  /// Appends a tag and the number.
  public func encode(to encoder: inout ByteEncoder) {
    let (tag, number): (UInt8, Int) =
      switch self {
      case .slot(let n): (0, n)
      case .label(let n): (1, n)
      case .refit(let n): (2, n)
      }
    encoder.encode(tag)
    encoder.encode(number)
  }

  /// Reads a tag and the number.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let tag = try decoder.decode(UInt8.self)
    let number = try decoder.decode(Int.self)
    switch tag {
    case 0: self = .slot(number)
    case 1: self = .label(number)
    case 2: self = .refit(number)
    default: throw .invalid("work id \(tag)")
    }
  }
}

/// A result with where and how long it was worked on; time and place are recorded, never used.
public struct Completion: Sendable {
  /// Which work it is the result of.
  public let id: WorkID
  /// The result.
  public let result: WorkResult
  /// Wall-clock seconds of the work.
  public let seconds: Double
  /// The rank that did it.
  public let rank: Int

  /// Creates a completion.
  public init(id: WorkID, result: WorkResult, seconds: Double, rank: Int) {
    self.id = id
    self.result = result
    self.seconds = seconds
    self.rank = rank
  }
}

/// Carries work to where it is done and results back, in any order.
///
/// The schedule does not know which transport it runs on, and its log does not depend on it.
public protocol WorkTransport: AnyObject {
  /// How many workers there are, at least one.
  var workerCount: Int { get }

  /// Makes a potential version known to every worker, before any work that needs it is submitted.
  func publish(version: Int, potential: [UInt8]) throws

  /// Hands over a piece of work.
  func submit(_ id: WorkID, _ order: WorkOrder) throws

  /// The next result that is ready; waits for it.
  ///
  /// - Parameter seconds: How long to wait where the work is done elsewhere.
  /// - Returns: `nil` where nothing was ready in time.
  /// - Throws: An error where no work is under way or a worker was lost.
  func nextCompletion(within seconds: Double) throws -> Completion?

  /// Ends all workers.
  func shutDown() throws
}

/// Does work.
///
/// One real implementation; tests use others.
public protocol WorkExecutor: AnyObject {
  /// Keeps an immutable potential version for later orders.
  func hold(version: Int, potential: [UInt8]) throws
  /// Does a piece of work; a failure of the work is a result, an error is a defect.
  func execute(_ order: WorkOrder) throws -> WorkResult
}

/// The transport was misused or broken.
public struct TransportError: Error, CustomStringConvertible {
  /// What happened.
  public let description: String

  init(_ description: String) { self.description = description }
}
