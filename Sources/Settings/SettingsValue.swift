/// One value of a settings file; it turns into a Swift value or into an error that says where it
/// stands and what is allowed.
public struct SettingsValue: Sendable {
  /// The node as read.
  public let node: SettingsNode
  /// The key with its parents, such as `search.population`.
  public let keyPath: String
  /// The file as it was named by the user.
  public let file: String
  /// The line of the key, or of the value in a list.
  public let line: Int

  init(node: SettingsNode, keyPath: String, file: String, line: Int? = nil) {
    self.node = node
    self.keyPath = keyPath
    self.file = file
    self.line = line ?? node.line
  }

  /// An error about this value.
  ///
  /// - Parameters:
  ///   - found: What was found; the value itself unless given.
  ///   - allowed: What is allowed.
  ///   - suggestion: What to try.
  /// - Returns: The error to throw.
  public func error(
    found: String? = nil, allowed: String, suggestion: String? = nil
  ) -> SettingsError {
    SettingsError(
      file: file, line: line, keyPath: keyPath, found: found ?? node.summary, allowed: allowed,
      suggestion: suggestion)
  }

  /// A text, such as a title; numbers count as texts too.
  ///
  /// - Parameter meaning: What the text stands for, for the message.
  /// - Returns: The text.
  /// - Throws: `SettingsError` where the value is empty, a list or a mapping.
  public func string(_ meaning: String = "a text") throws(SettingsError) -> String {
    guard case .scalar(let text, let isPlain) = node.content, !(isPlain && text.isEmpty) else {
      throw error(allowed: meaning)
    }
    return text
  }

  /// An integer of a range.
  ///
  /// - Throws: `SettingsError` where the value is no integer or lies outside.
  public func integer(
    in range: ClosedRange<Int>, suggestion: String? = nil
  ) throws(SettingsError) -> Int {
    let allowed =
      range.upperBound == .max
      ? "an integer of at least \(range.lowerBound)"
      : "an integer from \(range.lowerBound) to \(range.upperBound)"
    guard case .scalar(let text, true) = node.content, let value = Int(text),
      range.contains(value)
    else { throw error(allowed: allowed, suggestion: suggestion) }
    return value
  }

  /// A finite number of a range.
  ///
  /// - Parameters:
  ///   - range: The allowed numbers; an infinite bound means none.
  ///   - unit: The unit, for the message.
  ///   - suggestion: What to try instead.
  /// - Returns: The number.
  /// - Throws: `SettingsError` where the value is no finite number or lies outside.
  public func number(
    in range: ClosedRange<Double>, unit: String = "", suggestion: String? = nil
  ) throws(SettingsError) -> Double {
    let allowed = Self.allowedNumbers(range, unit: unit)
    guard let value = finiteNumber() else { throw noNumber(allowed, unit, suggestion) }
    guard range.contains(value) else { throw error(allowed: allowed, suggestion: suggestion) }
    return value
  }

  /// A finite number above zero.
  ///
  /// - Parameters:
  ///   - limit: The largest allowed number; infinite for none.
  ///   - unit: The unit, for the message.
  ///   - suggestion: What to try instead.
  /// - Returns: The number.
  /// - Throws: `SettingsError` where the value is no finite number, not positive or too large.
  public func positiveNumber(
    upTo limit: Double = .infinity, unit: String = "", suggestion: String? = nil
  ) throws(SettingsError) -> Double {
    let suffix = unit.isEmpty ? "" : " \(unit)"
    let bound = limit.isFinite ? " up to \(SettingsNode.number(limit).summary)" : ""
    let allowed = "a number above 0\(bound)\(suffix)"
    guard let value = finiteNumber() else { throw noNumber(allowed, unit, suggestion) }
    guard value > 0, value <= limit else { throw error(allowed: allowed, suggestion: suggestion) }
    return value
  }

  /// A truth value, `true` or `false`.
  ///
  /// - Throws: `SettingsError` for anything else.
  public func flag() throws(SettingsError) -> Bool {
    switch node.content {
    case .scalar("true", true): return true
    case .scalar("false", true): return false
    default: throw error(allowed: "true or false")
    }
  }

  /// One of several words.
  ///
  /// - Parameter type: An enumeration whose raw values are the words.
  /// - Returns: The case.
  /// - Throws: `SettingsError` for any other word, naming a close one.
  public func enumeration<T: CaseIterable & RawRepresentable<String>>(
    _ type: T.Type = T.self
  ) throws(SettingsError) -> T {
    let words = type.allCases.map(\.rawValue)
    let word = try word(of: words)
    guard let value = T(rawValue: word) else { throw notOneOf(words) }
    return value
  }

