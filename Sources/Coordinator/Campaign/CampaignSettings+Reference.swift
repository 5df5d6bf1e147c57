import Crystal
import ReferenceEngines
import Settings

extension CampaignSettings {
  /// The method that labels structures.
  public struct Reference: Sendable {
    /// The method with its parameters.
    public let settings: ReferenceSettings
    /// The block as the file gives it.
    public let node: SettingsNode
  }
}

extension CampaignSettings.Reference {
  /// Reads the block and checks it against everything that a cell may hold.
  init(_ value: SettingsValue, target: CampaignSettings.Target) throws(SettingsError) {
    settings = try ReferenceSettings(value.mapping())
    node = value.node.withoutLines()
    for composition in target.extremes { try settings.check(composition) }
  }
}

// The block decides the method; where it stood in a file and how it was quoted does not count.
extension CampaignSettings.Reference: Hashable {
  /// Whether two blocks say the same.
  public static func == (a: Self, b: Self) -> Bool { a.node.yaml() == b.node.yaml() }

  /// Hashes the block.
  public func hash(into hasher: inout Hasher) { hasher.combine(node.yaml()) }
}
