import NumericalCore

/// Why a campaign's log cannot be continued or replayed.
public struct ReplayError: Error, CustomStringConvertible {
  /// The first slot that differs.
  public let slot: Int
  /// What differs.
  public let description: String
}

/// How a run of a campaign ended.
public enum RunEnding: Sendable, Equatable {
  /// The campaign is complete.
  case finished
  /// The campaign cannot go on.
  case failed(String)
  /// The run was told to stop; `--resume` goes on.
  case stopped(StopReason)

  /// Who told the run to stop.
  public enum StopReason: Sendable, Equatable {
    /// `--stop-after`.
    case commitLimit
    /// `--time-limit`.
    case timeLimit
    /// An interrupt from the keyboard or the batch system.
    case interrupted
  }
}

/// Drives a schedule on a transport and keeps its log: the only place where the pure schedule meets
/// time, storage and workers.
public final class CampaignRunner {
  /// Called after every commit, in slot order; `isReplayed` for commits read from the log.
  public typealias Observer = (
    _ commit: Schedule.Commit, _ completion: Completion?, _ state: CampaignState, _ isReplayed: Bool
  ) throws -> Void

  /// The schedule.
  public private(set) var schedule: Schedule
  /// The digest of everything committed so far.
  public private(set) var digest = CampaignDigest()
  /// Slots committed by this run, beyond those that the log held.
  public private(set) var newCommits = 0
  /// What the workers spent their time on, in the runs that the log tells of, too.
  public private(set) var workTimes = WorkTimes()
  private let transport: any WorkTransport
  private let log: any CampaignLog
  private let observer: Observer
  private var completions: [WorkID: Completion] = [:]
  private var published: Set<Int> = []

  /// Where inputs from people come from, asked at the commits that R9 allows.
  public var readInputs: (CampaignState) throws -> [CampaignInput] = { _ in [] }
  /// Results known beforehand, such as labels in a store; asked before work is handed over.
  public var knownResult: (Schedule.Dispatch) throws -> WorkResult? = { _ in nil }
  /// Asked after every commit whether to stop.
  public var shouldStop: (CampaignState) -> RunEnding.StopReason? = { _ in nil }

  /// Creates a runner.
  ///
  /// - Parameters:
  ///   - schedule: A schedule that has not begun.
  ///   - transport: Where the work is done.
  ///   - log: Where commits are kept; what it holds already is replayed first.
  ///   - observer: Called after every commit.
  public init(
    _ schedule: Schedule, transport: any WorkTransport, log: any CampaignLog,
    observer: @escaping Observer = { _, _, _, _ in }
  ) {
    self.schedule = schedule
    self.transport = transport
    self.log = log
    self.observer = observer
  }

  /// Replays the log and runs on from there until the end or until told to stop.
  ///
  /// - Throws: `ReplayError` where the log belongs to another campaign or build, or what transport, log
  ///   and observer throw.
  public func run() throws -> RunEnding {
    _ = schedule.begin()  // what is outstanding after the replay is handed over then
    try replay()
    if !schedule.isOver, shouldStop(schedule.state) == nil {
      for dispatch in schedule.outstanding() { try handOver(dispatch) }
    }
    let ending = try runToTheEnd()
    try log.flush()
    return ending
  }

  /// Replays the log and stops there.
  ///
  /// - Throws: As `run()`.
  public func replayOnly() throws {
    _ = schedule.begin()
    try replay()
  }

  private func replay() throws {
    let inputs = try log.storedInputs()
    let seconds = try log.storedSeconds()
    try log.forEachStoredSlot { stored in
      guard let item = schedule.nextItem, !schedule.isOver else {
        throw ReplayError(
          slot: stored.slot, description: "the log goes on after the campaign's end")
      }
      guard stored.slot == schedule.state.nextCommit, item.canonicalBytes == stored.item else {
        throw ReplayError(
          slot: stored.slot,
          description:
            "slot \(stored.slot) of the log does not hold what this build and this input "
            + "would put there; continue with the build and the input that began the campaign")
      }
      if let awaited = schedule.awaited {
        guard let result = try stored.decodedResult() else {
          throw ReplayError(slot: stored.slot, description: "slot \(stored.slot) lacks its result")
        }
        schedule.receive(awaited, result)
      }
      let commit = try schedule.commitNext()
      digest.add(stored)
      if let kind = commit.item.workKind, let seconds = seconds[stored.slot] {
        workTimes.add(kind, seconds: seconds)
      }
      try observer(commit, nil, schedule.state, true)
      for logged in inputs where logged.position == schedule.state.nextCommit {
        schedule.accept(logged.input)
      }
      if !schedule.isOver { _ = schedule.issueNext() }
    }
  }

  private func runToTheEnd() throws -> RunEnding {
    while !schedule.isOver {
      if let reason = shouldStop(schedule.state) { return .stopped(reason) }
      while !schedule.canCommit {
        // Slow work may take hours: what is committed before it must not hang on its end.
        if schedule.awaitsSlowWork { try log.flushIfFree() }
        // Slow work must not hold up the end of a run that was told to stop.
        let next: Completion?
        do { next = try transport.nextCompletion(within: 1) } catch is WorkInterrupted {
          return .stopped(.interrupted)
        }
        guard let completion = next else {
          if let reason = shouldStop(schedule.state) { return .stopped(reason) }
          continue
        }
        completions[completion.id] = completion
        schedule.receive(completion.id, completion.result)
      }
      try commitNext()
    }
    if case .failed(let reason) = schedule.state.phase { return .failed(reason) }
    return .finished
  }

  private func commitNext() throws {
    let source = schedule.awaited
    newCommits += 1
    let commit = try schedule.commitNext()
    let completion = source.flatMap { completions.removeValue(forKey: $0) }
    let stored = LoggedSlot(commit)
    try log.append(stored, completion: completion)
    digest.add(stored)
    if let kind = commit.item.workKind, let completion {
      workTimes.add(kind, seconds: completion.seconds)
    }
    try observer(commit, completion, schedule.state, false)
    if schedule.state.acceptsInputs {
      for input in try readInputs(schedule.state) {
        try log.append(LoggedInput(position: schedule.state.nextCommit, input: input))
        schedule.accept(input)
      }
    }
    if !schedule.isOver, let dispatch = schedule.issueNext() { try handOver(dispatch) }
  }

  private func handOver(_ dispatch: Schedule.Dispatch) throws {
    if let result = try knownResult(dispatch) {
      schedule.receive(dispatch.id, result)
      return
    }
    if let version = dispatch.order.requiredVersion, !published.contains(version) {
      guard let bytes = schedule.potential(version: version) else {
        throw TransportError("potential version \(version) is needed but has not arrived")
      }
      try transport.publish(version: version, potential: bytes)
      published.insert(version)
    }
    try transport.submit(dispatch.id, dispatch.order)
  }
}
