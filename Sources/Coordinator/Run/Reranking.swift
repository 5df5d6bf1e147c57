import Crystal
import MPIBindings
import NumericalCore
import ReferenceEngines

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
    let reference = try settings.reference.settings.method(folder: folder.reference)
    executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: reference.engine, reference: reference.potential)
  }

  /// Relaxes what is missing; every rank calls it.
  ///
  /// - Returns: The ranking, on rank 0.
  /// - Throws: What working and messages throw.
  public func run(_ communicator: Communicator) throws -> ResultTable? {
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
    let table = ResultTable(of: extended, top: top)
    try AtomicFile.write(table.json.text() + "\n", to: folder.path + "/rerank.json")
    return table
  }
}

extension CampaignState {
  /// Adds a re-ranked candidate that the log does not hold.
  mutating func addReranked(_ id: Int, _ report: RelaxationReport) { commitRerank(id, report) }
}
