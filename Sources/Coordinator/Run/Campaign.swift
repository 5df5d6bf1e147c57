import Archive
import Crystal
import Foundation
import MPIBindings
import NumericalCore
import ReferenceEngines
import Settings
import StructureFormats

/// A campaign from its file to its table: what `polymorph search` runs on every rank.
public final class Campaign {
  /// How a search is run, beside the campaign file.
  public struct Options: Sendable {
    /// The campaign's folder.
    public var directory: String
    /// Whether to continue what has begun there.
    public var isResumed = false
    /// Another campaign whose labels may be used.
    public var labelStore: String?
    /// End after this many commits.
    public var stopAfter: Int?
    /// End after this many seconds.
    public var timeLimitSeconds: Double?
    /// Print nothing but errors.
    public var isQuiet = false

    /// Creates options for a folder.
    public init(directory: String) { self.directory = directory }
  }

  /// How long a resume waits for a holder of the lock that is about to die, in seconds.
  private static let lockPatience = 30.0
  /// So many of the best distinct candidates get their space group into the database.
  private static let namedSpaceGroups = 500

  private let settings: CampaignSettings
  private let options: Options
  private let communicator: Communicator
  private let executor: CampaignExecutor
  private let engine: any ReferenceEngine
  /// On rank 0 only: workers end with their launcher.
  private let interrupts: InterruptFlag?

