import Crystal
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Training of networks")
struct NetworkTrainingTests {
  private static let silicon = ChemicalElement(symbol: "Si") ?? .unnamed(0)
  private static let carbon = ChemicalElement(symbol: "C") ?? .unnamed(1)

  /// Functions of every kind that has code of its own.
  private static func functions() -> [SymmetryFunction] {
    let (c, si) = (carbon, silicon)
    var all: [SymmetryFunction] = [
      .radial(.init(si, width: 0.1, cutoff: 4)), .radial(.init(si, width: 0.4, cutoff: 4)),
      .radial(.init(c, width: 0.05, cutoff: 4)),
      .radial(.init(c, width: 2, center: 1.9, cutoff: 4)),
      .radial(.init(si, width: 1.5, center: 2.2, cutoff: 3.5)),
    ]
    func angular(
      _ a: ChemicalElement, _ b: ChemicalElement, _ width: Double, _ zeta: Double,
      _ isPositive: Bool,
      isWide: Bool = false
    ) {
      all.append(
        .angular(
          .init(
            a, b, width: width, isPositive: isPositive, exponent: zeta, cutoff: 3.5, isWide: isWide)
        ))
    }
    // Polynomials with one, two and three widths, and of a degree with code of its own or not.
    for zeta in [1.0, 2, 4] { angular(si, si, 0.01, zeta, zeta == 2) }
    for width in [0.01, 0.05] { for zeta in [1.0, 4] { angular(c, si, width, zeta, false) } }
    for width in [0.01, 0.05, 0.1] { angular(c, c, width, 4, true) }
    for width in [0.02, 0.07] { angular(si, si, width, 6, true, isWide: true) }
    // Powers.
    angular(c, c, 0.03, 2.5, true, isWide: true)
    angular(c, si, 0.03, 16, false, isWide: true)
    return all
  }

  private static func labelled(
    _ seeds: Range<UInt64>, species: [ChemicalElement]
  ) throws -> [LabelledStructure] {
    let model = try ClassicalModels.tersoffSiliconCarbon()
    return try seeds.map { seed in
      let structure = try TestStructures.randomCrystal(
        species, volumePerAtom: 11, minimumDistance: 1.5, seed: seed)
      return try LabelledStructure(structure, model.evaluation(of: structure))
    }
  }

  private static func settings() -> TrainingSettings {
    var settings = TrainingSettings.plain
    settings.robustForce = 5
    return settings
  }

