import Crystal
import NumericalCore
import Potential

/// Minimises the enthalpy of a structure over its atoms and, where it repeats, its cell.
///
/// A preconditioned quasi-Newton method with short steps and backtracking; damped dynamics take over
/// where no step lowers the enthalpy. It keeps no state between calls: the same arguments give the same
/// bits. Every end is an outcome, and every loop counts evaluations, so it always ends.
public enum Relaxation {
  /// Relaxes a structure.
  ///
  /// - Parameters:
  ///   - structure: Where to start; it may have forces of 10³ eV/Å.
  ///   - potential: The potential.
  ///   - settings: Stages, pressure and limits.
  ///   - monitor: Called with every accepted structure, the first included; it may store structures
  ///     and stop the relaxation.
  /// - Returns: How it ended, and the last accepted structure.
  public static func run(
    _ structure: Structure, with potential: any InteratomicPotential,
    settings: RelaxationSettings = RelaxationSettings(),
    monitor: (RelaxationStep) -> RelaxationDirective = { _ in .continue }
  ) -> RelaxationResult {
    var run = RelaxationRun(structure, potential, settings)
    let outcome = run.run(monitor)
    return RelaxationResult(
      outcome: outcome, structure: run.structure, evaluation: run.evaluation,
      enthalpy: run.enthalpy, evaluations: run.evaluations, lastPassed: run.lastPassed)
  }
}

/// The state of one relaxation.
struct RelaxationRun {
  let potential: any InteratomicPotential
  let settings: RelaxationSettings
  let initialVolume: Double
  let hasStrain: Bool

  var structure: Structure
  var evaluation: Evaluation?
  var enthalpy = Double.infinity
  var evaluations = 0
  var lastPassed: Structure?

  private var coordinates: CellCoordinates
  private var memory = LimitedMemoryHessian()
  private var model: PairForceModel
  private var preconditioner: SpringPreconditioner
  private var gradient: [Double] = []
  private let rebuildInterval: Int
  /// Steps since the preconditioner was built; `nil` before it is.
  private var age: Int?
  private var accepted = 0
  /// Grows and shrinks with success, at most 1: a fraction of the largest step.
  private var trust = 1.0
  /// How often the enthalpy was allowed to rise.
  private var rises = 0

  init(
    _ structure: Structure, _ potential: any InteratomicPotential, _ settings: RelaxationSettings
  ) {
    self.potential = potential
    self.settings = settings
    self.structure = structure
    initialVolume = structure.volume
    hasStrain = !settings.hasFixedCell && structure.periodicity.count > 0
    coordinates = CellCoordinates(structure, pressure: settings.pressure, hasStrain: hasStrain)
    model = PairForceModel(structure, hasStrain: hasStrain)
    preconditioner = SpringPreconditioner(structure, hasStrain: hasStrain)
    // Building costs the cube of the number of atoms, evaluations grow with the number only.
    rebuildInterval = 2 + structure.atomCount / 24
  }

  /// Why a relaxation goes no further.
  private enum Interruption: Error {
    case end(RelaxationOutcome)
  }

  /// What became of an attempt to step.
  private enum Attempt {
    case accepted
    case refused
  }

  mutating func run(_ monitor: (RelaxationStep) -> RelaxationDirective) -> RelaxationOutcome {
    do {
      try start(monitor)
      for stage in settings.stages { try relax(to: stage, monitor) }
      return .converged
    } catch { return Self.outcome(of: error) }
  }

  private static func outcome(of interruption: Interruption) -> RelaxationOutcome {
    switch interruption {
    case .end(let outcome): outcome
    }
  }

  // MARK: Stages

  private mutating func start(
    _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) {
    if let (a, b) = violation(in: structure) { throw .end(.distanceViolated(a, b)) }
    evaluations = 1
    let first: Evaluation
    do { first = try potential.evaluation(of: structure) } catch {
      throw .end(.failed(reason: error.description))
    }
    guard first.isFinite() else { throw .end(.failed(reason: "the first energy is not finite")) }
    accept(structure, first)
    try report(monitor)
  }