  /// Prepares a campaign on a rank.
  ///
  /// - Parameters:
  ///   - settings: The campaign file.
  ///   - options: How it is run.
  ///   - communicator: Connects the ranks.
  /// - Throws: `PotentialError` where the reference method cannot be made from its parameters.
  public init(
    _ settings: CampaignSettings, options: Options, communicator: Communicator
  ) throws {
    self.settings = settings
    self.options = options
    self.communicator = communicator
    // Before there is anything to save: an interrupt from now on ends the run in good order.
    let interrupts = communicator.rank == 0 ? InterruptFlag() : nil
    self.interrupts = interrupts
    let never: @Sendable () -> Bool = { false }
    let shouldStop = interrupts.map { $0.question } ?? never
    let reference = try settings.reference.method(
      folder: CampaignFolder(path: options.directory).reference,
      stores: options.labelStore.map { [CampaignFolder(path: $0).reference] } ?? [],
      shouldStop: shouldStop)
    engine = reference.engine
    if let obstacle = settings.reference.settings.obstacleToLabelling { throw obstacle }
    executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: engine, reference: reference.potential,
      shouldStop: shouldStop)
  }

  /// Runs the campaign; every rank calls it.
  ///
  /// - Returns: How it ended, on rank 0; workers return `.finished` when told to stop.
  /// - Throws: `CampaignError` for wrong input, and what storage, transport and workers throw.
  public func run() throws -> RunEnding {
    if let difference = try RunEnvironment.current().difference(among: communicator) {
      throw CampaignError.failed(difference)
    }
    guard communicator.rank == 0 else {
      try WorkerLoop.run(communicator, executor: executor)
      return .finished
    }
    return try coordinate()
  }

  private func transport() -> any WorkTransport {
    communicator.size > 1
      ? MPITransport(communicator) : InProcessTransport(executor: executor)
  }

  private func coordinate() throws -> RunEnding {
    let stopConditions = StopConditions(options, interrupts ?? InterruptFlag())
    let folder = CampaignFolder(path: options.directory)
    if options.isResumed {
      guard folder.holdsCampaign else {
        throw CampaignError.wrongInput(
          "\(folder.path): there is no campaign to continue; leave out --resume to begin one")
      }
    } else {
      try folder.create()
    }
    let lock = try CampaignLock(
      directory: folder.path, waitSeconds: options.isResumed ? Self.lockPatience : 0)
    defer { withExtendedLifetime(lock) {} }
    let log = try openLog(folder)
    let labels = try options.labelStore.map { try LabelStore(folder: CampaignFolder(path: $0)) }
    let progress = ProgressReporter(isQuiet: options.isQuiet)
    if communicator.size - 1 > settings.search.window {
      progress.say(
        "\(communicator.size - 1 - settings.search.window) of \(communicator.size - 1) workers will "
          + "idle: the look-ahead window is \(settings.search.window); a new campaign with "
          + "search.window: \(communicator.size - 1) would use them all")
    }
    if options.isResumed { try warnOfOtherEnvironment(log, progress) }
    let transport = transport()
    let views = CampaignViews(folder: folder, settings: settings)
    let runner = CampaignRunner(
      Schedule(try beginning(log)), transport: transport, log: log
    ) { [engine] commit, completion, state, isReplayed in
      if isReplayed {
        try views.restore(commit, state)
      } else {
        try Self.store(commit, state, in: log, engine: engine)
        try views.update(commit, completion, state)
      }
      progress.report(state, isReplayed: isReplayed)
    }
    let changed = options.isResumed ? try changedLimits(folder, log) : []
    let people = PeopleInputs(folder: folder.path, changedLimits: changed)
    runner.readInputs = { try people.new(for: $0, in: log) }
    runner.knownResult = { [engine] dispatch in
      guard case .label(let structure, _) = dispatch.order else { return nil }
      let key = engine.labelKey(for: structure)
      let bytes = try log.journal.label(key: key) ?? labels?.label(key: key)
      return try bytes.map { try WorkResult(canonicalBytes: $0) }
    }
    runner.shouldStop = stopConditions.reason
    let ending = try runner.run()
    if !changed.isEmpty, runner.newCommits == 0, runner.schedule.isOver {
      progress.warn("the campaign is over: its limits cannot be changed any more")
    }
    // Workers may hold calculations of hours: what people read is written before they are waited for.
    try views.finish(runner.schedule.state)
    try log.nameSpaceGroups(of: runner.schedule.state, best: Self.namedSpaceGroups)
    try transport.shutDown()
    conclude(ending, runner.schedule.state, runner.workTimes, progress)
    return ending
  }

  // MARK: Beginning

  private func openLog(_ folder: CampaignFolder) throws -> DatabaseLog {
    guard options.isResumed else {
      return try begunLog(folder)
    }
    let log = try DatabaseLog(path: folder.database, access: .existing)
    let stored = try folder.settings(of: log)
    guard stored.withLimits(of: settings) == settings else {
      throw CampaignError.wrongInput(
        "\(folder.path): the campaign file differs from the one the campaign began with "
          + "(\(Self.firstDifference(stored.withLimits(of: settings).yaml(), settings.yaml()))); "
          + "only search.candidates and active_learning.max_labels may change: restore the rest, "
          + "or begin a new campaign in another --directory")
    }
    return log
  }

  // The database appears with the settings in it, or not at all. The lock is held: nobody else can have
  // begun here meanwhile.
  private func begunLog(_ folder: CampaignFolder) throws -> DatabaseLog {
    let fresh = folder.database + ".new"
    let files = FileManager.default
    if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
    do {
      let log = try DatabaseLog(path: fresh, access: .create)
      try log.journal.setMeta("campaign", settings.yaml())
      for (key, value) in RunEnvironment.current().entries { try log.journal.setMeta(key, value) }
    }
    try files.moveItem(atPath: fresh, toPath: folder.database)
    try folder.write(settings)
    return try DatabaseLog(path: folder.database, access: .existing)
  }

  // Another build or kind of machine may give other bits; the journal then refuses, or digests differ.
  private func warnOfOtherEnvironment(_ log: DatabaseLog, _ progress: ProgressReporter) throws {
    for (key, value) in RunEnvironment.current().entries {
      guard let stored = try log.journal.meta(key), stored != value else { continue }
      progress.warn(
        "the campaign began with another \(key) (\(stored.prefix(40)), now \(value.prefix(40))): "
          + "results may differ in their last digits from an uninterrupted run")
    }
  }

  private static func firstDifference(_ old: String, _ new: String) -> String {
    let (before, after) = (old.split(separator: "\n"), new.split(separator: "\n"))
    for (a, b) in zip(before, after) where a != b {
      return "'\(b.trimmingCharacters(in: .whitespaces))' was "
        + "'\(a.trimmingCharacters(in: .whitespaces))'"
    }
    return "\(before.count) lines were, \(after.count) lines are"
  }

  // The schedule begins with the first settings; changed limits act as inputs.
  private func beginning(_ log: DatabaseLog) throws -> ScheduleSettings {
    try CampaignFolder(path: options.directory).settings(of: log).schedule()
  }

  // Limits changed in the campaign file of a resume.
  private func changedLimits(_ folder: CampaignFolder, _ log: DatabaseLog) throws -> [ChangedLimit]
  {
    let stored = try folder.settings(of: log)
    var limits: [ChangedLimit] = []
    if settings.search.candidates != stored.search.candidates {
      limits.append(
        ChangedLimit(
          key: .candidates, value: settings.search.candidates, file: "campaign file"))
    }
    let maximum = settings.activeLearning.maximumLabels
    if maximum != stored.activeLearning.maximumLabels {
      limits.append(ChangedLimit(key: .maxLabels, value: maximum, file: "campaign file"))
    }
    return limits
  }

  // MARK: Commits

  private static func store(
    _ commit: Schedule.Commit, _ state: CampaignState, in log: DatabaseLog,
    engine: any ReferenceEngine
  ) throws {
    switch (commit.item, commit.result) {
    case (.labelArrival(let label), let result?):
      guard case .labelled = result else { return }
      try log.append(
        label: result, key: engine.labelKey(for: state.labels[label].unit.structure))
    case (.work(.candidate(let id), _), .relaxation?),
      (.work(.continuation(let id), _), .relaxation?):
      let record = state.candidates[id - 1]
      if case .relaxed(let candidate, let version) = record.status {
        try log.append(candidate, record: record, version: version)
      }
    default: break
    }
  }

  // MARK: End

  private func conclude(
    _ ending: RunEnding, _ state: CampaignState, _ times: WorkTimes,
    _ progress: ProgressReporter
  ) {
    let table = ResultTable(of: state, top: settings.rerank.top)
    progress.say("")
    progress.say("\(settings.title)")
    progress.say(table.text)
    if let comparison = RerankComparison.ofLearned(state), !comparison.rows.isEmpty {
      progress.say(comparison.summary + "\n")
    }
    progress.say(CampaignSummary(state).text + times.text)
    if case .stopped(let reason) = ending {
      let cause =
        switch reason {
        case .commitLimit: "the commit limit"
        case .timeLimit: "the time limit"
        case .interrupted: "an interrupt"
        }
      progress.say("stopped by \(cause); continue with --resume")
    }
  }
}

extension CampaignSettings {
  /// The same settings with the limits that people may change taken from others.
  func withLimits(of other: CampaignSettings) -> CampaignSettings {
    var copy = self
    copy.search.candidates = other.search.candidates
    copy.activeLearning.maximumLabels = other.activeLearning.maximumLabels
    return copy
  }
}
