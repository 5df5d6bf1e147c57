import NumericalCore

/// Fits a moment tensor potential: Levenberg–Marquardt on the radial coefficients, the linear ones
/// solved exactly at every trial.
///
/// The trainer never sees the data. It asks for normal equations of a potential (`request`), which
/// the caller accumulates shard by shard, on any number of ranks, merges in the order of the shards
/// and hands to `receive`:
///
///     var trainer = try MomentTensorTrainer(fitting: potential, to: problem)
///     while let request = trainer.request {
///       try trainer.receive(try problem.equations(for: request))
///     }
///     let fitted = trainer.report.potential
///
/// Each step costs two passes over the data: the linear columns at the trial point judge it, and once
/// it is accepted all columns are computed with the linear coefficients that belong to it. (One pass
/// with predicted coefficients was tried: the derivatives are off, and level 8 then stalls at
/// 0.1398 after 60 trials where two passes converge to 0.13649 in 18.)
///
/// Every decision depends on the merged equations alone, so the result has the same bits however the
/// shards were spread.
public struct MomentTensorTrainer: Sendable {
  /// What the trainer needs to know next.
  public struct Request: Sendable {
    /// The potential to linearise at.
    public let potential: MomentTensorPotential
    /// Whether the derivatives with respect to the radial coefficients are needed.
    public let includingRadial: Bool

    /// Creates a request.
    public init(potential: MomentTensorPotential, includingRadial: Bool) {
      self.potential = potential
      self.includingRadial = includingRadial
    }
  }

  private enum Phase: Sendable {
    case start
    case linearisation
    case trial(radial: [Double], predictedDecrease: Double)
  }

  /// What is needed next; `nil` when the training has ended.
  public private(set) var request: Request?
  /// The best potential so far and how it was found.
  public fileprivate(set) var report: TrainingReport

  private let settings: TrainingSettings
  private let baseline: [Double]
  private let usedCount: Double
  // Potentials whose basis is fitted after this one, lowest level first.
  private var laterStages: [MomentTensorPotential]
  private var gauge: RadialGauge
  private var phase = Phase.start
  private var radial: [Double]
  private var system: VariableProjection.ReducedSystem?
  private var damping = Self.firstDamping
  private var trials = 0
  private var accepted = 0
  private var slowSteps = 0

  private static let firstDamping = 1e-2
  private static let dampingRange = 1e-7...1e8
  // The first steps from a rough start may not leave its neighborhood.
  private static let earlySteps = 5
  private static let earlyStepLimit = 0.5
  private static let stepLimit = 3.0

  /// Prepares a training; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - potential: The basis to fit; its coefficients matter only for `TrainingStart.current`.
  ///   - problem: The data.
  /// - Throws: `PotentialError.training` where species or repulsion differ or a continuation level is not lower.
  public init(
    fitting potential: MomentTensorPotential, to problem: TrainingProblem
  ) throws(PotentialError) {
    guard potential.elements == problem.elements else {
      throw .training(
        "the potential is for \(potential.elements), the data were prepared for \(problem.elements)"
      )
    }
    guard potential.repulsion == problem.repulsion else {
      throw .training("the data were prepared for a potential with another repulsion")
    }
    settings = problem.settings
    baseline = problem.baseline
    usedCount = Double(problem.usedCount())
    var stages: [MomentTensorPotential] = []
    if settings.start != .current {
      for level in settings.continuation {
        stages.append(try Self.lowered(potential, to: level))
      }
    }
    stages.append(potential)
    let first = stages.removeFirst()
    laterStages = stages
    gauge = RadialGauge(of: first)
    radial = gauge.start(settings.start, current: first)
    report = TrainingReport(potential: first, loss: .infinity)
    ask(at: radial)
  }

