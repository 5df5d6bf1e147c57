import NumericalCore

/// A slot as it is stored: bytes that the digest covers, and the time and place that it does not.
public struct LoggedSlot: Sendable, Equatable {
  /// The slot's number.
  public let slot: Int
  /// Canonical bytes of what it held.
  public let item: [UInt8]
  /// Canonical bytes of its result; empty for items that commit at once.
  public let result: [UInt8]

  /// Creates a stored slot.
  public init(slot: Int, item: [UInt8], result: [UInt8]) {
    self.slot = slot
    self.item = item
    self.result = result
  }

  /// The stored form of a commit.
  public init(_ commit: Schedule.Commit) {
    self.init(
      slot: commit.slot, item: commit.item.canonicalBytes,
      result: commit.result?.canonicalBytes ?? [])
  }

  /// The result.
  ///
  /// - Throws: `ByteCodingError` where the bytes are damaged.
  public func decodedResult() throws(ByteCodingError) -> WorkResult? {
    result.isEmpty ? nil : try WorkResult(canonicalBytes: result)
  }
}

/// An input as it is stored, with the commit after which it acted.
public struct LoggedInput: Sendable, Equatable {
  /// How many slots were committed when it acted.
  public let position: Int
  /// The input.
  public let input: CampaignInput

  /// Creates a stored input.
  public init(position: Int, input: CampaignInput) {
    self.position = position
    self.input = input
  }
}

/// Where a campaign's commits and inputs are kept, in order.
public protocol CampaignLog: AnyObject {
  /// All stored inputs, in the order in which they acted.
  func storedInputs() throws -> [LoggedInput]
  /// What the work of stored slots took, in seconds by slot, where that is known.
  func storedSeconds() throws -> [Int: Double]
  /// Calls a function with every stored slot, in order.
  func forEachStoredSlot(_ body: (LoggedSlot) throws -> Void) throws
  /// Stores a commit; it may be lost in a crash until the next `flush()`.
  func append(_ slot: LoggedSlot, completion: Completion?) throws
  /// Stores an input, flushed before it acts.
  func append(_ input: LoggedInput) throws
  /// Makes everything stored so far safe.
  func flush() throws
  /// Makes everything stored so far safe unless somebody reads the log just now.
  func flushIfFree() throws
}

/// A log in memory, for tests and rehearsals.
public final class MemoryLog: CampaignLog {
  /// The stored slots.
  public private(set) var slots: [LoggedSlot] = []
  /// The stored inputs.
  public private(set) var inputs: [LoggedInput] = []

  /// Creates a log that holds the beginning of another.
  ///
  /// - Parameters:
  ///   - slots: Slots to start with.
  ///   - inputs: Inputs to start with.
  public init(slots: [LoggedSlot] = [], inputs: [LoggedInput] = []) {
    self.slots = slots
    self.inputs = inputs
  }

  /// The inputs.
  public func storedInputs() -> [LoggedInput] { inputs }

  /// Times are not kept.
  public func storedSeconds() -> [Int: Double] { [:] }

  /// Visits the slots.
  public func forEachStoredSlot(_ body: (LoggedSlot) throws -> Void) rethrows {
    for slot in slots { try body(slot) }
  }

  /// Keeps a slot.
  public func append(_ slot: LoggedSlot, completion: Completion?) { slots.append(slot) }

  /// Keeps an input.
  public func append(_ input: LoggedInput) { inputs.append(input) }

  /// Nothing to do.
  public func flush() {}

  /// Nothing to do.
  public func flushIfFree() {}
}
