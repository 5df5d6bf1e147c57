import Crystal
import MPIBindings
import NumericalCore
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

  init(
    of state: CampaignState, top: Int, leftOut: [LeftOutFolder] = [],
    withoutSinglePoint: [Int] = []
  ) {
    self.withoutSinglePoint = withoutSinglePoint
    table = ResultTable(of: state, top: top)
    comparison = RerankComparison(of: state)
    self.leftOut = leftOut
  }

  /// The tables for people.
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
    .object([
      .init("best", table.json), .init("comparison", comparison.json),
      .init("left_out", .list(leftOut.map(\.json))),
      .init("without_single_point", .list(withoutSinglePoint.map { .integer($0) })),
    ])
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
  private let state: CampaignState
  private let top: Int
  private let executor: CampaignExecutor
  /// Reference evaluations spent by `run`.
  public private(set) var evaluations = 0

  /// Reads a campaign.
  ///
  /// - Parameters:
  ///   - folder: The campaign's folder.
  ///   - top: How many candidates; `nil` for what the campaign says.
  /// - Throws: `CampaignError.wrongInput` where the folder holds no campaign.
  public init(_ folder: CampaignFolder, top: Int?) throws {
    self.folder = folder
    let (settings, runner) = try folder.replayed()
    self.settings = settings
    state = runner.schedule.state
    self.top = top ?? settings.rerank.top
    let reference = try settings.reference.method(folder: folder.reference)
    executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: reference.engine, reference: reference.potential)
  }

  /// Relaxes what is missing; every rank calls it.
  ///
  /// - Returns: The ranking and the comparison, on rank 0.
  /// - Throws: What working and messages throw.
  public func run(_ communicator: Communicator) throws -> RerankResult? {
    let done = Set(state.reranked.map(\.candidate))
    let missing = state.population.best(top).map(\.representative)
      .filter { !done.contains($0.id) }
    let results = try ParallelMap(communicator).results(of: missing.count) { index in
      try executor.execute(.rerank(missing[index].structure))
    }
    guard let results else { return nil }
    var extended = state
    for (individual, result) in zip(missing, results) {
      guard case .reranked(let report) = result else { continue }
      evaluations += report.evaluations
      extended.addReranked(individual.id, report)
    }
    let result = RerankResult(of: extended, top: top)
    try result.write(to: folder)
    return result
  }
}

extension CampaignState {
  /// Adds a re-ranked candidate that the log does not hold.
  mutating func addReranked(_ id: Int, _ report: RelaxationReport) { commitRerank(id, report) }

  /// Forgets what has been re-ranked: enthalpies of another method do not compare.
  mutating func dropReranked() { reranked = [] }
}
