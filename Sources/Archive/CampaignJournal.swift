import NumericalCore

/// One committed slot: what was to be done and what came out, as bytes.
public struct JournalSlot: Sendable, Hashable {
  /// The slot, from 0.
  public let slot: Int
  /// The work item.
  public let item: [UInt8]
  /// Its result.
  public let result: [UInt8]

  /// Creates a slot.
  public init(slot: Int, item: [UInt8], result: [UInt8]) {
    self.slot = slot
    self.item = item
    self.result = result
  }
}

/// An input from people, as the campaign acted on it.
public struct JournalInput: Sendable, Hashable {
  /// The commit at which it was read.
  public let position: Int
  /// The name of the file or setting.
  public let name: String
  /// The content.
  public let content: [UInt8]
  /// The SHA-256 of the content, in hexadecimal.
  public let sha256: String

  /// Creates an input; its hash is computed.
  public init(position: Int, name: String, content: [UInt8]) {
    self.position = position
    self.name = name
    self.content = content
    sha256 = SHA256.hexadecimal(of: content)
  }
}

/// How long a slot took and where; no part of the digest.
public struct JournalTiming: Sendable, Hashable {
  /// The slot.
  public let slot: Int
  /// Seconds of computation.
  public let seconds: Double
  /// The host.
  public let host: String
  /// The rank.
  public let rank: Int

  /// Creates a timing.
  public init(slot: Int, seconds: Double, host: String, rank: Int) {
    self.slot = slot
    self.seconds = seconds
    self.host = host
    self.rank = rank
  }
}

/// The log of a campaign, in the same file `campaign.db` as its structures.
///
/// Everything written between `beginGroup` and `commitGroup` appears at once. Outside a group every call is
/// its own transaction.
public final class CampaignJournal {
  /// The open database.
  public let database: SQLiteDatabase
  /// The structures, for `ase db`.
  public let structures: ASEDatabase

  /// Opens a journal.
  ///
  /// - Parameters:
  ///   - path: The file, `campaign.db`.
  ///   - access: Whether it is made, or read and written, or only read.
  /// - Throws: `ArchiveError.exists`, `.missing`, `.schema` for a file of another kind or version, or
  ///   `.database`.
  public init(path: String, access: SQLiteDatabase.Access) throws(ArchiveError) {
    let database = try SQLiteDatabase(path: path, access: access)
    self.database = database
    if access == .create {
      try database.begin()
      structures = try ASEDatabase(database)
      for statement in Self.schema { try database.execute(statement) }
      try database.commit()
      return
    }
    guard try database.hasTable("polymorph_meta") else {
      throw .schema(path: path, found: "no campaign in the database", expected: "campaign.db")
    }
    let found =
      try database.value("SELECT value FROM polymorph_meta WHERE key = 'schema_version'")?.text
    guard found == "\(Self.schemaVersion)" else {
      throw .schema(
        path: path, found: "a campaign of journal version \(found ?? "unknown")",
        expected:
          "version \(Self.schemaVersion); continue it with the program that began it")
    }
    structures = try ASEDatabase(database, mayCreate: false)
  }

  // MARK: - Groups

  /// Whether a group is open.
  public var isInGroup: Bool { database.isInTransaction }

  /// Begins a group of writes; waits for another writer.
  ///
  /// - Throws: `ArchiveError.database`.
  public func beginGroup() throws(ArchiveError) { try database.begin() }

  /// Puts the group on the disk, however long a reader holds the file.
  ///
  /// - Throws: `ArchiveError.database`, for example for a full disk; the group is then still open.
  public func commitGroup() throws(ArchiveError) { try database.commit() }

  /// Puts the group on the disk unless a reader holds the file longer than a given time.
  ///
  /// The search goes on with the group open and tries again later.
  ///
  /// - Parameter patience: Seconds to wait.
  /// - Returns: Whether the group is on the disk.
  /// - Throws: `ArchiveError.database`.
  public func tryCommitGroup(patience: Double = 0) throws(ArchiveError) -> Bool {
    try database.tryCommit(patience: patience)
  }