  /// Takes the merged equations of `request` and decides what is needed next.
  ///
  /// - Throws: `PotentialError.training` where the equations hold numbers that are not finite at the
  ///   start; at a trial point the trial is rejected instead.
  public mutating func receive(_ equations: NormalEquations) throws(PotentialError) {
    guard request != nil else { return }
    switch phase {
    case .start:
      accept(try VariableProjection.solveLinear(equations, ridge: settings.ridge), radial)
      linearise()
    case .linearisation:
      let linear = try VariableProjection.solveLinear(equations, ridge: settings.ridge)
      system = try VariableProjection.reduce(equations, linear: linear)
      report.history.append(
        TrainingStep(
          trials: report.trials + trials, loss: report.loss, errors: equations.residuals))
      propose()
    case .trial(let trialRadial, let predicted):
      trials += 1
      let solved = try? VariableProjection.solveLinear(equations, ridge: settings.ridge)
      judge(solved, trialRadial, predicted)
    }
  }

  private mutating func judge(
    _ solution: VariableProjection.LinearSolution?, _ trialRadial: [Double], _ predicted: Double
  ) {
    let before = report.loss
    guard let solution, solution.residualSquare.isFinite,
      solution.residualSquare / usedCount < before
    else {
      damping *= 8
      if trials >= settings.maximumTrials || damping > Self.dampingRange.upperBound {
        finishStage(converged: damping > Self.dampingRange.upperBound)
      } else {
        propose()
      }
      return
    }
    accept(solution, trialRadial)
    accepted += 1
    let gain = (before - report.loss) * usedCount / max(predicted, .leastNormalMagnitude)
    damping = max(Self.dampingRange.lowerBound, damping / (gain > 0.9 ? 30 : gain > 0.5 ? 10 : 3))
    // A lower level only has to find the basin: the next one moves on from there.
    let tolerance = laterStages.isEmpty ? settings.tolerance : max(settings.tolerance, 0.02)
    slowSteps = before - report.loss < tolerance * before ? slowSteps + 1 : 0
    // A refit is at a minimum already; a fresh start may only cross a plateau.
    if slowSteps >= (settings.start == .current ? 1 : 2) || report.loss == 0 {
      finishStage(converged: true)
    } else if trials >= settings.maximumTrials {
      finishStage(converged: false)
    } else {
      linearise()
    }
  }

  private mutating func accept(
    _ solution: VariableProjection.LinearSolution, _ newRadial: [Double]
  ) {
    radial = newRadial
    var linear = solution.coefficients
    for (s, energy) in baseline.enumerated() { linear[s] += energy }
    report.potential = report.potential.with(parameters: radial + linear)
    report.loss = solution.residualSquare / usedCount
    report.losses.append(report.loss)
  }

  private mutating func linearise() {
    phase = .linearisation
    request = Request(potential: report.potential, includingRadial: true)
  }

  private mutating func ask(at radial: [Double]) {
    let linear = report.potential.parameters.dropFirst(gauge.count)
    request = Request(
      potential: report.potential.with(parameters: radial + linear), includingRadial: false)
  }

  private mutating func propose() {
    let (gauge, here) = (gauge, radial)
    guard let system,
      let (step, predicted) = VariableProjection.step(
        system, damping: damping, projection: { gauge.projected($0, at: here) })
    else { return finishStage(converged: true) }
    let norm = step.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 1e-10, predicted > 1e-14 * report.loss * usedCount else {
      return finishStage(converged: true)
    }
    let limit = accepted < Self.earlySteps ? Self.earlyStepLimit : Self.stepLimit
    let shortening = min(1, limit / norm)
    let trialRadial = gauge.orthonormalized(zip(here, step).map { $0 + shortening * $1 })
    // Along the shortened step the model decreases by 2tgδ − t²δHδ ≥ t × that of the full step.
    phase = .trial(radial: trialRadial, predictedDecrease: shortening * predicted)
    ask(at: trialRadial)
  }

