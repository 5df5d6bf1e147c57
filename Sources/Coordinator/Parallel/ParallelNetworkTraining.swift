import MPIBindings
import NumericalCore
import Potential

/// Trains networks on all ranks, with the same bits for any number of them.
///
/// Rank 0 decides; the others compute gradients of their structures of a batch, which are added in the order of the batch.
public struct ParallelNetworkTraining {
  private let communicator: Communicator

  /// Creates a training over the ranks of a communicator.
  public init(_ communicator: Communicator) { self.communicator = communicator }

  /// Trains networks; every rank calls it with the same arguments.
  ///
  /// - Parameters:
  ///   - problem: The data.
  ///   - functions: The symmetry functions of each species.
  ///   - settings: What networks look like and how they are trained.
  ///   - start: Networks to go on with; random ones by default.
  ///   - progress: Is told of every epoch, on rank 0.
  /// - Returns: On rank 0 what was found; elsewhere `nil`.
  /// - Throws: `PotentialError` where a structure cannot be treated or the loss grows without limit; `MPIError`.
  public func run(
    on problem: TrainingProblem, functions: [[SymmetryFunction]],
    settings: NetworkTrainingSettings, start: NeuralNetworkPotential? = nil,
    progress: (NetworkTrainingStep) -> Void = { _ in }
  ) throws -> NetworkTrainingReport? {
    let data = NetworkTrainingData(problem, functions: functions)
    guard communicator.rank == 0 else {
      try serve(data)
      return nil
    }
    guard communicator.size > 1 else {
      var trainer = try NetworkTrainer(data, settings: settings, start: start)
      return try trainer.train(data.gradients, progress: progress)
    }
    // The others are told of the end however it comes.
    let outcome = Result {
      var trainer = try NetworkTrainer(data, settings: settings, start: start)
      return try trainer.train(
        { request in
          _ = try communicator.broadcast(request.canonicalBytes)
          return try gradients(request, data) ?? []
        }, progress: progress)
    }
    _ = try communicator.broadcast([])
    return try outcome.get()
  }

  // An empty message ends the training.
  private func serve(_ data: NetworkTrainingData) throws {
    while true {
      let bytes = try communicator.broadcast([])
      if bytes.isEmpty { return }
      _ = try gradients(try NetworkRequest(canonicalBytes: bytes), data)
    }
  }

  private func gradients(
    _ request: NetworkRequest, _ data: NetworkTrainingData
  ) throws -> [NetworkGradient]? {
    try ParallelMap(communicator).results(
      of: request.members.count, try data.answer(to: request))
  }
}
