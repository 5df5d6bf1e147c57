import Crystal
import Dynamics
import MPIBindings
import NumericalCore
import Potential
import ReferenceEngines

/// Trains a campaign's newest potential further on what a re-ranking has computed, and compares again.
///
/// It learns the steps of the reference method's relaxations of some candidates and strained copies of their
/// minima; the other candidates test it. Nothing depends on the number of ranks, unless labels themselves depend
/// on what was computed before them (``ReferenceEngine/dependsOnHistory``): clients of `i-pi` agree within the
/// threshold of their self-consistent field only.
struct Retraining {
  /// A piece of work that gives new training data.
  private enum Source {
    /// The relaxation with the reference method.
    case trajectory(RerankComparison.Candidate)
    /// A strained copy of the reference method's minimum.
    case strained(RerankComparison.Candidate, TrainingStrain)

    var candidate: RerankComparison.Candidate {
      switch self {
      case .trajectory(let candidate), .strained(let candidate, _): candidate
      }
    }

    var name: String {
      switch self {
      case .trajectory: "relaxation"
      case .strained(_, let strain): strain.description
      }
    }
  }

  /// Why a piece of work gave nothing.
  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// A fitted potential, and on rank 0 how it was found.
  private struct Fit {
    let potential: MomentTensorPotential
    let report: TrainingReport?
  }

  private let communicator: Communicator
  private let rules: CampaignRules
  private let engine: any ReferenceEngine
  private let reference: any InteratomicPotential
  private let matching: MatchingTolerance

  /// Prepares the work of a rank.
  ///
  /// - Parameters:
  ///   - communicator: Connects the ranks.
  ///   - rules: The campaign's.
  ///   - engine: Labels structures.
  ///   - reference: The same method as a potential.
  ///   - matching: When two minima are the same structure.
  init(
    _ communicator: Communicator, rules: CampaignRules, engine: any ReferenceEngine,
    reference: any InteratomicPotential, matching: MatchingTolerance
  ) {
    self.communicator = communicator
    self.rules = rules
    self.engine = engine
    self.reference = reference
    self.matching = matching
  }

  /// Labels, trains and compares; every rank calls it with the same arguments.
  ///
  /// - Parameters:
  ///   - potential: The campaign's newest potential.
  ///   - known: The campaign's training set.
  ///   - choice: Who trains and who tests.
  ///   - write: Stores the new potential with its training set, on rank 0.
  /// - Returns: What came of it, on rank 0.
  /// - Throws: `PotentialError` where training fails, `MPIError`, and what `write` throws.
  func run(
    _ potential: MomentTensorPotential, trainedOn known: [LabelledStructure],
    _ choice: RetrainingChoice,
    write: (MomentTensorPotential, [LabelledStructure]) throws -> Void
  ) throws -> RetrainingResult? {
    let sources =
      choice.training.map { Source.trajectory($0) }
      + choice.training.flatMap { candidate in
        TrainingStrain.all.map { Source.strained(candidate, $0) }
      }
    let outcomes = try ParallelMap(communicator).resultsEverywhere(of: sources.count) { index in
      ItemOutcome(catching: { NewData(structures: try data(from: sources[index])) })
    }
    let structures = known + outcomes.flatMap { $0.value?.structures ?? [] }
    // What was computed in a smaller cell than the candidate's weighs as if it repeated there.
    let repeats = zip(sources, outcomes).flatMap { source, outcome in
      (outcome.value?.structures ?? []).map { labelled in
        Double(source.candidate.model.atomCount) / Double(labelled.structure.atomCount)
      }
    }
    let problem = try TrainingProblem(
      structures, multipliers: known.map { _ in 1 } + repeats, for: potential,
      settings: rules.retraining())
    let fit = try fit(potential, to: problem)
    let errors = try errors(of: fit.potential, over: problem)
    let relaxations = try relaxations(of: choice.test, with: fit.potential)
    guard let report = fit.report, let errors, let relaxations else { return nil }
    try write(fit.potential, structures)
    let (before, after) = compare(choice.test, relaxations)
    func count(_ outcomes: ArraySlice<ItemOutcome<NewData>>) -> Int {
      outcomes.reduce(0) { $0 + ($1.value?.structures.count ?? 0) }
    }
    return RetrainingResult(
      training: choice.training.map(\.number), test: choice.test.map(\.number),
      duplicates: choice.duplicates,
      trajectoryStructures: count(outcomes.prefix(choice.training.count)),
      strainedStructures: count(outcomes.dropFirst(choice.training.count)),
      failedLabels: zip(sources, outcomes).compactMap { source, outcome in
        guard case .failed(let reason) = outcome else { return nil }
        return .init(candidate: source.candidate.number, structure: source.name, reason: reason)
      }, structures: structures.count, report: report, errors: errors, before: before,
      after: after)
  }

