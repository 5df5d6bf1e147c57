import Crystal
import Foundation
import NumericalCore

/// What `pw.x` prints of a relaxation of atoms and cell (`vc-relax`).
struct EspressoRelaxation {
  /// How it ended.
  enum Outcome {
    /// With the structure between `Begin final coordinates` and `End final coordinates`.
    case atRest(Structure)
    /// Without one.
    case unusable(reason: String)
  }

  /// In the line before the calculation that `pw.x` adds at the relaxed cell, which begins with `Final` or, in
  /// later versions, with `A final`.
  static let finalStep = "inal scf calculation at the relaxed structure"

  private let text: String
  private let lines: [Substring]

  init(_ text: String) {
    self.text = text
    lines = text.split(whereSeparator: \.isNewline)
  }

  /// How the relaxation ended.
  var outcome: Outcome {
    guard let start = lines.lastIndex(where: { $0.contains("Begin final coordinates") }),
      let end = lines[start...].firstIndex(where: { $0.contains("End final coordinates") })
    else { return .unusable(reason: complaint) }
    guard let structure = structure(in: lines[start..<end]) else {
      return .unusable(reason: "the final coordinates cannot be read")
    }
    return .atRest(structure)
  }

  private var complaint: String {
    if let reason = EspressoOutput(text).errorMessage() { return reason }
    if let line = lines.first(where: { $0.contains("convergence NOT achieved") }) {
      return line.trimmingCharacters(in: .whitespaces)
    }
    if lines.contains(where: { $0.contains("maximum number of steps has been reached") }) {
      return "the relaxation ended at its limit of steps, not at rest"
    }
    return lines.contains { $0.contains("JOB DONE") }
      ? "the relaxation did not end at rest: there are no final coordinates"
      : "the output of pw.x has no end"
  }

  // MARK: Cards

  private func structure(in block: ArraySlice<Substring>) -> Structure? {
    guard let cell = block.firstIndex(where: { $0.hasPrefix("CELL_PARAMETERS") }),
      let scale = Self.scale(block[cell]),
      let atoms = block.firstIndex(where: { $0.hasPrefix("ATOMIC_POSITIONS") })
    else { return nil }
    let rows = block[(cell + 1)...].prefix(3).compactMap { line in
      Self.vector(line.split(separator: " ")[...])
    }
    guard rows.count == 3 else { return nil }
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for line in block[(atoms + 1)...] {
      let words = line.split(separator: " ")
      // pw.x numbers the kinds of an element: Fe1, Fe2.
      guard words.count >= 4, let first = words.first,
        let element = ChemicalElement(symbol: String(first.prefix { $0.isLetter })),
        let position = Self.vector(words[1..<4])
      else { return nil }
      species.append(element)
      positions.append(position)
    }
    // Numbers that make no structure are no coordinates.
    guard let lattice = try? Lattice(scale * Matrix3(rows: rows[0], rows[1], rows[2])) else {
      return nil
    }
    if block[atoms].contains("crystal") {
      return try? Structure(lattice: lattice, species: species, fractionalPositions: positions)
    }
    guard let length = Self.scale(block[atoms]) else { return nil }
    return try? Structure(
      lattice: lattice, species: species, positions: positions.map { length * $0 })
  }

  /// The unit in Å of a card such as `CELL_PARAMETERS (angstrom)` or `(alat= 10.33680000)`; `nil` where it
  /// names none.
  private static func scale(_ card: Substring) -> Double? {
    if card.contains("angstrom") { return 1 }
    if card.contains("bohr") { return PhysicalConstants.angstromsPerBohr }
    guard let sign = card.firstIndex(of: "=") else { return nil }
    let number = card[card.index(after: sign)...].prefix { $0 != ")" }
      .trimmingCharacters(in: .whitespaces)
    return Double(number).map { $0 * PhysicalConstants.angstromsPerBohr }
  }

  private static func vector(_ words: ArraySlice<Substring>) -> Vector3? {
    let numbers = words.compactMap { Double($0) }
    guard words.count == 3, numbers.count == 3 else { return nil }
    return Vector3(numbers[0], numbers[1], numbers[2])
  }
}
