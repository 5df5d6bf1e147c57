import Archive
import Crystal
import Foundation
import NumericalCore
import Testing

@Suite("The campaign journal")
struct CampaignJournalTests {
  private func slot(_ number: Int) -> JournalSlot {
    JournalSlot(
      slot: number, item: Array("item \(number)".utf8),
      result: Array(repeating: UInt8(number % 251), count: number % 7))
  }

  @Test("Everything written is there after reopening, in order")
  func roundTrip() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    do {
      let journal = try CampaignJournal(path: path, access: .create)
      try journal.beginGroup()
      for number in 0..<1000 {
        try journal.append(slot(number))
        try journal.append(
          JournalTiming(slot: number, seconds: 0.5, host: "node", rank: number % 4))
      }
      try journal.append(potential: [3, 2, 1], version: 1)
      try journal.append(potential: [], version: 0)
      try journal.setMeta("seed", "1")
      try journal.setMeta("seed", "2")
      try journal.append(JournalInput(position: 64, name: "b.cif", content: [1, 2]))
      try journal.append(JournalInput(position: 32, name: "a.cif", content: []))
      #expect(journal.isInGroup)
      try journal.commitGroup()
    }
    for access in [SQLiteDatabase.Access.existing, .readOnly] {
      let journal = try CampaignJournal(path: path, access: access)
      #expect(try journal.slotCount() == 1000)
      var read: [JournalSlot] = []
      try journal.forEachSlot { read.append($0) }
      #expect(read == (0..<1000).map(slot))
      read = []
      try journal.forEachSlot(from: 990) { read.append($0) }
      #expect(read == (990..<1000).map(slot))
      #expect(try journal.slot(5) == slot(5))
      #expect(try journal.slot(1000) == nil)
      #expect(try journal.potentialVersions() == [0, 1])
      #expect(try journal.potential(version: 1) == [3, 2, 1])
      #expect(try journal.potential(version: 0) == [])
      #expect(try journal.potential(version: 2) == nil)
      #expect(try journal.meta("seed") == "2")
      #expect(try journal.meta("absent") == nil)
      #expect(try journal.inputs().map(\.name) == ["a.cif", "b.cif"])
      #expect(try journal.timings().count == 1000)
    }
  }

  @Test("A group that was not committed never happened")
  func kill() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    do {
      let journal = try CampaignJournal(path: path, access: .create)
      try journal.append(slot(0))
      try journal.beginGroup()
      try journal.append(slot(1))
      try journal.structures.append(randomLabelled(seed: 1).structure, uniqueID: "a")
      // The connection is dropped here, as by a kill.
    }
    let journal = try CampaignJournal(path: path, access: .existing)
    #expect(try journal.slotCount() == 1)
    #expect(try journal.structures.count() == 0)
    try journal.append(slot(1))
    #expect(try journal.slotCount() == 2)
  }

  @Test("Slots are appended in order only, potentials never change")
  func order() throws {
    let scratch = try ScratchFolder()
    let journal = try CampaignJournal(path: scratch.file("campaign.db"), access: .create)
    #expect(throws: ArchiveError.self) { try journal.append(slot(1)) }
    try journal.append(slot(0))
    #expect(throws: ArchiveError.self) { try journal.append(slot(0)) }
    #expect(throws: ArchiveError.self) { try journal.append(slot(2)) }
    try journal.append(potential: [1], version: 1)
    #expect(throws: ArchiveError.self) { try journal.append(potential: [2], version: 1) }
    #expect(throws: ArchiveError.self) { try journal.setMeta("schema_version", "7") }
  }

  @Test("The first label of a key stays")
  func labels() throws {
    let scratch = try ScratchFolder()
    let journal = try CampaignJournal(path: scratch.file("campaign.db"), access: .create)
    #expect(try journal.record(label: [1], key: "b") == [1])
    #expect(try journal.record(label: [2], key: "b") == [1])
    #expect(try journal.record(label: [3], key: "a") == [3])
    #expect(try journal.label(key: "b") == [1])
    #expect(try journal.label(key: "c") == nil)
    #expect(try journal.labelKeys() == ["a", "b"])
  }

  @Test("A reader delays a group and does not make it fail")
  func reader() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    let journal = try CampaignJournal(path: path, access: .create)
    let reader = try SQLiteDatabase(path: path, access: .existing)
    try reader.execute("BEGIN")
    #expect(try reader.value("SELECT COUNT(*) FROM polymorph_slots")?.integer == 0)
    try journal.beginGroup()
    try journal.append(slot(0))
    #expect(try !journal.tryCommitGroup(), "the reader holds the file")
    #expect(journal.isInGroup)
    // The search goes on inside the same group.
    try journal.append(slot(1))
    #expect(try !journal.tryCommitGroup(patience: 0.15))
    try reader.execute("COMMIT")
    #expect(try journal.tryCommitGroup())
    #expect(!journal.isInGroup)
    #expect(try reader.value("SELECT COUNT(*) FROM polymorph_slots")?.integer == 2)
  }

  @Test("A commit waits until the reader has gone")
  func waiting() async throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    let journal = try CampaignJournal(path: path, access: .create)
    // A reader in another thread: holds the file for 0.3 s after it has been seen to read.
    let (began, signal) = AsyncStream.makeStream(of: Void.self)
    let thread = Task.detached { () throws -> ContinuousClock.Instant in
      let reader = try SQLiteDatabase(path: path, access: .existing)
      try reader.execute("BEGIN")
      _ = try reader.value("SELECT COUNT(*) FROM polymorph_slots")
      signal.yield()
      usleep(300_000)
      let released = ContinuousClock().now
      try reader.execute("COMMIT")
      return released
    }
    for await _ in began { break }
    try journal.beginGroup()
    try journal.append(slot(0))
    try journal.commitGroup()
    let committed = ContinuousClock().now
    #expect(committed > (try await thread.value), "no commit while the reader reads")
    #expect(try journal.slotCount() == 1)
  }

  @Test("Another version and another kind of file are refused with a clear message")
  func versions() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    do {
      let journal = try CampaignJournal(path: path, access: .create)
      try journal.database.execute(
        "UPDATE polymorph_meta SET value = '99' WHERE key = 'schema_version'")
    }
    do {
      _ = try CampaignJournal(path: path, access: .existing)
      Issue.record("version 99 was opened")
    } catch {
      #expect(error.description.contains("99") && error.description.contains(path), "\(error)")
    }
    let plain = scratch.file("plain.db")
    _ = try ASEDatabase(SQLiteDatabase(path: plain, access: .create))
    do {
      _ = try CampaignJournal(path: plain, access: .existing)
      Issue.record("a database without a campaign was opened")
    } catch { #expect(error.description.contains("no campaign"), "\(error)") }
    #expect(throws: ArchiveError.exists(path: path)) {
      try CampaignJournal(path: path, access: .create)
    }
  }

  @Test("An altered input is noticed")
  func alteredInput() throws {
    let scratch = try ScratchFolder()
    let journal = try CampaignJournal(path: scratch.file("campaign.db"), access: .create)
    try journal.append(JournalInput(position: 1, name: "seed", content: [1]))
    try journal.database.execute("UPDATE polymorph_inputs SET content = x'02'")
    #expect(throws: ArchiveError.self) { try journal.inputs() }
  }

  @Test("Ten thousand slots in groups are all there")
  func many() throws {
    let scratch = try ScratchFolder()
    let journal = try CampaignJournal(path: scratch.file("campaign.db"), access: .create)
    let bytes = [UInt8](repeating: 7, count: 1000)
    for group in 0..<40 {
      try journal.beginGroup()
      for number in 0..<250 {
        try journal.append(JournalSlot(slot: 250 * group + number, item: bytes, result: bytes))
      }
      try journal.commitGroup()
    }
    #expect(try journal.slotCount() == 10_000)
  }
}
