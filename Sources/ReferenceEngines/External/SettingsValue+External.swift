import Crystal
import Foundation
import Settings

extension SettingsValue {
  /// A time in seconds, from a number of seconds or one with the unit s, m, h or d.
  func duration() throws(SettingsError) -> Double {
    let text = try string("a time such as 90s, 45m or 2h")
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text : String(text.dropLast())
    guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      let value = Double(digits), value > 0, value < 1e7
    else { throw error(allowed: "a time above 0, such as 90s, 45m, 2h or 1d") }
    return value * (unit ?? 1)
  }

  /// A command: one word, or a list of the program and its arguments.
  func command() throws(SettingsError) -> [String] {
    let meaning = "a program, or a list such as [mpirun, -n, 2, pw.x]"
    if !isList {
      let word = try string(meaning)
      guard !word.contains(" ") else {
        throw error(allowed: meaning, suggestion: "no shell is used: write arguments as a list")
      }
      return [word]
    }
    var words: [String] = []
    for value in try list("words of a command", counts: 1...Int.max) {
      words.append(try value.string("a word of a command"))
    }
    return words
  }

  /// A path; a relative one counts from the folder of the settings file.
  func path(_ meaning: String) throws(SettingsError) -> String {
    let text = try string(meaning)
    if text.hasPrefix("/") { return text }
    return URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(text)
      .standardizedFileURL.path
  }

  /// Values of elements, as in `{Si: Si.pbe-rrkj.UPF}`.
  func elementValues() throws(SettingsError) -> [(ChemicalElement, SettingsValue)] {
    var reader = try mapping()
    var values: [(ChemicalElement, SettingsValue)] = []
    for (key, value) in reader.allValues() {
      guard let element = ChemicalElement(symbol: key) else {
        throw value.error(found: "'\(key)'", allowed: "element symbols")
      }
      values.append((element, value))
    }
    return values
  }
}

extension SettingsReader {
  /// The program with its arguments.
  mutating func command(default program: String) throws(SettingsError) -> [String] {
    try optional("command")?.command() ?? [program]
  }

  /// Why a program cannot be started; `nil` where it is there.
  ///
  /// What only looks at the settings does not need the program: it is missed where calculations begin.
  mutating func problem(startingProgram name: String) -> SettingsError? {
    guard ChildProcess.path(of: name) == nil else { return nil }
    let place = optional("command") ?? optional("kind")
    let (found, allowed) = ("no program '\(name)'", "an installed program")
    let hint = "install it, or give its path in 'command:'"
    return place?.error(found: found, allowed: allowed, suggestion: hint)
      ?? error(found: found, allowed: allowed, suggestion: hint)
  }

  /// Variables that are set for the program.
  mutating func environment() throws(SettingsError) -> [String: String] {
    var result: [String: String] = [:]
    guard var block = try optional("environment")?.mapping() else { return result }
    for (name, value) in block.allValues() { result[name] = try value.string("a value") }
    return result
  }
}
