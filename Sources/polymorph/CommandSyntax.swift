/// What may stand on the command line after a verb: its arguments and options, with the words that
/// `--help` prints.
struct CommandSyntax {
  /// An argument known by its place.
  struct Argument {
    let name: String
    let meaning: String
    /// Whether it may be repeated; only the last argument may.
    let isRepeated: Bool
    /// Whether it may be missing; only the last argument may.
    let isOptional: Bool

    init(
      _ name: String, _ meaning: String, isRepeated: Bool = false, isOptional: Bool = false
    ) {
      self.name = name
      self.meaning = meaning
      self.isRepeated = isRepeated
      self.isOptional = isOptional
    }

    var usage: String {
      let text = isRepeated ? "\(name)..." : name
      return isOptional ? "[\(text)]" : text
    }
  }

  /// An option known by its name.
  struct Option {
    /// The name without its two dashes.
    let name: String
    /// The value's name in the help, `nil` for an option without value.
    let value: String?
    let meaning: String
    let isRequired: Bool

    init(_ name: String, _ value: String? = nil, _ meaning: String, isRequired: Bool = false) {
      self.name = name
      self.value = value
      self.meaning = meaning
      self.isRequired = isRequired
    }

    var usage: String { value.map { "--\(name) \($0)" } ?? "--\(name)" }
  }

  let arguments: [Argument]
  let options: [Option]
  /// Paragraphs after the lists of the help.
  var notes: [String] = []

  private static let width = 96

  /// The help of a verb.
  func help(verb: String, summary: String) -> String {
    let usage =
      ["usage: polymorph \(verb)"]
      + arguments.map(\.usage)
      + options.filter(\.isRequired).map(\.usage)
      + options.filter { !$0.isRequired }.map { "[\($0.usage)]" }
    var lines = Self.filled(usage, indent: 4)
    lines += ["", Self.sentence(summary)]
    let all = options + [Option("help", nil, "prints this text")]
    let column = 2 + (arguments.map(\.name.count) + all.map(\.usage.count)).reduce(0, max)
    if !arguments.isEmpty { lines.append("") }
    for argument in arguments {
      lines += Self.entry(argument.name, argument.meaning, column: column)
    }
    lines.append("")
    for option in all {
      let meaning = option.meaning + (option.isRequired ? " (required)" : "")
      lines += Self.entry(option.usage, meaning, column: column)
    }
    for note in notes {
      lines.append("")
      lines += Self.filled(note.split(separator: " ").map(String.init), indent: 0)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  private static func entry(_ name: String, _ meaning: String, column: Int) -> [String] {
    let words = meaning.split(separator: " ").map(String.init)
    let filled = filled(words, indent: 0, width: max(30, width - column - 2))
    return filled.enumerated().map { index, line in
      let left = index == 0 ? name : ""
      return "  " + left + String(repeating: " ", count: max(1, column - left.count)) + line
    }
  }

  private static func filled(_ words: [String], indent: Int, width: Int = width) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: indent) + word
      } else {
        line += line.isEmpty ? word : " " + word
      }
    }
    return lines + [line]
  }
}