  /// One of several words.
  ///
  /// - Throws: `SettingsError` for any other word, naming a close one.
  public func word(of words: [String]) throws(SettingsError) -> String {
    guard case .scalar(let text, _) = node.content, words.contains(text) else {
      throw notOneOf(words)
    }
    return text
  }

  /// Whether the value is the word `none`, which stands for no limit or no number at all.
  public var isNone: Bool {
    guard case .scalar(let text, _) = node.content else { return false }
    return text == "none"
  }

  /// The values of a list.
  ///
  /// - Parameters:
  ///   - meaning: What the list holds, for the message.
  ///   - counts: How many values are allowed.
  /// - Returns: The values in order.
  /// - Throws: `SettingsError` where the value is no list or has another length.
  public func list(
    _ meaning: String = "values", counts: ClosedRange<Int> = 0...Int.max
  ) throws(SettingsError) -> [SettingsValue] {
    let allowed =
      counts.lowerBound == counts.upperBound
      ? "a list of \(counts.lowerBound) \(meaning)"
      : counts.lowerBound > 0
        ? "a list of \(counts.lowerBound) or more \(meaning)" : "a list of \(meaning)"
    guard case .list(let nodes) = node.content, counts.contains(nodes.count) else {
      throw error(allowed: allowed)
    }
    return nodes.enumerated().map { index, node in
      SettingsValue(node: node, keyPath: "\(keyPath)[\(index + 1)]", file: file)
    }
  }

  /// Finite numbers of a range.
  ///
  /// - Throws: `SettingsError` where the value is no list of such numbers or has another length.
  public func numbers(
    in range: ClosedRange<Double>, counts: ClosedRange<Int> = 0...Int.max, unit: String = ""
  ) throws(SettingsError) -> [Double] {
    var numbers: [Double] = []
    for value in try list(unit.isEmpty ? "numbers" : "numbers in \(unit)", counts: counts) {
      numbers.append(try value.number(in: range, unit: unit))
    }
    return numbers
  }

  /// Integers of a range.
  ///
  /// - Throws: `SettingsError` where the value is no list of such integers or has another length.
  public func integers(
    in range: ClosedRange<Int>, counts: ClosedRange<Int> = 0...Int.max
  ) throws(SettingsError) -> [Int] {
    var integers: [Int] = []
    for value in try list("integers", counts: counts) {
      integers.append(try value.integer(in: range))
    }
    return integers
  }

  /// Whether the value is a list.
  public var isList: Bool { if case .list = node.content { true } else { false } }

  /// Whether the value is a mapping.
  public var isMapping: Bool { if case .mapping = node.content { true } else { false } }

  /// The keys below this value.
  ///
  /// - Throws: `SettingsError` where the value is no mapping.
  public func mapping() throws(SettingsError) -> SettingsReader {
    guard case .mapping(let entries) = node.content else {
      throw error(allowed: "keys with values (key: value)")
    }
    return SettingsReader(entries: entries, keyPath: keyPath, file: file, line: line)
  }

  private func finiteNumber() -> Double? {
    guard case .scalar(let text, true) = node.content, Self.isDecimal(text),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }

  private func noNumber(_ allowed: String, _ unit: String, _ suggestion: String?) -> SettingsError {
    guard case .scalar(let text, _) = node.content, !unit.isEmpty,
      let end = text.firstIndex(where: { !"+-.0123456789 ".contains($0) }),
      text[..<end].contains(where: \.isNumber)
    else { return error(allowed: allowed, suggestion: suggestion) }
    return error(allowed: allowed, suggestion: "write the number alone; its unit is \(unit)")
  }

  private func notOneOf(_ words: [String]) -> SettingsError {
    var close: String?
    if case .scalar(let text, _) = node.content {
      close = NameSuggestion.closest(to: text, among: words)
    }
    return error(
      allowed: "one of \(words.joined(separator: ", "))",
      suggestion: close.map { "did you mean '\($0)'?" })
  }

  private static func allowedNumbers(_ range: ClosedRange<Double>, unit: String) -> String {
    let suffix = unit.isEmpty ? "" : " \(unit)"
    func text(_ value: Double) -> String { SettingsNode.number(value).summary }
    switch (range.lowerBound.isFinite, range.upperBound.isFinite) {
    case (true, true):
      return "a number from \(text(range.lowerBound)) to \(text(range.upperBound))\(suffix)"
    case (true, false): return "a number of at least \(text(range.lowerBound))\(suffix)"
    case (false, true): return "a number of at most \(text(range.upperBound))\(suffix)"
    case (false, false): return "a finite number\(unit.isEmpty ? "" : " in \(unit)")"
    }
  }

  // Swift's own reading also takes hexadecimal numbers, `inf` and `nan`.
  private static func isDecimal(_ text: String) -> Bool {
    text.utf8.contains { (48...57).contains($0) }
      && text.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
  }
}
