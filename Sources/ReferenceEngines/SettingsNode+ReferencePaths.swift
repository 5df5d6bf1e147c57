import Foundation
import Settings

extension SettingsNode {
  /// A `reference:` block that says the same in a file of any folder: relative paths count from the file's folder, and
  /// are written out.
  ///
  /// - Parameter folder: The folder of the file that the block was read from.
  /// - Returns: The block with absolute paths.
  public func withAbsoluteReferencePaths(from folder: String) -> SettingsNode {
    guard case .mapping(let entries) = content else { return self }
    func value(_ key: String) -> SettingsNode? { entries.first { $0.key == key }?.value }
    var moved = entries.map { $0.withAbsolutePath(from: folder) }
    // {here} may stand in the command, and in the texts of input files.
    if value("kind")?.scalar == "i-pi", value("here") == nil,
      value("input") != nil || value("command")?.yaml().contains("{here}") == true
    {
      moved.append(Entry("here", .text(URL(fileURLWithPath: folder).standardizedFileURL.path)))
    }
    return SettingsNode(.mapping(moved), line: line)
  }

  fileprivate var scalar: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  fileprivate func absolutePath(from folder: String) -> SettingsNode {
    // Written plainly, `null` and `~` are no names but nothing.
    guard let path = scalar, !path.hasPrefix("/"), !isNull else { return self }
    return .text(
      URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path)
  }
}

extension SettingsNode.Entry {
  /// Keys of paths.
  private static let pathKeys = ["pseudopotential_folder", "potcar_folder", "here"]
  /// The same, where they are no names of files in CP2K's own folder.
  private static let fileKeys = ["basis_file", "potential_file"]

  fileprivate func withAbsolutePath(from folder: String) -> Self {
    switch key {
    case _ where Self.pathKeys.contains(key),
      _ where Self.fileKeys.contains(key) && value.scalar?.contains("/") == true:
      return Self(key, line: line, value.absolutePath(from: folder))
    case "input":
      // Names in a client's folder, and files.
      guard case .mapping(let files) = value.content else { return self }
      let moved = files.map { Self($0.key, line: $0.line, $0.value.absolutePath(from: folder)) }
      return Self(key, line: line, SettingsNode(.mapping(moved), line: value.line))
    default: return self
    }
  }
}