  private mutating func finishStage(converged: Bool) {
    report.converged = converged
    report.trials += trials
    // The last step is not linearised, unless nothing better was found from there.
    if report.history.last?.loss != report.loss {
      report.history.append(
        TrainingStep(trials: report.trials, loss: report.loss, errors: ResidualSums()))
    }
    guard !laterStages.isEmpty else {
      request = nil
      return
    }
    let next = laterStages.removeFirst()
    let larger = RadialGauge(of: next)
    radial = larger.continuing(radial, of: gauge)
    gauge = larger
    let before = report
    report = TrainingReport(potential: next, loss: .infinity)
    report.losses = before.losses
    report.history = before.history
    report.trials = before.trials
    (trials, accepted, slowSteps, damping) = (0, 0, 0, Self.firstDamping)
    system = nil
    phase = .start
    ask(at: radial)
  }
}

extension MomentTensorTrainer.Request: ByteCodable {
  /// Appends the potential and what is asked.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(potential)
    encoder.encode(includingRadial)
  }

  /// Reads the potential and what is asked.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    potential = try decoder.decode(MomentTensorPotential.self)
    includingRadial = try decoder.decode(Bool.self)
  }
}

extension MomentTensorTrainer {
  /// Fits a potential, with all shards computed one after another or as the caller likes.
  ///
  /// - Parameters:
  ///   - potential: The basis to fit; its coefficients matter only for `TrainingStart.current`.
  ///   - problem: The data.
  ///   - accumulator: Gives the equations of all shards merged in their order; by default they are
  ///     computed here.
  ///   - progress: Is told of every step.
  /// - Returns: The fitted potential and how it was found.
  /// - Throws: `PotentialError` where a structure cannot be treated or the data are not finite, and what
  ///   the accumulator throws.
  public static func train(
    _ potential: MomentTensorPotential, on problem: TrainingProblem,
    accumulator: ((Request) throws -> NormalEquations)? = nil,
    progress: ((TrainingStep) -> Void)? = nil
  ) throws -> TrainingReport {
    let clock = ContinuousClock()
    let began = clock.now
    var trainer = try MomentTensorTrainer(fitting: potential, to: problem)
    let workspace = TrainingWorkspace(problem)
    var told = 0
    while let request = trainer.request {
      try trainer.receive(
        try accumulator?(request) ?? workspace.equations(for: request))
      // The clock only labels what was found.
      while told < trainer.report.history.count {
        trainer.report.history[told].seconds = (clock.now - began) / .seconds(1)
        progress?(trainer.report.history[told])
        told += 1
      }
    }
    return trainer.report
  }

  // The same species and radial basis with a smaller set of basis functions.
  private static func lowered(
    _ potential: MomentTensorPotential, to level: Int
  ) throws(PotentialError) -> MomentTensorPotential {
    let basis = try MomentTensorBasis(level: level)
    guard basis.scalarCount < potential.scalarCount else {
      throw .training(
        "continuation through level \(level) does not lead up to the potential's level")
    }
    return try MomentTensorPotential(
      basis: basis, radialBasis: potential.radialBasis, elements: potential.elements,
      repulsion: potential.repulsion)
  }
}

extension MomentTensorPotential {
  func with(parameters: [Double]) -> MomentTensorPotential {
    var copy = self
    copy.parameters = parameters
    return copy
  }
}

/// What a training found.
public struct TrainingReport: Sendable {
  /// The fitted potential.
  public internal(set) var potential: MomentTensorPotential
  /// Its loss, (1/K) Σ over the structures trained on.
  public internal(set) var loss: Double
  /// The loss after every accepted step, all levels.
  public internal(set) var losses: [Double] = []
  /// How it stood after every accepted step; the last of each level without errors, which only a
  /// linearisation tells.
  public internal(set) var history: [TrainingStep] = []
  /// Trials made, accepted or not.
  public internal(set) var trials = 0
  /// Whether the last stage ended by itself, not by the limit of trials.
  public internal(set) var converged = false

  init(potential: MomentTensorPotential, loss: Double) {
    self.potential = potential
    self.loss = loss
  }
}
