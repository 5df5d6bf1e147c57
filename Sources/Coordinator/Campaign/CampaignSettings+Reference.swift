import Crystal
import Foundation
import Potential
import ReferenceEngines
import Settings

extension CampaignSettings {
  /// The method that labels structures.
  public struct Reference: Sendable {
    /// The method with its parameters.
    public let settings: ReferenceSettings
    /// The block as the file gives it, with absolute paths: it is read from the campaign's folder, too.
    public let node: SettingsNode
  }
}

extension CampaignSettings.Reference {
  /// Reads the block and checks it against everything that a cell may hold.
  init(_ value: SettingsValue, target: CampaignSettings.Target) throws(SettingsError) {
    settings = try ReferenceSettings(value.mapping())
    node = value.node.withoutLines().withAbsoluteReferencePaths(
      from: URL(fileURLWithPath: value.file).deletingLastPathComponent().path)
    for composition in target.extremes { try settings.check(composition) }
  }
}

extension CampaignSettings.Reference {
  /// The method as engine and as potential.
  ///
  /// - Parameters:
  ///   - folder: Where an external program computes, one folder for each structure.
  ///   - stores: Such folders of other campaigns, whose labels are taken over.
  ///   - shouldStop: Asked while an external program runs; where it says yes, the program is ended.
  /// - Returns: What labels structures, and the same as a potential for relaxations.
  /// - Throws: `SettingsError` where a program is missing, `CampaignError.wrongInput` where parameters
  ///   contradict each other, what else keeps the method from being had here as it is.
  func method(
    folder: String, stores: [String] = [],
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> (engine: any ReferenceEngine, potential: any InteratomicPotential) {
    do {
      return try settings.method(folder: folder, stores: stores, shouldStop: shouldStop)
    } catch PotentialError.invalidParameters(let what) {
      throw CampaignError.wrongInput(what)
    }
  }
}

// The block decides the method; where it stood in a file and how it was quoted does not count.
extension CampaignSettings.Reference: Hashable {
  /// Whether two blocks say the same.
  public static func == (a: Self, b: Self) -> Bool { a.node.yaml() == b.node.yaml() }

  /// Hashes the block.
  public func hash(into hasher: inout Hasher) { hasher.combine(node.yaml()) }
}
