/// A value of a CIF with its line; `?` and `.` in bare text mean that there is none.
struct CifValue {
  let text: String
  let line: Int
  let isQuoted: Bool

  var isMissing: Bool { !isQuoted && (text == "?" || text == ".") }
}

/// A data block of a CIF: single values and the columns of loops, by tag in lower case.
///
/// Dots in tags, the spelling of newer dictionaries, are read as underscores.
struct CifBlock {
  let name: String
  let line: Int
  var values: [String: CifValue] = [:]
  var columns: [String: [CifValue]] = [:]

  /// A single value, or `nil` where it is absent or unknown.
  func value(_ tags: String...) -> CifValue? {
    for tag in tags {
      if let value = values[tag] ?? columns[tag]?.first, !value.isMissing { return value }
    }
    return nil
  }

  /// A column of a loop; a single value counts as a column of one row.
  func column(_ tags: String...) -> [CifValue]? {
    for tag in tags {
      if let column = columns[tag] ?? values[tag].map({ [$0] }) { return column }
    }
    return nil
  }
}

/// The grammar of the Crystallographic Information File, version 1.1.
///
/// S. R. Hall, F. H. Allen, I. D. Brown, Acta Cryst. A47, 655 (1991).
struct CifDocument {
  private(set) var blocks: [CifBlock] = []

  init(_ lines: inout LineReader) throws(FormatError) {
    let tokens = try CifTokenizer.tokens(&lines)
    var index = 0
    while index < tokens.count {
      let token = tokens[index]
      let word = token.isQuoted ? "" : token.text.lowercased()
      if word.hasPrefix("data_") {
        blocks.append(CifBlock(name: String(token.text.dropFirst(5)), line: token.line))
        index += 1
      } else if blocks.isEmpty {
        throw lines.error(
          "'\(token.text.prefix(40))' before the first block", allowed: "data_NAME",
          line: token.line)
      } else if word == "loop_" {
        index = try readLoop(tokens, index + 1, lines)
      } else if word.hasPrefix("_") {
        guard index + 1 < tokens.count, !Self.isKeyword(tokens[index + 1]) else {
          throw lines.error("\(token.text) has no value", allowed: "a value", line: token.line)
        }
        let tag = Self.normalized(word)
        guard blocks[blocks.count - 1].values.updateValue(tokens[index + 1], forKey: tag) == nil
        else { throw lines.error("\(token.text) is given twice", line: token.line) }
        index += 2
      } else {
        throw lines.error(
          "'\(token.text.prefix(40))' belongs to no tag", allowed: "_tag value or loop_",
          line: token.line)
      }
    }
  }

  private mutating func readLoop(
    _ tokens: [CifValue], _ start: Int, _ lines: LineReader
  ) throws(FormatError) -> Int {
    var index = start
    let line = tokens[start - 1].line
    var tags: [String] = []
    while index < tokens.count, !tokens[index].isQuoted, tokens[index].text.hasPrefix("_") {
      tags.append(Self.normalized(tokens[index].text.lowercased()))
      index += 1
    }
    guard !tags.isEmpty else {
      throw lines.error("the loop has no columns", allowed: "_tags after loop_", line: line)
    }
    let first = index
    while index < tokens.count, !Self.isKeyword(tokens[index]) { index += 1 }
    let count = index - first
    guard count > 0, count % tags.count == 0 else {
      throw lines.error(
        "the loop of line \(line) has \(count) values",
        allowed: "a multiple of its \(tags.count) columns",
        line: count > 0 ? tokens[index - 1].line : line)
    }
    for (column, tag) in tags.enumerated() {
      let values = stride(from: first + column, to: index, by: tags.count).map { tokens[$0] }
      guard blocks[blocks.count - 1].columns.updateValue(values, forKey: tag) == nil else {
        throw lines.error("\(tag) is given twice", line: line)
      }
    }
    return index
  }

  private static func isKeyword(_ token: CifValue) -> Bool {
    guard !token.isQuoted else { return false }
    if token.text.hasPrefix("_") { return true }
    let word = token.text.prefix(5).lowercased()
    return word == "data_" || token.text.lowercased() == "loop_"
  }

  private static func normalized(_ tag: String) -> String {
    String(tag.map { $0 == "." ? "_" : $0 })
  }
}

/// Cuts a CIF into words, quoted strings and text fields.
private enum CifTokenizer {
  static func tokens(_ lines: inout LineReader) throws(FormatError) -> [CifValue] {
    var tokens: [CifValue] = []
    while lines.advance() {
      let bytes = lines.contentBytes
      if bytes.first == UInt8(ascii: ";") {
        tokens.append(try textField(&lines))
        continue
      }
      var position = bytes.startIndex
      while position < bytes.endIndex {
        let byte = bytes[position]
        if isBlank(byte) {
          position += 1
        } else if byte == UInt8(ascii: "#") {
          break
        } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
          // A quote ends a string only before a blank: 'O5' ' and "P 2'" are whole.
          let start = position + 1
          var end = start
          while end < bytes.endIndex,
            bytes[end] != byte || (end + 1 < bytes.endIndex && !isBlank(bytes[end + 1]))
          {
            end += 1
          }
          guard end < bytes.endIndex else {
            throw lines.error("a string without closing quote", allowed: "it ends on its line")
          }
          tokens.append(
            CifValue(
              text: String(decoding: bytes[start..<end], as: UTF8.self), line: lines.line,
              isQuoted: true))
          position = end + 1
        } else {
          let start = position
          while position < bytes.endIndex, !isBlank(bytes[position]) { position += 1 }
          tokens.append(
            CifValue(
              text: String(decoding: bytes[start..<position], as: UTF8.self), line: lines.line,
              isQuoted: false))
        }
      }
    }
    return tokens
  }

  /// Lines between two semicolons that each begin a line.
  private static func textField(_ lines: inout LineReader) throws(FormatError) -> CifValue {
    let line = lines.line
    var text = [String(decoding: lines.contentBytes.dropFirst(), as: UTF8.self)]
    while lines.advance() {
      if lines.contentBytes.first == UInt8(ascii: ";") {
        return CifValue(text: text.joined(separator: "\n"), line: line, isQuoted: true)
      }
      text.append(String(decoding: lines.contentBytes, as: UTF8.self))
    }
    throw lines.error("the text field of line \(line) does not end", allowed: "; at a line's start")
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13)
  }
}
