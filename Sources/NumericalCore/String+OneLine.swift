extension String {
  /// The text as a part of a one-line message: line breaks become blanks, other control characters
  /// are spelled out, and what exceeds a limit is cut.
  ///
  /// Files of people may hold anything; a message must not move the cursor of a terminal.
  ///
  /// - Parameter limit: Most characters to keep.
  /// - Returns: The text, fit for a terminal.
  package func onOneLine(limit: Int) -> String {
    var line = ""
    for character in prefix(limit) {
      if character.isNewline {
        line += " "
      } else if character.unicodeScalars.contains(where: {
        $0.properties.generalCategory == .control
      }) {
        line += character.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
      } else {
        line.append(character)
      }
    }
    return count > limit ? line + "..." : line
  }
}
