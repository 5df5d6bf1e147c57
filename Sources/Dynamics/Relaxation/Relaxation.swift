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
    var relaxation = PausableRelaxation(structure, with: potential, settings: settings)
    return relaxation.finish(monitor: monitor)
  }
}

/// A relaxation that may be left off after some steps and taken up again; how often changes nothing.
public struct PausableRelaxation {
  private var run: RelaxationRun
  /// How it ended; `nil` while there is more to do.
  public private(set) var outcome: RelaxationOutcome?

  /// Prepares a relaxation, see `Relaxation.run(_:with:settings:monitor:)`; nothing is evaluated yet.
  public init(
    _ structure: Structure, with potential: any InteratomicPotential,
    settings: RelaxationSettings = RelaxationSettings()
  ) {
    run = RelaxationRun(structure, potential, settings)
  }

  /// The enthalpy of the last accepted structure in eV per atom; infinite before the first.
  public var enthalpyPerAtom: Double { run.enthalpy / Double(run.structure.atomCount) }
  /// The last accepted structure.
  public var structure: Structure { run.structure }
  /// Its evaluation; `nil` where there is none.
  public var evaluation: Evaluation? { run.evaluation }
  /// The number of energy evaluations so far.
  public var evaluations: Int { run.evaluations }

  /// Goes on until so many steps are accepted, or somewhat further; 0 is the first evaluation alone.
  public mutating func advance(
    to step: Int, monitor: (RelaxationStep) -> RelaxationDirective = { _ in .continue }
  ) {
    if outcome == nil { outcome = run.run(to: step, monitor) }
  }

  /// Goes on to the end.
  public mutating func finish(
    monitor: (RelaxationStep) -> RelaxationDirective = { _ in .continue }
  ) -> RelaxationResult {
    // Every loop counts evaluations, so that the end comes before so many steps.
    advance(to: .max, monitor: monitor)
    return RelaxationResult(
      outcome: outcome ?? .stepLimit, structure: run.structure, evaluation: run.evaluation,
      enthalpy: run.enthalpy, evaluations: run.evaluations, lastPassed: run.lastPassed)
  }
}

/// The state of one relaxation.
struct RelaxationRun {
  var potential: any EvaluationSeries
  let settings: RelaxationSettings
  let initialVolume: Double
  let hasStrain: Bool

  var structure: Structure
  var evaluation: Evaluation?
  var enthalpy = Double.infinity
  var evaluations = 0
  var lastPassed: Structure?

  var coordinates: CellCoordinates
  var memory = LimitedMemoryHessian()
  private var model: PairForceModel
  var preconditioner: SpringPreconditioner
  var gradient: [Double] = []
  private let rebuildInterval: Int
  /// Steps since the preconditioner was built; `nil` before it is.
  private var age: Int?
  /// Structures that were accepted, the first included.
  private var accepted = 0
  /// The stage under way.
  private var stageIndex = 0
  /// Where the stage ends in any case, once it began.
  private var stageLimit: Int?
  /// How often damped dynamics had to take over in this stage.
  private var rescues = 0
  /// Grows and shrinks with success, at most 1: a fraction of the largest step.
  private var trust = 1.0
  /// How often the enthalpy was allowed to rise.
  private var rises = 0

  init(
    _ structure: Structure, _ potential: any InteratomicPotential, _ settings: RelaxationSettings
  ) {
    self.potential = potential.series()
    self.settings = settings
    self.structure = structure
    initialVolume = structure.volume
    hasStrain = !settings.hasFixedCell && structure.periodicity.count > 0
    coordinates = CellCoordinates(structure, pressure: settings.pressure, hasStrain: hasStrain)
    model = PairForceModel(structure, hasStrain: hasStrain)
    preconditioner = SpringPreconditioner(
      structure, hasStrain: hasStrain, minimumDistances: settings.minimumDistances)
    // Building costs the cube of the number of atoms, evaluations grow with the number only.
    rebuildInterval = 2 + structure.atomCount / 24
  }

  /// Why a relaxation goes no further.
  enum Interruption: Error {
    case end(RelaxationOutcome)
  }

  /// What became of an attempt to step.
  private enum Attempt {
    case accepted
    case refused
  }

