import Foundation
import MPIBindings
import NumericalCore

/// Spreads work over the other ranks.
///
/// Every worker holds one piece of work more than it computes, so that polling and messages are
/// hidden; nothing is queued behind slow work.
public final class MPITransport: WorkTransport {
  /// The tag of every message between rank 0 and its workers.
  static let tag = 7

  private struct Worker {
    let rank: Int
    var orders: [WorkID] = []
    var slowOrders = 0
  }

  private let communicator: Communicator
  private var workers: [Worker]
  private var queue: [(id: WorkID, order: WorkOrder)] = []
  private var pendingSends: [PendingSend] = []

  /// Creates a transport on rank 0 of a communicator with at least two ranks.
  public init(_ communicator: Communicator) {
    precondition(communicator.rank == 0 && communicator.size > 1, "workers are needed")
    self.communicator = communicator
    workers = (1..<communicator.size).map { Worker(rank: $0) }
  }

  /// All ranks but this one.
  public var workerCount: Int { workers.count }

  /// Sends a potential version to every worker.
  public func publish(version: Int, potential: [UInt8]) throws {
    let bytes = WorkerMessage.potential(version: version, bytes: potential).canonicalBytes
    for worker in workers { try send(bytes, to: worker.rank) }
  }

  /// Queues a piece of work and hands it over where there is room.
  public func submit(_ id: WorkID, _ order: WorkOrder) throws {
    queue.append((id, order))
    try handOver()
  }

  /// Waits for the next result, sleeping in between.
  public func nextCompletion(within seconds: Double) throws -> Completion? {
    guard workers.contains(where: { !$0.orders.isEmpty }) else {
      throw TransportError("no work is under way")
    }
    guard try communicator.probe(tag: Self.tag, within: seconds) != nil else { return nil }
    let message = try communicator.receive(tag: Self.tag)
    let content: WorkerMessage
    do { content = try WorkerMessage(canonicalBytes: message.bytes) } catch {
      throw TransportError("rank \(message.source) sent a message that cannot be read: \(error)")
    }
    switch content {
    case .completion(let id, let result, let seconds):
      try release(id, rank: message.source)
      return Completion(id: id, result: result, seconds: seconds, rank: message.source)
    case .defect(let id, let text):
      throw TransportError("rank \(message.source) could not do \(id): \(text)")
    case .potential, .order, .stop:
      throw TransportError("rank \(message.source) sent a message that only rank 0 may send")
    }
  }

  /// Tells every worker to end, and waits for the work that they hold.
  public func shutDown() throws {
    let bytes = WorkerMessage.stop.canonicalBytes
    queue = []
    for worker in workers { try send(bytes, to: worker.rank) }
    // A worker finishes what it holds before it reads the stop; a large answer leaves it only when it
    // is received, though nobody needs it any more.
    while workers.contains(where: { !$0.orders.isEmpty }) {
      let message = try communicator.receive(tag: Self.tag)
      switch try WorkerMessage(canonicalBytes: message.bytes) {
      case .completion(let id, _, _), .defect(let id, _): try release(id, rank: message.source)
      case .potential, .order, .stop: break
      }
    }
    for pending in pendingSends { try pending.wait() }
    pendingSends = []
  }

  private func release(_ id: WorkID, rank: Int) throws {
    let index = rank - 1
    guard let place = workers[index].orders.firstIndex(of: id) else {
      throw TransportError("rank \(rank) sent a result for \(id), which it was not asked for")
    }
    workers[index].orders.remove(at: place)
    if workers[index].orders.isEmpty { workers[index].slowOrders = 0 }
    try handOver()
  }

  // First every idle worker gets one order, then every fast one a second.
  private func handOver() throws {
    for depth in 1...2 {
      for index in workers.indices where workers[index].orders.count < depth {
        guard !queue.isEmpty else { return }
        let next = queue[0]
        if depth == 2, workers[index].slowOrders > 0 || next.order.isSlow { continue }
        queue.removeFirst()
        workers[index].orders.append(next.id)
        if next.order.isSlow { workers[index].slowOrders += 1 }
        try send(
          WorkerMessage.order(next.id, next.order).canonicalBytes, to: workers[index].rank)
      }
    }
  }

  private func send(_ bytes: [UInt8], to rank: Int) throws {
    pendingSends.append(try communicator.startSending(bytes, to: rank, tag: Self.tag))
    var open: [PendingSend] = []
    for pending in pendingSends where !(try pending.isComplete()) { open.append(pending) }
    pendingSends = open
  }
}

/// The life of a worker rank: receive, work, answer, until told to stop.
public enum WorkerLoop {
  /// Serves rank 0 until it says stop.
  ///
  /// - Parameters:
  ///   - communicator: Connects to rank 0.
  ///   - executor: Does the work.
  /// - Throws: `MPIError` where messages fail, `TransportError` where a message cannot be read. A defect
  ///   while working is reported to rank 0, which ends the run with its message.
  public static func run(_ communicator: Communicator, executor: any WorkExecutor) throws {
    let clock = ContinuousClock()
    var pending: PendingSend?
    while true {
      let message = try communicator.receive(from: 0, tag: MPITransport.tag)
      let content: WorkerMessage
      do { content = try WorkerMessage(canonicalBytes: message.bytes) } catch {
        throw TransportError("rank 0 sent a message that cannot be read: \(error)")
      }
      switch content {
      case .potential(let version, let bytes):
        try executor.hold(version: version, potential: bytes)
      case .order(let id, let order):
        let start = clock.now
        let answer: WorkerMessage
        do {
          let result = try executor.execute(order)
          answer = .completion(id, result, seconds: (clock.now - start).inSeconds)
        } catch {
          answer = .defect(id, String(describing: error))
        }
        try pending?.wait()
        pending = try communicator.startSending(
          answer.canonicalBytes, to: 0, tag: MPITransport.tag)
      case .stop:
        try pending?.wait()
        return
      case .completion, .defect:
        throw TransportError("rank 0 sent an answer instead of an order")
      }
    }
  }
}
