import Crystal
import Dataset
import Dynamics
import Evolution
import NumericalCore
import Potential
import ReferenceEngines

/// Does a campaign's work: breeds, relaxes, grades, labels, trains.
///
/// It keeps potentials by version and nothing else between orders (R11).
public final class CampaignExecutor: WorkExecutor {
  private let rules: CampaignRules
  // Keeps tables that depend on the space group alone.
  private var breeder = Breeder()
  private let engine: any ReferenceEngine
  private let reference: any InteratomicPotential
  private let shouldStop: @Sendable () -> Bool
  private var versions: [Int: TrainedVersion] = [:]

  /// Creates an executor for a campaign.
  ///
  /// - Parameters:
  ///   - rules: What the campaign file says of the work.
  ///   - engine: Labels structures.
  ///   - reference: The same method as a potential, for re-ranking.
  ///   - shouldStop: What ends an external program under way; what it was to compute has no result then.
  public init(
    rules: CampaignRules, engine: any ReferenceEngine, reference: any InteratomicPotential,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.shouldStop = shouldStop
    self.rules = rules
    self.engine = engine
    self.reference = reference
  }

  /// Keeps a potential version.
  public func hold(version: Int, potential: [UInt8]) throws {
    versions[version] = try TrainedVersion(canonicalBytes: potential)
    // Nothing under way is more than one version behind; a few more cost little.
    versions = versions.filter { $0.key > version - 4 }
  }

  /// Does a piece of work.
  ///
  /// - Throws: `WorkInterrupted` where an external program was ended on demand.
  public func execute(_ order: WorkOrder) throws -> WorkResult {
    let result = try perform(order)
    // An embedded method is never broken off: its results are whole whenever they come.
    if !(engine is EmbeddedReference), order.asksReference, shouldStop() {
      throw WorkInterrupted()
    }
    return result
  }

  private func perform(_ order: WorkOrder) throws -> WorkResult {
    switch order {
    case .generate(let order, let stream):
      var random = RandomStream(
        seed: rules.seed, purpose: .initialTraining, slot: UInt64(stream))
      switch breeder.breed(order, settings: rules.breeding, random: &random) {
      case .offspring(let structure, _, _): return .generated(structure)
      case .rejected(let reason): return .notGenerated(reason.rawValue)
      }
    case .explore(let order, let stream, let version):
      let child = try screened(withModes(order, version), stream, version)
      switch child.outcome {
      case .offspring(let structure, _, let recipe):
        var report = try relax(structure, version, stages: rules.searchStages)
        report.recipe = recipe
        report.evaluations += child.evaluations
        return .relaxation(report)
      case .rejected(let reason):
        return .relaxation(RelaxationReport(ending: .rejected(reason.rawValue), evaluations: 0))
      }
    case .resume(let structure, let version):
      return .relaxation(try relax(structure, version, stages: rules.searchStages))
    case .refresh(let structure, let version):
      // A structure that is still at rest costs this relaxation one evaluation.
      return .relaxation(try relax(structure, version, stages: [rules.tightStage]))
    case .select(let pool, let version, let limit):
      return .selected(try select(pool, version, limit: limit))
    case .label(let structure, let again): return label(structure, again: again)
    case .refit(let labelled, let version, let start):
      return try refit(labelled, version, start: start)
    case .rerank(let structure):
      return .reranked(relaxWithReference(structure, stages: rules.rerankStages))
    }
  }

  private func held(_ version: Int) throws -> TrainedVersion {
    guard let trained = versions[version] else {
      throw TransportError("potential version \(version) did not reach this rank")
    }
    return trained
  }

  // MARK: Breeding

  /// So many of the softest modes are looked at, degenerate ones counted one by one; later children of
  /// a parent follow random combinations of the softest.
  private static let softestModes = 30

  /// An order with the vibrations that the campaign wants soft mutations to follow.
  private func withModes(_ order: BreedingOrder, _ version: Int) throws -> BreedingOrder {
    guard rules.hessian == .potential, order.kind == .softMutation else { return order }
    let potential: any InteratomicPotential =
      version > 0 ? try held(version).potential : reference
    var order = order
    order.parents = order.parents.map { parent in
      // Where the potential fails, the bond-strength model is good enough.
      guard let hessian = try? ZoneCenterHessian(of: parent.structure, with: potential),
        let modes = try? hessian.softestModes(Self.softestModes), let last = modes.last
      else { return parent }
      let largest = max(abs(last.eigenvalue), abs(modes[0].eigenvalue))
      return parent.with(
        modes: VibrationalModes(
          eigenvalues: modes.map(\.eigenvalue), displacements: modes.map(\.displacements),
          degeneracyWidth: 1e-4 * largest))
    }
    return order
  }

