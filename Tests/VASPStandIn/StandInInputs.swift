import Crystal
import Foundation
import Potential
import ReferenceEngines
import StructureFormats

/// What the stand-in complains of.
struct StandInError: Error, CustomStringConvertible {
  let description: String
}

/// How the stand-in misbehaves.
enum StandInMode: String, CaseIterable {
  /// Not at all.
  case regular
  /// No electronic loop converges.
  case unconverged
  /// Electronic loops converge with ALGO = All only.
  case difficult
  /// It stops with an error in the electronic loop.
  case crash
  /// It computes without end.
  case hang
  /// It is killed while it writes.
  case truncated
  /// Not at all, but its numbers depend on ENCUT and KPOINTS, as VASP's do.
  case coarse
}

/// The four input files.
struct StandInInputs {
  let folder: String
  let structure: Structure
  let tags: [String: String]
  let divisions: [Int]
  /// The first lines of the potentials, by block of the POSCAR.
  let titles: [String]
  let blocks: [(element: ChemicalElement, count: Int)]
  let mode: StandInMode
  let potential: any InteratomicPotential

  init(folder: String, mode: String?, model: String?) throws {
    self.folder = folder
    func text(_ name: String) throws -> String {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
        throw StandInError(description: "No \(name) found, STOPPING")
      }
      return String(decoding: data, as: UTF8.self)
    }
    tags = Self.tags(try text("INCAR"))
    divisions = try Self.divisions(try text("KPOINTS"))
    _ = try text("POSCAR")
    let records: [StructureRecord]
    do { records = try StructureFile.read("\(folder)/POSCAR", format: .poscar) } catch {
      throw StandInError(description: "\(error)")
    }
    guard let structure = records.first?.structure else {
      throw StandInError(description: "POSCAR holds no structure")
    }
    guard structure.lattice.vectors.determinant > 0 else {
      throw StandInError(
        description: "the triple product of the basis vectors is negative: exchange two vectors")
    }
    self.structure = structure
    var blocks: [(element: ChemicalElement, count: Int)] = []
    for element in structure.species {
      if blocks.last?.element == element {
        blocks[blocks.count - 1].count += 1
      } else {
        blocks.append((element, 1))
      }
    }
    self.blocks = blocks
    titles = Self.titles(try text("POTCAR"))
    guard titles.count == blocks.count else {
      throw StandInError(
        description: "number of potentials on File POTCAR incompatible with number of species")
    }
    let system = tags["SYSTEM"] ?? ""
    let named = StandInMode.allCases.first { system.contains("[\($0.rawValue)]") }
    self.mode = mode.flatMap(StandInMode.init) ?? named ?? .regular
    potential =
      try model.map { try ReferenceSettings(path: $0).potential() }
      ?? ReferenceSettings.rehearsal(for: structure.distinctElements()).potential()
  }

  /// `NAME = VALUE`, several to a line with semicolons, comments after # and !.
  private static func tags(_ text: String) -> [String: String] {
    var tags: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      for part in line.prefix(while: { $0 != "#" && $0 != "!" }).split(separator: ";") {
        let sides = part.split(separator: "=", maxSplits: 1)
        guard sides.count == 2 else { continue }
        tags[sides[0].trimmingCharacters(in: .whitespaces).uppercased()] =
          sides[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return tags
  }

  private static func divisions(_ text: String) throws -> [Int] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 4 else { throw StandInError(description: "Error reading KPOINTS file") }
    let numbers = lines[3].split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 3, numbers.allSatisfy({ $0 > 0 }) else {
      throw StandInError(description: "Error reading KPOINTS file")
    }
    return numbers
  }

  /// The line that begins the file and each one after an end of a potential.
  private static func titles(_ text: String) -> [String] {
    var titles: [String] = []
    var isStart = true
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.trimmingCharacters(in: .whitespaces)
      if isStart, !words.isEmpty {
        titles.append(words)
        isStart = false
      }
      if words.hasPrefix("End of Dataset") { isStart = true }
    }
    return titles
  }

  func number(_ tag: String, default fallback: Double) throws -> Double {
    guard let text = tags[tag] else { return fallback }
    guard let number = Double(text) else {
      throw StandInError(description: "Error reading item '\(tag)' from file INCAR.")
    }
    return number
  }

  func integer(_ tag: String, default fallback: Int) throws -> Int {
    guard let text = tags[tag] else { return fallback }
    guard let number = Int(text) else {
      throw StandInError(description: "Error reading item '\(tag)' from file INCAR.")
    }
    return number
  }
}
