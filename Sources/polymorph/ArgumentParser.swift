import Settings

/// Splits the words after a verb into arguments and options.
struct ArgumentParser {
  let verb: String
  let syntax: CommandSyntax

  /// Reads the words after the verb.
  ///
  /// - Throws: `CommandLineError` that says what is unknown, missing or too much.
  func parse(_ words: [String]) throws(CommandLineError) -> ParsedArguments {
    var positional: [String] = []
    var options: [String: String] = [:]
    var rest = words[...]
    var onlyPositional = false
    while let word = rest.popFirst() {
      if onlyPositional || !word.hasPrefix("-") || word == "-" || Double(word) != nil {
        positional.append(word)
      } else if word == "--" {
        onlyPositional = true
      } else {
        let (name, value) = try option(word, &rest)
        guard options.updateValue(value, forKey: name) == nil else {
          throw CommandLineError("\(verb): --\(name) is given twice")
        }
      }
    }
    try checkPresence(positional, options)
    return ParsedArguments(verb: verb, positional: positional, options: options, syntax: syntax)
  }

  private func option(
    _ word: String, _ rest: inout ArraySlice<String>
  ) throws(CommandLineError) -> (name: String, value: String) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0].drop { $0 == "-" })
    guard word.hasPrefix("--"), let option = syntax.options.first(where: { $0.name == name })
    else {
      let known = syntax.options.map(\.name)
      let close = NameSuggestion.closest(to: name, among: known)
      throw CommandLineError(
        "\(verb): unknown option \(parts[0])"
          + (close.map { "; did you mean --\($0)?" } ?? "; see polymorph \(verb) --help"))
    }
    guard let value = option.value else {
      guard parts.count == 1 else {
        throw CommandLineError("\(verb): --\(name) takes no value, found '\(parts[1])'")
      }
      return (name, "")
    }
    if parts.count == 2 { return (name, String(parts[1])) }
    guard let next = rest.first, !next.hasPrefix("--") else {
      throw CommandLineError("\(verb): --\(name) needs a value: --\(name) \(value)")
    }
    rest = rest.dropFirst()
    return (name, next)
  }

  private func checkPresence(
    _ positional: [String], _ options: [String: String]
  ) throws(CommandLineError) {
    let arguments = syntax.arguments
    if positional.count < arguments.count, !arguments[positional.count].isOptional {
      let missing = arguments[positional.count]
      throw CommandLineError(
        "\(verb): \(missing.name) is missing (\(missing.meaning)); see polymorph \(verb) --help")
    }
    let isOpen = arguments.last?.isRepeated ?? false
    if positional.count > arguments.count, !isOpen {
      throw CommandLineError(
        "\(verb): '\(positional[arguments.count])' is one argument too many; "
          + "see polymorph \(verb) --help")
    }
    for option in syntax.options where option.isRequired && options[option.name] == nil {
      throw CommandLineError("\(verb): \(option.usage) is missing (\(option.meaning))")
    }
  }
}
