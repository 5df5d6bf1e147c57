import Crystal
import Dataset
import Dynamics
import Evolution
import NumericalCore
import Potential
import ReferenceEngines

/// Does a campaign's work: breeds, relaxes, grades, labels, trains.
///
/// It keeps potentials by version between orders, and what saves time and changes no result (R11).
public final class CampaignExecutor: WorkExecutor {
  let rules: CampaignRules
  var breeder = Breeder()
  let engine: any ReferenceEngine
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
    if order.asksReference { try checkInterruption() }
    return result
  }

  /// Ends work with an external program on demand; an embedded method is never broken off: its results are
  /// whole whenever they come.
  ///
  /// - Throws: `WorkInterrupted`.
  func checkInterruption() throws {
    if !(engine is EmbeddedReference), shouldStop() { throw WorkInterrupted() }
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
      return .relaxation(
        try relaxedBestChild(
          of: withModes(order, version), stream: stream, version: version))
    case .resume(let structure, let version):
      return .relaxation(try relax(structure, version, stages: rules.searchStages))
    case .refresh(let structure, let version):
      // A structure that is still at rest costs this relaxation one evaluation.
      return .relaxation(try relax(structure, version, stages: [rules.tightStage]))
    case .select(let pool, let version, let limit):
      return .selected(try select(pool, version, limit: limit))
    case .label(let structure, let again): return label(structure, again: again)
    case .refit(let labelled, let version, let start):
      return try refit(
        labelled, version, start: start, level: nil, gradingLevel: rules.gradingLevel)
    case .refitForMelts(let labelled, let version, let start):
      return try refit(
        labelled, version, start: start, level: rules.meltLevel, gradingLevel: nil)
    case .scatter(let composition, let volume, let stream):
      return .generated(
        try DisorderedStructure.make(
          composition, volumePerAtom: volume, seed: rules.scatteringSeed(stream)))
    case .melt(let progress, let run, let attempt, let version):
      var piece = MeltPiece(
        progress, run: run, with: version > 0 ? try held(version) : nil, version: version,
        or: reference, rules: rules)
      return .melted(
        try piece.move(attempt: attempt, isExternal: !(engine is EmbeddedReference)))
    case .rerank(let structure):
      return .reranked(
        try relax(CampaignRules.rerankStart(structure), 0, stages: rules.rerankStages))
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

  // MARK: Relaxation

  /// A relaxation with the potential of a version, or with the reference method for version 0.
  func relaxation(
    of start: Structure, _ version: Int, stages: [RelaxationSettings.Stage]
  ) throws -> CandidateRelaxation {
    CandidateRelaxation(
      start, with: version > 0 ? try held(version) : nil, or: reference, stages: stages,
      rules: rules)
  }

  private func relax(
    _ start: Structure, _ version: Int, stages: [RelaxationSettings.Stage]
  ) throws -> RelaxationReport {
    var relaxation = try relaxation(of: start, version, stages: stages)
    return finish(&relaxation)
  }

  func finish(_ relaxation: inout CandidateRelaxation) -> RelaxationReport {
    let result = relaxation.finish()
    let watch = relaxation.watch
    var report = RelaxationReport(
      ending: .failed(result.outcome.description),
      extrapolative: watch.harvest {
        rules.breeding.minimumDistances.firstViolation(in: $0) == nil
      },
      evaluations: result.evaluations)
    if relaxation.trained == nil, let evaluation = result.evaluation,
      let embedded = engine as? EmbeddedReference,
      let reason = embedded.invalidity(of: result.structure, evaluation)
    {
      report.ending = .failed(reason)
      return report
    }
    switch result.outcome {
    case .converged, .stepLimit:
      report.ending = relaxedEnding(
        result, grade: watch.lastReliable?.grade ?? 0, potential: relaxation.trained?.potential)
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
    _ labelled: [LabelledStructure], _ version: Int, start: Int?, level: Int?, gradingLevel: Int?
  ) throws -> WorkResult {
    let before = try start.map { try held($0) }
    let settings = rules.training(start: start == nil ? .chebyshev : .current)
    do {
      let initial = try before?.potential ?? rules.untrainedPotential(level: level)
      let problem = try TrainingProblem(labelled, for: initial, settings: settings)
      let report = try MomentTensorTrainer.train(initial, on: problem)
      let used = labelled.indices.filter { problem.exclusions[$0] == nil }
      let grader = try ExtrapolationGrader(
        try gradingPotential(report.potential, gradingLevel, before, labelled, settings),
        trainedOn: used.map { labelled[$0].structure }, mode: rules.extrapolationMode)
      let predictions = try used.map {
        try report.potential.evaluation(of: labelled[$0].structure)
      }
      let errors = ErrorStatistics(of: used.map { labelled[$0] }, predictions: predictions)
      return .trained(
        TrainedVersion(
          potential: report.potential, grader: grader, trainedOn: used.count, loss: report.loss,
          errors: (
            errors.energyPerAtom.rootMeanSquare, errors.force.rootMeanSquare,
            errors.stress?.rootMeanSquare ?? 0
          )
        ).canonicalBytes)
    } catch let error as PotentialError {
      return .trainingFailed(error.description)
    }
  }

  /// The potential whose grade decides: the one that relaxes, or one of a lower level with the same labels.
  private func gradingPotential(
    _ relaxing: MomentTensorPotential, _ level: Int?, _ before: TrainedVersion?,
    _ labelled: [LabelledStructure], _ settings: TrainingSettings
  ) throws -> MomentTensorPotential {
    guard let level else { return relaxing }
    do {
      let initial = try before?.grader.potential ?? rules.untrainedPotential(level: level)
      let problem = try TrainingProblem(labelled, for: initial, settings: settings)
      return try MomentTensorTrainer.train(initial, on: problem).potential
    } catch let error as PotentialError {
      throw PotentialError.training("the potential of level \(level) that grades: \(error)")
    }
  }
}
