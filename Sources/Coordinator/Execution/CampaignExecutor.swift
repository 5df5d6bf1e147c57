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
      return .relaxation(try explore(withModes(order, version), stream, version))
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
      return .reranked(try relax(structure, 0, stages: rules.rerankStages))
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

  /// A child that may be relaxed.
  private struct Entrant {
    var relaxation: CandidateRelaxation
    let recipe: RandomRecipe?
  }

  /// So many steps show which of two children is going to end lower.
  private static let raceSteps = 10

  /// Breeds a child a few times and relaxes the one that promises most.
  ///
  /// What starts low more often ends low, and what is low after a few steps does so far more often: the
  /// half of the children with the lowest enthalpies race for ten steps, and the lowest of them then is
  /// relaxed to its end. MgAl₂O₄ with 28 atoms is found with 12 % fewer relaxations than after five steps
  /// of the race, and also with fewer evaluations; with all four in the race it took more.
  private func explore(
    _ order: BreedingOrder, _ stream: Int, _ version: Int
  ) throws -> RelaxationReport {
    var (entrants, evaluations) = ([Entrant](), 0)
    var (passedOver, rejection) = (Entrant?.none, RejectionReason?.none)
    let draws = order.kind.isDrawn ? rules.draws : 1
    for draw in 0..<draws {
      var random = RandomStream(
        seed: rules.seed, purpose: .breeding, slot: UInt64(stream), attempt: UInt32(draw))
      let child = breeder.breed(order.rotated(by: draw), settings: rules.breeding, random: &random)
      guard case .offspring(let structure, _, let recipe) = child else {
        if case .rejected(let reason) = child { rejection = rejection ?? reason }
        continue
      }
      var entrant = Entrant(
        relaxation: try relaxation(of: structure, version, stages: rules.searchStages),
        recipe: recipe)
      // Where the potential extrapolates its enthalpies tell nothing: such a first child is taken as it
      // is, so that the race keeps nothing new from being learnt, and later ones are passed over.
      let isKnown = draws == 1 || entrant.relaxation.startingGrade < rules.breakThreshold
      if !isKnown, entrants.isEmpty {
        entrants = [entrant]
        break
      }
      if draws > 1 {
        entrant.relaxation.advance(to: 0)
        evaluations += entrant.relaxation.evaluations
      }
      if isKnown, draws == 1 || isPromising(entrant.relaxation) {
        entrants.append(entrant)
      } else if passedOver == nil {
        passedOver = entrant
      }
    }
    guard var winner = winner(of: entrants, &evaluations) ?? passedOver else {
      guard let rejection else { preconditionFailure("a candidate is drawn at least once") }
      return RelaxationReport(ending: .rejected(rejection.rawValue), evaluations: 0)
    }
    let before = winner.relaxation.evaluations
    var report = finish(&winner.relaxation)
    report.recipe = winner.recipe
    report.evaluations += evaluations - before
    return report
  }

  /// Whether the enthalpy that a relaxation begins with can be compared.
  private func isPromising(_ relaxation: CandidateRelaxation) -> Bool {
    guard relaxation.isSound, let evaluation = relaxation.evaluation else { return false }
    guard relaxation.trained == nil, let embedded = engine as? EmbeddedReference else {
      return true
    }
    return embedded.invalidity(of: relaxation.structure, evaluation) == nil
  }

  /// Lets the better half of the children race and returns the lowest, or the first where it met what
  /// the potential does not know; `nil` where there is none.
  private func winner(of entrants: [Entrant], _ evaluations: inout Int) -> Entrant? {
    let order = entrants.indices.sorted {
      (entrants[$0].relaxation.enthalpyPerAtom, $0)
        < (entrants[$1].relaxation.enthalpyPerAtom, $1)
    }
    guard let first = order.first else { return nil }
    var racing = order.prefix((entrants.count + 1) / 2).map { entrants[$0] }
    guard racing.count > 1 else { return entrants[first] }
    for place in racing.indices {
      let before = racing[place].relaxation.evaluations
      racing[place].relaxation.advance(to: Self.raceSteps)
      evaluations += racing[place].relaxation.evaluations - before
    }
    if case .stoppedByGrade = racing[0].relaxation.outcome { return racing[0] }
    let sound = racing.filter(\.relaxation.isSound)
    return sound.min { $0.relaxation.enthalpyPerAtom < $1.relaxation.enthalpyPerAtom } ?? racing[0]
  }

  // MARK: Relaxation

  /// A relaxation with the potential of a version, or with the reference method for version 0.
  private func relaxation(
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

  private func finish(_ relaxation: inout CandidateRelaxation) -> RelaxationReport {
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
