import CSQLite
import Foundation

/// An open SQLite database.
///
/// It keeps a rollback journal, because a write-ahead log breaks on network file systems, and flushes every
/// commit to the disk. A reader that holds the file delays a write; it never makes one fail.
public final class SQLiteDatabase {
  /// What may be done with a file.
  public enum Access: Sendable, Hashable {
    /// A new file; one that exists is refused.
    case create
    /// An existing file, read and written.
    case existing
    /// An existing file, read only.
    case readOnly
  }

  /// The file.
  public let path: String
  private let handle: OpaquePointer
  // Prepared statements by their text: a journal runs the same few thousands of times.
  private var statements: [String: OpaquePointer] = [:]

  /// How long a read waits for a writer, in seconds.
  static let readPatience = 30.0

  /// Opens a database.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - access: Whether it is made, or read and written, or only read.
  /// - Throws: `ArchiveError` where the file exists or is missing against expectation or cannot be opened.
  public init(path: String, access: Access) throws(ArchiveError) {
    self.path = path
    let exists = FileManager.default.fileExists(atPath: path)
    if access == .create, exists { throw .exists(path: path) }
    if access != .create, !exists { throw .missing(path: path) }
    var opened: OpaquePointer?
    // A reader opens for writing too where it may: it must be able to undo what a killed writer left.
    let flags = SQLITE_OPEN_READWRITE | (access == .create ? SQLITE_OPEN_CREATE : 0)
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let message = String(cString: sqlite3_errstr(code))
      sqlite3_close_v2(opened)
      throw .database(path: path, action: "opening", code: code, message: message)
    }
    handle = opened
    sqlite3_extended_result_codes(opened, 1)
    setBusyTimeout(seconds: Self.readPatience)
    if access == .readOnly {
      try execute("PRAGMA query_only = ON")
    } else {
      // The mode is a row of its own; asking for it reads the file, and so notices one of another kind.
      _ = try rows("PRAGMA journal_mode = DELETE")
      try execute("PRAGMA synchronous = FULL")
    }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  // MARK: - Statements

