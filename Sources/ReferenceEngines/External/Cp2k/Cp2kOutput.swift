import Crystal
import Foundation
import NumericalCore

/// What CP2K prints, and the files beside it.
struct Cp2kOutput {
  private let lines: [Substring]
  private let forces: Cp2kForces
  private let stressLines: [Substring]
  private let names: (forces: String, stress: String)

  /// Takes the texts.
  ///
  /// - Parameters:
  ///   - text: What CP2K printed.
  ///   - forces: Its file of forces; the last ones count.
  ///   - stress: Its file of stresses; the last one counts.
  ///   - names: How the two files are called in messages.
  init(
    _ text: String, forces: String, stress: String,
    names: (forces: String, stress: String) = (Cp2kProgram.forcesName, Cp2kProgram.stressName)
  ) {
    self.names = names
    lines = text.split(whereSeparator: \.isNewline)
    self.forces = Cp2kForces(forces)
    stressLines = stress.split(whereSeparator: \.isNewline)
  }

  /// What a single point came to.
  ///
  /// - Parameter structure: What was to be computed.
  /// - Returns: Whether it is finished, and its numbers.
  func result(for structure: Structure) -> CalculationResult {
    let found = firstStructure()
    if let difference = found?.difference(
      from: structure, lattice: Self.latticePrecision, positions: Self.positionPrecision)
    {
      return .unfinished(reason: "the output of cp2k is of another structure: \(difference)")
    }
    if lines.contains(where: { $0.contains("SCF run NOT converged") }) {
      return .failed(reason: "the self-consistent field did not converge")
    }
    if let reason = abortMessage() { return .failed(reason: reason) }
    guard lines.contains(where: { $0.contains("PROGRAM ENDED AT") }) else {
      return .unfinished(reason: "the output of cp2k has no end")
    }
    guard let energy = number(after: "ENERGY| Total FORCE_EVAL") else {
      return .failed(reason: "cp2k ended without total energy")
    }
    guard hasVolume(of: structure) else {
      return .unfinished(reason: "the output of cp2k is of another cell")
    }
    guard found != nil else {
      return .unfinished(reason: "the output of cp2k has no readable structure")
    }
    return numbers(of: structure, energy)
  }

  /// The numbers of the last step of a relaxation that ended at rest.
  ///
  /// - Parameter structure: The structure that it ended with.
  /// - Returns: Whether the output is of that structure, and its numbers.
  func lastStep(at structure: Structure) -> CalculationResult {
    for (axis, name) in ["a", "b", "c"].enumerated() {
      guard
        let vector = lines.last(where: { $0.contains("CELL| Vector \(name) ") })
          .flatMap(Self.vectorAfterColon),
        (vector - structure.lattice.vectors[axis]).length < Self.latticePrecision
      else { return .unfinished(reason: "the last step of the relaxation has another cell") }
    }
    guard hasVolume(of: structure) else {
      return .unfinished(reason: "the last step of the relaxation has another cell")
    }
    guard let energy = number(after: "ENERGY| Total FORCE_EVAL") else {
      return .failed(reason: "cp2k ended without total energy")
    }
    return numbers(of: structure, energy)
  }

  /// How a relaxation ended: `nil` at rest, else what is wrong.
  func relaxationComplaint() -> String? {
    if let reason = abortMessage() { return reason }
    if lines.contains(where: { $0.contains("MAXIMUM NUMBER OF OPTIMIZATION STEPS REACHED") }) {
      return "the relaxation ended at its limit of steps, not at rest"
    }
    guard lines.contains(where: { $0.contains("PROGRAM ENDED AT") }) else {
      return "the output of cp2k has no end"
    }
    guard lines.contains(where: { $0.contains("GEOMETRY OPTIMIZATION COMPLETED") }) else {
      return "the relaxation did not end at rest"
    }
    // CP2K goes on after a step whose field did not converge; the last one must.
    let last = lines.last { $0.contains("SCF run converged") || $0.contains("SCF run NOT") }
    return last?.contains("NOT") ?? false
      ? "the self-consistent field of the last step did not converge" : nil
  }

  /// Whether the last cell has the volume of a structure.
  private func hasVolume(of structure: Structure) -> Bool {
    guard let volume = number(after: "CELL| Volume [angstrom^3]") else { return false }
    return abs(volume - structure.volume) < 1e-4 + 1e-6 * structure.volume
  }

