import NumericalCore

/// What networks look like and how they are trained.
public struct NetworkTrainingSettings: Sendable, Hashable {
  /// The symmetry functions.
  public var functions = SymmetryFunction.Rule()
  /// The nodes of the hidden layers.
  public var hidden = [30, 30]
  /// What these nodes make of their sums.
  public var activation = NeuralNetwork.Activation.tanh
  /// ε of the principal components, relative to the variance of a function; see `InputTransform`.
  public var regularisation = 1e-3
  /// How often every structure is seen at most.
  public var epochs = 1000
  /// After so many structures the weights take a step.
  public var batch = 8
  /// The size of Adam's steps at the start.
  public var learningRate = 3e-3
  /// The same at the end; in between it falls as a cosine does.
  public var lastLearningRate = 1e-5
  /// The squares of all weights, without biases, count so much in the loss.
  public var penalty = 1e-6
  /// Which part of the structures judges instead of teaching.
  public var validation = 0.1
  /// Training ends where the root mean square errors of the structures that judge are below all of these; `nil` for never.
  public var goal: NetworkErrorGoal?
  /// Where weights, batches and the choice of judges come from.
  public var seed: UInt64 = 1

  /// Creates the default settings.
  public init() {}

  /// Checks all numbers.
  ///
  /// - Throws: `PotentialError.invalidParameters`.
  public func validate() throws(PotentialError) {
    guard !hidden.isEmpty, hidden.allSatisfy({ (1...10_000).contains($0) }) else {
      throw .invalidParameters("hidden layers of \(hidden) nodes; allowed is 1 to 10000")
    }
    guard epochs > 0, batch > 0, learningRate > 0, lastLearningRate > 0, penalty >= 0,
      (0...0.9).contains(validation), regularisation > 0
    else {
      throw .invalidParameters(
        "\(epochs) epochs, batches of \(batch), learning rates \(learningRate) to \(lastLearningRate), penalty "
          + "\(penalty), validation \(validation), regularisation \(regularisation)")
    }
  }
}

/// Root mean square errors to be reached.
public struct NetworkErrorGoal: Sendable, Hashable {
  /// In eV/atom.
  public var energy: Double
  /// In eV/Å.
  public var force: Double
  /// In GPa.
  public var stress: Double

  /// By default 10 meV/atom, 0.2 eV/Å and 10 kbar.
  ///
  /// C. Hong et al., Phys. Rev. B 102, 224104 (2020), doi:10.1103/PhysRevB.102.224104.
  public init(energy: Double = 0.010, force: Double = 0.2, stress: Double = 1) {
    self.energy = energy
    self.force = force
    self.stress = stress
  }

  /// Whether errors are below all; what no label has counts as reached.
  func isReached(by errors: ResidualSums) -> Bool {
    errors.energyPerAtom.rootMeanSquare ?? 0 <= energy && errors.force.rootMeanSquare ?? 0 <= force
      && errors.stress.rootMeanSquare ?? 0 <= stress
  }
}
