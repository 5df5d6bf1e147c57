import CYAML
import Foundation

/// Turns YAML text into a tree of nodes with libyaml's event parser.
///
/// Anchors and aliases are resolved; a key named twice, several documents in one file and absurd nesting are errors.
struct YAMLParser {
  private static let deepestNesting = 64
  // Aliases multiply: a few lines could otherwise describe a tree of many gigabytes.
  private static let mostNodes = 1_000_000

  private let file: String
  private let text: [UInt8]
  private var anchors: [String: (node: SettingsNode, size: Int)] = [:]
  private var nodeCount = 0

  /// Reads one document.
  ///
  /// - Throws: `SettingsError` with the line of what is no YAML.
  static func parse(_ text: [UInt8], file: String) throws(SettingsError) -> SettingsNode {
    var parser = YAMLParser(file: file, text: text)
    return try parser.parseDocument()
  }

  private init(file: String, text: [UInt8]) {
    self.file = file
    self.text = text
  }

  private mutating func parseDocument() throws(SettingsError) -> SettingsNode {
    var source = YAMLEventSource(text)
    guard source.isReady else {
      throw error(line: nil, found: "no memory for the parser", allowed: "a YAML file")
    }
    defer { source.close() }
    var root: SettingsNode?
    while true {
      let event = try next(from: &source)
      switch event.kind {
      case .streamEnd:
        guard let root else {
          throw error(line: 1, found: "an empty file", allowed: "keys and values in YAML")
        }
        return root
      case .other:
        continue
      default:
        guard root == nil else {
          throw error(
            line: event.line, found: "a second document", allowed: "one document in a file")
        }
        root = try node(event, from: &source, depth: 0)
      }
    }
  }

  private mutating func node(
    _ event: YAMLEvent, from source: inout YAMLEventSource, depth: Int
  ) throws(SettingsError) -> SettingsNode {
    guard depth < Self.deepestNesting else {
      throw error(
        line: event.line, found: "nesting deeper than \(Self.deepestNesting)",
        allowed: "a flatter file")
    }
    let before = nodeCount
    try count(1, line: event.line)
    let content: SettingsNode.Content
    switch event.kind {
    case .alias:
      guard let known = anchors[event.anchor ?? ""] else {
        throw error(
          line: event.line, found: "the alias *\(event.anchor ?? "")",
          allowed: "an alias of an anchor above it")
      }
      try count(known.size, line: event.line)
      return known.node
    case .scalar(let text, let isPlain):
      content = .scalar(text, isPlain: isPlain)
    case .listStart:
      content = .list(try list(from: &source, depth: depth))
    case .mappingStart:
      content = .mapping(try mapping(from: &source, depth: depth))
    case .end, .streamEnd, .other:
      throw error(line: event.line, found: "an unexpected end", allowed: "a value")
    }
    let node = SettingsNode(content, line: event.line)
    if let anchor = event.anchor { anchors[anchor] = (node, nodeCount - before) }
    return node
  }

  private mutating func list(
    from source: inout YAMLEventSource, depth: Int
  ) throws(SettingsError) -> [SettingsNode] {
    var values: [SettingsNode] = []
    while true {
      let event = try next(from: &source)
      if case .end = event.kind { return values }
      values.append(try node(event, from: &source, depth: depth + 1))
    }
  }

  private mutating func mapping(
    from source: inout YAMLEventSource, depth: Int
  ) throws(SettingsError) -> [SettingsNode.Entry] {
    var entries: [SettingsNode.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      let event = try next(from: &source)
      if case .end = event.kind { return entries }
      guard case .scalar(let key, _) = event.kind else {
        throw error(
          line: event.line, found: "a key that is a list, mapping or alias",
          allowed: "a word as key")
      }
      if let first = lines.updateValue(event.line, forKey: key) {
        throw SettingsError(
          file: file, line: event.line, keyPath: key,
          found: "the key a second time (first on line \(first))", allowed: "every key once",
          suggestion: "remove one of the two")
      }
      let value = try node(try next(from: &source), from: &source, depth: depth + 1)
      entries.append(.init(key, line: event.line, value))
    }
  }

  private mutating func count(_ nodes: Int, line: Int) throws(SettingsError) {
    nodeCount += nodes
    guard nodeCount <= Self.mostNodes else {
      throw error(
        line: line, found: "more than \(Self.mostNodes) values", allowed: "a smaller file")
    }
  }

  private func next(from source: inout YAMLEventSource) throws(SettingsError) -> YAMLEvent {
    if let event = source.next() { return event }
    let problem = source.problem()
    // The reader knows only an offset where bytes are no text.
    let line =
      problem.offset.map { offset in 1 + text.prefix(offset).count { $0 == UInt8(ascii: "\n") } }
      ?? problem.line
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let hasTab =
      line <= lines.count && lines[line - 1].prefix { $0 == 32 || $0 == 9 }.contains(9)
    throw error(
      line: line, found: "no YAML (\(problem.message))", allowed: "YAML",
      suggestion: hasTab
        ? "indent with blanks, not with a tab"
        : "check indentation, brackets and quotes on this line and above")
  }

  private func error(
    line: Int?, found: String, allowed: String, suggestion: String? = nil
  ) -> SettingsError {
    SettingsError(
      file: file, line: line, keyPath: "", found: found, allowed: allowed, suggestion: suggestion)
  }
}
