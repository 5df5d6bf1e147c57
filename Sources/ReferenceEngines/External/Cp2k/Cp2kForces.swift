import Crystal
import NumericalCore

/// The table of forces that CP2K prints, in one of two forms.
///
/// Versions up to 2024 name the elements:
///
/// ```
///  ATOMIC FORCES in [a.u.]
///
///  # Atom   Kind   Element          X                    Y                    Z
///       1      1      Si          0.00700246394147    -0.01380181455982     0.00418338173619
///       2      1      Si         -0.00700326683455     0.01380336383742    -0.00418402309078
///  SUM OF ATOMIC FORCES          -0.00000080289308     0.00000154927760    -0.00000064135459     0.00000185909497
/// ```
///
/// From 2025 on they do not:
///
/// ```
///  FORCES| Atomic forces [hartree/bohr]
///  FORCES|   Atom     x               y               z               |f|
///  FORCES|      1  7.00246394E-03 -1.38018146E-02  4.18338174E-03  1.60330882E-02
///  FORCES|      2 -7.00326683E-03  1.38033638E-02 -4.18402309E-03  1.60349246E-02
///  FORCES| Sum    -8.02893080E-07  1.54927760E-06 -6.41354590E-07
/// ```
struct Cp2kForces {
  /// What a text holds.
  enum Reading {
    /// In Hartree/a₀, by atom.
    case forces([Vector3])
    /// Why there are none.
    case unreadable(String)
  }

  private let lines: [[Substring]]

  init(_ text: String) {
    lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ") }
      .filter { !$0.isEmpty }
  }

  /// The forces of the last table, which must have a row for every atom of a structure and no more.
  func reading(for structure: Structure) -> Reading {
    let elements = lines.lastIndex { $0.starts(with: ["#", "Atom"]) }
    let numbers = lines.lastIndex { $0.starts(with: [Self.label, "Atomic", "forces"]) }
    guard let start = [elements, numbers].compactMap({ $0 }).max() else {
      return .unreadable(
        "found none of the tables that are known: '# Atom Kind Element X Y Z' of versions up to 2024, "
          + "'FORCES| Atomic forces \(Self.unit)' of those from 2025 on")
    }
    let isNumbered = start == numbers
    guard !isNumbered || lines[start].last == Self.unit else {
      return .unreadable("found '\(lines[start].joined(separator: " "))', expected \(Self.unit)")
    }
    // Below the new title stand the names of the columns; the atoms end where no number begins a row.
    let rows =
      isNumbered
      ? lines[(start + 1)...].dropFirst().prefix { $0.first == Self.label }
        .map { $0.dropFirst() }
      : lines[(start + 1)...].map { $0[...] }
    let atoms = rows.prefix { $0.first.flatMap { Int($0) } != nil }
    guard atoms.count == structure.atomCount else {
      return .unreadable("its last table has \(atoms.count) atoms, expected \(structure.atomCount)")
    }
    var forces: [Vector3] = []
    for (words, element) in zip(atoms, structure.species) {
      let force = isNumbered ? Self.force(words) : Self.force(words, on: element)
      guard let force, words.first.flatMap({ Int($0) }) == forces.count + 1 else {
        return .unreadable(
          "found '\(words.joined(separator: " "))', expected the force on atom \(forces.count + 1), "
            + "\(element)")
      }
      forces.append(force)
    }
    return .forces(forces)
  }

  private static let label: Substring = "FORCES|"
  private static let unit: Substring = "[hartree/bohr]"

  /// `1 1 Si x y z`.
  private static func force(
    _ words: ArraySlice<Substring>, on element: ChemicalElement
  ) -> Vector3? {
    guard words.count == 6, words[words.startIndex + 2] == element.symbol else { return nil }
    return Cp2kOutput.vector(words.dropFirst(3))
  }

  /// `1 x y z |f|`.
  private static func force(_ words: ArraySlice<Substring>) -> Vector3? {
    words.count == 5 ? Cp2kOutput.vector(words.dropFirst().prefix(3)) : nil
  }
}
