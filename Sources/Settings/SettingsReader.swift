/// Reads the keys of one mapping and remembers which were asked for, so that `finish()` can name a
/// key that nobody knows.
///
/// ```swift
/// var search = try SettingsDocument(path: "campaign.yaml").mapping()
/// let seed = try search.required("seed").integer(in: 0...Int.max)
/// let window = try search.optional("window")?.integer(in: 1...4096) ?? 16
/// try search.finish()
/// ```
public struct SettingsReader {
  /// The mapping's own key with its parents; empty at the top.
  public let keyPath: String
  /// The file as it was named by the user.
  public let file: String
  /// The line the mapping starts on.
  public let line: Int
  private let entries: [SettingsNode.Entry]
  private var known: [String] = []

  init(entries: [SettingsNode.Entry], keyPath: String, file: String, line: Int) {
    self.entries = entries
    self.keyPath = keyPath
    self.file = file
    self.line = line
  }

  /// The keys of the file, in its order.
  public var keys: [String] { entries.map(\.key) }

  /// The value of a key, `nil` where it is absent or written as `null`.
  public mutating func optional(_ key: String) -> SettingsValue? {
    if !known.contains(key) { known.append(key) }
    guard let entry = entries.first(where: { $0.key == key }), !entry.value.isNull else {
      return nil
    }
    return value(of: entry)
  }

  /// The value of a key that must be there.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - meaning: What the key holds, for the message where it is absent.
  /// - Returns: The value.
  /// - Throws: `SettingsError` where it is absent.
  public mutating func required(
    _ key: String, _ meaning: String = "a value"
  ) throws(SettingsError) -> SettingsValue {
    if let value = optional(key) { return value }
    let unread = entries.filter { !known.contains($0.key) }
    let typo = NameSuggestion.closest(to: key, among: unread.map(\.key))
    let typoLine = unread.first { $0.key == typo }?.line
    throw SettingsError(
      file: file, line: typoLine ?? line, keyPath: path(key), found: "no such key",
      allowed: "\(meaning) (required)",
      suggestion: typo.map { "did you mean '\(key)' by '\($0)'?" })
  }

  /// The mapping below a key; an absent one reads as an empty mapping, so that all its defaults hold.
  ///
  /// - Throws: `SettingsError` where the value is no mapping.
  public mutating func section(_ key: String) throws(SettingsError) -> SettingsReader {
    guard let value = optional(key) else {
      return SettingsReader(entries: [], keyPath: path(key), file: file, line: line)
    }
    return try value.mapping()
  }

  /// Every key with its value, for mappings whose keys are data (elements, pairs, operators).
  public mutating func allValues() -> [(key: String, value: SettingsValue)] {
    known = entries.map(\.key)
    return entries.map { ($0.key, value(of: $0)) }
  }

  /// Ends the reading.
  ///
  /// - Throws: `SettingsError` for the first key of the file that was never asked for.
  public func finish() throws(SettingsError) {
    guard let entry = entries.first(where: { !known.contains($0.key) }) else { return }
    let close = NameSuggestion.closest(to: entry.key, among: known)
    throw SettingsError(
      file: file, line: entry.line, keyPath: path(entry.key), found: "an unknown key",
      allowed: known.isEmpty ? "no keys here" : known.joined(separator: ", "),
      suggestion: close.map { "did you mean '\($0)'?" })
  }

  /// An error about this mapping as a whole.
  public func error(found: String, allowed: String, suggestion: String? = nil) -> SettingsError {
    SettingsError(
      file: file, line: line, keyPath: keyPath, found: found, allowed: allowed,
      suggestion: suggestion)
  }

  private func path(_ key: String) -> String { keyPath.isEmpty ? key : "\(keyPath).\(key)" }

  private func value(of entry: SettingsNode.Entry) -> SettingsValue {
    SettingsValue(node: entry.value, keyPath: path(entry.key), file: file, line: entry.line)
  }
}
