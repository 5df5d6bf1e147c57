import Archive
import MPIBindings
import NumericalCore
import ReferenceEngines

/// Recomputes a campaign's log from its inputs and compares it slot by slot (R12).
public final class CampaignReplay {
  /// What a replay found.
  public struct Outcome: Sendable {
    /// The slots compared.
    public let slots: Int
    /// The first slot that differs, with what it holds and whether its item or its result differs.
    public let difference: (slot: Int, item: String, isResult: Bool)?

    /// Whether the recomputed log has the same bits.
    public var isIdentical: Bool { difference == nil }

    /// One line for people.
    public var text: String {
      guard let difference else { return "all \(slots) slots recomputed, every bit the same" }
      return "slot \(difference.slot) differs in its \(difference.isResult ? "result" : "item"): "
        + difference.item
    }
  }

  private let settings: CampaignSettings
  private let folder: CampaignFolder
  private let communicator: Communicator
  private let executor: CampaignExecutor
  private let engine: any ReferenceEngine

  /// Prepares a replay on a rank.
  ///
  /// - Parameters:
  ///   - settings: The campaign file; it must be the one the log began with.
  ///   - folder: The recorded campaign.
  ///   - communicator: Connects the ranks.
  /// - Throws: `CampaignError.wrongInput` where the folder holds no campaign or one of another file.
  public init(
    _ settings: CampaignSettings, folder: CampaignFolder, communicator: Communicator
  ) throws {
    self.settings = settings
    self.folder = folder
    self.communicator = communicator
    let reference = try settings.reference.method(folder: folder.reference)
    engine = reference.engine
    executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: reference.engine, reference: reference.potential)
  }

  /// Recomputes; every rank calls it.
  ///
  /// - Returns: What was found, on rank 0.
  /// - Throws: What reading and working throw.
  public func run() throws -> Outcome? {
    guard communicator.rank == 0 else {
      try WorkerLoop.run(communicator, executor: executor)
      return nil
    }
    let (stored, log) = try folder.open()
    guard stored.withLimits(of: settings) == settings else {
      throw CampaignError.wrongInput(
        "\(folder.path): the recorded campaign began with another campaign file")
    }
    let inputs = try log.storedInputs()
    let slotCount = try log.journal.slotCount()
    let transport: any WorkTransport =
      communicator.size > 1
      ? MPITransport(communicator) : InProcessTransport(executor: executor)
    var difference: (slot: Int, item: String, isResult: Bool)?
    let runner = CampaignRunner(
      Schedule(stored.schedule()), transport: transport, log: MemoryLog()
    ) { commit, _, _, _ in
      let fresh = LoggedSlot(commit)
      guard difference == nil else { return }
      let recorded = try log.journal.slot(commit.slot)
      if recorded?.item != fresh.item || recorded?.result != fresh.result {
        difference = (
          commit.slot, String(String(describing: commit.item).prefix(80)),
          recorded?.item == fresh.item
        )
      }
    }
    runner.readInputs = { state in
      inputs.filter { $0.position == state.nextCommit }.map(\.input)
    }
    runner.shouldStop = { state in
      difference != nil || state.nextCommit >= slotCount ? .commitLimit : nil
    }
    if !(engine is EmbeddedReference) { runner.knownResult = try recordedLabels(log) }
    _ = try runner.run()
    try transport.shutDown()
    let slots = runner.schedule.state.nextCommit
    if difference == nil, slots != slotCount {
      difference = (slots, "the recomputed campaign ends here, the log has more slots", false)
    }
    return Outcome(slots: slots, difference: difference)
  }

  /// The labels of the log, each try in its turn.
  ///
  /// Labels of an external program are inputs (R7): the log has what acted, and nothing is computed.
  private func recordedLabels(
    _ log: DatabaseLog
  ) throws -> (Schedule.Dispatch) throws -> WorkResult? {
    var recorded: [Int: [WorkResult]] = [:]
    try log.forEachStoredSlot { slot in
      guard case .labelArrival(let label) = try SlotItem(canonicalBytes: slot.item),
        let result = try slot.decodedResult()
      else { return }
      recorded[label, default: []].append(result)
    }
    return { dispatch in
      guard case .label(let label) = dispatch.id else { return nil }
      // What the log asked for and did not get before its end is not compared.
      guard let first = recorded[label]?.first else { return .labelFailed("beyond the log") }
      recorded[label]?.removeFirst()
      return first
    }
  }
}