  private mutating func relax(
    to stage: RelaxationSettings.Stage, _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) {
    let limit = evaluations + stage.evaluations
    var rescues = 0
    while !hasReached(stage) {
      guard evaluations < limit else { throw .end(.stepLimit) }
      switch try quasiNewtonStep(limit: limit) {
      case .accepted: try report(monitor)
      case .refused where !memory.isEmpty:
        memory.reset()
        trust = 0.3
      case .refused where rescues < 3:
        rescues += 1
        try dampedDynamics(stage, limit: min(limit, evaluations + 40), monitor)
      case .refused:
        throw .end(
          evaluations < limit ? .failed(reason: "no step lowers the enthalpy") : .stepLimit)
      }
    }
  }

  private func hasReached(_ stage: RelaxationSettings.Stage) -> Bool {
    guard let evaluation else { return false }
    guard evaluation.largestForce() <= stage.force else { return false }
    guard hasStrain else { return true }
    let w = coordinates.strainDerivative(structure, evaluation)
    return w.largestMagnitude <= stage.stress * structure.volume
  }

  private mutating func report(
    _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) {
    guard let evaluation else { return }
    let step = RelaxationStep(index: accepted, structure: structure, evaluation: evaluation)
    if case .stop(let grade) = monitor(step) { throw .end(.stoppedByGrade(grade)) }
    lastPassed = structure
    accepted += 1
    guard structure.periodicity == .full else { return }
    let ratio = structure.volume / initialVolume
    if ratio > settings.volumeRatios.upperBound { throw .end(.exploded) }
    if ratio < settings.volumeRatios.lowerBound {
      throw .end(.collapsed(reason: "\(structure.volumePerAtom) Å³ per atom"))
    }
  }

  /// The elements of the first pair that is too close.
  private func violation(in structure: Structure) -> (ChemicalElement, ChemicalElement)? {
    guard let pair = settings.minimumDistances?.firstViolation(in: structure) else { return nil }
    return (structure.species[pair.first], structure.species[pair.second])
  }

  // MARK: Quasi-Newton steps

  private mutating func quasiNewtonStep(limit: Int) throws(Interruption) -> Attempt {
    if age.map({ $0 >= rebuildInterval || coordinates.deformation > 0.15 }) ?? true { rebuild() }
    var direction = memory.direction(for: gradient, preconditioner)
    coordinates.project(&direction)
    var slope = dot(gradient, direction)
    if !(slope < 0) {
      memory.reset()
      direction = memory.direction(for: gradient, preconditioner)
      coordinates.project(&direction)
      slope = dot(gradient, direction)
      guard slope < 0 else { return .refused }
    }
    var factor = longestFactor(direction)
    var tooClose: (ChemicalElement, ChemicalElement)?
    for _ in 0..<10 {
      guard evaluations < limit else { return .refused }
      guard let trial = coordinates.structure(after: direction, factor: factor) else {
        factor *= 0.3
        continue
      }
      if let pair = violation(in: trial) {
        tooClose = pair
        factor *= 0.5
        continue
      }
      tooClose = nil
      evaluations += 1
      // A refused trial is an ordinary event of a line search; a shorter step follows.
      guard let found = try? potential.evaluation(of: trial), found.isFinite() else {
        factor *= 0.3
        trust = max(0.5 * trust, 0.02)
        continue
      }
      if learnAndAccept(trial, found, direction, factor, slope) { return .accepted }
      let rise = coordinates.enthalpy(trial, found) - enthalpy
      // The minimum of the parabola through both enthalpies and the slope.
      let parabola = -0.5 * slope * factor * factor / (rise - slope * factor)
      factor = min(max(parabola, 0.1 * factor), 0.5 * factor)
      trust = max(0.5 * trust, 0.02)
    }
    if let (a, b) = tooClose { throw .end(.distanceViolated(a, b)) }
    return .refused
  }

  /// The largest multiple, at most 1, of a direction that keeps moves and strains short.
  private func longestFactor(_ direction: [Double]) -> Double {
    let (move, strain) = coordinates.size(of: direction)
    var factor = 1.0
    if move > 0 { factor = min(factor, trust * settings.largestMove / move) }
    if strain > 0 { factor = min(factor, trust * settings.largestStrain / strain) }
    return factor
  }

