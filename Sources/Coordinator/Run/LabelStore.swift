import Archive

/// The labels of another campaign, looked up by key (R7).
final class LabelStore {
  private let log: DatabaseLog

  init(folder: CampaignFolder) throws {
    guard folder.holdsCampaign else {
      throw CampaignError.wrongInput(
        "\(folder.path): holds no campaign whose labels could be used; name the folder of a search")
    }
    log = try DatabaseLog(path: folder.database, access: .readOnly)
  }

  /// The stored result of a key.
  func label(key: String) throws -> [UInt8]? { try log.journal.label(key: key) }
}
