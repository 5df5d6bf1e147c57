import Crystal
import Dynamics
import Potential

/// The relaxation of one candidate on its worker; it may be left off and taken up again.
///
/// It is one with a trained potential, whose grade is watched, or with the reference method.
struct CandidateRelaxation {
  private var relaxation: PausableRelaxation
  /// What the grade was on the way.
  private(set) var watch: GradeWatch
  /// The potential; `nil` where it is the reference method.
  let trained: TrainedVersion?
  private let start: Structure
  private let forceCap: Double
  /// The grade of the start, once it was asked for.
  private var knownGrade: Double?

  /// Prepares a relaxation; nothing is evaluated yet.
  init(
    _ start: Structure, with trained: TrainedVersion?, or reference: any InteratomicPotential,
    stages: [RelaxationSettings.Stage], rules: CampaignRules
  ) {
    self.start = start
    self.trained = trained
    forceCap = rules.forceCap
    relaxation = PausableRelaxation(
      start, with: trained?.potential ?? reference, settings: rules.relaxation(stages: stages))
    watch = GradeWatch(
      selectThreshold: rules.selectThreshold, breakThreshold: rules.breakThreshold)
  }

  /// How it ended; `nil` while there is more to do.
  var outcome: RelaxationOutcome? { relaxation.outcome }
  /// The enthalpy of the last accepted structure in eV per atom; infinite before the first.
  var enthalpyPerAtom: Double { relaxation.enthalpyPerAtom }
  /// The last accepted structure.
  var structure: Structure { relaxation.structure }
  /// Its evaluation; `nil` where there is none.
  var evaluation: Evaluation? { relaxation.evaluation }
  /// The number of evaluations so far.
  var evaluations: Int { relaxation.evaluations }

  /// Whether its enthalpy is that of a structure: under way or at rest, not broken off.
  var isSound: Bool {
    switch outcome {
    case nil, .converged, .stepLimit: enthalpyPerAtom.isFinite
    case .collapsed, .exploded, .distanceViolated, .stoppedByGrade, .failed: false
    }
  }

  /// The grade of the structure that it starts from; 0 with the reference method, infinite where it
  /// cannot be computed.
  mutating func startingGrade() -> Double {
    guard let trained else { return 0 }
    let grade = knownGrade ?? Self.grade(of: start, trained)
    knownGrade = grade
    return grade
  }

  /// Goes on until so many steps are accepted; 0 is the first evaluation alone.
  mutating func advance(to step: Int) {
    var watch = watch
    let (trained, forceCap, knownGrade) = (trained, forceCap, knownGrade)
    relaxation.advance(to: step) { step in
      guard let trained else { return .continue }
      // Beyond the force cap nothing is trained on, so no label could help there: the forces only have
      // to push the atoms apart, and minimum distances are checked at every step.
      guard step.evaluation.largestForce() <= forceCap else { return .continue }
      let grade =
        (step.index == 0 ? knownGrade : nil) ?? Self.grade(of: step.structure, trained)
      return watch.observe(step.structure, grade: grade) ? .continue : .stop(grade: grade)
    }
    self.watch = watch
  }

  /// Goes on to the end.
  mutating func finish() -> RelaxationResult {
    advance(to: .max)
    return relaxation.finish()
  }

  /// A structure whose grade cannot be computed is beyond every threshold.
  private static func grade(of structure: Structure, _ trained: TrainedVersion) -> Double {
    (try? trained.grader.grade(of: structure)) ?? .infinity
  }
}
