import Foundation
import Settings

/// The `reference:` block of a file as it is written, so that it can be written again with other numbers.
public struct ReferenceBlock: Sendable, Hashable {
  /// The mapping below `reference:`.
  public let node: SettingsNode
  private let folder: String

  /// Reads the block of a YAML file.
  ///
  /// - Parameter path: The file; other blocks in it are passed over.
  /// - Throws: `SettingsError` where the file is not readable or has no such block.
  public init(path: String) throws(SettingsError) {
    var top = try SettingsDocument(path: path).mapping()
    node = try top.required("reference", "a reference method").node.withoutLines()
    folder = Self.folder(of: path)
  }

  /// A file that holds the block with the cutoff and the k-points of a program.
  ///
  /// Keys that the block does not have are added, apart from a `density_cutoff` that it leaves to the default.
  /// Paths that count from the block's file are made absolute where the other lies in another folder.
  ///
  /// - Parameters:
  ///   - program: The program with its cutoff and k-points.
  ///   - comments: Lines to put above, without `#`.
  ///   - path: Where the text is going to be.
  /// - Returns: The text of a YAML file.
  public func text(
    with program: any AdjustableProgram, comments: [String], at path: String
  ) -> String {
    let isMoved = Self.folder(of: path) != folder
    let block = isMoved ? node.withAbsoluteReferencePaths(from: folder) : node
    var entries: [SettingsNode.Entry] = []
    if case .mapping(let known) = block.content { entries = known }
    for setting in program.accuracySettings {
      if let place = entries.firstIndex(where: { $0.key == setting.key }) {
        entries[place] = setting
      } else if setting.key != "density_cutoff" {
        entries.append(setting)
      }
    }
    let head = comments.map { line in
      "# " + String(line.map { $0.isNewline ? " " : $0 }) + "\n"
    }
    let lines = SettingsNode.mapping(entries).yaml().split(separator: "\n").map { "  \($0)\n" }
    return (head + ["reference:\n"] + lines).joined()
  }

  private static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL.path
  }
}
