extension SettingsNode {
  private static let lineLength = 100

  /// The node as YAML text: mappings in block style, what fits on a line in flow style, and a line
  /// break at the end.
  ///
  /// Reading the text gives an equal tree, apart from lines and from plain texts that had to be
  /// quoted.
  public func yaml() -> String {
    var text = ""
    write(to: &text, indent: 0)
    return text
  }

  private func write(to text: inout String, indent: Int) {
    let blanks = String(repeating: " ", count: indent)
    switch content {
    case .mapping(let entries) where !entries.isEmpty:
      for entry in entries {
        let key = Self.scalar(entry.key, isPlain: false) + ":"
        let flow = entry.value.flow()
        // Short inner mappings stay on one line; long ones and nested ones are opened.
        if entry.value.isScalar || indent + key.count + 1 + flow.count <= Self.lineLength {
          text += "\(blanks)\(key) \(flow)\n"
        } else {
          text += "\(blanks)\(key)\n"
          entry.value.write(to: &text, indent: indent + 2)
        }
      }
    case .list(let values) where !values.isEmpty:
      for value in values { text += "\(blanks)- \(value.flow())\n" }
    default:
      text += "\(blanks)\(flow())\n"
    }
  }

  private var isScalar: Bool { if case .scalar = content { true } else { false } }

  private func flow() -> String {
    switch content {
    case .scalar(let text, let isPlain): Self.scalar(text, isPlain: isPlain)
    case .list(let values): "[\(values.map { $0.flow() }.joined(separator: ", "))]"
    case .mapping(let entries):
      "{"
        + entries.map { "\(Self.scalar($0.key, isPlain: false)): \($0.value.flow())" }
        .joined(separator: ", ") + "}"
    }
  }

  /// A scalar, in double quotes where plain text would be read as something else.
  private static func scalar(_ text: String, isPlain: Bool) -> String {
    let safe: (Unicode.Scalar) -> Bool = { scalar in
      scalar.properties.isAlphabetic || (48...57).contains(scalar.value)
        || "_-./+".unicodeScalars.contains(scalar) || scalar == " "
    }
    let looksSafe =
      !text.isEmpty && text.unicodeScalars.allSatisfy(safe) && text.first != " "
      && text.last != " " && text.first != "-" && text.first != "."
    let words = ["true", "false", "null", "yes", "no", "on", "off", "~"]
    let startsLikeNumber = text.first.map { "+-.0123456789".contains($0) } ?? false
    if isPlain {
      // What was plain when read, or was made by `number`, is plain again unless flow style
      // would split it.
      let splits = text.unicodeScalars.contains {
        ",[]{}:#\n\"'&*!|>%@`".unicodeScalars.contains($0)
      }
      if !text.isEmpty, !splits { return text }
    } else if looksSafe, !words.contains(text.lowercased()), !startsLikeNumber {
      return text
    }
    return quoted(text)
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 32 || scalar.value == 127 || (0x80..<0xA0).contains(scalar.value) {
          let digits = String(scalar.value, radix: 16)
          result += "\\x" + (digits.count < 2 ? "0" : "") + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
