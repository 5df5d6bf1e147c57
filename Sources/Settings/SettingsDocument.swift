import CYAML
import Foundation

/// A YAML file as read: a tree whose every value knows its line.
public struct SettingsDocument: Sendable {
  /// The file as it was named by the user; it begins every message.
  public let path: String
  /// The uppermost node.
  public let root: SettingsNode

  /// Reads a YAML file.
  ///
  /// - Throws: `SettingsError` where the file cannot be read or is no YAML.
  public init(path: String) throws(SettingsError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw SettingsError(
        file: path, line: nil, keyPath: "", found: "no readable file (\(Self.reason(error, path)))",
        allowed: "a YAML file", suggestion: "check the path")
    }
    try self.init(bytes: [UInt8](data), path: path)
  }

  /// Reads YAML text.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - path: The name of the text in messages.
  /// - Throws: `SettingsError` where it is no YAML.
  public init(text: String, path: String) throws(SettingsError) {
    try self.init(bytes: Array(text.utf8), path: path)
  }

  private init(bytes: [UInt8], path: String) throws(SettingsError) {
    self.path = path
    root = try YAMLParser.parse(bytes, file: path)
  }

  /// The version of libyaml.
  public static var libraryVersion: String { String(cString: yaml_get_version_string()) }

  private static func reason(_ error: any Error, _ path: String) -> String {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return "it is a folder"
    }
    return switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile?, .fileNoSuchFile?: "No such file"
    case .fileReadNoPermission?: "permission denied"
    default: error.localizedDescription
    }
  }

  /// The document's keys.
  ///
  /// - Throws: `SettingsError` where the document is no mapping.
  public func mapping() throws(SettingsError) -> SettingsReader {
    try SettingsValue(node: root, keyPath: "", file: path).mapping()
  }
}
