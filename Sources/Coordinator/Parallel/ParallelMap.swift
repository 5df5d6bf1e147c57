import MPIBindings
import NumericalCore

/// Work on numbered items, spread over the ranks.
///
/// Item i is done by rank i mod size and results come back by item, so that nothing depends on the
/// number of ranks.
public struct ParallelMap {
  private let communicator: Communicator

  /// Creates a map over the ranks of a communicator.
  public init(_ communicator: Communicator) { self.communicator = communicator }

  /// Does all items; every rank calls it.
  ///
  /// - Parameters:
  ///   - count: The number of items, equal on all ranks.
  ///   - work: The result of an item; it must depend on the item alone.
  /// - Returns: On rank 0 the results by item; elsewhere `nil`.
  /// - Throws: What the work throws, or `MPIError`, or `ByteCodingError` where ranks run different
  ///   programs.
  public func results<Result: ByteCodable>(
    of count: Int, _ work: (Int) throws -> Result
  ) throws -> [Result]? {
    let (rank, size) = (communicator.rank, communicator.size)
    var mine: [Result] = []
    for item in stride(from: rank, to: count, by: size) { mine.append(try work(item)) }
    guard size > 1 else { return mine }
    var encoder = ByteEncoder()
    encoder.encode(mine)
    guard let parts = try communicator.gather(encoder.bytes) else { return nil }
    var byRank: [[Result]] = []
    for part in parts {
      var decoder = ByteDecoder(part)
      byRank.append(try decoder.decode([Result].self))
    }
    return (0..<count).map { byRank[$0 % size][$0 / size] }
  }

  /// Does all items and gives every rank all results.
  ///
  /// - Parameters:
  ///   - count: The number of items, equal on all ranks.
  ///   - work: The result of an item; it must depend on the item alone.
  /// - Returns: The results by item, on every rank.
  /// - Throws: As `results(of:_:)`.
  public func resultsEverywhere<Result: ByteCodable>(
    of count: Int, _ work: (Int) throws -> Result
  ) throws -> [Result] {
    let collected = try results(of: count, work)
    guard communicator.size > 1 else { return collected ?? [] }
    var encoder = ByteEncoder()
    encoder.encode(collected ?? [])
    var decoder = ByteDecoder(try communicator.broadcast(encoder.bytes))
    return try decoder.decode([Result].self)
  }
}

/// What became of one item of a batch: a failed item is reported and the others go on.
public enum ItemOutcome<Value: Sendable & ByteCodable>: Sendable, ByteCodable {
  /// The item's result.
  case done(Value)
  /// Why there is none.
  case failed(String)

  /// Does the work of one item and keeps its failure.
  public init(catching work: () throws -> Value) {
    do { self = .done(try work()) } catch { self = .failed("\(error)") }
  }

  /// The result, `nil` where the item failed.
  public var value: Value? { if case .done(let value) = self { value } else { nil } }

  /// Appends the outcome.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .done(let value):
      encoder.encode(true)
      encoder.encode(value)
    case .failed(let reason):
      encoder.encode(false)
      encoder.encode(reason)
    }
  }

  /// Reads an outcome.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self =
      try decoder.decode(Bool.self)
      ? .done(try decoder.decode(Value.self)) : .failed(try decoder.decode(String.self))
  }
}
