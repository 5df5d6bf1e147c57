/// The words that a benchmark understands, and why it exists.
struct Syntax {
  /// An option, `--name` or `--name VALUE`.
  struct Option {
    let name: String
    /// What stands for the value in the help; `nil` for a switch.
    let valueName: String?
    let meaning: String
    let isRequired: Bool

    init(_ name: String, _ valueName: String?, _ meaning: String, isRequired: Bool = false) {
      self.name = name
      self.valueName = valueName
      self.meaning = meaning
      self.isRequired = isRequired
    }
  }

  let name: String
  let summary: String
  /// Why somebody should run it.
  let reason: String
  /// Names of the positional arguments.
  let arguments: [String]
  let options: [Option]

  init(
    _ name: String, _ summary: String, reason: String, arguments: [String] = [],
    options: [Option] = []
  ) {
    self.name = name
    self.summary = summary
    self.reason = reason
    self.arguments = arguments
    self.options = options + [.init("json", nil, "prints one JSON object")]
  }

  /// The help of the benchmark.
  var help: String {
    let words = ["usage: Benchmarks", name] + arguments
    let required = options.filter(\.isRequired).map { "--\($0.name) \($0.valueName ?? "")" }
    var lines = [(words + required + ["[options]"]).joined(separator: " "), "", summary, ""]
    lines += wrapped("Why: " + reason) + ["", "options:"]
    let heads = options.map { "--\($0.name)" + ($0.valueName.map { " \($0)" } ?? "") }
    let column = 2 + heads.map(\.count).reduce(0, max)
    for (option, head) in zip(options, heads) {
      lines.append("  " + padded(head, column) + option.meaning)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// Text filled up with blanks on the right.
func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

/// Text broken into lines of at most 90 characters.
func wrapped(_ text: String) -> [String] {
  var lines = [""]
  for word in text.split(separator: " ") {
    let last = lines[lines.count - 1]
    if last.isEmpty {
      lines[lines.count - 1] = String(word)
    } else if last.count + 1 + word.count <= 90 {
      lines[lines.count - 1] = last + " " + word
    } else {
      lines.append(String(word))
    }
  }
  return lines
}
