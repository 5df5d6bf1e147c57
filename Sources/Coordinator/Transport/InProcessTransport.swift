/// Does the work in this process, in the order in which it was handed over.
public final class InProcessTransport: WorkTransport {
  private let executor: any WorkExecutor
  private var queue: [(id: WorkID, order: WorkOrder)] = []
  private var head = 0

  /// Creates a transport around an executor.
  public init(executor: any WorkExecutor) { self.executor = executor }

  /// One: this process.
  public var workerCount: Int { 1 }

  /// Gives the executor a potential version.
  public func publish(version: Int, potential: [UInt8]) throws {
    try executor.hold(version: version, potential: potential)
  }

  /// Queues a piece of work.
  public func submit(_ id: WorkID, _ order: WorkOrder) { queue.append((id, order)) }

  /// Does the oldest piece of work.
  public func nextCompletion(within seconds: Double) throws -> Completion? {
    guard head < queue.count else { throw TransportError("no work is under way") }
    let (id, order) = queue[head]
    head += 1
    if head > 1024 {
      queue.removeFirst(head)
      head = 0
    }
    let clock = ContinuousClock()
    let start = clock.now
    let result = try executor.execute(order)
    return Completion(id: id, result: result, seconds: (clock.now - start).inSeconds, rank: 0)
  }

  /// Nothing to end.
  public func shutDown() {}
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    Double(components.seconds) + 1e-18 * Double(components.attoseconds)
  }
}