  /// Undoes the open group.
  ///
  /// - Throws: `ArchiveError.database`.
  public func abandonGroup() throws(ArchiveError) { try database.rollback() }

  private func write(_ sql: String, _ values: [SQLiteValue]) throws(ArchiveError) {
    try database.transaction { () throws(ArchiveError) in try database.execute(sql, values) }
  }

  // MARK: - Slots

  /// The number of committed slots, which is the next slot.
  ///
  /// - Throws: `ArchiveError.database`.
  public func slotCount() throws(ArchiveError) -> Int {
    try database.value("SELECT COALESCE(MAX(slot) + 1, 0) FROM polymorph_slots")?.integer ?? 0
  }

  /// Appends the next slot.
  ///
  /// - Throws: `ArchiveError.value` where it is not the next, or `.database`.
  public func append(_ slot: JournalSlot) throws(ArchiveError) {
    try database.transaction { () throws(ArchiveError) in
      let next = try slotCount()
      guard slot.slot == next else {
        throw .value("slot \(slot.slot)", allowed: "\(next), the next")
      }
      try database.execute(
        "INSERT INTO polymorph_slots VALUES (?, ?, ?)",
        [.integer(slot.slot), .blob(slot.item), .blob(slot.result)])
    }
  }

  /// One slot, or `nil` where it is not committed.
  ///
  /// - Throws: `ArchiveError.database`.
  public func slot(_ slot: Int) throws(ArchiveError) -> JournalSlot? {
    try slots(from: slot, limit: 1).first { $0.slot == slot }
  }

  /// Up to `limit` slots in order, from a given one on.
  ///
  /// - Throws: `ArchiveError.database`.
  public func slots(from first: Int, limit: Int) throws(ArchiveError) -> [JournalSlot] {
    let rows = try database.rows(
      "SELECT slot, item, result FROM polymorph_slots WHERE slot >= ? ORDER BY slot LIMIT ?",
      [.integer(first), .integer(limit)])
    return rows.compactMap { row in
      guard let slot = row[0].integer, let item = row[1].blob, let result = row[2].blob else {
        return nil
      }
      return JournalSlot(slot: slot, item: item, result: result)
    }
  }

  /// Visits all slots in order, a page at a time, so that a long log neither fills the memory nor holds up
  /// the writer.
  ///
  /// - Parameters:
  ///   - first: The first slot.
  ///   - body: Called for each slot.
  /// - Throws: What the body throws, or `ArchiveError`.
  public func forEachSlot(from first: Int = 0, _ body: (JournalSlot) throws -> Void) throws {
    var next = first
    while true {
      let page = try slots(from: next, limit: 256)
      for slot in page { try body(slot) }
      guard let last = page.last else { return }
      next = last.slot + 1
    }
  }

  // MARK: - Potentials

  /// Keeps the bytes of a potential's version; a version never changes.
  ///
  /// - Throws: `ArchiveError.database` where the version exists.
  public func append(potential bytes: [UInt8], version: Int) throws(ArchiveError) {
    try write("INSERT INTO polymorph_potentials VALUES (?, ?)", [.integer(version), .blob(bytes)])
  }

  /// The bytes of a potential's version, or `nil`.
  ///
  /// - Throws: `ArchiveError.database`.
  public func potential(version: Int) throws(ArchiveError) -> [UInt8]? {
    try database.value(
      "SELECT bytes FROM polymorph_potentials WHERE version = ?", [.integer(version)])?.blob
  }

  /// The versions, ascending.
  ///
  /// - Throws: `ArchiveError.database`.
  public func potentialVersions() throws(ArchiveError) -> [Int] {
    try database.rows("SELECT version FROM polymorph_potentials ORDER BY version")
      .compactMap { $0[0].integer }
  }

  // MARK: - Labels

