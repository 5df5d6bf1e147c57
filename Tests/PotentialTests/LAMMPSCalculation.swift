import Crystal
import Foundation
import NumericalCore
import TestSupport
import Testing

/// Structures that LAMMPS evaluated, with what it found.
struct LAMMPSCalculation {
  let structure: Structure
  let energy: Double
  let forces: [Vector3]
  /// In eV/Å³.
  let stress: Matrix3

  /// LAMMPS' factor from eV/Å³ to bar in metal units.
  private static let barsPerUnit = 1.6021765e6

  /// Reads the calculations with one model.
  ///
  /// - Parameters:
  ///   - model: Output files are `model.thermo` and `model.dump`.
  ///   - system: The folder of the structures.
  ///   - symbols: The elements of LAMMPS' atom types.
  /// - Returns: All structures, in their order.
  /// - Throws: Where a file is missing or malformed.
  static func load(
    _ model: String, system: String, symbols: [String]
  ) throws -> [LAMMPSCalculation] {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      .appendingPathComponent("lammps-classical")
    func lines(_ name: String) throws -> [[String]] {
      try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
    func numbers(_ words: some Sequence<String>) throws -> [Double] {
      try words.map { try #require(Double($0)) }
    }
    let elements = try symbols.map(ClassicalModels.element)
    var frames = try lines("\(model).dump")[...]
    return try lines("\(model).thermo").map { words in
      let structure = try structure(lines("\(system)/\(words[0]).data"), elements, numbers)
      let values = try numbers(words.dropFirst())
      // Four titles, a step, a count and three rows of the box come before the atoms.
      let atoms = frames.dropFirst(9).prefix(structure.atomCount)
      frames = frames.dropFirst(9 + structure.atomCount)
      let p = values.dropFirst().map { -$0 / barsPerUnit }
      return LAMMPSCalculation(
        structure: structure, energy: values[0],
        forces: try atoms.map {
          let f = try numbers($0.dropFirst(2))
          return Vector3(f[0], f[1], f[2])
        },
        stress: Matrix3(
          rows: Vector3(p[0], p[3], p[4]), Vector3(p[3], p[1], p[5]), Vector3(p[4], p[5], p[2])))
    }
  }

  private static func structure(
    _ lines: [[String]], _ elements: [ChemicalElement],
    _ numbers: (ArraySlice<String>) throws -> [Double]
  ) throws -> Structure {
    func row(_ key: String, _ count: Int) throws -> [Double] {
      let line = try #require(lines.first { $0.last == key })
      return try numbers(line.prefix(count))
    }
    let tilt = try row("yz", 3)
    let lattice = try Lattice(
      Matrix3(
        rows: Vector3(row("xhi", 2)[1], 0, 0), Vector3(tilt[0], row("yhi", 2)[1], 0),
        Vector3(tilt[1], tilt[2], row("zhi", 2)[1])))
    let start = try #require(lines.firstIndex { $0.first == "Atoms" }) + 1
    let atoms = try lines[start...].map { try numbers($0[...]) }
    return try Structure(
      lattice: lattice, species: atoms.map { elements[Int($0[1]) - 1] },
      positions: atoms.map { Vector3($0[2], $0[3], $0[4]) })
  }
}