  /// Breeds a child a few times and takes the one of lowest enthalpy.
  ///
  /// One evaluation costs a small part of a relaxation, and what starts low more often ends low: of four
  /// random silicon structures, the lowest relaxes to diamond twice as often as any. Where the potential
  /// extrapolates its enthalpies tell nothing: such a first child is taken as it is, so that screening
  /// keeps nothing new from being learnt, and later ones are passed over.
  private func screened(
    _ order: BreedingOrder, _ stream: Int, _ version: Int
  ) throws -> (outcome: BreedingOutcome, evaluations: Int) {
    var first: BreedingOutcome?
    var best: (outcome: BreedingOutcome, enthalpy: Double)?
    var evaluations = 0
    for draw in 0..<(order.kind.isDrawn ? rules.draws : 1) {
      var random = RandomStream(
        seed: rules.seed, purpose: .breeding, slot: UInt64(stream), attempt: UInt32(draw))
      let outcome = breeder.breed(
        order.rotated(by: draw), settings: rules.breeding, random: &random)
      if first == nil { first = outcome }
      guard rules.draws > 1, case .offspring(let structure, _, _) = outcome else { continue }
      evaluations += 1
      guard let enthalpy = try reliableEnthalpy(of: structure, version) else {
        if best == nil, version > 0 { return (outcome, evaluations) }
        continue
      }
      if enthalpy < best?.enthalpy ?? .infinity { best = (outcome, enthalpy) }
    }
    guard let outcome = best?.outcome ?? first else {
      preconditionFailure("a candidate is drawn at least once")
    }
    return (outcome, evaluations)
  }

  /// The enthalpy per atom in eV of a structure that the potential knows; `nil` where it extrapolates, or
  /// where the reference method refuses.
  private func reliableEnthalpy(of structure: Structure, _ version: Int) throws -> Double? {
    let potential: any InteratomicPotential
    if version > 0 {
      let trained = try held(version)
      // A grade that cannot be computed is beyond every threshold.
      guard let grade = try? trained.grader.grade(of: structure), grade < rules.breakThreshold
      else { return nil }
      potential = trained.potential
    } else {
      potential = reference
    }
    // A structure that cannot be evaluated has no enthalpy to be compared.
    guard let evaluation = try? potential.evaluation(of: structure), evaluation.isFinite() else {
      return nil
    }
    if version == 0, let embedded = engine as? EmbeddedReference,
      embedded.invalidity(of: structure, evaluation) != nil
    {
      return nil
    }
    return (evaluation.energy + rules.pressure * structure.volume) / Double(structure.atomCount)
  }

  // MARK: Relaxation with the potential

  private func relax(
    _ start: Structure, _ version: Int, stages: [RelaxationSettings.Stage]
  ) throws -> RelaxationReport {
    guard version > 0 else { return relaxWithReference(start, stages: stages) }
    let trained = try held(version)
    var watch = GradeWatch(
      selectThreshold: rules.selectThreshold, breakThreshold: rules.breakThreshold)
    let result = Relaxation.run(
      start, with: trained.potential, settings: rules.relaxation(stages: stages)
    ) { step in
      // Beyond the force cap nothing is trained on, so no label could help there: the forces only have
      // to push the atoms apart, and minimum distances are checked at every step.
      let largestForce = step.evaluation.largestForce()
      guard largestForce <= rules.forceCap else { return .continue }
      // A structure whose grade cannot be computed is beyond every threshold.
      let grade = (try? trained.grader.grade(of: step.structure)) ?? .infinity
      return watch.observe(step.structure, grade: grade) ? .continue : .stop(grade: grade)
    }
    let harvest = watch.harvest { rules.breeding.minimumDistances.firstViolation(in: $0) == nil }
    var report = RelaxationReport(
      ending: .failed(result.outcome.description), extrapolative: harvest,
      evaluations: result.evaluations)
    switch result.outcome {
    case .converged, .stepLimit:
      report.ending = relaxedEnding(
        result, grade: watch.lastReliable?.grade ?? 0, potential: trained.potential)
    case .stoppedByGrade(let grade):
      report.ending = .stopped(
        grade: grade, lastReliable: watch.lastReliable?.structure ?? result.structure)
    case .collapsed, .exploded, .distanceViolated, .failed: break
    }
    return report
  }

