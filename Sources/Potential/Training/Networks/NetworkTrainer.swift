import Crystal
import NumericalCore

/// What a training of networks asks for: gradients, or errors alone, of some structures.
public struct NetworkRequest: Sendable {
  /// The networks of the symmetry functions themselves, one for each species.
  public let networks: [NeuralNetwork]
  /// The structures, by their place in the problem.
  public let members: [Int]
  /// Whether derivatives are wanted.
  public let isDifferentiated: Bool

  /// Creates a request.
  public init(networks: [NeuralNetwork], members: [Int], isDifferentiated: Bool) {
    self.networks = networks
    self.members = members
    self.isDifferentiated = isDifferentiated
  }
}

extension NetworkRequest: ByteCodable {
  /// Appends networks and members.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(networks)
    encoder.encode(members)
    encoder.encode(isDifferentiated)
  }

  /// Reads networks and members.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    networks = try decoder.decode([NeuralNetwork].self)
    members = try decoder.decode([Int].self)
    isDifferentiated = try decoder.decode()
  }
}

/// How a training of networks stands after all structures have been seen once more.
public struct NetworkTrainingStep: Sendable {
  /// How often all structures have been seen.
  public let epoch: Int
  /// Errors of the structures that teach, while they were seen.
  public let training: ResidualSums
  /// Errors of the structures that judge.
  public let validation: ResidualSums
  /// The mean loss of the structures that judge; of those that teach where there are no judges.
  public let loss: Double
}

/// What a training of networks has found.
public struct NetworkTrainingReport: Sendable {
  /// The potential whose structures that judge had the smallest loss.
  public let potential: NeuralNetworkPotential
  /// How it stood then.
  public let best: NetworkTrainingStep
  /// How it stood in the end.
  public let last: NetworkTrainingStep
  /// How many steps the weights took.
  public let updates: Int
  /// Structures that teach.
  public let teachers: [Int]
  /// Structures that judge.
  public let judges: [Int]
  /// Whether it ended as its goal was reached.
  public let isGoalReached: Bool
}

/// Trains Behler–Parrinello networks on energies, forces and stresses: minibatches of whole structures, with Adam, in
/// coordinates of uncorrelated inputs.
///
/// Gradients of structures are asked for in batches and added in their order, so that the result has the same bits
/// whoever computes them.
public struct NetworkTrainer {
  private let problem: TrainingProblem
  private let settings: NetworkTrainingSettings
  private let functions: [[SymmetryFunction]]
  private let transforms: [InputTransform]
  private let teachers: [Int]
  private let judges: [Int]
  /// Networks of uncorrelated inputs.
  private var networks: [NeuralNetwork]
  private var parameters: [Double]
  private var adam: Adam
  private var updates = 0

  /// Prepares a training: finds means and correlations of the functions.
  ///
  /// - Parameters:
  ///   - data: The structures.
  ///   - settings: What networks look like and how they are trained.
  ///   - start: Networks to go on with; random ones by default.
  /// - Throws: `PotentialError`.
  public init(
    _ data: NetworkTrainingData, settings: NetworkTrainingSettings,
    start: NeuralNetworkPotential? = nil
  ) throws(PotentialError) {
    try settings.validate()
    let problem = data.problem
    self.problem = problem
    self.settings = settings
    functions = data.functions
    let used = problem.structures.indices.filter { problem.exclusions[$0] == nil }
    var shuffled = used
    var random = RandomStream(seed: settings.seed, purpose: .split)
    random.shuffle(&shuffled)
    let judged = used.count < 2 ? 0 : Int(settings.validation * Double(used.count))
    let teachers = shuffled[judged...].sorted()
    self.teachers = teachers
    judges = shuffled[..<judged].sorted()
    var untransformed: [NeuralNetwork] = []
    for (species, functions) in functions.enumerated() {
      if let start {
        let network = start.networks[species]
        untransformed.append(
          network.network.folding(centers: network.centers, scales: network.scales))
      } else {
        var random = RandomStream(
          seed: settings.seed, purpose: .trainingStart, slot: UInt64(species))
        untransformed.append(
          NeuralNetwork(
            inputCount: functions.count, hidden: settings.hidden, activation: settings.activation,
            random: &random))
      }
    }
    let moments = try data.moments(of: teachers, by: data.sweep(untransformed))
    var transforms: [InputTransform] = []
    for (species, moment) in moments.enumerated() {
      guard moment.count > 0 else {
        throw .training("no structure to train on holds \(data.problem.elements[species])")
      }
      transforms.append(
        try InputTransform(moment, regularisation: settings.regularisation))
    }
    self.transforms = transforms
    let networks =
      start == nil ? untransformed : zip(transforms, untransformed).map { $0.unfolded($1) }
    self.networks = networks
    parameters = networks.flatMap(\.parameters)
    adam = Adam(count: parameters.count)
  }

