import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats
import TestSupport
import Testing

@Suite("Training")
struct TrainingTests {
  /// A labelled structure of random atoms, labelled by a potential.
  static func labelled(
    by potential: MomentTensorPotential, atoms: Int, species: [Int]? = nil, seed: UInt64
  ) throws -> LabelledStructure {
    var random = RandomStream(seed: seed, purpose: .test)
    let edge = 2.9 * Double(atoms).squareRoot().squareRoot()
    let lattice = try Lattice(
      Matrix3(
        rows: Vector3(edge + random.uniform(), 0.3, 0), Vector3(0, edge + random.uniform(), 0.2),
        Vector3(0.1, 0, edge + random.uniform())))
    let structure = try Structure(
      lattice: lattice,
      species: (0..<atoms).map {
        potential.elements[species?[$0] ?? ($0 % potential.speciesCount)]
      },
      fractionalPositions: (0..<atoms).map { _ in random.fractionalPoint() })
    return try LabelledStructure(structure, try potential.evaluation(of: structure))
  }

  static func potential(
    level: Int, species: Int, seed: UInt64? = nil
  ) throws -> MomentTensorPotential {
    var potential = try MomentTensorPotential(
      basis: try MomentTensorBasis(level: level),
      radialBasis: try RadialBasis(size: 6, minimumDistance: 1, cutoff: 4.5, scaling: 0.1),
      elements: (0..<species).map { ChemicalElement.unnamed($0) })
    if let seed {
      var random = RandomStream(seed: seed, purpose: .test)
      for i in potential.parameters.indices { potential.parameters[i] += 0.2 * random.normal() }
    }
    return potential
  }

  static func fixture(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent("training/\(name)").path
  }

