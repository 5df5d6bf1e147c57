import Archive
import Crystal
import Foundation
import NumericalCore

/// A campaign's log in its database.
///
/// Commits go to the disk in groups (R10): results can be computed again, so that a lost tail costs
/// only time.
public final class DatabaseLog: CampaignLog {
  /// The journal.
  public let journal: CampaignJournal
  private let path: String
  private var groupStart: ContinuousClock.Instant?
  private var groupSize = 0
  private let clock = ContinuousClock()
  private let host = ProcessInfo.processInfo.hostName

  private static let largestGroup = 256
  private static let longestGroup = Duration.seconds(1)

  /// Opens a log.
  ///
  /// - Throws: `ArchiveError` where the file is missing, exists or is of another kind.
  public init(path: String, access: SQLiteDatabase.Access) throws(ArchiveError) {
    self.path = path
    journal = try CampaignJournal(path: path, access: access)
  }

  /// All inputs in the order in which they acted.
  public func storedInputs() throws -> [LoggedInput] {
    try journal.inputs().map { stored in
      try told("input \(stored.name)") {
        LoggedInput(
          position: stored.position, input: try CampaignInput(canonicalBytes: stored.content))
      }
    }
  }

  /// What the work of stored slots took, in seconds by slot.
  public func storedSeconds() throws -> [Int: Double] {
    Dictionary(try journal.timings().map { ($0.slot, $0.seconds) }, uniquingKeysWith: +)
  }

  /// Calls a function with every stored slot, in order.
  public func forEachStoredSlot(_ body: (LoggedSlot) throws -> Void) throws {
    try journal.forEachSlot { slot in
      try told("slot \(slot.slot)") {
        try body(LoggedSlot(slot: slot.slot, item: slot.item, result: slot.result))
      }
    }
  }

  /// Says of bytes that cannot be read where they stand.
  private func told<Value>(_ place: String, _ read: () throws -> Value) throws -> Value {
    do { return try read() } catch let error as ByteCodingError {
      throw CampaignError.failed(
        "\(path): \(place) is damaged (\(error)); take the folder back from a copy")
    }
  }

  /// Stores a commit in the open group, after ending one that is large or old enough.
  ///
  /// A group ends before a slot, never between a slot and the label or structure that belongs to it.
  public func append(_ slot: LoggedSlot, completion: Completion?) throws {
    try endGroupIfDue()
    try openGroup()
    try journal.append(JournalSlot(slot: slot.slot, item: slot.item, result: slot.result))
    if let completion {
      try journal.append(
        JournalTiming(
          slot: slot.slot, seconds: completion.seconds, host: host, rank: completion.rank))
    }
    groupSize += 1
  }

  private func endGroupIfDue() throws {
    guard let start = groupStart,
      groupSize >= Self.largestGroup || clock.now - start >= Self.longestGroup
    else { return }
    // A reader that holds the file delays the group, not the search.
    try flushIfFree()
  }

  /// Stores an input and flushes, so that it is safe before it acts.
  public func append(_ input: LoggedInput) throws {
    try openGroup()
    try journal.append(
      JournalInput(
        position: input.position, name: input.input.name, content: input.input.canonicalBytes))
    try flush()
  }

  /// Stores a label under its key in the open group.
  public func append(label: WorkResult, key: String) throws {
    try openGroup()
    try journal.record(label: label.canonicalBytes, key: key)
  }

  /// Adds a finished candidate for readers such as `ase db`, in the open group.
  public func append(
    _ candidate: RelaxedCandidate, record: CandidateRecord, version: Int
  ) throws {
    try openGroup()
    var values: [String: ASEDatabase.Value] = [
      "candidate": .number(Double(record.id)),
      "variation": .text(record.kind.rawValue),
      "potential_version": .number(Double(version)),
      "enthalpy_per_atom": .number(candidate.enthalpyPerAtom),
      "grade": .number(candidate.grade.isFinite ? candidate.grade : -1),
      "point_group_order": .number(Double(candidate.pointGroupOrder)),
      "has_converged": .flag(candidate.hasConverged),
    ]
    if record.kind != .seed { values["operator_ratio"] = .number(record.ratio) }
    if let credit = record.credit { values["operator_credit"] = .number(credit) }
    if !record.parents.isEmpty {
      values["parents"] = .text(record.parents.map { "c\($0)" }.joined(separator: " "))
    }
    try journal.structures.append(
      candidate.structure, evaluation: candidate.evaluation, keyValues: values,
      uniqueID: Self.uniqueID(of: record, version: version))
  }

  /// Adds the space groups of the best distinct candidates for readers such as `ase db`.
  ///
  /// Each takes milliseconds, so it is done at the end of a run and not of every candidate. What a refit has
  /// moved gets a row for where it is now.
  public func nameSpaceGroups(of state: CampaignState, best count: Int) throws {
    try openGroup()
    for basin in state.population.best(count) {
      let record = state.candidates[basin.representative.id - 1]
      guard case .relaxed(let candidate, let version) = record.status else { continue }
      let uniqueID = Self.uniqueID(of: record, version: version)
      if try journal.structures.row(uniqueID: uniqueID) == nil {
        try append(candidate, record: record, version: version)
      }
      guard let row = try journal.structures.row(uniqueID: uniqueID) else { continue }
      let group = SpaceGroupName(of: candidate.structure)
      try journal.structures.add(
        ["space_group": .number(Double(group.number)), "space_group_symbol": .text(group.symbol)],
        to: row)
    }
    try flush()
  }

  /// A candidate that a refit sends on its way again has a row for every time it came to rest.
  private static func uniqueID(of record: CandidateRecord, version: Int) -> String {
    var key = ByteEncoder()
    key.encode(record.id)
    key.encode(record.continuations)
    key.encode(version)
    return ASEDatabase.uniqueID(of: key.bytes)
  }

  /// Puts the open group on the disk.
  public func flush() throws {
    guard journal.isInGroup else { return }
    try journal.commitGroup()
    closeGroup()
  }

  /// Puts the open group on the disk unless a reader holds the file.
  public func flushIfFree() throws {
    guard journal.isInGroup else { return }
    if try journal.tryCommitGroup() { closeGroup() }
  }

  private func openGroup() throws {
    guard !journal.isInGroup else { return }
    try journal.beginGroup()
    groupStart = clock.now
    groupSize = 0
  }

  private func closeGroup() {
    groupStart = nil
    groupSize = 0
  }
}
