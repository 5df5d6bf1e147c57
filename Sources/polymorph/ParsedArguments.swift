import Crystal
import Settings

/// The command line after a verb, asked by name.
struct ParsedArguments {
  let verb: String
  private let positional: [String]
  private let options: [String: String]
  private let syntax: CommandSyntax

  init(
    verb: String, positional: [String], options: [String: String], syntax: CommandSyntax
  ) {
    self.verb = verb
    self.positional = positional
    self.options = options
    self.syntax = syntax
  }

  /// The argument of a name.
  func argument(_ name: String) -> String {
    guard let text = optionalArgument(name) else {
      preconditionFailure("the syntax of \(verb) lets \(name) be missing")
    }
    return text
  }

  /// The argument of a name that may be missing.
  func optionalArgument(_ name: String) -> String? {
    guard let place = syntax.arguments.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("the syntax of \(verb) has no argument \(name)")
    }
    return place < positional.count ? positional[place] : nil
  }

  /// The arguments from the place of a repeated one on.
  func arguments(_ name: String) -> [String] {
    guard let place = syntax.arguments.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("the syntax of \(verb) has no argument \(name)")
    }
    return Array(positional[place...])
  }

  /// Whether an option is given.
  func has(_ name: String) -> Bool { option(name) != nil }

  /// The value of an option.
  func option(_ name: String) -> String? {
    precondition(
      syntax.options.contains { $0.name == name }, "the syntax of \(verb) has no --\(name)")
    return options[name]
  }

  /// The value of an option that the syntax requires.
  func required(_ name: String) throws(CommandLineError) -> String {
    guard let value = option(name) else { throw CommandLineError("\(verb): --\(name) is missing") }
    return value
  }

  /// A finite number of a range.
  func number(_ name: String, in range: ClosedRange<Double>) throws(CommandLineError) -> Double? {
    guard let text = option(name) else { return nil }
    guard let value = Double(text), value.isFinite, range.contains(value) else {
      var allowed = "a number"
      if range.lowerBound.isFinite { allowed += " from \(range.lowerBound)" }
      if range.upperBound.isFinite { allowed += " to \(range.upperBound)" }
      throw wrong(name, text, allowed)
    }
    return value
  }

  /// A finite number above zero.
  func positiveNumber(_ name: String) throws(CommandLineError) -> Double? {
    guard let text = option(name) else { return nil }
    guard let value = Double(text), value.isFinite, value > 0 else {
      throw wrong(name, text, "a number above 0")
    }
    return value
  }

  /// An integer of a range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(CommandLineError) -> Int? {
    guard let text = option(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      let limit = range.upperBound == .max ? "" : " to \(range.upperBound)"
      throw wrong(name, text, "an integer from \(range.lowerBound)\(limit)")
    }
    return value
  }

  /// Numbers separated by commas.
  func numbers(_ name: String, count: Int) throws(CommandLineError) -> [Double]? {
    guard let text = option(name) else { return nil }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0) }.filter(\.isFinite)
    guard parts.count == count, values.count == count else {
      throw wrong(name, text, "\(count) numbers separated by commas")
    }
    return values
  }

  /// One of several words.
  func word<T: CaseIterable & RawRepresentable<String>>(
    _ name: String, as type: T.Type
  ) throws(CommandLineError) -> T? {
    guard let text = option(name) else { return nil }
    guard let value = T(rawValue: text) else {
      throw notOneOf("--\(name)", text, type.allCases.map(\.rawValue))
    }
    return value
  }

  /// An argument that must be one of several words.
  func argument(_ name: String, among words: [String]) throws(CommandLineError) -> String {
    let text = argument(name)
    guard words.contains(text) else { throw notOneOf(name, text, words) }
    return text
  }

  /// A time in seconds, from a number with the unit s, m or h.
  func duration(_ name: String) throws(CommandLineError) -> Double? {
    guard let text = option(name) else { return nil }
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let value = Double(text.dropLast()),
      value.isFinite, value > 0
    else { throw wrong(name, text, "a time such as 90s, 45m or 2h") }
    return value * unit
  }

  /// Elements separated by commas, such as `Ti,O`.
  func elements(_ name: String = "elements") throws(CommandLineError) -> [ChemicalElement]? {
    guard let text = option(name) else { return nil }
    var elements: [ChemicalElement] = []
    for symbol in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let element = ChemicalElement(symbol: String(symbol)), !elements.contains(element)
      else { throw wrong(name, text, "different element symbols separated by commas, as Ti,O") }
      elements.append(element)
    }
    return elements
  }

  private func wrong(_ name: String, _ found: String, _ allowed: String) -> CommandLineError {
    CommandLineError("\(verb): --\(name): found '\(found)', allowed: \(allowed)")
  }

  private func notOneOf(_ name: String, _ found: String, _ words: [String]) -> CommandLineError {
    let close = NameSuggestion.closest(to: found, among: words)
    return CommandLineError(
      "\(verb): \(name): found '\(found)', allowed: \(words.joined(separator: ", "))"
        + (close.map { "; did you mean '\($0)'?" } ?? ""))
  }
}