  static func labels(_ name: String) throws -> [LabelledStructure] {
    try StructureFile.read(try fixture(name)).map { try #require($0.labelled) }
  }

  @Test("Labels of a potential of the same form are recovered", arguments: 0..<4)
  func recovery(seed: Int) throws {
    let species = 1 + seed % 2
    let truth = try Self.potential(level: 8, species: species, seed: UInt64(seed) + 1)
    let set = try (0..<40).map {
      try Self.labelled(by: truth, atoms: 3 + $0 % 5, seed: UInt64(100 * seed + $0))
    }
    var settings = TrainingSettings.plain
    settings.start = .current
    settings.tolerance = 1e-8
    var start = truth
    var random = RandomStream(seed: UInt64(seed), purpose: .test, slot: 1)
    for i in 0..<truth.radialParameterCount { start.parameters[i] += 0.03 * random.normal() }
    let problem = try TrainingProblem(set, for: start, settings: settings)
    let report = try MomentTensorTrainer.train(start, on: problem)
    #expect(report.loss < 1e-8 * report.losses[0])
    let fresh = try (0..<10).map {
      try Self.labelled(by: truth, atoms: 4, seed: UInt64(9000 + 100 * seed + $0))
    }
    let errors = try ErrorStatistics(of: report.potential, on: fresh)
    #expect(try #require(errors.relativeForceError) < 1e-3)
  }

  @Test("The loss of the normal equations is the loss of the potential")
  func lossAgrees() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 5)
    let set = try (0..<12).map { try Self.labelled(by: truth, atoms: 4, seed: UInt64($0)) }
    for scaling in TrainingWeights.Scaling.allCases {
      var settings = TrainingSettings.plain
      settings.maximumTrials = 3
      settings.robustForce = 2
      settings.robustEnergy = 0.5
      settings.weights = try TrainingWeights(scaling: scaling)
      let start = try Self.potential(level: 6, species: 2)
      let problem = try TrainingProblem(set, for: start, settings: settings)
      let report = try MomentTensorTrainer.train(start, on: problem)
      let direct = try TrainingLoss(of: report.potential, on: problem).value
      #expect(abs(report.loss - direct) <= 1e-9 * direct)
      for (before, after) in zip(report.losses, report.losses.dropFirst()) {
        #expect(after < before)
      }
    }
  }

  @Test(
    "Weights fall with the height of the enthalpy above the lowest of the composition",
    arguments: [0, 0.5])
  func robustEnergy(pressure: Double) throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 5)
    let set = try (0..<12).map { try Self.labelled(by: truth, atoms: 4, seed: UInt64($0)) }
    let fitted = try Self.potential(level: 6, species: 2)
    func counts(_ labelled: LabelledStructure) -> [Int] {
      let first = labelled.structure.species.count { $0 == truth.elements[0] }
      return [first, labelled.structure.atomCount - first]
    }
    func enthalpy(_ labelled: LabelledStructure) -> Double {
      (labelled.evaluation.energy + pressure * labelled.structure.volume)
        / Double(labelled.structure.atomCount)
    }
    let factors = set.map { labelled in
      let equal = set.filter { counts($0) == counts(labelled) }
      let height = enthalpy(labelled) - (equal.map(enthalpy).min() ?? 0)
      return 1 / (1 + height * height / (0.3 * 0.3))
    }
    #expect(factors.contains { $0 < 0.9 } && factors.contains(1))
    let known = try TrainingProblem(set, multipliers: factors, for: fitted, settings: .plain)
    var settings = TrainingSettings.plain
    settings.robustEnergy = 0.3
    settings.pressure = pressure
    let robust = try TrainingProblem(set, for: fitted, settings: settings)
    let expected = try TrainingLoss(of: fitted, on: known).value
    let value = try TrainingLoss(of: fitted, on: robust).value
    #expect(abs(value - expected) <= 1e-12 * expected)
  }

  @Test("The Gram matrix holds the gradient of the loss")
  func gradient() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 3)
    let set = try (0..<6).map { try Self.labelled(by: truth, atoms: 5, seed: UInt64($0)) }
    let potential = try Self.potential(level: 8, species: 2, seed: 4)
    let problem = try TrainingProblem(set, for: potential, settings: .plain)
    let request = MomentTensorTrainer.Request(potential: potential, includingRadial: true)
    let gradient = try problem.lossGradient(of: problem.equations(for: request), at: potential)
    for index in stride(from: 0, to: potential.parameterCount, by: 7) {
      func loss(_ change: Double) throws -> Double {
        var moved = potential
        moved.parameters[index] += change
        return try TrainingLoss(of: moved, on: problem).value
      }
      // Differences of fourth order: the error is dominated by roundoff of the loss over the step.
      let h = 1e-3
      let near = (try loss(h) - loss(-h)) / (2 * h)
      let far = (try loss(2 * h) - loss(-2 * h)) / (4 * h)
      let numeric = (4 * near - far) / 3
      let scale = max(abs(numeric), 1e-6 * (try loss(0)))
      #expect(abs(gradient[index] - numeric) <= 1e-6 * scale, "parameter \(index)")
    }
  }

  @Test("Shards give the same bits in any order of computation, and through bytes")
  func shards() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 3)
    let set = try (0..<150).map { try Self.labelled(by: truth, atoms: 3, seed: UInt64($0)) }
    let start = try Self.potential(level: 6, species: 2)
    var settings = TrainingSettings.plain
    settings.maximumTrials = 4
    let problem = try TrainingProblem(set, for: start, settings: settings)
    let serial = try MomentTensorTrainer.train(start, on: problem)
    let shuffled = try MomentTensorTrainer.train(start, on: problem) { request in
      var parts: [Int: NormalEquations] = [:]
      var random = RandomStream(seed: 1, purpose: .test)
      var order = Array(0..<NormalEquations.shardCount)
      random.shuffle(&order)
      for shard in order {
        let part = try problem.equations(for: request, shard: shard)
        parts[shard] = try NormalEquations(canonicalBytes: part.canonicalBytes)
      }
      var total = try #require(parts[0])
      for shard in 1..<NormalEquations.shardCount { total.merge(try #require(parts[shard])) }
      return total
    }
    #expect(shuffled.potential.parameters == serial.potential.parameters)
    #expect(shuffled.losses == serial.losses)
  }

  @Test("Rows kept from a trial change no bit of its linearisation")
  func keptRows() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 3)
    let set = try (0..<20).map { try Self.labelled(by: truth, atoms: 4, seed: UInt64($0)) }
    let potential = try Self.potential(level: 12, species: 2, seed: 4)
    let problem = try TrainingProblem(set, for: potential, settings: .plain)
    let direct = try problem.equations(
      for: MomentTensorTrainer.Request(potential: potential, includingRadial: true))
    for limit in [0, 20_000, 1 << 30] {
      let workspace = TrainingWorkspace(problem, memoryLimit: limit)
      _ = try workspace.equations(
        for: MomentTensorTrainer.Request(potential: potential, includingRadial: false))
      let equations = try workspace.equations(
        for: MomentTensorTrainer.Request(potential: potential, includingRadial: true))
      #expect(equations == direct, "limit \(limit)")
    }
    // Another point must not meet the rows of this one.
    let workspace = TrainingWorkspace(problem)
    _ = try workspace.equations(
      for: MomentTensorTrainer.Request(potential: truth, includingRadial: false))
    _ = try workspace.equations(
      for: MomentTensorTrainer.Request(potential: potential, includingRadial: true))
    var moved = potential
    moved.parameters[0] += 0.1
    let request = MomentTensorTrainer.Request(potential: moved, includingRadial: true)
    #expect(try workspace.equations(for: request) == problem.equations(for: request))
  }

  @Test("The errors that a training tells are those of the potential")
  func history() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 5)
    let set = try (0..<12).map { try Self.labelled(by: truth, atoms: 4, seed: UInt64($0)) }
    let potential = try Self.potential(level: 6, species: 2, seed: 6)
    let problem = try TrainingProblem(set, for: potential, settings: .plain)
    let equations = try problem.equations(
      for: MomentTensorTrainer.Request(potential: potential, includingRadial: true))
    let errors = try ErrorStatistics(of: potential, on: set)
    let told = equations.residuals
    let pairs = [
      (told.energyPerAtom.rootMeanSquare, errors.energyPerAtom.rootMeanSquare),
      (told.force.rootMeanSquare, errors.force.rootMeanSquare),
      (told.stress.rootMeanSquare, try #require(errors.stress).rootMeanSquare),
    ]
    for (a, b) in pairs { #expect(try #require(a).isClose(to: b, relative: 1e-9, absolute: 0)) }
  }

  @Test("Tiny, duplicated and one-sided sets give finite, moderate coefficients")
  func degenerate() throws {
    let truth = try Self.potential(level: 8, species: 2, seed: 8)
    let one = try Self.labelled(by: truth, atoms: 1, seed: 1)
    let pair = try Self.labelled(by: truth, atoms: 2, seed: 2)
    let onlyFirst = try (0..<3).map {
      try Self.labelled(by: truth, atoms: 4, species: [0, 0, 0, 0], seed: UInt64($0))
    }
    for set in [[one], [pair], Array(repeating: pair, count: 7), onlyFirst, [one, pair]] {
      for start in [TrainingStart.chebyshev, .random(seed: 3)] {
        var settings = TrainingSettings.search
        settings.forceCap = nil
        settings.energyWindow = nil
        settings.start = start
        let potential = try Self.potential(level: 12, species: 2)
        let problem = try TrainingProblem(set, for: potential, settings: settings)
        let report = try MomentTensorTrainer.train(potential, on: problem)
        #expect(report.potential.parameters.allSatisfy { $0.isFinite })
        #expect(report.loss <= report.losses[0])
        // A strain of 1 % away from the only data the energy has not run off.
        let nearby = try set[0].structure.strained(by: 0.01 * Matrix3.identity)
        let change =
          try report.potential.evaluation(of: nearby).energy - set[0].evaluation.energy
        #expect(abs(change) < 100)
        let errors = try ErrorStatistics(of: report.potential, on: set)
        #expect(errors.energyPerAtom.rootMeanSquare < 0.1)
      }
    }
  }

  @Test(
    "Mixing radial functions into higher ones leaves the fitted loss as it is", arguments: 0..<3)
  func gauge(seed: Int) throws {
    let truth = try Self.potential(level: 12, species: 1, seed: 21)
    let set = try (0..<30).map { try Self.labelled(by: truth, atoms: 5, seed: UInt64($0)) }
    let start = try Self.potential(level: 10, species: 1, seed: UInt64(seed))
    var mixed = start
    let size = start.radialBasis.size
    for mu in 0..<start.radialFunctionCount {
      for i in 0..<size {
        var value = (1.5 + Double(mu)) * start.parameters[mu * size + i]
        for nu in 0..<mu { value += 0.3 * Double(nu + 1) * start.parameters[nu * size + i] }
        mixed.parameters[mu * size + i] = value
      }
    }
    var losses: [Double] = []
    for potential in [start, mixed] {
      var settings = TrainingSettings.plain
      settings.start = .current
      settings.maximumTrials = 1
      let problem = try TrainingProblem(set, for: potential, settings: settings)
      losses.append(try MomentTensorTrainer.train(potential, on: problem).losses[0])
    }
    // The ridge of 1e-12 sees other column scales: nothing else may differ.
    #expect(abs(losses[0] - losses[1]) <= 1e-6 * losses[0])
  }

  @Test("Errors follow their definitions")
  func statistics() throws {
    let truth = try Self.potential(level: 8, species: 1, seed: 2)
    let set = try (0..<3).map { try Self.labelled(by: truth, atoms: 2 + $0, seed: UInt64($0)) }
    let exact = try ErrorStatistics(of: truth, on: set)
    #expect(exact.force.maximum == 0 && exact.energyPerAtom.maximum == 0)
    let shifted = set.map { label in
      var evaluation = label.evaluation
      evaluation.energy += 0.5 * Double(label.structure.atomCount)
      evaluation.forces[0].x += 0.3
      return evaluation
    }
    let errors = ErrorStatistics(of: set, predictions: shifted)
    #expect(abs(errors.energyPerAtom.rootMeanSquare - 0.5) < 1e-12)
    #expect(abs(errors.energyPerAtom.meanAbsolute - 0.5) < 1e-12)
    #expect(abs(errors.force.maximum - 0.3) < 1e-12)
    #expect(abs(errors.force.rootMeanSquare - 0.3 * (3.0 / 27).squareRoot()) < 1e-12)
    #expect(abs(errors.force.meanAbsolute - 0.3 * 3 / 27) < 1e-12)
    #expect(try #require(errors.stress).maximum == 0)
  }

  @Test(
    "Molybdenum, level 16: the published accuracy within minutes on one core",
    .tags(.slow), .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"),
    arguments: [1, 2, 3] as [UInt64])
  func molybdenum(seed: UInt64) throws {
    LinearAlgebra.useOneThread()
    let training = try Self.labels("Mo_train.cfg")
    let potential = try MomentTensorPotential(
      basis: try MomentTensorBasis(level: 16),
      radialBasis: try RadialBasis(size: 8, minimumDistance: 1.9, cutoff: 5.2),
      elements: [.unnamed(0)])
    var settings = TrainingSettings.plain
    settings.start = .random(seed: seed)
    settings.continuation = [8, 12]
    settings.tolerance = 3e-4
    let clock = ContinuousClock()
    let began = clock.now
    let problem = try TrainingProblem(training, for: potential, settings: settings)
    let report = try MomentTensorTrainer.train(potential, on: problem)
    let seconds = (clock.now - began) / .seconds(1)
    let errors = try ErrorStatistics(of: report.potential, on: training)
    let test = try ErrorStatistics(of: report.potential, on: try Self.labels("Mo_test.cfg"))
    print("Mo level 16 seed \(seed): \(seconds) s, \(report.trials) trials, \(report.losses)")
    for e in [errors, test] {
      print(
        e.energyPerAtom.rootMeanSquare, e.force.rootMeanSquare, e.relativeForceError ?? 0,
        e.stress?.rootMeanSquare ?? 0)
    }
    #expect(errors.energyPerAtom.rootMeanSquare <= 0.0055)
    #expect(try #require(errors.relativeForceError) <= 0.126)
    #expect(try #require(errors.stress).rootMeanSquare <= 0.55)
  }
}
