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
  private let version: Int
  private let potential: any InteratomicPotential
  private var report: MeltReport
  private var watch: GradeWatch

  /// A piece has so many steps at most: about a second with a potential of a hundred atoms.
  private static let steps = 5000
  /// With an external program, which may take minutes for each.
  private static let externalSteps = 20
  /// One in so many sampled frames is kept for the potential of the search to choose from: neighbors in time
  /// are alike.
  private static let thinning = 10
  /// Atoms of a hot liquid come closer than those of candidates may: what is worth a label keeps this part of
  /// their limits.
  private static let closeness = 0.75
  /// While atoms part, and where they settle in a new volume, they are graded so often, in steps.
  private static let shortInterval = 2
  /// So many steps they settle.
  private static let settlingSteps = 100

  /// Prepares a piece.
  ///
  /// - Parameters:
  ///   - progress: Where it begins.
  ///   - run: The number of the melt.
  ///   - trained: The potential; `nil` for the reference method.
  ///   - version: The potential's version; 0 for the reference method.
  ///   - reference: The reference method.
  ///   - rules: The campaign's.
  init(
    _ progress: MeltProgress, run: Int, with trained: TrainedVersion?, version: Int,
    or reference: any InteratomicPotential, rules: CampaignRules
  ) {
    self.rules = rules
    self.trained = trained
    self.version = version
    settings = rules.meltQuench(run)
    potential = trained?.potential ?? reference
    report = MeltReport(progress, .underWay)
    watch = GradeWatch(
      selectThreshold: rules.selectThreshold, breakThreshold: rules.breakThreshold)
  }

  /// Moves atoms until the piece is over.
  ///
  /// - Parameters:
  ///   - attempt: Other than 0 after a failure: each has other velocities.
  ///   - isExternal: Whether the reference method is an external program.
  /// - Returns: What came of it.
  /// - Throws: `CrystalError` where atoms cannot be scattered.
  mutating func move(attempt: Int, isExternal: Bool) throws(CrystalError) -> MeltReport {
    var state: MeltQuenchState
    switch report.progress {
    case .scattering(let composition, let volume):
      state = MeltQuenchState(
        try DisorderedStructure.make(composition, volumePerAtom: volume, seed: settings.seed),
        settings: settings)
    case .starting(let structure): state = MeltQuenchState(structure, settings: settings)
    case .moving(let before): state = before
    }
    if attempt > 0 { state = state.withOtherVelocities(attempt: attempt, settings: settings) }
    move(state, steps: trained == nil && isExternal ? Self.externalSteps : Self.steps)
    let limits = rules.breeding.minimumDistances.scaled(by: Self.closeness)
    report.extrapolative = watch.harvest { limits.firstViolation(in: $0) == nil }
    return report
  }

  private mutating func move(_ start: MeltQuenchState, steps: Int) {
    var run = MeltQuench(start, with: potential, version: version, settings: settings)
    let end = start.dynamics.step + steps
    let usualInterval = max(1, Int((settings.sampleInterval / settings.timeStep).rounded()))
    while run.state.phase != .finished, run.state.dynamics.step < end {
      let before = run.state
      let isNew = before.phase == .melting || before.phase == .press
      let settles = isNew && before.phaseStep < Self.settlingSteps
      let interval = before.phase == .calming || settles ? Self.shortInterval : usualInterval
      var last: DynamicsStep?
      var frames: [LabelledStructure] = []
      var samples: [Structure] = []
      // A relaxation that leads away from what the potential knows is not worth a label: it only guesses a volume.
      var aside = watch
      let outcome = run.advance(by: interval) { step in
        last = step.dynamics
        if step.isRestart {
          (samples, report.samples) = ([], [])
          report.hasRestarted = true
        }
        guard step.isSampled else { return true }
        let structure = step.dynamics.state.structure
        if trained != nil {
          if step.dynamics.state.step % (Self.thinning * usualInterval) < usualInterval {
            samples.append(structure)
          }
        } else if let frame = try? LabelledStructure(structure, step.dynamics.evaluation) {
          frames.append(frame)
        }
        return true
      } relaxing: { step in
        observe(step.structure, &aside) ? .continue : .stop(grade: 0)
      }
      report.evaluations += run.state.dynamics.step - before.dynamics.step
      switch outcome {
      case .finished, .stopped: break
      case .exploded, .failed:
        report.ending = .failed("\(before.phase): \(outcome)")
        // The grade has not noticed: a hole of the potential.
        if trained != nil { report.hole = before.dynamics.structure }
        return
      }
      if let last, !observe(last.state.structure, &watch) {
        report.progress = .moving(before)
        report.ending = .stopped(grade: watch.stoppingGrade ?? .infinity)
        return
      }
      // What atoms go through once more is sampled then.
      report.frames += frames
      report.samples += samples
    }
    report.progress = .moving(run.state)
    if run.state.phase == .finished { report.ending = .finished }
  }

  /// Grades a structure.
  ///
  /// - Returns: Whether the atoms may move on.
  private func observe(_ structure: Structure, _ watch: inout GradeWatch) -> Bool {
    guard let trained else { return true }
    return watch.observe(
      structure, grade: (try? trained.grader.grade(of: structure)) ?? .infinity)
  }
}
