import Crystal
import NumericalCore

/// MLIP's `.cfg`: blocks of `BEGIN_CFG … END_CFG`.
///
/// `PlusStress` is −∂E/∂ε = −V σ in eV, positive in compression. Species are numbered from 0; our
/// writer puts their names into the feature `elements`.
enum ConfigurationFormat: StructureTextFormat {
  static let endings = ["cfg"]
  static let prefixes: [String] = []
  /// The feature that names the species in the order of their numbers.
  static let elementsKey = "elements"

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    var records: [StructureRecord] = []
    while lines.advanceToText() {
      guard lines.matches(0, "BEGIN_CFG") else {
        throw lines.error("'\(lines.text)' stands outside a block", allowed: "BEGIN_CFG")
      }
      var block = ConfigurationBlock(line: lines.line)
      try block.read(&lines)
      records.append(try block.record(lines, elements: elements))
    }
    return records
  }

  // MARK: - Writing

  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    let order = try speciesOrder(records, elements: elements, path: path)
    var text = ""
    for (index, record) in records.enumerated() {
      do { text += try block(record, order: order) } catch {
        throw FormatError(
          path: path, "entry \(index + 1): \(error.problem)", allowed: error.allowed)
      }
    }
    return text
  }

  /// The elements by species number, or `nil` where species are unnamed and stay so.
  private static func speciesOrder(
    _ records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> [ChemicalElement]? {
    let naming = SpeciesNaming(elements: elements)
    let found = Set(records.flatMap { Set($0.structure.species) }.map(naming.named)).sorted()
    let unnamed = found.filter { $0.unnamedType != nil }
    if let elements {
      if let missing = found.first(where: { !elements.contains($0) }) {
        throw FormatError(
          path: path, "\(missing) is not among the elements",
          allowed: elements.map(\.symbol).joined(separator: ", "))
      }
      return elements
    }
    if unnamed.isEmpty { return found }
    guard unnamed.count == found.count else {
      throw FormatError(
        path: path, "named and unnamed species are mixed", allowed: "a list of elements")
    }
    return nil
  }

  private static func block(
    _ record: StructureRecord, order: [ChemicalElement]?
  ) throws(FormatError) -> String {
    let structure = record.structure
    let naming = SpeciesNaming(elements: order)
    var numbers: [ChemicalElement: Int] = [:]
    for (number, element) in (order ?? []).enumerated() { numbers[element] = number }
    var text = "BEGIN_CFG\n Size\n    \(structure.atomCount)\n"
    if structure.periodicity.count > 0 {
      text += " Supercell\n"
      for axis in 0..<3 where structure.periodicity[axis] {
        text += "   \(numbersText(structure.lattice.vectors[axis]))\n"
      }
    }
    text += " AtomData:  id type cartes_x cartes_y cartes_z"
    if record.siteEnergies != nil { text += " site_en" }
    if record.forces != nil { text += " fx fy fz" }
    if record.charges != nil { text += " charge" }
    text += "\n"
    for atom in 0..<structure.atomCount {
      let species = naming.named(structure.species[atom])
      let type = numbers[species] ?? species.unnamedType ?? 0
      text += "   \(atom + 1) \(type) \(numbersText(structure.positions[atom]))"
      if let energies = record.siteEnergies { text += " \(energies[atom])" }
      if let forces = record.forces { text += " \(numbersText(forces[atom]))" }
      if let charges = record.charges { text += " \(charges[atom])" }
      text += "\n"
    }
    if let energy = record.energy { text += " Energy\n    \(energy)\n" }
    if let virial = record.knownVirial {
      let p = -1 * virial
      text += " PlusStress:  xx yy zz yz xz xy\n"
      text += "    \(p.a.x) \(p.b.y) \(p.c.z) \(p.b.z) \(p.a.z) \(p.a.y)\n"
    }
    if let order {
      text += " Feature   \(elementsKey)\t\(order.map(\.symbol).joined(separator: " "))\n"
    }
    if !record.comment.isEmpty { text += feature("comment", record.comment) }
    for (key, value) in record.features where key != elementsKey || order == nil {
      guard !key.isEmpty else { throw FormatError(path: "", "a feature has no name") }
      text += feature(key, value)
    }
    return text + "END_CFG\n\n"
  }

  private static func numbersText(_ v: Vector3) -> String { "\(v.x) \(v.y) \(v.z)" }

  /// One line per line of the value, as the peer reads them.
  private static func feature(_ key: String, _ value: String) -> String {
    value.split(separator: "\n", omittingEmptySubsequences: false)
      .map { " Feature   \(escaped(key))\t\($0)\n" }.joined()
  }

  /// A key without blanks in the peer's spelling: `\_`, `\t`, `\n`, `\r`; a backslash stays.
  static func escaped(_ key: String) -> String {
    var result = ""
    for scalar in key.unicodeScalars {
      switch scalar {
      case " ": result += "\\_"
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The key that `escaped` has written.
  static func unescaped(_ key: String) -> String {
    let replacements: [Unicode.Scalar: Unicode.Scalar] = [
      "_": " ", "t": "\t", "n": "\n", "r": "\r",
    ]
    var result = String.UnicodeScalarView()
    for scalar in key.unicodeScalars {
      if result.last == "\\", let replacement = replacements[scalar] {
        result.removeLast()
        result.append(replacement)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
