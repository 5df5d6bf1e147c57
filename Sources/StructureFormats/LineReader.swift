import Foundation

/// The lines of a text, each cut at blanks.
///
/// It works on bytes: character strings would make large training sets twenty times slower to read.
struct LineReader {
  /// The name of the file, for messages.
  let path: String
  /// The number of the present line, from 1; 0 before the first.
  private(set) var line = 0
  /// Where the fields of the present line lie.
  private(set) var fields: [Range<Int>] = []
  private var content = 0..<0
  private var next = 0
  private var isHeld = false
  // One zero byte follows the text, so that the number parser always finds an end.
  private let bytes: [UInt8]

  /// Starts before the first line; a byte order mark is skipped.
  init(_ text: [UInt8], path: String) {
    self.path = path
    next = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    bytes = text + [0]
  }

  /// The number of fields of the present line.
  var count: Int { fields.count }

  /// Moves to the next line; line ends may be LF, CR LF or missing at the end.
  ///
  /// - Returns: Whether there is one; otherwise the line number stays.
  mutating func advance() -> Bool {
    if isHeld {
      isHeld = false
      return true
    }
    let end = bytes.count - 1
    guard next < end else {
      fields.removeAll(keepingCapacity: true)
      content = end..<end
      return false
    }
    line += 1
    fields.removeAll(keepingCapacity: true)
    let start = next
    var position = next
    var fieldStart = -1
    while position < end, bytes[position] != UInt8(ascii: "\n") {
      if Self.isBlank(bytes[position]) {
        if fieldStart >= 0 { fields.append(fieldStart..<position) }
        fieldStart = -1
      } else if fieldStart < 0 {
        fieldStart = position
      }
      position += 1
    }
    if fieldStart >= 0 { fields.append(fieldStart..<position) }
    content = start..<position
    next = min(position + 1, end)
    return true
  }

  /// Moves to the next line that is not blank.
  mutating func advanceToText() -> Bool {
    while advance() {
      if !fields.isEmpty { return true }
    }
    return false
  }

  /// Moves to the next line, which must exist.
  mutating func require(_ what: String) throws(FormatError) {
    guard advance() else { throw error("the file ends", allowed: what) }
  }

  /// Makes the next call of `advance` stay at the present line.
  mutating func hold() { isHeld = true }

  /// The present line without surrounding blanks.
  var text: String {
    guard let first = fields.first, let last = fields.last else { return "" }
    return string(first.lowerBound..<last.upperBound)
  }

  /// The bytes of the whole text.
  var allBytes: ArraySlice<UInt8> { bytes.dropLast() }

  /// The bytes of the present line.
  var contentBytes: ArraySlice<UInt8> { bytes[content] }

  /// The present line from a field to the end, without surrounding blanks.
  func text(from index: Int) -> String {
    guard index < fields.count, let last = fields.last else { return "" }
    return string(fields[index].lowerBound..<last.upperBound)
  }

  /// A field as text; empty where the line has fewer.
  func field(_ index: Int) -> String { index < fields.count ? string(fields[index]) : "" }

  /// Whether a field is exactly a word.
  func matches(_ index: Int, _ word: StaticString) -> Bool {
    guard index < fields.count, fields[index].count == word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { expected in
      bytes[fields[index]].elementsEqual(expected)
    }
  }

  /// A field as a finite number.
  func double(_ index: Int, _ what: @autoclosure () -> String) throws(FormatError) -> Double {
    guard index < fields.count else {
      throw error("\(what()) is missing", allowed: "a number")
    }
    guard let value = number(index) else {
      throw error("\(what()) is '\(field(index))'", allowed: "a finite number")
    }
    return value
  }

  /// A field as a finite number, or `nil`.
  func number(_ index: Int) -> Double? {
    guard index < fields.count else { return nil }
    let range = fields[index]
    var value = 0.0
    let length = bytes.withUnsafeBytes { buffer -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      let start = (base + range.lowerBound).assumingMemoryBound(to: CChar.self)
      var end: UnsafeMutablePointer<CChar>?
      value = strtod(start, &end)
      guard let end else { return 0 }
      return UnsafePointer(end) - start
    }
    return length == range.count && value.isFinite ? value : nil
  }

  /// A field as a whole number.
  func integer(_ index: Int, _ what: @autoclosure () -> String) throws(FormatError) -> Int {
    guard index < fields.count else {
      throw error("\(what()) is missing", allowed: "a whole number")
    }
    guard let value = Int(field(index)) else {
      throw error("\(what()) is '\(field(index))'", allowed: "a whole number")
    }
    return value
  }

  /// An error at the present line, or at another one.
  func error(_ problem: String, allowed: String = "", line other: Int? = nil) -> FormatError {
    FormatError(path: path, line: max(other ?? line, 1), problem, allowed: allowed)
  }

  private func string(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13)
  }
}