  private func relaxedEnding(
    _ result: RelaxationResult, grade: Double, potential: MomentTensorPotential?
  ) -> RelaxationEnding {
    guard let evaluation = result.evaluation, result.enthalpy.isFinite else {
      return .failed("no finite enthalpy")
    }
    let structure = result.structure.reduced()
    var measure = AtomMeasure.none
    if let potential, let energies = try? potential.siteEnergies(of: structure) {
      measure = .siteEnergies(energies)
    }
    return .relaxed(
      RelaxedCandidate(
        structure: structure, evaluation: evaluation, enthalpyPerAtom: result.enthalpyPerAtom,
        hasConverged: result.hasConverged,
        pointGroupOrder: MatchingCell(structure)?.pointGroupOrder() ?? 1,
        fingerprint: StructureFingerprint(structure, settings: rules.fingerprint),
        grade: grade, measure: measure))
  }

  // MARK: The reference method

  private func label(_ structure: Structure, again: Bool) -> WorkResult {
    let outcome =
      (engine as? ExternalEngine)?.label(structure, again: again) ?? engine.label(structure)
    switch outcome {
    case .labelled(let evaluation): return .labelled(evaluation)
    case .failed(let reason):
      // Only what came from outside may go better the next time (R8).
      let isExternal = ["time-out:", "signal:", "system:"].contains { reason.hasPrefix($0) }
      return .labelFailed(isExternal ? reason : CampaignState.deterministicFailure + reason)
    }
  }

  private func relaxWithReference(
    _ structure: Structure, stages: [RelaxationSettings.Stage]
  ) -> RelaxationReport {
    let result = Relaxation.run(
      structure, with: reference, settings: rules.relaxation(stages: stages))
    var report = RelaxationReport(
      ending: .failed(result.outcome.description), evaluations: result.evaluations)
    if let evaluation = result.evaluation, let embedded = engine as? EmbeddedReference,
      let reason = embedded.invalidity(of: result.structure, evaluation)
    {
      report.ending = .failed(reason)
    } else if result.outcome == .converged || result.outcome == .stepLimit {
      report.ending = relaxedEnding(result, grade: 0, potential: nil)
    }
    return report
  }

  // MARK: Learning

  private func select(_ pool: [Structure], _ version: Int, limit: Int) throws -> [Int] {
    let grader = try held(version).grader
    let firstIdentifier = (grader.activeSet.structures().last ?? -1) + 1
    var candidates: [DOptimalSelection.Candidate] = []
    for (place, structure) in pool.enumerated() {
      // Atoms so close that a derivative is not finite cannot be labelled either.
      guard let rows = try? grader.rows(of: structure) else { continue }
      candidates.append(
        DOptimalSelection.Candidate(identifier: firstIdentifier + place, rows: rows))
    }
    let selection = try DOptimalSelection(
      from: candidates, extending: grader.activeSet, threshold: rules.selectThreshold,
      limit: limit)
    return selection.selected.map { $0 - firstIdentifier }.sorted()
  }

  private func refit(
    _ labelled: [LabelledStructure], _ version: Int, start: Int?
  ) throws -> WorkResult {
    do {
      let initial = try start.map { try held($0).potential } ?? rules.untrainedPotential()
      let settings = rules.training(start: start == nil ? .chebyshev : .current)
      let problem = try TrainingProblem(labelled, for: initial, settings: settings)
      let report = try MomentTensorTrainer.train(initial, on: problem)
      let used = labelled.indices.filter { problem.exclusions[$0] == nil }
      let grader = try ExtrapolationGrader(
        report.potential, trainedOn: used.map { labelled[$0].structure },
        mode: rules.extrapolationMode)
      let predictions = try used.map {
        try report.potential.evaluation(of: labelled[$0].structure)
      }
      let errors = ErrorStatistics(of: used.map { labelled[$0] }, predictions: predictions)
      return .trained(
        TrainedVersion(
          grader: grader, trainedOn: used.count, loss: report.loss,
          errors: (
            errors.energyPerAtom.rootMeanSquare, errors.force.rootMeanSquare,
            errors.stress?.rootMeanSquare ?? 0
          )
        ).canonicalBytes)
    } catch let error as PotentialError {
      return .trainingFailed(error.description)
    }
  }
}
