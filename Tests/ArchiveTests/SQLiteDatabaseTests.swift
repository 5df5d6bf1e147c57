import Archive
import Foundation
import Testing

@Suite("SQLite databases")
struct SQLiteDatabaseTests {
  @Test("Values of every kind come back as they were")
  func values() throws {
    let scratch = try ScratchFolder()
    let database = try SQLiteDatabase(path: scratch.file("a.db"), access: .create)
    try database.execute("CREATE TABLE t (v)")
    let values: [SQLiteValue] = [
      .null, .integer(Int.min), .integer(Int.max), .real(0.1), .real(-0.0),
      .real(.leastNonzeroMagnitude),
      .text(""), .text("Å \"quoted\" 'text'\n"), .blob([]), .blob([0, 255, 0]),
    ]
    for value in values { try database.execute("INSERT INTO t VALUES (?)", [value]) }
    #expect(try database.rows("SELECT v FROM t ORDER BY rowid").map { $0[0] } == values)
    #expect(try database.value("SELECT v FROM t WHERE 0") == nil)
  }

  @Test("Files that exist, are missing or are something else are refused with their name")
  func access() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("a.db")
    #expect(throws: ArchiveError.missing(path: path)) {
      try SQLiteDatabase(path: path, access: .existing)
    }
    #expect(throws: ArchiveError.missing(path: path)) {
      try SQLiteDatabase(path: path, access: .readOnly)
    }
    try Data("this is no database, but long enough to have a header".utf8)
      .write(to: URL(fileURLWithPath: path))
    #expect(throws: ArchiveError.exists(path: path)) {
      try SQLiteDatabase(path: path, access: .create)
    }
    do {
      _ = try SQLiteDatabase(path: path, access: .existing)
      Issue.record("a text file was opened")
    } catch { #expect(error.description.contains("not a database"), "\(error)") }
  }

  @Test("The journal is a rollback journal and every commit is flushed")
  func modes() throws {
    let scratch = try ScratchFolder()
    let database = try SQLiteDatabase(path: scratch.file("a.db"), access: .create)
    #expect(try database.value("PRAGMA journal_mode")?.text == "delete")
    #expect(try database.value("PRAGMA synchronous")?.integer == 2)
  }

  @Test("A transaction that throws leaves nothing, and an inner one belongs to the outer")
  func transactions() throws {
    let scratch = try ScratchFolder()
    let database = try SQLiteDatabase(path: scratch.file("a.db"), access: .create)
    try database.execute("CREATE TABLE t (v)")
    #expect(throws: ArchiveError.self) {
      try database.transaction { () throws(ArchiveError) in
        try database.execute("INSERT INTO t VALUES (1)")
        try database.transaction { () throws(ArchiveError) in
          try database.execute("INSERT INTO t VALUES (2)")
        }
        try database.execute("INSERT INTO missing VALUES (3)")
      }
    }
    #expect(!database.isInTransaction)
    #expect(try database.value("SELECT COUNT(*) FROM t")?.integer == 0)
  }

  @Test("A wrong statement names itself and SQLite's reason")
  func wrongStatement() throws {
    let scratch = try ScratchFolder()
    let database = try SQLiteDatabase(path: scratch.file("a.db"), access: .create)
    do {
      try database.execute("INSERT INTO nowhere VALUES (1)")
      Issue.record("no error")
    } catch {
      #expect(error.description.contains("INSERT INTO nowhere"))
      #expect(error.description.contains("no such table"))
    }
  }

  @Test("A reader cannot write")
  func readOnly() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("a.db")
    let writer = try SQLiteDatabase(path: path, access: .create)
    try writer.execute("CREATE TABLE t (v)")
    let reader = try SQLiteDatabase(path: path, access: .readOnly)
    #expect(throws: ArchiveError.self) { try reader.execute("INSERT INTO t VALUES (1)") }
    #expect(try reader.value("SELECT COUNT(*) FROM t")?.integer == 0)
  }

  @Test("What a killed writer left half done is undone by the next reader")
  func hotJournal() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("a.db")
    let writer = try SQLiteDatabase(path: path, access: .create)
    try writer.execute("CREATE TABLE t (v)")
    for index in 0..<200 {
      try writer.execute(
        "INSERT INTO t VALUES (?)", [.blob(Array(repeating: UInt8(index), count: 4000))])
    }
    // A small page cache makes SQLite write into the file before the commit.
    try writer.execute("PRAGMA cache_size = 10")
    try writer.begin()
    try writer.execute("UPDATE t SET v = x'00'")
    try FileManager.default.copyItem(atPath: path, toPath: scratch.file("b.db"))
    try FileManager.default.copyItem(
      atPath: path + "-journal", toPath: scratch.file("b.db-journal"))
    try writer.rollback()
    let reader = try SQLiteDatabase(path: scratch.file("b.db"), access: .readOnly)
    #expect(try reader.value("SELECT COUNT(*) FROM t WHERE length(v) = 4000")?.integer == 200)
    #expect(try reader.value("PRAGMA integrity_check")?.text == "ok")
  }
}