  /// Trains until the goal is reached or all epochs are over.
  ///
  /// - Parameters:
  ///   - gradients: Answers a request, one gradient for each structure.
  ///   - progress: Is told of every epoch.
  /// - Returns: What was found.
  /// - Throws: `PotentialError.training` where numbers grow without limit; what the closure throws.
  public mutating func train(
    _ gradients: (NetworkRequest) throws -> [NetworkGradient],
    progress: (NetworkTrainingStep) -> Void = { _ in }
  ) throws -> NetworkTrainingReport {
    var best: (step: NetworkTrainingStep, networks: [NeuralNetwork])?
    var last: NetworkTrainingStep?
    var isGoalReached = false
    for epoch in 1...settings.epochs {
      let step = try teach(epoch, gradients)
      progress(step)
      last = step
      guard step.loss.isFinite else {
        throw PotentialError.training(
          "the loss of the networks is \(step.loss) after \(epoch) epochs; a smaller learning rate helps"
        )
      }
      if step.loss < best?.step.loss ?? .infinity { best = (step, networks) }
      if let goal = settings.goal, !judges.isEmpty, goal.isReached(by: step.validation) {
        isGoalReached = true
        best = (step, networks)
        break
      }
    }
    guard let best, let last else { throw PotentialError.training("there are no epochs") }
    return NetworkTrainingReport(
      potential: try potential(best.networks), best: best.step, last: last, updates: updates,
      teachers: teachers, judges: judges, isGoalReached: isGoalReached)
  }

  /// Lets all structures be seen once.
  private mutating func teach(
    _ epoch: Int, _ gradients: (NetworkRequest) throws -> [NetworkGradient]
  ) throws -> NetworkTrainingStep {
    var order = teachers
    var random = RandomStream(
      seed: settings.seed, purpose: .trainingStart, slot: 1 << 32 + UInt64(epoch))
    random.shuffle(&order)
    let rate = learningRate(epoch)
    var seen = NetworkGradient(values: [])
    for first in stride(from: 0, to: order.count, by: settings.batch) {
      let members = Array(order[first..<min(first + settings.batch, order.count)])
      let parts = try gradients(
        NetworkRequest(networks: folded(), members: members, isDifferentiated: true))
      guard var sum = parts.first else { continue }
      for part in parts.dropFirst() { sum.merge(part) }
      take(sum.values, count: members.count, rate: rate)
      seen.loss += sum.loss
      seen.errors.merge(sum.errors)
    }
    guard !judges.isEmpty else {
      return NetworkTrainingStep(
        epoch: epoch, training: seen.errors, validation: ResidualSums(),
        loss: seen.loss / Double(teachers.count))
    }
    var judged = NetworkGradient(values: [])
    for part in try gradients(
      NetworkRequest(networks: folded(), members: judges, isDifferentiated: false))
    {
      judged.merge(part)
    }
    return NetworkTrainingStep(
      epoch: epoch, training: seen.errors, validation: judged.errors,
      loss: judged.loss / Double(judges.count))
  }

  /// Falls from the first rate to the last one as a cosine does.
  private func learningRate(_ epoch: Int) -> Double {
    let passed = Double(epoch - 1) / Double(max(1, settings.epochs - 1))
    let (first, last) = (settings.learningRate, settings.lastLearningRate)
    return last + (first - last) * 0.5 * (1 + cosine(.pi * passed))
  }

  private func folded() -> [NeuralNetwork] {
    zip(transforms, networks).map { $0.folded($1) }
  }

  /// Takes a step along the gradient of a batch.
  private mutating func take(_ sum: [Double], count: Int, rate: Double) {
    var gradient: [Double] = []
    gradient.reserveCapacity(sum.count)
    var first = 0
    for (transform, network) in zip(transforms, networks) {
      var own = Array(sum[first..<first + network.parameterCount])
      first += own.count
      transform.unfold(&own, nodes: network.layers[0].nodeCount)
      for i in own.indices { own[i] /= Double(count) }
      addPenalty(of: network, to: &own)
      gradient += own
    }
    adam.step(&parameters, along: gradient, rate: rate)
    updates += 1
    first = 0
    for species in networks.indices {
      let count = networks[species].parameterCount
      networks[species].parameters = Array(parameters[first..<first + count])
      first += count
    }
  }

  private func addPenalty(of network: NeuralNetwork, to gradient: inout [Double]) {
    guard settings.penalty > 0 else { return }
    var place = 0
    for layer in network.layers {
      for weight in layer.weights {
        gradient[place] += 2 * settings.penalty * weight
        place += 1
      }
      place += layer.biases.count
    }
  }

  /// The potential that networks of uncorrelated inputs make.
  private func potential(_ networks: [NeuralNetwork]) throws(PotentialError)
    -> NeuralNetworkPotential
  {
    var atomic: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    for (species, element) in problem.elements.enumerated() {
      let transform = transforms[species]
      atomic[element] = try .init(
        functions: functions[species], centers: transform.centers,
        scales: transform.deviations.map { 1 / $0 },
        network: transform.folded(networks[species])
          .unfolding(centers: transform.centers, deviations: transform.deviations),
        shift: problem.baseline[species])
    }
    return try NeuralNetworkPotential(atomic, repulsion: problem.repulsion)
  }
}