  /// Goes on until so many steps are accepted.
  ///
  /// - Returns: How the relaxation ended, or `nil` where it has not.
  mutating func run(
    to step: Int, _ monitor: (RelaxationStep) -> RelaxationDirective
  ) -> RelaxationOutcome? {
    do {
      if accepted == 0 { try start(monitor) }
      while stageIndex < settings.stages.count {
        guard try relax(settings.stages[stageIndex], to: step, monitor) else { return nil }
        rescues = 0
        // With other numbers the last stage goes on, within its limit.
        if try renew(), stageIndex == settings.stages.count - 1 {
          try report(monitor)
        } else {
          stageIndex += 1
          stageLimit = nil
        }
      }
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

  /// Evaluates the structure anew where it asks for other numbers than the start did: one evaluation, which no
  /// limit forbids, as the result would not be comparable without it.
  ///
  /// - Returns: Whether it did.
  private mutating func renew() throws(Interruption) -> Bool {
    guard potential.renew(at: structure) else { return false }
    evaluations += 1
    let found: Evaluation
    do { found = try potential.evaluation(of: structure) } catch {
      throw .end(.failed(reason: error.description))
    }
    guard found.isFinite() else { throw .end(.failed(reason: "an energy is not finite")) }
    memory.reset()
    age = nil
    trust = 1
    rises = 0
    accept(structure, found)
    return true
  }

  /// Goes on until a stage is reached, or so many steps are accepted.
  ///
  /// - Returns: Whether the stage is reached.
  private mutating func relax(
    _ stage: RelaxationSettings.Stage, to step: Int,
    _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) -> Bool {
    let limit = stageLimit ?? evaluations + stage.evaluations
    stageLimit = limit
    while !hasReached(stage) {
      guard accepted <= step else { return false }
      guard evaluations < limit else {
        _ = try renew()
        throw .end(.stepLimit)
      }
      switch try quasiNewtonStep(limit: limit) {
      case .accepted: try report(monitor)
      case .refused where !memory.isEmpty:
        memory.reset()
        trust = 0.3
      case .refused where rescues < 3:
        rescues += 1
        try dampedDynamics(stage, limit: min(limit, evaluations + 40), monitor)
      case .refused where evaluations < limit:
        throw .end(.failed(reason: "no step lowers the enthalpy"))
      case .refused: break
      }
    }
    return true
  }

  func hasReached(_ stage: RelaxationSettings.Stage) -> Bool {
    guard let evaluation else { return false }
    guard evaluation.largestForce() <= stage.force else { return false }
    guard hasStrain else { return true }
    let w = coordinates.strainDerivative(structure, evaluation)
    return w.largestMagnitude <= stage.stress * structure.volume
  }

  mutating func report(
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
  func violation(in structure: Structure) -> (ChemicalElement, ChemicalElement)? {
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
      trust = max(0.5 * trust, 0.02)
      shorten(&direction, &factor, &slope, trial, found)
    }
    // The springs alone, stiff for such pairs, may know a way where the memory sees none.
    if let (a, b) = tooClose, memory.isEmpty { throw .end(.distanceViolated(a, b)) }
    return .refused
  }

  /// Turns a refused step into a shorter one, which need not have its direction.
  ///
  /// What the refused step found teaches the memory: usually one bond became too short, and the rest of
  /// the step may stay (4 % fewer evaluations than going back along the same line).
  private mutating func shorten(
    _ direction: inout [Double], _ factor: inout Double, _ slope: inout Double,
    _ trial: Structure, _ found: Evaluation
  ) {
    let rise = coordinates.enthalpy(trial, found) - enthalpy
    // The minimum of the parabola through both enthalpies and the slope.
    let parabola = -0.5 * slope * factor * factor / (rise - slope * factor)
    guard parabola > 0.1 * factor else {
      // So high a rise says little about the Hessian here.
      factor *= 0.1
      return
    }
    let (longest, largest) = coordinates.size(of: direction)
    var moved = coordinates
    moved.move(along: direction, factor: factor)
    let change = difference(moved.gradient(trial, found), gradient)
    memory.learn(step: direction.map { factor * $0 }, change: change, preconditioner)
    var turned = memory.direction(for: gradient, preconditioner)
    coordinates.project(&turned)
    let turnedSlope = dot(gradient, turned)
    guard turnedSlope < 0 else {
      factor = min(parabola, 0.5 * factor)
      return
    }
    let (move, strain) = coordinates.size(of: turned)
    let limit = max(
      0.7 * factor * longest / max(move, 1e-300), 0.7 * factor * largest / max(strain, 1e-300))
    (direction, slope) = (turned, turnedSlope)
    factor = min(longestFactor(turned), limit)
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
    let change = difference(newGradient, gradient)
    memory.learn(step: step, change: change, preconditioner)
    coordinates = moved
    accept(trial, found, gradient: newGradient)
    trust = min(1, 1.5 * trust)
    age = age.map { $0 + 1 }
    return true
  }

  mutating func accept(
    _ structure: Structure, _ evaluation: Evaluation, gradient: [Double]? = nil
  ) {
    self.structure = structure
    self.evaluation = evaluation
    enthalpy = coordinates.enthalpy(structure, evaluation)
    self.gradient = gradient ?? coordinates.gradient(structure, evaluation)
  }

  /// Makes the current structure the frame, and fits the springs to it.
  mutating func rebuild() {
    guard let evaluation else { return }
    coordinates.reframe(at: structure, &memory)
    let pairs = NeighborList(structure, cutoff: model.cutoff)
    model.learn(structure, evaluation, pairs)
    preconditioner.build(pairs, model)
    memory.resetScale()
    gradient = coordinates.gradient(structure, evaluation)
    age = 0
  }
}