  @Test(
    "Derivatives of energy, force and stress errors with respect to all parameters are those of differences",
    arguments: NeuralNetwork.Activation.allCases)
  func gradient(activation: NeuralNetwork.Activation) throws {
    // Few atoms in a small cell: images of the atom itself among its neighbors, and lanes without atoms.
    let problem = try TrainingProblem(
      Self.labelled(1..<3, species: [Self.carbon, Self.silicon, Self.silicon]),
      elements: [Self.carbon, Self.silicon], repulsion: nil, settings: Self.settings())
    let functions = [Self.functions(), Self.functions().reversed()]
    let data = NetworkTrainingData(problem, functions: functions)
    var random = RandomStream(seed: 3, purpose: .test)
    var networks = functions.map {
      NeuralNetwork(
        inputCount: $0.count, hidden: [7, 5], activation: activation, random: &random)
    }
    for place in networks.indices {
      networks[place].parameters = networks[place].parameters.map { _ in random.uniform(-0.4, 0.4) }
    }
    func loss(_ networks: [NeuralNetwork], _ isDifferentiated: Bool = false) throws
      -> NetworkGradient
    {
      try data.gradients(
        .init(networks: networks, members: [1], isDifferentiated: isDifferentiated))[0]
    }
    let found = try loss(networks, true)
    #expect(try loss(networks).loss == found.loss)
    try #require(found.values.count == networks.reduce(0) { $0 + $1.parameterCount })
    let scale = found.values.map(abs).max() ?? 0
    #expect(scale > 0)
    var place = 0
    for species in networks.indices {
      for parameter in 0..<networks[species].parameterCount {
        let step = 1e-4
        func moved(_ by: Double) throws -> Double {
          var changed = networks
          changed[species].parameters[parameter] += by
          return try loss(changed).loss
        }
        // Differences of fourth order.
        let slope =
          try (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step)))
          / (12 * step)
        #expect(
          abs(slope - found.values[place]) < 1e-7 * scale,
          "species \(species), parameter \(parameter): \(slope), \(found.values[place])")
        place += 1
      }
    }
  }

  private static func trained(
    _ labelled: [LabelledStructure], _ settings: NetworkTrainingSettings,
    start: NeuralNetworkPotential? = nil, splits: Bool = false
  ) throws -> NetworkTrainingReport {
    let problem = try TrainingProblem(
      labelled, elements: [carbon, silicon], repulsion: nil, settings: Self.settings())
    let functions = [functions(), functions()]
    let data = NetworkTrainingData(problem, functions: functions)
    let others = NetworkTrainingData(problem, functions: functions)
    var trainer = try NetworkTrainer(data, settings: settings, start: start)
    return try trainer.train { request in
      guard splits else { return try data.gradients(request) }
      let half = request.members.count / 2
      func part(_ members: ArraySlice<Int>) -> NetworkRequest {
        .init(
          networks: request.networks, members: Array(members),
          isDifferentiated: request.isDifferentiated)
      }
      return try others.gradients(part(request.members[..<half]))
        + data.gradients(part(request.members[half...]))
    }
  }

  @Test(
    "Errors of structures that only judge fall; whoever computes gradients, the bits are the same")
  func training() throws {
    let labelled = try Self.labelled(
      10..<50, species: [Self.carbon, Self.carbon, Self.silicon, Self.silicon])
    var settings = NetworkTrainingSettings()
    settings.hidden = [12, 12]
    settings.epochs = 60
    settings.batch = 6
    settings.validation = 0.2
    var first: NetworkTrainingStep?
    let problem = try TrainingProblem(
      labelled, elements: [Self.carbon, Self.silicon], repulsion: nil, settings: Self.settings())
    let data = NetworkTrainingData(problem, functions: [Self.functions(), Self.functions()])
    var trainer = try NetworkTrainer(data, settings: settings)
    let report = try trainer.train(data.gradients) { if first == nil { first = $0 } }
    let start = try #require(first)
    #expect(report.judges.count == 8 && report.teachers.count == 32)
    #expect(report.updates == 60 * 6)
    func energy(_ step: NetworkTrainingStep) -> Double {
      step.validation.energyPerAtom.rootMeanSquare ?? .infinity
    }
    #expect(energy(report.best) < 0.5 * energy(start), "\(energy(start)), \(energy(report.best))")
    // What the potential says is what the training said.
    let judges = report.judges.map { labelled[$0] }
    let errors = try ErrorStatistics(of: report.potential, on: judges)
    #expect(
      errors.energyPerAtom.rootMeanSquare.isClose(
        to: energy(report.best), relative: 1e-8, absolute: 0))
    #expect(
      errors.force.rootMeanSquare.isClose(
        to: try #require(report.best.validation.force.rootMeanSquare), relative: 1e-8, absolute: 0))
    #expect(
      try #require(errors.stress).rootMeanSquare.isClose(
        to: try #require(report.best.validation.stress.rootMeanSquare), relative: 1e-8, absolute: 0)
    )
    let again = try Self.trained(labelled, settings, splits: true)
    #expect(again.potential.nnpText == report.potential.nnpText)
  }

  @Test(
    "Activations far from zero have their limits",
    arguments: [
      (NeuralNetwork.Activation.logistic, -2000.0, 0.0), (.logistic, 2000, 1), (.tanh, -2000, -1),
      (.tanh, 2000, 1), (.softplus, -2000, 0), (.softplus, 2000, 2000),
    ])
  func limits(activation: NeuralNetwork.Activation, bias: Double, limit: Double) throws {
    let network = try NeuralNetwork([
      .init(activation, inputCount: 1, weights: [1], biases: [bias]),
      .init(.linear, inputCount: 1, weights: [1], biases: [0]),
    ])
    let potential = try NeuralNetworkPotential([
      Self.silicon: .init(
        functions: [.radial(.init(Self.silicon, width: 0.1, cutoff: 4))], centers: [0],
        scales: [0.1],
        network: network)
    ])
    let structure = try TestStructures.randomCrystal(
      [Self.silicon, Self.silicon], volumePerAtom: 20, minimumDistance: 2, seed: 1)
    let evaluation = try potential.evaluation(of: structure)
    // What is left of softplus beyond its bias are the functions themselves.
    #expect(abs(evaluation.energy / 2 - limit) < (bias > 0 && activation == .softplus ? 10 : 1e-12))
    if activation != .softplus { #expect(evaluation.largestForce() < 1e-12) }
  }

  @Test("A training that goes on begins with the errors that the networks have")
  func start() throws {
    let labelled = try Self.labelled(
      10..<30, species: [Self.carbon, Self.carbon, Self.silicon, Self.silicon])
    var settings = NetworkTrainingSettings()
    settings.hidden = [8]
    settings.epochs = 20
    let report = try Self.trained(labelled, settings)
    settings.epochs = 1
    settings.learningRate = 1e-12
    settings.lastLearningRate = 1e-12
    settings.penalty = 0
    let next = try Self.trained(labelled, settings, start: report.potential)
    #expect(next.best.loss.isClose(to: report.best.loss, relative: 1e-6, absolute: 0))
  }
}