  /// Runs a statement without rows.
  ///
  /// - Parameters:
  ///   - sql: One statement, with `?` for values.
  ///   - values: The values, in order.
  /// - Throws: `ArchiveError.database` where SQLite refuses.
  public func execute(_ sql: String, _ values: [SQLiteValue] = []) throws(ArchiveError) {
    let statement = try prepared(sql, values)
    defer { finish(statement) }
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw failure(sql, code) }
    }
  }

  /// The rows of a query.
  ///
  /// - Parameters:
  ///   - sql: One statement, with `?` for values.
  ///   - values: The values, in order.
  /// - Returns: All rows, each with all columns.
  /// - Throws: `ArchiveError.database` where SQLite refuses.
  public func rows(
    _ sql: String, _ values: [SQLiteValue] = []
  ) throws(ArchiveError) -> [[SQLiteValue]] {
    let statement = try prepared(sql, values)
    defer { finish(statement) }
    var rows: [[SQLiteValue]] = []
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else { throw failure(sql, code) }
      rows.append((0..<sqlite3_column_count(statement)).map { column($0, of: statement) })
    }
  }

  /// The first value of the first row, or `nil` where there is no row.
  ///
  /// - Throws: `ArchiveError.database` where SQLite refuses.
  public func value(
    _ sql: String, _ values: [SQLiteValue] = []
  ) throws(ArchiveError) -> SQLiteValue? {
    try rows(sql, values).first?.first
  }

  /// The row number of the last insertion.
  public var lastInsertedRow: Int { Int(sqlite3_last_insert_rowid(handle)) }

  /// Whether a table of a name exists.
  ///
  /// - Throws: `ArchiveError.database` where the file cannot be read.
  public func hasTable(_ name: String) throws(ArchiveError) -> Bool {
    try value("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [.text(name)]) != nil
  }

  // MARK: - Transactions

  /// Whether a transaction is open.
  public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Begins a transaction for writing; waits for another writer.
  ///
  /// - Parameter patience: Seconds to wait.
  /// - Throws: `ArchiveError.busy` after that time, `.database` for other refusals.
  public func begin(patience: Double = .infinity) throws(ArchiveError) {
    guard try retried("BEGIN IMMEDIATE", patience: patience) else {
      throw .busy(path: path, seconds: patience)
    }
  }

  /// Commits the open transaction if readers leave in time.
  ///
  /// - Parameter patience: Seconds to wait for readers.
  /// - Returns: Whether the transaction is on the disk; otherwise it is still open and may go on.
  /// - Throws: `ArchiveError.database` where SQLite refuses for another reason.
  public func tryCommit(patience: Double) throws(ArchiveError) -> Bool {
    try retried("COMMIT", patience: patience)
  }

  /// Commits the open transaction, however long a reader takes.
  ///
  /// - Throws: `ArchiveError.database` where SQLite refuses.
  public func commit() throws(ArchiveError) { _ = try retried("COMMIT", patience: .infinity) }

  /// Undoes the open transaction.
  ///
  /// - Throws: `ArchiveError.database` where SQLite refuses.
  public func rollback() throws(ArchiveError) {
    if isInTransaction { try execute("ROLLBACK") }
  }

  /// Runs a body inside a transaction, which is undone where the body throws.
  ///
  /// Inside an open transaction the body simply takes part.
  ///
  /// - Returns: What the body returns.
  /// - Throws: What the body throws, or `ArchiveError.database`.
  public func transaction<Value>(
    _ body: () throws(ArchiveError) -> Value
  ) throws(ArchiveError) -> Value {
    if isInTransaction { return try body() }
    try begin()
    do {
      let value = try body()
      try commit()
      return value
    } catch {
      try rollback()
      throw error
    }
  }

  /// Runs a statement again and again while the database is busy.
  private func retried(_ sql: String, patience: Double) throws(ArchiveError) -> Bool {
    let clock = ContinuousClock()
    let start = clock.now
    defer { setBusyTimeout(seconds: Self.readPatience) }
    while true {
      let waited = (clock.now - start) / .seconds(1)
      // SQLite sleeps at most this long at a time, so that any patience is kept to a tenth of a second.
      setBusyTimeout(seconds: max(0, min(0.1, patience - waited)))
      let statement = try prepared(sql, [])
      let code = sqlite3_step(statement)
      finish(statement)
      if code == SQLITE_DONE { return true }
      guard code & 0xff == SQLITE_BUSY else { throw failure(sql, code) }
      if (clock.now - start) / .seconds(1) >= patience { return false }
    }
  }

  private func setBusyTimeout(seconds: Double) {
    sqlite3_busy_timeout(handle, Int32((1000 * seconds).rounded()))
  }

  // MARK: - Details

  private func prepared(
    _ sql: String, _ values: [SQLiteValue]
  ) throws(ArchiveError) -> OpaquePointer {
    let statement = try statement(sql)
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let code =
        switch value {
        case .null: sqlite3_bind_null(statement, place)
        case .integer(let number): sqlite3_bind_int64(statement, place, Int64(number))
        case .real(let number): sqlite3_bind_double(statement, place, number)
        case .text(let text):
          sqlite3_bind_text(
            statement, place, text, Int32(text.utf8.count), polymorph_sqlite_transient())
        case .blob(let bytes):
          bytes.isEmpty
            ? sqlite3_bind_zeroblob(statement, place, 0)
            : sqlite3_bind_blob64(
              statement, place, bytes, UInt64(bytes.count), polymorph_sqlite_transient())
        }
      guard code == SQLITE_OK else { throw failure(sql, code) }
    }
    return statement
  }

  private func statement(_ sql: String) throws(ArchiveError) -> OpaquePointer {
    if let known = statements[sql] { return known }
    var made: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, sql, -1, &made, nil)
    guard code == SQLITE_OK, let made else { throw failure(sql, code) }
    statements[sql] = made
    return made
  }

  private func finish(_ statement: OpaquePointer) {
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
  }

  private func column(_ index: Int32, of statement: OpaquePointer) -> SQLiteValue {
    switch sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(statement, index)))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
    case SQLITE_TEXT:
      let count = Int(sqlite3_column_bytes(statement, index))
      guard let text = sqlite3_column_text(statement, index) else { return .text("") }
      return .text(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
    case SQLITE_BLOB:
      guard let bytes = sqlite3_column_blob(statement, index) else { return .blob([]) }
      let count = Int(sqlite3_column_bytes(statement, index))
      return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    default: return .null
    }
  }

  private func failure(_ sql: String, _ code: Int32) -> ArchiveError {
    if code & 0xff == SQLITE_BUSY { return .busy(path: path, seconds: Self.readPatience) }
    let words = sql.split { $0 == " " || $0 == "\n" }.prefix(4).joined(separator: " ")
    return .database(
      path: path, action: "'\(words)'", code: code, message: String(cString: sqlite3_errmsg(handle))
    )
  }
}
