import Crystal
import Foundation
import NumericalCore

/// What `pw.x` prints.
struct EspressoOutput {
  private let lines: [Substring]

  init(_ text: String) { lines = text.split(whereSeparator: \.isNewline) }

  /// What a calculation came to.
  ///
  /// The text is read, not the XML file beside it: with `disk_io='none'` version 6.7 writes none, and
  /// any other choice writes the wave functions to the disk, too.
  func result(for structure: Structure) -> CalculationResult {
    if let reason = errorMessage() { return .failed(reason: reason) }
    if let line = lines.first(where: { $0.contains("convergence NOT achieved") }) {
      return .failed(reason: line.trimmingCharacters(in: .whitespaces))
    }
    guard lines.contains(where: { $0.contains("JOB DONE") }) else {
      return .unfinished(reason: "the output of pw.x has no end")
    }
    if let reason = mismatch(structure) { return .unfinished(reason: reason) }
    guard let energy = energy() else { return .failed(reason: "pw.x ended without total energy") }
    guard let forces = forces(structure.atomCount) else {
      return .failed(reason: "pw.x ended without readable forces")
    }
    guard let stress = stress() else {
      return .failed(reason: "pw.x ended without readable stress")
    }
    let rydberg = PhysicalConstants.electronvoltsPerHartree / 2
    let bohr = PhysicalConstants.angstromsPerBohr
    // pw.x prints the stress that the cell exerts: positive in compression.
    let virial = (-rydberg * structure.volume / (bohr * bohr * bohr)) * stress
    return .finished(
      Evaluation(
        energy: rydberg * energy, forces: forces.map { (rydberg / bohr) * $0 }, virial: virial,
        of: structure),
      details: CalculationDetails(
        programVersion: lines.lazy.compactMap(Self.version).first, iterations: iterations(),
        seconds: processorSeconds()))
  }

  /// What the single point of a structure came to.
  ///
  /// Its lattice and atoms are those that the output begins with; in a relaxation that would be the structure
  /// before it.
  func singlePoint(of structure: Structure) -> CalculationResult {
    let found = firstStructure()
    if let difference = found?.difference(
      from: structure, lattice: Self.printedPrecision, positions: Self.printedPrecision)
    {
      return .unfinished(reason: "the output of pw.x is of another structure: \(difference)")
    }
    let result = result(for: structure)
    guard found == nil, case .finished = result else { return result }
    return .unfinished(reason: "the output of pw.x has no readable structure")
  }

  /// In Å: six decimals of alat for the lattice and seven for positions leave 10⁻⁵ Å at an alat of 20 Å.
  private static let printedPrecision = 1e-4

  /// The lattice and the atoms that pw.x read, from their first block.
  private func firstStructure() -> Structure? {
    guard let alat = number(after: "celldm(1)"),
      let axes = lines.firstIndex(where: { $0.contains("crystal axes:") }),
      let atoms = lines.firstIndex(where: { $0.contains("site n.") && $0.contains("alat") })
    else { return nil }
    let scale = alat * PhysicalConstants.angstromsPerBohr
    let rows = lines[(axes + 1)...].prefix(3).compactMap(Self.bracketed)
    guard rows.count == 3 else { return nil }
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for line in lines[(atoms + 1)...].prefix(while: { $0.contains(" tau(") }) {
      guard let symbol = line.split(separator: " ").dropFirst().first,
        let element = ChemicalElement(symbol: String(symbol)), let position = Self.bracketed(line)
      else { return nil }
      species.append(element)
      positions.append(scale * position)
    }
    // Numbers that make no structure are not the one that was asked for.
    guard let lattice = try? Lattice(scale * Matrix3(rows: rows[0], rows[1], rows[2])) else {
      return nil
    }
    return try? Structure(lattice: lattice, species: species, positions: positions)
  }

  /// The vector of `a(1) = (   0.000000   0.707107   0.707107 )`.
  private static func bracketed(_ line: Substring) -> Vector3? {
    guard let start = line.range(of: "= (")?.upperBound else { return nil }
    return vector(line[start...].split(separator: " ").prefix(3))
  }

  /// `PWSCF v.6.7MaX`.
  static func version(in text: String) -> String? {
    text.split(whereSeparator: \.isNewline).lazy.compactMap(version).first
  }

