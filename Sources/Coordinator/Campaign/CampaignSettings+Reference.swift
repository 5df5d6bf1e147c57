import Crystal
import Settings

extension CampaignSettings {
  /// The method that labels structures.
  public struct Reference: Sendable, Hashable {
    /// The block as the file gives it.
    public let node: SettingsNode
  }
}

extension CampaignSettings.Reference {
  /// Reads the block and checks it against the composition.
  init(_ value: SettingsValue, composition: Composition) throws(SettingsError) {
    node = value.node.withoutLines()
    var block = try value.mapping()
    _ = try block.required("kind", "the method").string()
  }
}
