import Crystal
import Evolution
import NumericalCore

/// Everything that decides what a campaign does next.
///
/// A pure value: it changes only by `issue()` and `commit(_:result:)`, called in the one order that
/// rule R1 allows, and by inputs from people at fixed commits. It knows nothing of ranks, times or
/// files.
public struct CampaignState: Sendable {
  /// Which part of its life the campaign is in.
  public enum Phase: Sendable, Equatable {
    /// Structures are made, labelled, relaxed and bred.
    case searching
    /// The best candidates are relaxed with the reference method.
    case reranking
    /// Everything is done.
    case finished
    /// It cannot go on.
    case failed(String)
  }

  /// Something that arrives in a later slot than it was asked for (R2).
  enum Arrival: Sendable, Equatable {
    case label(Int)
    case refit(Int)
  }

  /// Fixed settings; the two limits may be changed by inputs.
  public internal(set) var settings: ScheduleSettings
  /// Which part of its life the campaign is in.
  public internal(set) var phase = Phase.searching
  /// The next slot to be issued.
  public internal(set) var nextIssue = 0
  /// The next slot to be committed.
  public internal(set) var nextCommit = 0
  /// Counts for reports.
  public internal(set) var counts = CampaignCounts()

  // Labels and potentials.
  /// All labels, by number.
  public internal(set) var labels: [LabelRecord] = []
  /// Labels that arrived, in order of arrival: the training set.
  public internal(set) var trainingLabels: [Int] = []
  /// The newest potential version, 0 before the first training.
  public internal(set) var version = 0
  var initialIssued = 0
  var initialDone = 0
  var openInitial = 0
  var labelQueue: [Int] = []
  /// Labels that are queued or on their way.
  var openLabels = 0
  var arrivals: [(due: Int, what: Arrival)] = []
  var labelsAtLastRefit = 0
  var refitUnderWay = false
  /// Whether the refit that was asked for last is that of the potential that moves melts.
  var refitIsForMelts = false
  /// Whether the newest potential is one for melts alone.
  var movesMelts = false
  /// The minima that labels were asked for, in the order of the labels.
  var verifiedMinima: [VerifiedMinimum] = []
  var commitsSinceVerification = 0

  /// The melts that are learnt from before the search.
  public internal(set) var melts: [MeltRecord]
  /// Frames of the melts, for the potential of the search to choose from.
  var meltSamples: [PoolEntry] = []
  /// Whether some of them were labelled whatever their grade.
  var hasSampled = false
  /// Whether there are melts, and something may still be learnt from them.
  var learnsFromMelts: Bool

  // Candidates.
  /// All candidates; number n stands at n − 1.
  public internal(set) var candidates: [CandidateRecord] = []
  /// The population, all members ranked by one potential version.
  public internal(set) var population: Population
  var refreshQueue: [Int] = []
  /// Candidates relaxed with a version that is no longer the newest: refreshed before they enter (R5).
  var outdated: [Int] = []
  var pool: [PoolEntry] = []
  var poolUnderSelection: [PoolEntry] = []
  var isSelecting = false
  var stopsSinceSelection = 0
  var commitsSinceSelection = 0
  var seedQueue: [Structure] = []
  /// Stopped candidates, by number.
  var waiting: [Int] = []

  // Re-ranking.
  var rerankQueue: [Int] = []
  /// Re-ranked candidates in the order in which they were committed.
  public internal(set) var reranked: [RerankedCandidate] = []

  /// Work items that are issued and not yet committed.
  var openWork = 0

  /// Creates the state before the first slot.
  public init(_ settings: ScheduleSettings) {
    self.settings = settings
    population = Population(settings: settings.search)
    melts =
      settings.melts.map { melts in
        (0..<melts.runs).map { MeltRecord(id: $0, timeStep: melts.timeStep) }
      } ?? []
    learnsFromMelts = !melts.isEmpty
  }

  /// Labels that were asked for or are about to be, failed ones included.
  public var labelsSpent: Int { labels.count - counts.frames }

  /// Labels that may still be asked for.
  public var labelsLeft: Int { max(0, settings.maxLabels - labelsSpent) }

  /// Labels that melts and search may still ask for: the last ones are kept for the minima that it ends with.
  var labelsToExplore: Int {
    let left = max(0, labelsLeft - settings.reservedLabels)
    return learnsFromMelts ? min(left, labelsToMelt) : left
  }

  /// Whether the population is being moved to a newer potential version.
  var isRefreshing: Bool { population.pendingVersion != nil }

  /// Whether candidates can be relaxed: with a trained potential, or with the reference method.
  var canRelax: Bool { version > 0 && !movesMelts || !settings.learns }

  /// The first stopped candidate that a newer potential version could help.
  var resumable: CandidateRecord? {
    for id in waiting {
      if case .stopped(_, let stoppedVersion) = self[candidate: id].status, stoppedVersion < version
      {
        return self[candidate: id]
      }
    }
    return nil
  }

  /// The labelled structures of the training set, in order of arrival.
  public func trainingSet() -> [LabelledStructure] {
    trainingLabels.compactMap { labels[$0].labelled }
  }

  /// The labels that a refit under way was asked to learn from; later ones belong to the next refit.
  func refitData() -> [LabelledStructure] {
    trainingLabels.prefix(labelsAtLastRefit).compactMap { labels[$0].labelled }
  }

  /// How often the basin of a candidate was found.
  public func timesFound(candidate id: Int) -> Int {
    population.index.basins.first { $0.representative.id == id || $0.id == id }?.visits ?? 1
  }

  subscript(candidate id: Int) -> CandidateRecord {
    get { candidates[id - 1] }
    set { candidates[id - 1] = newValue }
  }
}
