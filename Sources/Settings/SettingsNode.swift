/// One node of a YAML document: a scalar, a list or a mapping, with the line it starts on.
public struct SettingsNode: Sendable, Hashable {
  /// What a node holds.
  public enum Content: Sendable, Hashable {
    /// A text; `isPlain` where it was written without quotes, so that it may also mean a number, a
    /// truth value or nothing.
    case scalar(String, isPlain: Bool)
    /// A list.
    case list([SettingsNode])
    /// A mapping; keys are distinct and keep the order of the file.
    case mapping([Entry])
  }

  /// One key of a mapping with its value.
  public struct Entry: Sendable, Hashable {
    /// The key.
    public let key: String
    /// The line of the key, counted from 1.
    public let line: Int
    /// The value.
    public let value: SettingsNode

    /// Creates an entry.
    public init(_ key: String, line: Int = 0, _ value: SettingsNode) {
      self.key = key
      self.line = line
      self.value = value
    }
  }

  /// What the node holds.
  public let content: Content
  /// The line it starts on, counted from 1; 0 for nodes that were not read from a file.
  public let line: Int

  /// Creates a node.
  public init(_ content: Content, line: Int = 0) {
    self.content = content
    self.line = line
  }

  /// A text, quoted on writing where it would be read as something else.
  public static func text(_ value: String) -> SettingsNode { .init(.scalar(value, isPlain: false)) }

  /// An integer.
  public static func integer(_ value: Int) -> SettingsNode {
    .init(.scalar("\(value)", isPlain: true))
  }

  /// A finite number, written with as many digits as it takes to read the same bits back.
  public static func number(_ value: Double) -> SettingsNode {
    precondition(value.isFinite, "settings hold finite numbers")
    let text = "\(value)"
    return .init(.scalar(text.hasSuffix(".0") ? String(text.dropLast(2)) : text, isPlain: true))
  }

  /// A truth value.
  public static func flag(_ value: Bool) -> SettingsNode {
    .init(.scalar(value ? "true" : "false", isPlain: true))
  }

  /// A list.
  public static func list(_ values: [SettingsNode]) -> SettingsNode { .init(.list(values)) }

  /// A mapping; the keys must be distinct.
  public static func mapping(_ entries: [Entry]) -> SettingsNode {
    precondition(Set(entries.map(\.key)).count == entries.count, "a key is named twice")
    return .init(.mapping(entries))
  }

  /// The node without the places it was read from, so that equal settings are equal.
  public func withoutLines() -> SettingsNode {
    switch content {
    case .scalar: SettingsNode(content)
    case .list(let values): .list(values.map { $0.withoutLines() })
    case .mapping(let entries): .mapping(entries.map { .init($0.key, $0.value.withoutLines()) })
    }
  }

  /// Whether the node was written as nothing: `null` or `~`.
  public var isNull: Bool {
    if case .scalar(let text, true) = content { return text == "null" || text == "~" }
    return false
  }

  /// The node in a message: short, on one line.
  var summary: String {
    switch content {
    case .scalar("", true): return "nothing"
    case .scalar(let text, true): return Self.shortened(text)
    case .scalar(let text, false): return "the text '\(Self.shortened(text))'"
    case .list(let values): return "a list of \(values.count)"
    case .mapping(let entries):
      return entries.isEmpty
        ? "an empty mapping"
        : "a mapping (\(Self.shortened(entries.map(\.key).joined(separator: ", "))))"
    }
  }

  private static func shortened(_ text: String) -> String {
    text.count <= 60 ? text : text.prefix(57) + "..."
  }
}