  /// Takes a trial that lowers the enthalpy enough (Armijo's rule).
  ///
  /// Abrupt cutoffs make the enthalpy jump while its derivatives hardly change: a small rise is
  /// allowed, a few times, where the gradient falls.
  private mutating func learnAndAccept(
    _ trial: Structure, _ found: Evaluation, _ direction: [Double], _ factor: Double,
    _ slope: Double
  ) -> Bool {
    let rise = coordinates.enthalpy(trial, found) - enthalpy
    let atoms = Double(structure.atomCount)
    var moved = coordinates
    moved.move(along: direction, factor: factor)
    let newGradient = moved.gradient(trial, found)
    if rise > 1e-4 * factor * slope + 1e-8 * atoms {
      let isSmaller = dot(newGradient, newGradient) < 0.9 * dot(gradient, gradient)
      guard isSmaller, rise < 2e-3 * atoms, rises < 20 else { return false }
      rises += 1
    }
    let step = direction.map { factor * $0 }
    let change = zip(newGradient, gradient).map { $0 - $1 }
    memory.learn(step: step, change: change, preconditioner)
    coordinates = moved
    accept(trial, found, gradient: newGradient)
    trust = min(1, 1.5 * trust)
    age = age.map { $0 + 1 }
    return true
  }

  private mutating func accept(
    _ structure: Structure, _ evaluation: Evaluation, gradient: [Double]? = nil
  ) {
    self.structure = structure
    self.evaluation = evaluation
    enthalpy = coordinates.enthalpy(structure, evaluation)
    self.gradient = gradient ?? coordinates.gradient(structure, evaluation)
  }

  /// Makes the current structure the frame, and fits the springs to it.
  private mutating func rebuild() {
    guard let evaluation else { return }
    coordinates.reframe(at: structure, &memory)
    let pairs = NeighborList(structure, cutoff: model.cutoff)
    model.learn(structure, evaluation, pairs)
    preconditioner.build(pairs, model)
    memory.resetScale()
    gradient = coordinates.gradient(structure, evaluation)
    age = 0
  }

  // MARK: Damped dynamics

  /// Damped dynamics with the preconditioner as mass.
  ///
  /// FIRE, E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). Frequencies are about 1, so time steps
  /// are of order 0.1 … 1.
  private mutating func dampedDynamics(
    _ stage: RelaxationSettings.Stage, limit: Int,
    _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) {
    memory.reset()
    rebuild()
    var velocity = [Double](repeating: 0, count: gradient.count)
    var (timeStep, mixing, downhill) = (0.1, 0.1, 0)
    while evaluations < limit && !hasReached(stage) {
      var acceleration = memory.direction(for: gradient, preconditioner)
      coordinates.project(&acceleration)
      if dot(velocity, gradient) > 0 {
        velocity = [Double](repeating: 0, count: gradient.count)
        (timeStep, mixing, downhill) = (0.5 * timeStep, 0.1, 0)
      } else {
        let speed = dot(velocity, velocity).squareRoot()
        let norm = dot(acceleration, acceleration).squareRoot()
        for index in velocity.indices {
          velocity[index] *= 1 - mixing
          if norm > 0 { velocity[index] += mixing * speed / norm * acceleration[index] }
        }
        downhill += 1
        if downhill > 5 { (timeStep, mixing) = (min(1.1 * timeStep, 1), 0.99 * mixing) }
      }
      add(timeStep, acceleration, to: &velocity)
      var step = velocity.map { timeStep * $0 }
      let (move, strain) = coordinates.size(of: step)
      let scale = min(
        1, 0.3 * settings.largestMove / max(move, 1e-300),
        0.3 * settings.largestStrain / max(strain, 1e-300))
      for index in step.indices { step[index] *= scale }
      guard let trial = coordinates.structure(after: step, factor: 1) else { return }
      if let (a, b) = violation(in: trial) { throw .end(.distanceViolated(a, b)) }
      evaluations += 1
      let found: Evaluation
      do { found = try potential.evaluation(of: trial) } catch {
        throw .end(.failed(reason: error.description))
      }
      guard found.isFinite() else { throw .end(.failed(reason: "an energy is not finite")) }
      coordinates.move(along: step, factor: 1)
      accept(trial, found)
      try report(monitor)
    }
    rebuild()
  }
}
