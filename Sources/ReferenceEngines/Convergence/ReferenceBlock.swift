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
    var entries: [SettingsNode.Entry] = []
    if case .mapping(let known) = node.content { entries = known }
    let isMoved = Self.folder(of: path) != folder
    if isMoved { entries = entries.map(absolute) }
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
    let block = SettingsNode.mapping(entries).yaml().split(separator: "\n").map { "  \($0)\n" }
    return (head + ["reference:\n"] + block).joined()
  }

  /// Keys whose relative paths count from the settings file.
  private static let folderKeys = ["pseudopotential_folder", "potcar_folder"]
  /// The same, where they are no names of files in CP2K's own folder.
  private static let fileKeys = ["basis_file", "potential_file"]

  private func absolute(_ entry: SettingsNode.Entry) -> SettingsNode.Entry {
    // Written plainly, `null` and `~` are no names but nothing.
    guard case .scalar(let path, _) = entry.value.content, !path.hasPrefix("/"),
      !entry.value.isNull,
      Self.folderKeys.contains(entry.key)
        || (Self.fileKeys.contains(entry.key) && path.contains("/"))
    else { return entry }
    let whole = URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL
    return SettingsNode.Entry(entry.key, .text(whole.path))
  }

  private static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL.path
  }
}
