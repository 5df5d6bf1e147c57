/// The input of `pw.x` that the campaign's engine writes, taken apart so that an export can add to it.
struct EspressoInput {
  private var namelists: [String]
  private let cards: [[String]]

  /// Takes an input apart.
  ///
  /// - Precondition: It begins with the namelist `control`.
  init(_ text: String) {
    let lines = text.split(separator: "\n").map(String.init)
    precondition(lines.first?.lowercased() == "&control", "the engine's input begins otherwise")
    // Only the names of cards begin a line with a letter.
    let start = lines.firstIndex { $0.first?.isLetter ?? false } ?? lines.endIndex
    namelists = Array(lines[..<start])
    var cards: [[String]] = []
    for line in lines[start...] {
      if line.first?.isLetter ?? false { cards.append([]) }
      cards[cards.count - 1].append(line)
    }
    self.cards = cards
  }

  /// Sets a variable of the namelist `control`.
  mutating func set(_ name: String, _ value: String) {
    let own = namelists.firstIndex { line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "=" })
      return words.count > 1 && words[0].lowercased() == name
    }
    let line = "  \(name) = \(value)"
    if let own { namelists[own] = line } else { namelists.insert(line, at: 1) }
  }

  /// Adds a namelist at the end of the others.
  mutating func add(_ namelist: String) { namelists.append(namelist) }

  /// The input; cell and atoms come last, where the script puts the relaxed ones in their place.
  var text: String {
    let last = ["CELL_PARAMETERS", "ATOMIC_POSITIONS"]
    func isNamed(_ card: [String], _ name: String) -> Bool { card[0].hasPrefix(name) }
    let sorted =
      cards.filter { card in !last.contains { isNamed(card, $0) } }
      + last.flatMap { name in cards.filter { isNamed($0, name) } }
    return (namelists + sorted.flatMap(\.self)).joined(separator: "\n") + "\n"
  }
}
