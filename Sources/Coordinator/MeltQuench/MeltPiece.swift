import Crystal
import Dynamics
import Evolution
import NumericalCore
import Potential
import ReferenceEngines

/// Moves a melt of a campaign for a while, on its worker, with its grade watched.
struct MeltPiece {
  private let rules: CampaignRules
  private let settings: MeltQuenchSettings
  private let trained: TrainedVersion?
  private let potential: any InteratomicPotential
  private var report: MeltReport
  private var watch: GradeWatch

  /// A piece has so many steps at most: about a second with a potential of a hundred atoms.
  private static let steps = 5000
  /// With an external program, which may take minutes for each.
  private static let externalSteps = 20
  /// Scattered atoms may go when no force is larger, in eV/Å.
  private static let calmForce = 0.5

  /// Prepares a piece.
  ///
  /// - Parameters:
  ///   - progress: Where it begins.
  ///   - run: The number of the melt.
  ///   - trained: The potential; `nil` for the reference method.
  ///   - reference: The reference method.
  ///   - rules: The campaign's.
  init(
    _ progress: MeltProgress, run: Int, with trained: TrainedVersion?,
    or reference: any InteratomicPotential, rules: CampaignRules
  ) {
    self.rules = rules
    self.trained = trained
    settings = rules.meltQuench(run)
    potential = trained?.potential ?? reference
    report = MeltReport(progress, .underWay)
    watch = GradeWatch(
      selectThreshold: rules.selectThreshold, breakThreshold: rules.breakThreshold)
  }

  /// Moves atoms until the piece is over.
  ///
  /// - Parameters:
  ///   - failures: How often the melt failed so far: the next velocities are other ones.
  ///   - isExternal: Whether the reference method is an external program.
  /// - Returns: What came of it.
  /// - Throws: `CrystalError` where atoms cannot be scattered.
  mutating func move(failures: Int, isExternal: Bool) throws(CrystalError) -> MeltReport {
    switch report.progress {
    case .scattering(let composition, let volume):
      calm(
        try DisorderedStructure.make(composition, volumePerAtom: volume, seed: settings.seed))
    case .calming(let structure): calm(structure)
    case .moving(let state):
      let isSlow = trained == nil && isExternal
      move(state, steps: isSlow ? Self.externalSteps : Self.steps, failures: failures)
    }
    report.extrapolative = watch.harvest {
      rules.breeding.minimumDistances.firstViolation(in: $0) == nil
    }
    return report
  }

  /// Spheres that do not overlap may still repel each other with forces that would throw them apart.
  private mutating func calm(_ structure: Structure) {
    var relaxation = RelaxationSettings(
      stages: [.init(force: Self.calmForce, stress: 1, evaluations: 100)])
    relaxation.hasFixedCell = true
    var watch = watch
    let result = Relaxation.run(structure, with: potential, settings: relaxation) { step in
      observe(step.structure, step.evaluation, &watch) ? .continue : .stop(grade: 0)
    }
    self.watch = watch
    report.evaluations = result.evaluations
    switch result.outcome {
    case .stoppedByGrade:
      report.progress = .calming(watch.lastReliable?.structure ?? structure)
      report.ending = .stopped(grade: watch.stoppingGrade ?? .infinity)
    case .converged, .stepLimit:
      report.progress = .moving(MeltQuenchState(result.structure, settings: settings))
    case .collapsed, .exploded, .distanceViolated, .failed:
      report.ending = .failed(result.outcome.description)
    }
  }

  private mutating func move(_ start: MeltQuenchState, steps: Int, failures: Int) {
    var run = MeltQuench(start, with: potential, settings: settings)
    let end = start.dynamics.step + steps
    let interval = max(1, Int((settings.sampleInterval / settings.timeStep).rounded()))
    while run.state.phase != .finished, run.state.dynamics.step < end {
      let before = run.state
      var last: DynamicsStep?
      var frames: [LabelledStructure] = []
      let outcome = run.advance(by: interval) { step in
        last = step.dynamics
        if trained == nil, step.isSampled,
          let frame = try? LabelledStructure(
            step.dynamics.state.structure, step.dynamics.evaluation)
        {
          frames.append(frame)
        }
        return true
      }
      report.evaluations += run.state.dynamics.step - before.dynamics.step
      switch outcome {
      case .finished, .stopped: break
      case .exploded, .failed:
        report.progress = .moving(
          start.withOtherVelocities(attempt: failures + 1, settings: settings))
        report.ending = .failed(outcome.description)
        return
      }
      report.frames += frames
      if let last, !observe(last.state.structure, last.evaluation, &watch) {
        report.progress = .moving(before)
        report.ending = .stopped(grade: watch.stoppingGrade ?? .infinity)
        return
      }
    }
    report.progress = .moving(run.state)
    if run.state.phase == .finished { report.ending = .finished }
  }

  /// Grades a structure.
  ///
  /// - Returns: Whether the atoms may move on.
  private func observe(
    _ structure: Structure, _ evaluation: Evaluation, _ watch: inout GradeWatch
  ) -> Bool {
    // As with candidates: beyond the force cap no label could help.
    guard let trained, evaluation.largestForce() <= rules.forceCap else { return true }
    let grade = (try? trained.grader.grade(of: structure)) ?? .infinity
    return watch.observe(structure, grade: grade)
  }
}