  // MARK: New data

  private func data(from source: Source) throws -> [LabelledStructure] {
    switch source {
    case .trajectory(let candidate):
      // A program that is started for every structure has computed each step already: it lies in its folder.
      // Clients of `i-pi` keep nothing and compute the steps again.
      let steps = TrainingTrajectory.steps(
        from: CampaignRules.rerankStart(candidate.model), with: reference,
        settings: rules.relaxation(stages: rules.rerankStages)
      ).filter(isPhysical)
      guard !steps.isEmpty else { throw Failure(description: "its start has no label") }
      return TrainingTrajectory.thinned(steps)
    case .strained(let candidate, let strain):
      let structure = try strain.applied(to: candidate.relaxed.structure)
      switch engine.label(structure) {
      case .labelled(let evaluation): return [try LabelledStructure(structure, evaluation)]
      case .failed(let reason): throw Failure(description: reason)
      }
    }
  }

  /// Whether an evaluation by the reference potential would be a label, too.
  private func isPhysical(_ step: LabelledStructure) -> Bool {
    guard let embedded = engine as? EmbeddedReference else { return true }
    return embedded.invalidity(of: step.structure, step.evaluation) == nil
  }

  // MARK: Training

  private func fit(
    _ potential: MomentTensorPotential, to problem: TrainingProblem
  ) throws -> Fit {
    let report = try ParallelTraining(communicator).run(potential, on: problem)
    // All ranks relax with what rank 0 has found.
    let bytes = try communicator.broadcast(report?.potential.canonicalBytes ?? [])
    return Fit(potential: try MomentTensorPotential(canonicalBytes: bytes), report: report)
  }

  private func errors(
    of potential: MomentTensorPotential, over problem: TrainingProblem
  ) throws -> ErrorStatistics? {
    let used = problem.structures.indices.filter { problem.exclusions[$0] == nil }
      .map { problem.structures[$0] }
    let predictions = try ParallelMap(communicator).results(of: used.count) { index in
      try potential.evaluation(of: used[index].structure)
    }
    return predictions.map { ErrorStatistics(of: used, predictions: $0) }
  }

  // MARK: The test

  /// Relaxations of the potential's minima of before with the new one, as a refit in the search does them.
  private func relaxations(
    of test: [RerankComparison.Candidate], with potential: MomentTensorPotential
  ) throws -> [RelaxationResult]? {
    try ParallelMap(communicator).results(of: test.count) { index in
      Relaxation.run(
        test[index].model, with: potential,
        settings: rules.relaxation(stages: [rules.tightStage]))
    }
  }

  /// The comparisons before and after, both of the candidates that have a result of the new potential.
  private func compare(
    _ test: [RerankComparison.Candidate], _ relaxations: [RelaxationResult]
  ) -> (before: RerankComparison, after: RerankComparison) {
    var (before, after) = ([RerankComparison.Candidate](), [RerankComparison.Candidate]())
    var excluded: [RerankComparison.Exclusion] = []
    for (candidate, result) in zip(test, relaxations) {
      guard [.converged, .stepLimit].contains(result.outcome), result.enthalpy.isFinite else {
        excluded.append(
          .init(
            candidate: candidate.number,
            reason: "the new potential's relaxation: \(result.outcome.description)"))
        continue
      }
      before.append(candidate)
      after.append(
        RerankComparison.Candidate(
          number: candidate.number, modelEnthalpyPerAtom: result.enthalpyPerAtom,
          model: result.structure.reduced(), relaxed: candidate.relaxed))
    }
    return (
      RerankComparison(of: before, excluded: excluded, matching: matching),
      RerankComparison(of: after, excluded: excluded, matching: matching)
    )
  }
}

/// What a piece of work gave, as it travels between ranks.
private struct NewData: Sendable, ByteCodable {
  let structures: [LabelledStructure]

  init(structures: [LabelledStructure]) { self.structures = structures }

  func encode(to encoder: inout ByteEncoder) { encoder.encode(structures) }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    structures = try decoder.decode([LabelledStructure].self)
  }
}
