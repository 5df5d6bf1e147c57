import Crystal
import NumericalCore

/// The restart file of CP2K: an input that goes on where a run stands.
struct Cp2kRestart {
  private let lines: [[Substring]]

  init(_ text: String) {
    lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ") }
  }

  /// The cell and the atoms, with all digits; `nil` where the file does not hold them.
  var structure: Structure? {
    let rows = ["A", "B", "C"].compactMap { name in
      section("&CELL").first { $0.first?.uppercased() == name }.flatMap(Self.length)
    }
    guard rows.count == 3, let lattice = try? Lattice(Matrix3(rows: rows[0], rows[1], rows[2]))
    else { return nil }
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    var isScaled = false
    var unit = 1.0
    for words in section("&COORD") {
      switch words.first?.uppercased() {
      case "SCALED": isScaled = words.count < 2 || words[1].uppercased().hasPrefix("T")
      case "UNIT":
        guard words.count == 2, let scale = Self.scale(words[1]) else { return nil }
        unit = scale
      default:
        guard words.count >= 4, let element = ChemicalElement(symbol: String(words[0])),
          let position = Self.vector(words[1...3])
        else { return nil }
        species.append(element)
        positions.append(position)
      }
    }
    // Numbers that make no structure are no coordinates.
    return isScaled
      ? try? Structure(lattice: lattice, species: species, fractionalPositions: positions)
      : try? Structure(lattice: lattice, species: species, positions: positions.map { unit * $0 })
  }

  /// The lines of the first section of a name, without those of sections in it.
  private func section(_ name: String) -> [[Substring]] {
    guard let start = lines.firstIndex(where: { $0.count == 1 && $0[0].uppercased() == name })
    else { return [] }
    var result: [[Substring]] = []
    var depth = 0
    for words in lines[(start + 1)...] {
      let first = words.first?.uppercased() ?? ""
      if first == "&END" {
        if depth == 0 { return result }
        depth -= 1
      } else if first.hasPrefix("&") {
        depth += 1
      } else if depth == 0 {
        result.append(words)
      }
    }
    // A section without end is that of a file that breaks off.
    return []
  }

  /// A lattice vector in Å, `A 1.0 2.0 3.0` or `A [bohr] 1.0 2.0 3.0`.
  private static func length(_ words: [Substring]) -> Vector3? {
    guard words.count == 5 else { return words.count == 4 ? vector(words[1...3]) : nil }
    let unit = words[1].filter { $0 != "[" && $0 != "]" }
    guard let scale = scale(unit[...]), let vector = vector(words[2...4]) else { return nil }
    return scale * vector
  }

  /// A unit of lengths in Å.
  private static func scale(_ unit: Substring) -> Double? {
    switch unit.lowercased() {
    case "angstrom": 1
    case "bohr": PhysicalConstants.angstromsPerBohr
    default: nil
    }
  }

  private static func vector(_ words: ArraySlice<Substring>) -> Vector3? {
    let numbers = words.compactMap { Double($0) }
    return numbers.count == 3 ? Vector3(numbers[0], numbers[1], numbers[2]) : nil
  }
}
