import Crystal
import MPIBindings
import NumericalCore
import Potential
import ReferenceEngines

/// What a re-ranking leads to: the ranking by the reference method, and how well the potential had it.
public struct RerankResult: Sendable {
  /// The ranking.
  public let table: ResultTable
  /// The potential against the reference method, for all candidates that have been re-ranked.
  public let comparison: RerankComparison
  /// Finished calculations that could not be used, where such were read.
  public let leftOut: [LeftOutFolder]
  /// Candidates whose finished calculations lack the single point: their numbers are those of the last step of
  /// the relaxation.
  public let withoutSinglePoint: [Int]
  /// What training the potential further came to, where that was asked for.
  public internal(set) var retraining: RetrainingResult?

  init(
    of state: CampaignState, top: Int, leftOut: [LeftOutFolder] = [],
    withoutSinglePoint: [Int] = []
  ) {
    self.withoutSinglePoint = withoutSinglePoint
    table = ResultTable(of: state, top: top)
    comparison = RerankComparison(of: state)
    self.leftOut = leftOut
  }

  /// The tables of the ranking for people; ``RetrainingResult/text`` is apart, as it comes later.
  public var text: String {
    var left = leftOut.map { "left out: \($0.name): \($0.reason)\n" }.joined()
    if !withoutSinglePoint.isEmpty {
      let names = withoutSinglePoint.map(String.init).joined(separator: ", ")
      left += "no single point, the relaxation's last step instead: candidates \(names)\n"
    }
    return [table.text, comparison.text, left].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// The tables for programs.
  public var json: JSONValue {
    .object(
      [
        .init("best", table.json), .init("comparison", comparison.json),
        .init("left_out", .list(leftOut.map(\.json))),
        .init("without_single_point", .list(withoutSinglePoint.map { .integer($0) })),
      ] + (retraining.map { [.init("retraining", $0.json)] } ?? []))
  }

  /// Writes `rerank.json` into the campaign's folder.
  func write(to folder: CampaignFolder) throws {
    try AtomicFile.write(json.text() + "\n", to: folder.path + "/rerank.json")
  }
}

/// Relaxes the best candidates of a campaign with the reference method, beyond what the search did.
public final class Reranking {
  private let folder: CampaignFolder
  private let settings: CampaignSettings
  private let rules: CampaignRules
  private let state: CampaignState
  private let newest: [UInt8]?
  private let top: Int
  private let trainingCount: Int?
  private let reference: (engine: any ReferenceEngine, potential: any InteratomicPotential)
  private let executor: CampaignExecutor
  /// Reference evaluations spent by `run`.
  public private(set) var evaluations = 0

  /// Reads a campaign.
  ///
  /// - Parameters:
  ///   - folder: The campaign's folder.
  ///   - top: How many candidates; `nil` for what the campaign says.
  ///   - trainingCount: How many of them are to train the newest potential further, the others test it; `nil`
  ///     for no training.
  /// - Throws: `CampaignError.wrongInput` where the folder holds no campaign, or none whose potential can be
  ///   trained further and tested; `SettingsError` where the program of the reference method is not installed.
  public init(_ folder: CampaignFolder, top: Int?, training trainingCount: Int? = nil) throws {
    self.folder = folder
    let (settings, runner) = try folder.replayed()
    self.settings = settings
    rules = CampaignRules(settings)
    state = runner.schedule.state
    self.top = top ?? settings.rerank.top
    self.trainingCount = trainingCount
    newest = runner.schedule.potential(version: state.version)
    if let trainingCount {
      guard settings.potential.kind != .reference else {
        throw CampaignError.wrongInput(
          "\(folder.path): the campaign relaxes with its reference method (potential: {kind: reference}); "
            + "--retrain needs a campaign whose potential learns")
      }
      guard newest != nil else {
        throw CampaignError.wrongInput(
          "\(folder.path): the campaign has no potential yet; go on with search --resume")
      }
      // Known before hours of calculations.
      let count = state.population.best(self.top).count
      guard trainingCount < count else {
        throw RetrainingChoice.tooMany(trainingCount, of: count, "candidates are re-ranked")
      }
    }
    if let problem = settings.reference.settings.problem { throw problem }
    reference = try settings.reference.method(folder: folder.reference)
    executor = CampaignExecutor(
      rules: rules, engine: reference.engine, reference: reference.potential)
  }

  /// Relaxes what is missing and, where that was asked for, trains the potential further; every rank calls it.
  ///
  /// What fails in the training leaves the ranking on file and shown.
  ///
  /// - Parameters:
  ///   - communicator: Connects the ranks.
  ///   - show: Is given the ranking on rank 0, once it is written and before any training.
  /// - Returns: The ranking, the comparison and what came of the training, on rank 0.
  /// - Throws: `CampaignError.wrongInput` where no re-ranked candidate would be left to test the potential, or
  ///   what working and messages throw.
  public func run(
    _ communicator: Communicator, show: (RerankResult) -> Void
  ) throws -> RerankResult? {
    let extended = try reranked(communicator)
    var result: RerankResult?
    if communicator.rank == 0 {
      let ranking = RerankResult(of: extended, top: top)
      try ranking.write(to: folder)
      show(ranking)
      result = ranking
    }
    guard let trainingCount, let newest else { return result }
    // An error of any rank ends them all: not before rank 0 is done with the ranking.
    try communicator.barrier()
    // Every rank works, not only the one that has a result to put it into.
    let retraining = try retrained(trainingCount, newest, extended, communicator)
    result?.retraining = retraining
    try result?.write(to: folder)
    return result
  }

  /// The campaign with all results of the reference method, on every rank.
  private func reranked(_ communicator: Communicator) throws -> CampaignState {
    let done = Set(state.reranked.map(\.candidate))
    let missing = state.population.best(top).map(\.representative)
      .filter { !done.contains($0.id) }
    let results = try ParallelMap(communicator).resultsEverywhere(of: missing.count) { index in
      try executor.execute(.rerank(missing[index].structure))
    }
    var extended = state
    for (individual, result) in zip(missing, results) {
      guard case .reranked(let report) = result else { continue }
      evaluations += report.evaluations
      extended.addReranked(individual.id, report)
    }
    return extended
  }

  private func retrained(
    _ trainingCount: Int, _ newest: [UInt8], _ extended: CampaignState,
    _ communicator: Communicator
  ) throws -> RetrainingResult? {
    let best = Set(state.population.best(top).map(\.representative.id))
    let candidates = RerankComparison.candidates(of: extended).compared
      .filter { best.contains($0.number) }
    let duplicates = state.settings.search.duplicates
    let choice = try RetrainingChoice(among: candidates, training: trainingCount, duplicates)
    let retraining = Retraining(
      communicator, rules: rules, engine: reference.engine, reference: reference.potential,
      matching: duplicates.matching)
    return try retraining.run(
      TrainedVersion(canonicalBytes: newest).potential, trainedOn: state.trainingSet(), choice
    ) { potential, structures in
      try folder.writeRetrained(
        potential, trainedOn: structures, elements: settings.target.elements)
    }
  }
}

extension CampaignState {
  /// Adds a re-ranked candidate that the log does not hold.
  mutating func addReranked(_ id: Int, _ report: RelaxationReport) { commitRerank(id, report) }

  /// Forgets what has been re-ranked: enthalpies of another method do not compare.
  mutating func dropReranked() { reranked = [] }
}
