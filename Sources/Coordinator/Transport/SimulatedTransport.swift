import NumericalCore

/// Pretends to have any number of workers that finish in an order drawn at random: real results,
/// invented times.
///
/// Tests run one campaign through thousands of orders of arrival; benchmarks measure what the
/// schedule itself costs.
public final class SimulatedTransport: WorkTransport {
  private struct Running {
    let id: WorkID
    let order: WorkOrder
    let end: Double
  }

  private let executor: any WorkExecutor
  private var random: RandomStream
  private var workersFreeAt: [Double]
  private var queue: [(id: WorkID, order: WorkOrder)] = []
  private var running: [Running] = []
  private var now = 0.0

  /// Creates workers.
  ///
  /// - Parameters:
  ///   - workers: How many, at least one.
  ///   - seed: Decides the times.
  ///   - executor: Gives the results.
  public init(workers: Int, seed: UInt64, executor: any WorkExecutor) {
    precondition(workers > 0, "at least one worker is needed")
    self.executor = executor
    random = RandomStream(seed: seed, purpose: .test)
    workersFreeAt = [Double](repeating: 0, count: workers)
  }

  /// The number of pretended workers.
  public var workerCount: Int { workersFreeAt.count }

  /// The invented time at which the last result arrived.
  public var elapsed: Double { now }

  /// Gives the executor a potential version.
  public func publish(version: Int, potential: [UInt8]) throws {
    try executor.hold(version: version, potential: potential)
  }

  /// Queues a piece of work.
  public func submit(_ id: WorkID, _ order: WorkOrder) {
    queue.append((id, order))
    start()
  }

  /// The work that is finished first; equal times are settled by the order of submission.
  public func nextCompletion(within seconds: Double) throws -> Completion? {
    start()
    guard let first = running.indices.min(by: { running[$0].end < running[$1].end }) else {
      throw TransportError("no work is under way")
    }
    let done = running.remove(at: first)
    now = max(now, done.end)
    start()
    return Completion(
      id: done.id, result: try executor.execute(done.order), seconds: 0, rank: 0)
  }

  /// Nothing to end.
  public func shutDown() {}

  private func start() {
    while !queue.isEmpty,
      let worker = workersFreeAt.indices.first(where: { workersFreeAt[$0] <= now })
    {
      let (id, order) = queue.removeFirst()
      // A Pareto tail of index 1.2: most work is short, some takes a hundred times longer.
      var duration = 1 / exponential(logarithm(1 - random.uniform()) / 1.2)
      if order.isSlow { duration *= 10 }
      workersFreeAt[worker] = now + duration
      running.append(Running(id: id, order: order, end: now + duration))
    }
  }
}
