import Crystal

/// The command line is wrong; the program ends with status 2.
struct WrongCommandLine: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The words after a benchmark's name, asked by name.
struct Arguments {
  private let syntax: Syntax
  private var positional: [String] = []
  private var values: [String: String] = [:]

  /// Sorts words into arguments and options.
  ///
  /// - Throws: `WrongCommandLine` where a word is unknown, missing or too many.
  init(_ words: [String], for syntax: Syntax) throws(WrongCommandLine) {
    self.syntax = syntax
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        positional.append(word)
        continue
      }
      let name = String(word.dropFirst(2))
      guard let option = syntax.options.first(where: { $0.name == name }) else {
        throw WrongCommandLine(
          "\(syntax.name): unknown option '\(word)', allowed: "
            + syntax.options.map { "--\($0.name)" }.joined(separator: ", "))
      }
      guard values[name] == nil else {
        throw WrongCommandLine("\(syntax.name): \(word) is given twice")
      }
      guard option.valueName != nil else {
        values[name] = ""
        continue
      }
      guard let value = rest.popFirst() else {
        throw WrongCommandLine("\(syntax.name): \(word) needs a value")
      }
      values[name] = value
    }
    guard positional.count == syntax.arguments.count else {
      throw WrongCommandLine(
        "\(syntax.name): found \(positional.count) arguments, allowed: \(syntax.arguments.count)"
          + " (\(syntax.arguments.joined(separator: " ")))")
    }
    for option in syntax.options where option.isRequired && values[option.name] == nil {
      throw WrongCommandLine("\(syntax.name): --\(option.name) is missing")
    }
  }

  /// The argument of a name.
  func argument(_ name: String) -> String {
    guard let place = syntax.arguments.firstIndex(of: name) else {
      preconditionFailure("the syntax of \(syntax.name) has no argument \(name)")
    }
    return positional[place]
  }

  /// The value of an option; empty for a switch.
  func option(_ name: String) -> String? {
    precondition(
      syntax.options.contains { $0.name == name }, "the syntax of \(syntax.name) has no \(name)")
    return values[name]
  }

  /// Whether an option is given.
  func has(_ name: String) -> Bool { option(name) != nil }

  /// An integer of a range.
  func integer(
    _ name: String, in range: ClosedRange<Int>, default standard: Int
  ) throws(WrongCommandLine) -> Int {
    guard let text = option(name) else { return standard }
    guard let value = Int(text), range.contains(value) else {
      throw wrong(name, text, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A finite number, `nil` where the option is absent.
  func number(_ name: String) throws(WrongCommandLine) -> Double? {
    guard let text = option(name) else { return nil }
    guard let value = Double(text), value.isFinite else { throw wrong(name, text, "a number") }
    return value
  }

  /// A finite number above zero, `nil` where the option is absent.
  func positiveNumber(_ name: String) throws(WrongCommandLine) -> Double? {
    guard let value = try number(name) else { return nil }
    guard value > 0 else { throw wrong(name, option(name) ?? "", "a number above 0") }
    return value
  }

  /// Integers as `1-10` or `3,5,8`, none negative, none twice.
  func integers(_ name: String) throws(WrongCommandLine) -> [Int] {
    let text = option(name) ?? ""
    var all: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last - first < 10_000
      else { throw wrong(name, text, "numbers such as 1-10 or 3,5,8") }
      all += first...last
    }
    guard Set(all).count == all.count else { throw wrong(name, text, "every number once") }
    return all
  }

  /// A chemical formula.
  func composition(
    _ name: String, default standard: String
  ) throws(WrongCommandLine) -> Composition {
    let text = option(name) ?? standard
    do { return try Composition(formula: text) } catch {
      throw wrong(name, text, "a formula such as TiO2")
    }
  }

  /// The number of runs whose median counts, at least seven.
  func repetitions() throws(WrongCommandLine) -> Int {
    try integer("repeat", in: 7...100_000, default: 7)
  }

  private func wrong(_ name: String, _ found: String, _ allowed: String) -> WrongCommandLine {
    WrongCommandLine("\(syntax.name): --\(name): found '\(found)', allowed: \(allowed)")
  }
}

extension Syntax.Option {
  /// The option of all benchmarks that repeat what they measure.
  static let repetitions = Syntax.Option("repeat", "N", "runs; the median counts; 7 or more")
  /// The option of all benchmarks that have been run with another program.
  static let peer = Syntax.Option(
    "peer", "NAME=NUMBER", "what another program needs, to compare with")
}
