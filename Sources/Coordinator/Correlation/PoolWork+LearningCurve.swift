import Crystal
import Dataset
import NumericalCore
import Potential

/// How well a potential ranks a pool after training on a part of its training set.
public struct LearningCurvePoint: Sendable {
  /// How many structures of the training set it was given: the first ones of the file.
  public let structureCount: Int
  /// How many of them it was trained on; caps and windows may leave some out.
  public let usedCount: Int
  /// The loss of the fit.
  public let loss: Double
  /// Whether the fit ended by itself.
  public let hasConverged: Bool
  /// The pool in its own geometry.
  public let comparison: PoolComparison
}

extension PoolWork {
  /// The sizes of the parts of a training set: halved again and again, from the smallest to the whole.
  ///
  /// - Parameters:
  ///   - count: The size of the set, at least 1.
  ///   - points: How many sizes; fewer come out where halves would be less than one structure or equal.
  /// - Returns: Sizes in ascending order, rounded up.
  public static func learningCurveSizes(of count: Int, points: Int) -> [Int] {
    precondition(count > 0 && points > 0, "there is something to train on")
    var sizes: [Int] = []
    for power in 0..<points where power < 62 {
      let size = (count + (1 << power) - 1) >> power
      if sizes.last != size { sizes.append(size) }
    }
    return sizes.reversed()
  }

  /// Fits a potential to growing parts of a training set, and compares each with the reference method.
  ///
  /// - Parameters:
  ///   - potential: Its basis is fitted; its coefficients count only where the settings start from them.
  ///   - training: The training set, in its order.
  ///   - settings: Of each fit.
  ///   - points: How many parts, each half of the next.
  /// - Returns: On rank 0 one point for each part, the smallest first; elsewhere `nil`.
  /// - Throws: `PotentialError` where a fit is impossible; `CampaignError.failed` where a potential treats no
  ///   structure of the pool; `MPIError`.
  public func learningCurve(
    of potential: MomentTensorPotential, training: [LabelledStructure], settings: TrainingSettings,
    points: Int = 5
  ) throws -> [LearningCurvePoint]? {
    var curve: [LearningCurvePoint] = []
    for size in Self.learningCurveSizes(of: training.count, points: points) {
      let problem = try TrainingProblem(
        Array(training.prefix(size)), for: potential, settings: settings)
      let report = try ParallelTraining(communicator).run(potential, on: problem)
      // All ranks evaluate the potential that rank 0 has found.
      var encoder = ByteEncoder()
      if let report { encoder.encode(report.potential) }
      var decoder = ByteDecoder(try communicator.broadcast(encoder.bytes))
      let fitted = try decoder.decode(MomentTensorPotential.self)
      guard let comparison = try comparison(with: fitted), let report else { continue }
      curve.append(
        LearningCurvePoint(
          structureCount: size, usedCount: problem.usedCount(), loss: report.loss,
          hasConverged: report.converged, comparison: comparison))
    }
    return communicator.rank == 0 ? curve : nil
  }
}
