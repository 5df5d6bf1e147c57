import MPIBindings
import NumericalCore
import Potential

/// Fits a potential on all ranks, with the same bits for any number of them.
///
/// Rank 0 decides; the others compute the normal equations of their shards. The data are cut into 64
/// shards whatever the number of ranks, and merged in the order of the shards.
public struct ParallelTraining {
  /// So many shards per rank travel at once: they are large, and rank 0 holds them all.
  private static let shardsPerTurn = 4

  private let communicator: Communicator

  /// Creates a training over the ranks of a communicator.
  public init(_ communicator: Communicator) { self.communicator = communicator }

  /// Fits a potential; every rank calls it with the same arguments.
  ///
  /// - Parameters:
  ///   - potential: The basis to fit.
  ///   - problem: The data.
  /// - Returns: On rank 0 what was found; elsewhere `nil`.
  /// - Throws: `PotentialError` where a structure cannot be treated; `MPIError`.
  public func run(
    _ potential: MomentTensorPotential, on problem: TrainingProblem
  ) throws -> TrainingReport? {
    guard communicator.rank == 0 else {
      try serve(problem)
      return nil
    }
    let report = try MomentTensorTrainer.train(potential, on: problem) { request in
      if communicator.size > 1 { _ = try communicator.broadcast(request.canonicalBytes) }
      return try equations(for: request, of: problem)
    }
    if communicator.size > 1 { _ = try communicator.broadcast([]) }
    return report
  }

  // An empty message ends the training.
  private func serve(_ problem: TrainingProblem) throws {
    while true {
      let bytes = try communicator.broadcast([])
      if bytes.isEmpty { return }
      let request = try MomentTensorTrainer.Request(canonicalBytes: bytes)
      _ = try equations(for: request, of: problem)
    }
  }

  private func equations(
    for request: MomentTensorTrainer.Request, of problem: TrainingProblem
  ) throws -> NormalEquations {
    let map = ParallelMap(communicator)
    let turn = Self.shardsPerTurn * communicator.size
    var total: NormalEquations?
    for start in stride(from: 0, to: NormalEquations.shardCount, by: turn) {
      let count = min(turn, NormalEquations.shardCount - start)
      let parts = try map.results(of: count) { offset in
        try problem.equations(for: request, shard: start + offset)
      }
      for part in parts ?? [] {
        if total == nil { total = part } else { total?.merge(part) }
      }
    }
    return total ?? NormalEquations(radialCount: 0, linearCount: 0)
  }
}