  /// Records a label.
  ///
  /// The first one of a key is the label for ever.
  ///
  /// - Returns: The bytes that stand for the key: those of the first record.
  /// - Throws: `ArchiveError.database`.
  @discardableResult
  public func record(label bytes: [UInt8], key: String) throws(ArchiveError) -> [UInt8] {
    try database.transaction { () throws(ArchiveError) in
      if let known = try label(key: key) { return known }
      try database.execute(
        "INSERT INTO polymorph_labels VALUES (?, ?)", [.text(key), .blob(bytes)])
      return bytes
    }
  }

  /// The label of a key, or `nil`.
  ///
  /// - Throws: `ArchiveError.database`.
  public func label(key: String) throws(ArchiveError) -> [UInt8]? {
    try database.value("SELECT bytes FROM polymorph_labels WHERE key = ?", [.text(key)])?.blob
  }

  /// The keys of all labels, sorted.
  ///
  /// - Throws: `ArchiveError.database`.
  public func labelKeys() throws(ArchiveError) -> [String] {
    try database.rows("SELECT key FROM polymorph_labels ORDER BY key").compactMap { $0[0].text }
  }

  // MARK: - Inputs

  /// Appends an input from people.
  ///
  /// - Throws: `ArchiveError.database`.
  public func append(_ input: JournalInput) throws(ArchiveError) {
    try write(
      "INSERT INTO polymorph_inputs VALUES (?, ?, ?, ?)",
      [.integer(input.position), .text(input.name), .text(input.sha256), .blob(input.content)])
  }

  /// All inputs in the order in which they were read.
  ///
  /// - Throws: `ArchiveError.value` where a content does not have the hash it was stored with, or
  ///   `.database`.
  public func inputs() throws(ArchiveError) -> [JournalInput] {
    let rows = try database.rows(
      "SELECT position, name, sha256, content FROM polymorph_inputs ORDER BY position, rowid")
    var inputs: [JournalInput] = []
    for row in rows {
      guard let position = row[0].integer, let name = row[1].text, let content = row[3].blob else {
        continue
      }
      let input = JournalInput(position: position, name: name, content: content)
      guard input.sha256 == row[2].text else {
        throw .value("input '\(name)' at commit \(position) was altered", allowed: "its hash")
      }
      inputs.append(input)
    }
    return inputs
  }

  // MARK: - Settings and timings

  /// The value of a setting of the campaign, or `nil`.
  ///
  /// - Throws: `ArchiveError.database`.
  public func meta(_ key: String) throws(ArchiveError) -> String? {
    try database.value("SELECT value FROM polymorph_meta WHERE key = ?", [.text(key)])?.text
  }

  /// Sets a setting of the campaign.
  ///
  /// - Throws: `ArchiveError.value` for the schema's version, or `.database`.
  public func setMeta(_ key: String, _ value: String) throws(ArchiveError) {
    guard key != "schema_version" else {
      throw .value("the key 'schema_version'", allowed: "any other key")
    }
    try write("INSERT OR REPLACE INTO polymorph_meta VALUES (?, ?)", [.text(key), .text(value)])
  }

  /// Appends how long a slot took.
  ///
  /// - Throws: `ArchiveError.database`.
  public func append(_ timing: JournalTiming) throws(ArchiveError) {
    try write(
      "INSERT INTO polymorph_timings VALUES (?, ?, ?, ?)",
      [.integer(timing.slot), .real(timing.seconds), .text(timing.host), .integer(timing.rank)])
  }

  /// All timings in the order of their recording.
  ///
  /// - Throws: `ArchiveError.database`.
  public func timings() throws(ArchiveError) -> [JournalTiming] {
    let rows = try database.rows(
      "SELECT slot, seconds, host, rank FROM polymorph_timings ORDER BY rowid")
    return rows.compactMap { row in
      guard let slot = row[0].integer, let seconds = row[1].real, let host = row[2].text,
        let rank = row[3].integer
      else { return nil }
      return JournalTiming(slot: slot, seconds: seconds, host: host, rank: rank)
    }
  }
}
