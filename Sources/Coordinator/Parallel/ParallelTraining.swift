import MPIBindings
import NumericalCore
import Potential

/// Fits a potential on all ranks, with the same bits for any number of them.
///
/// Rank 0 decides; the others compute the normal equations of their shards. The data are cut into 64
/// shards whatever the number of ranks, and merged in the order of the shards.
public struct ParallelTraining {
  // So many bytes of equations travel at once: rank 0 holds them all. Few turns keep ranks from
  // waiting for each other.
  private static let bytesPerTurn = 1 << 28

  private let communicator: Communicator

  /// Creates a training over the ranks of a communicator.
  public init(_ communicator: Communicator) { self.communicator = communicator }

  /// Fits a potential; every rank calls it with the same arguments.
  ///
  /// - Parameters:
  ///   - potential: The basis to fit.
  ///   - problem: The data.
  ///   - progress: Is told of every step, on rank 0.
  /// - Returns: On rank 0 what was found; elsewhere `nil`.
  /// - Throws: `PotentialError` where a structure cannot be treated; `MPIError`.
  public func run(
    _ potential: MomentTensorPotential, on problem: TrainingProblem,
    progress: ((TrainingStep) -> Void)? = nil
  ) throws -> TrainingReport? {
    let workspace = TrainingWorkspace(problem)
    guard communicator.rank == 0 else {
      try serve(workspace)
      return nil
    }
    let report = try MomentTensorTrainer.train(
      potential, on: problem,
      accumulator: { request in
        if communicator.size > 1 { _ = try communicator.broadcast(request.canonicalBytes) }
        return try equations(for: request, by: workspace)
      }, progress: progress)
    if communicator.size > 1 { _ = try communicator.broadcast([]) }
    return report
  }

  // An empty message ends the training.
  private func serve(_ workspace: TrainingWorkspace) throws {
    while true {
      let bytes = try communicator.broadcast([])
      if bytes.isEmpty { return }
      let request = try MomentTensorTrainer.Request(canonicalBytes: bytes)
      _ = try equations(for: request, by: workspace)
    }
  }

  private func equations(
    for request: MomentTensorTrainer.Request, by workspace: TrainingWorkspace
  ) throws -> NormalEquations {
    let map = ParallelMap(communicator)
    let order = request.potential.parameterCount + 1
    let shards = Self.bytesPerTurn / (order * (order + 1) / 2 * MemoryLayout<Double>.size)
    let turn = max(1, shards / communicator.size) * communicator.size
    var total: NormalEquations?
    for start in stride(from: 0, to: NormalEquations.shardCount, by: turn) {
      let count = min(turn, NormalEquations.shardCount - start)
      let parts = try map.results(of: count) { offset in
        try workspace.equations(for: request, shard: start + offset)
      }
      for part in parts ?? [] {
        if total == nil { total = part } else { total?.merge(part) }
      }
    }
    return total ?? NormalEquations(radialCount: 0, linearCount: 0)
  }
}