  private static func version(_ line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard words.count > 3, words[0] == "Program", words[1] == "PWSCF", words[3] == "starts" else {
      return nil
    }
    return "\(words[1]) \(words[2])"
  }

  /// What stands in the box of per cent signs.
  func errorMessage() -> String? {
    guard let start = lines.firstIndex(where: { $0.contains("Error in routine") }) else {
      return nil
    }
    return lines[start...].prefix { !$0.contains("%%%%") }.prefix(4)
      .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
      .onOneLine(limit: 300)
  }

  /// Whether the output belongs to another structure, as where folders were mixed up.
  private func mismatch(_ structure: Structure) -> String? {
    guard let atoms = number(after: "number of atoms/cell"),
      Int(exactly: atoms) == structure.atomCount,
      let volume = number(after: "unit-cell volume")
    else { return "the output of pw.x is not of this structure" }
    let bohr = PhysicalConstants.angstromsPerBohr
    let expected = structure.volume / (bohr * bohr * bohr)
    // It is printed to 10⁻⁴.
    return abs(volume - expected) < 1e-3 + 1e-6 * expected
      ? nil : "the output of pw.x is of another cell"
  }

  /// The first number behind the sign of equality in the first line with a label.
  private func number(after label: String) -> Double? {
    guard let line = lines.first(where: { $0.contains(label) }),
      let sign = line.firstIndex(of: "=")
    else { return nil }
    return line[line.index(after: sign)...].split(separator: " ").first.flatMap { Double($0) }
  }

  /// In Ry.
  private func energy() -> Double? {
    guard let line = lines.last(where: { $0.hasPrefix("!") && $0.contains("total energy") }),
      let sign = line.firstIndex(of: "=")
    else { return nil }
    return line[line.index(after: sign)...].split(separator: " ").first.flatMap { Double($0) }
  }

  /// In Ry/a₀.
  private func forces(_ count: Int) -> [Vector3]? {
    guard let start = lines.lastIndex(where: { $0.contains("Forces acting on atoms") }) else {
      return nil
    }
    var forces: [Vector3] = []
    for line in lines[(start + 1)...].prefix(count) {
      let words = line.split(separator: " ")
      guard words.count == 9, words[0] == "atom", Int(words[1]) == forces.count + 1,
        let force = Self.vector(words[6...])
      else { return nil }
      forces.append(force)
    }
    return forces.count == count ? forces : nil
  }

  /// In Ry/a₀³.
  private func stress() -> Matrix3? {
    guard let start = lines.lastIndex(where: { $0.contains("total   stress  (Ry/bohr**3)") })
    else { return nil }
    let rows = lines[(start + 1)...].prefix(3).compactMap { line in
      Self.vector(line.split(separator: " ").prefix(3))
    }
    guard rows.count == 3 else { return nil }
    let stress = Matrix3(rows: rows[0], rows[1], rows[2])
    return 0.5 * (stress + stress.transposed)
  }

  private static func vector(_ words: ArraySlice<Substring>) -> Vector3? {
    let numbers = words.compactMap { Double($0) }
    guard numbers.count == 3 else { return nil }
    return Vector3(numbers[0], numbers[1], numbers[2])
  }

  private func iterations() -> Int? {
    guard let line = lines.last(where: { $0.contains("convergence has been achieved in") }) else {
      return nil
    }
    return line.split(separator: " ").lazy.compactMap { Int($0) }.first
  }

  /// From `PWSCF : 1m 5.74s CPU 6m37.48s WALL`.
  private func processorSeconds() -> Double? {
    let total = lines.last { $0.contains("PWSCF  ") && $0.contains("CPU") }
    guard let total, let colon = total.firstIndex(of: ":"),
      let end = total.range(of: "CPU")?.lowerBound
    else { return nil }
    let units: [Character: Double] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
    var (seconds, digits) = (0.0, "")
    for character in total[total.index(after: colon)..<end] {
      if let unit = units[character] {
        guard let number = Double(digits) else { return nil }
        seconds += unit * number
        digits = ""
      } else if character != " " {
        digits.append(character)
      }
    }
    return seconds
  }
}