  private func numbers(of structure: Structure, _ energy: Double) -> CalculationResult {
    let forces: [Vector3]
    switch self.forces.reading(for: structure) {
    case .forces(let found): forces = found
    case .unreadable(let reason):
      return .failed(
        reason: "cp2k left no readable \(names.forces) of this structure: \(reason)"
          .onOneLine(limit: 300))
    }
    guard let stress = stress() else {
      return .failed(reason: "cp2k left no readable \(names.stress)")
    }
    let hartree = PhysicalConstants.electronvoltsPerHartree
    let pressureUnit = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    // CP2K prints the stress that the cell exerts: positive in compression.
    let virial = (-structure.volume / pressureUnit) * stress
    return .finished(
      Evaluation(
        energy: hartree * energy,
        forces: forces.map { (hartree / PhysicalConstants.angstromsPerBohr) * $0 },
        virial: virial, of: structure),
      details: CalculationDetails(
        programVersion: version(), iterations: iterations(), seconds: seconds()))
  }

  /// In Å: lattice vectors are printed with three decimals, so that their ends are off by up to 0.0009 Å; the
  /// volume, with six, is compared, too.
  private static let latticePrecision = 1e-3
  /// In Å: positions are printed with six decimals; CP2K's Bohr radius differs from ours by less.
  private static let positionPrecision = 1e-4

  /// The lattice and the atoms that CP2K read.
  private func firstStructure() -> Structure? {
    let rows = ["a", "b", "c"].compactMap { name in
      lines.first { $0.contains("CELL| Vector \(name) ") }.flatMap(Self.vectorAfterColon)
    }
    guard rows.count == 3, let lattice = try? Lattice(Matrix3(rows: rows[0], rows[1], rows[2])),
      let title = lines.firstIndex(where: {
        $0.lowercased().contains("atomic coordinates in angstrom")
      })
    else { return nil }
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for line in lines[(title + 1)...].dropFirst() {
      // 2    1 Si   14      1.400000      1.300000      1.370000   4.0000  28.0855
      let words = line.split(separator: " ")
      guard words.count == 9, Int(words[0]) == species.count + 1,
        let element = ChemicalElement(symbol: String(words[2])),
        let position = Self.vector(words[4..<7])
      else { break }
      species.append(element)
      positions.append(position)
    }
    // Numbers that make no structure are not the one that was asked for.
    return try? Structure(lattice: lattice, species: species, positions: positions)
  }

  /// The vector of `CELL| Vector a [angstrom]:       0.000     2.735     2.735   |a| =     3.867874`.
  private static func vectorAfterColon(_ line: Substring) -> Vector3? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    return vector(line[line.index(after: colon)...].split(separator: " ").prefix(3))
  }

  /// What stands in the box with the hammer.
  private func abortMessage() -> String? {
    guard let start = lines.firstIndex(where: { $0.contains("[ABORT]") }) else { return nil }
    let words = lines[(start + 1)...].prefix(8).flatMap { $0.split(separator: " ") }
    let box: Set<Substring> = ["*", "\\___/", "|", "O/|", "/|", "/", "\\"]
    let said = words.filter { !box.contains($0) && !$0.allSatisfy { $0 == "*" } }
    return "aborted: \(said.joined(separator: " "))".onOneLine(limit: 300)
  }

  /// The last word, as a number, of the last line with a label.
  private func number(after label: String) -> Double? {
    lines.last { $0.contains(label) }?.split(separator: " ").last.flatMap { Double($0) }
  }

  /// In GPa.
  private func stress() -> Matrix3? {
    guard
      let start = stressLines.lastIndex(where: {
        $0.contains("Analytical stress tensor [GPa]") && !$0.contains("Eigen")
      })
    else { return nil }
    let rows = stressLines[(start + 1)...].dropFirst().prefix(3).compactMap { line in
      Self.vector(line.split(separator: " ").dropFirst(2))
    }
    guard rows.count == 3 else { return nil }
    let stress = Matrix3(rows: rows[0], rows[1], rows[2])
    return 0.5 * (stress + stress.transposed)
  }

  /// Three words as numbers; `nil` where they are not.
  static func vector(_ words: ArraySlice<Substring>) -> Vector3? {
    let numbers = words.compactMap { Double($0) }
    guard numbers.count == 3, words.count == 3 else { return nil }
    return Vector3(numbers[0], numbers[1], numbers[2])
  }

  private func version() -> String? {
    guard let line = lines.first(where: { $0.contains("CP2K| version string:") }),
      let start = line.range(of: "CP2K version")
    else { return nil }
    return line[start.lowerBound...].trimmingCharacters(in: .whitespaces)
  }

  private func iterations() -> Int? {
    lines.last { $0.contains("SCF run converged in") }?.split(separator: " ").lazy
      .compactMap { Int($0) }.first
  }

  /// The longest wall-clock time of a process: the last number of the line `CP2K 1 1.0 0.0 0.0 9.1 9.1`.
  private func seconds() -> Double? {
    lines.last { line in
      let words = line.split(separator: " ")
      return words.count == 7 && words[0] == "CP2K"
    }?.split(separator: " ").last.flatMap { Double($0) }
  }
}
