import Archive
import Crystal
import Evolution
import Foundation
import NumericalCore
import Potential
import Settings
import StructureFormats

/// The files of a campaign (DESIGN §7).
///
/// `campaign.db` is the campaign; everything else is a view that is written again on resume, or
/// input from people.
public struct CampaignFolder: Sendable {
  /// The folder.
  public let path: String

  /// Names a folder; nothing is touched.
  public init(path: String) { self.path = path }

  /// The database.
  public var database: String { path + "/campaign.db" }

  /// Where external programs compute labels, one folder for each.
  public var reference: String { path + "/reference" }

  /// The file of a potential version.
  public func potential(version: Int) -> String {
    let number = String(repeating: "0", count: max(0, 4 - "\(version)".count)) + "\(version)"
    return path + "/potentials/\(number).mtp"
  }

  /// Whether a campaign has begun here.
  public var holdsCampaign: Bool { FileManager.default.fileExists(atPath: database) }

  /// Makes the folder for a new campaign.
  ///
  /// - Throws: `CampaignError.wrongInput` where a campaign has begun here or the folder cannot be made.
  public func create() throws(CampaignError) {
    guard !holdsCampaign else {
      throw .wrongInput(
        "\(path): a campaign has begun here; continue it with --resume, or choose another "
          + "--directory")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .wrongInput("\(path): the folder cannot be made: \(error.localizedDescription)")
    }
  }

  /// The settings and the log of a campaign, read only.
  ///
  /// - Throws: `CampaignError.wrongInput` where there is none.
  public func open() throws -> (settings: CampaignSettings, log: DatabaseLog) {
    guard holdsCampaign else {
      throw CampaignError.wrongInput(
        "\(path): holds no campaign (no campaign.db); name the folder of a search")
    }
    let log = try DatabaseLog(path: database, access: .readOnly)
    return (try settings(of: log), log)
  }

  /// The settings that a campaign began with.
  ///
  /// - Throws: `CampaignError.failed` where they are missing, `SettingsError` where they are damaged.
  public func settings(of log: DatabaseLog) throws -> CampaignSettings {
    guard let text = try log.journal.meta("campaign") else {
      throw CampaignError.failed("\(database): the campaign's settings are missing")
    }
    return try CampaignSettings(SettingsDocument(text: text, path: "\(database) (campaign)"))
  }

  /// A campaign as its log tells it, without working on it.
  ///
  /// - Throws: `ReplayError` where another build wrote it, or what reading throws.
  public func replayed() throws -> (settings: CampaignSettings, runner: CampaignRunner) {
    let (settings, log) = try open()
    let runner = CampaignRunner(
      Schedule(settings.schedule()), transport: NoTransport(), log: log)
    try runner.replayOnly()
    return (settings, runner)
  }

  // MARK: Views

  /// Writes the settings as read, with every default.
  public func write(_ settings: CampaignSettings) throws {
    try AtomicFile.write(settings.yaml(), to: path + "/campaign.yaml")
  }

  /// Writes the training set.
  public func writeTrainingSet(of state: CampaignState, elements: [ChemicalElement]) throws {
    let records = state.trainingSet().map {
      StructureRecord(structure: $0.structure, evaluation: $0.evaluation)
    }
    try StructureFile.write(
      records, to: path + "/training.cfg", format: .cfg, elements: elements)
  }

  /// Writes a potential that was trained after the search, and what it was trained on.
  func writeRetrained(
    _ potential: MomentTensorPotential, trainedOn structures: [LabelledStructure],
    elements: [ChemicalElement]
  ) throws {
    let records = structures.map {
      StructureRecord(structure: $0.structure, evaluation: $0.evaluation)
    }
    try StructureFile.write(
      records, to: path + "/retrained.cfg", format: .cfg, elements: elements)
    try AtomicFile.write(potential.mtpText, to: path + "/retrained.mtp")
  }

  /// Writes a potential version as an MLIP file.
  public func write(_ trained: TrainedVersion, version: Int) throws {
    try FileManager.default.createDirectory(
      atPath: path + "/potentials", withIntermediateDirectories: true)
    try AtomicFile.write(trained.potential.mtpText, to: potential(version: version))
  }

  /// Writes the best distinct candidates as POSCAR and CIF, and takes away those of before.
  public func writeBest(_ table: ResultTable) throws {
    let folder = path + "/best"
    let fresh = path + "/best.new"
    let files = FileManager.default
    if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
    try files.createDirectory(atPath: fresh, withIntermediateDirectories: true)
    for row in table.rows {
      try StructureFile.write(
        [row.record], to: "\(fresh)/\(row.fileName).vasp", format: .poscar)
      try StructureFile.write([row.record], to: "\(fresh)/\(row.fileName).cif", format: .cif)
    }
    if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
    try files.moveItem(atPath: fresh, toPath: folder)
  }

  /// Appends a line to `log.jsonl`.
  public func log(_ event: JSONValue) throws {
    let file = path + "/log.jsonl"
    let line = Data((event.text() + "\n").utf8)
    if let handle = FileHandle(forWritingAtPath: file) {
      defer { handle.closeFile() }
      handle.seekToEndOfFile()
      try handle.write(contentsOf: line)
    } else {
      try line.write(to: URL(fileURLWithPath: file))
    }
  }
}

extension ResultTable.Row {
  /// The structure with its place as comment.
  var record: StructureRecord {
    var record = StructureRecord(structure: structure)
    record.comment =
      "candidate \(candidate), place \(place), \(enthalpyPerAtom) eV/atom, \(spaceGroup.symbol)"
    return record
  }

  /// A file name that sorts by place.
  public var fileName: String {
    let symbol = spaceGroup.symbol.replacingOccurrences(of: "/", with: "_")
    return (place < 10 ? "0" : "") + "\(place)-candidate\(candidate)-\(symbol)"
  }
}

/// A transport for reading: it does no work.
private final class NoTransport: WorkTransport {
  var workerCount: Int { 1 }
  func publish(version: Int, potential: [UInt8]) {}
  func submit(_ id: WorkID, _ order: WorkOrder) {}
  func nextCompletion(within seconds: Double) throws -> Completion? {
    throw TransportError("a campaign that is only read does no work")
  }
  func shutDown() {}
}
