import NumericalCore

/// The log of slots (R1): issues them with a look-ahead window, takes results in any order and
/// commits them in slot order.
///
/// Pure: it asks for work by returning it.
public struct Schedule: Sendable {
  /// A piece of work to hand over.
  public struct Dispatch: Sendable, Equatable {
    /// Its name.
    public let id: WorkID
    /// What to do.
    public let order: WorkOrder
  }

  /// A committed slot.
  public struct Commit: Sendable, Equatable {
    /// The slot's number.
    public let slot: Int
    /// What it held.
    public let item: SlotItem
    /// What came of it; `nil` for items that commit at once.
    public let result: WorkResult?
  }

  /// The state after the last commit, and after what was issued since.
  public private(set) var state: CampaignState
  private var open: [SlotItem] = []
  private var ready: [WorkID: WorkResult] = [:]
  private var potentials: [Int: [UInt8]] = [:]
  private let commitsOnArrival: Bool
  private var appliedEarly: [Int] = []

  /// Creates the schedule of a campaign; call `begin()` first.
  public init(_ settings: ScheduleSettings) {
    self.init(settings, commitsOnArrival: false)
  }

  /// Creates a schedule with a fault planted for tests: results act on the state when they arrive,
  /// so that breeding sees what is not committed.
  ///
  /// Its log then depends on the order of arrival.
  package init(_ settings: ScheduleSettings, commitsOnArrival: Bool) {
    state = CampaignState(settings)
    self.commitsOnArrival = commitsOnArrival
  }

  /// Whether no more slot will be committed.
  public var isOver: Bool {
    switch state.phase {
    case .finished, .failed: true
    case .searching, .reranking: false
    }
  }

  /// The bytes of a potential version that has arrived.
  public func potential(version: Int) -> [UInt8]? { potentials[version] }

  /// Issues the first W slots.
  public mutating func begin() -> [Dispatch] {
    precondition(state.nextIssue == 0, "a schedule begins once")
    return (0..<state.settings.window).compactMap { _ in issueNext() }
  }

  /// Keeps a result until its slot's turn.
  public mutating func receive(_ id: WorkID, _ result: WorkResult) {
    ready[id] = result
    if commitsOnArrival { applyEarly(id, result) }
  }

  private mutating func applyEarly(_ id: WorkID, _ result: WorkResult) {
    guard case .slot(let slot) = id, open.indices.contains(slot - state.nextCommit),
      case .work(.candidate, _) = open[slot - state.nextCommit]
    else { return }
    let item = open[slot - state.nextCommit]
    // The planted fault may corrupt the state, never crash: a refused result is simply not early.
    if (try? state.apply(item, result)) != nil { appliedEarly.append(slot) }
  }

  /// The item of the next slot to commit.
  public var nextItem: SlotItem? { open.first }

  /// The name of the result that the next commit needs; `nil` for items that commit at once.
  public var awaited: WorkID? {
    guard let item = open.first else { return nil }
    return Self.source(of: item, slot: state.nextCommit)
  }

  /// Whether the next slot waits for work that may take much longer than a relaxation.
  public var awaitsSlowWork: Bool {
    switch open.first {
    case .labelArrival, .refitArrival: true
    case .work(_, let order): order.isSlow
    case .idle, .labelRequest, .refitRequest, nil: false
    }
  }

  /// Whether the next slot can be committed now.
  public var canCommit: Bool {
    guard !open.isEmpty, !isOver else { return false }
    guard let awaited else { return true }
    return ready[awaited] != nil
  }

  /// Commits the next slot; `issueNext()` must follow unless the schedule is over.
  ///
  /// - Throws: `ScheduleError` where a result does not belong to its item.
  public mutating func commitNext() throws(ScheduleError) -> Commit {
    precondition(canCommit, "the next slot's result has not arrived")
    let slot = state.nextCommit
    let source = awaited
    let item = open.removeFirst()
    let result = source.flatMap { ready.removeValue(forKey: $0) }
    if case (.refitArrival(let version), .trained(let bytes)?) = (item, result) {
      potentials[version] = bytes
    }
    if appliedEarly.contains(slot) {
      state.closeSlot()
    } else {
      try state.commit(item, result: result)
    }
    return Commit(slot: slot, item: item, result: result)
  }

  /// Issues the next slot.
  ///
  /// - Returns: The work to hand over, if the slot asks for any.
  public mutating func issueNext() -> Dispatch? {
    let slot = state.nextIssue
    let item = state.issue()
    open.append(item)
    return dispatch(for: item, slot: slot)
  }

  /// Lets an input from a person act on the slots still to be issued.
  public mutating func accept(_ input: CampaignInput) { state.accept(input) }

  /// The slots that are issued but not committed, with their work: what a resumed campaign has to
  /// hand over again.
  public func outstanding() -> [Dispatch] {
    let inSlots = open.enumerated().compactMap { offset, item -> Dispatch? in
      guard case .work = item else { return nil }
      return dispatch(for: item, slot: state.nextCommit + offset)
    }
    let onTheWay =
      state.arrivals.map(\.what)
      + open.compactMap { item -> CampaignState.Arrival? in
        switch item {
        case .labelArrival(let label): .label(label)
        case .refitArrival(let version): .refit(version)
        default: nil
        }
      }
    let external = onTheWay.map { arrival in
      switch arrival {
      case .label(let label): labelDispatch(label)
      case .refit(let version): refitDispatch(version)
      }
    }
    return (external + inSlots).filter { ready[$0.id] == nil }
  }

  private static func source(of item: SlotItem, slot: Int) -> WorkID? {
    switch item {
    case .work: .slot(slot)
    case .labelArrival(let label): .label(label)
    case .refitArrival(let version): .refit(version)
    case .idle, .labelRequest, .refitRequest: nil
    }
  }

  private func dispatch(for item: SlotItem, slot: Int) -> Dispatch? {
    switch item {
    case .work(_, let order): Dispatch(id: .slot(slot), order: order)
    case .labelRequest(let label): labelDispatch(label)
    case .refitRequest(let version): refitDispatch(version)
    case .idle, .labelArrival, .refitArrival: nil
    }
  }

  private func labelDispatch(_ label: Int) -> Dispatch {
    Dispatch(
      id: .label(label),
      order: .label(
        state.labels[label].unit.structure, again: state.labels[label].tries > 1))
  }

  private func refitDispatch(_ version: Int) -> Dispatch {
    let data = state.refitData()
    // The first potential of the search is another one than that which moved melts.
    let goesOn = version > 1 && state.refitIsForMelts == state.movesMelts
    let start = goesOn ? state.version : nil
    return Dispatch(
      id: .refit(version),
      order: state.refitIsForMelts
        ? .refitForMelts(data, version: version, start: start)
        : .refit(data, version: version, start: start))
  }
}
