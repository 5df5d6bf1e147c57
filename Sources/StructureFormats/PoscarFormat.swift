import Crystal
import NumericalCore

/// VASP's POSCAR and CONTCAR: the versions without (4) and with (5, 6) a line of symbols, direct
/// and Cartesian positions, one or three scaling factors or a negative volume, selective dynamics,
/// and several blocks of one species.
///
/// Velocities after the positions are left alone.
enum PoscarFormat: StructureTextFormat {
  static let endings = ["poscar", "vasp", "contcar"]
  static let prefixes = ["poscar", "contcar"]

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    try lines.require("a comment line")
    let comment = lines.text
    let latticeLine = lines.line + 2
    let vectors = try lattice(&lines)
    let species = try species(&lines, comment: comment, elements: elements)
    try lines.require("Direct or Cartesian")
    var isSelective = false
    if let first = lines.field(0).lowercased().first, first == "s" {
      isSelective = true
      try lines.require("Direct or Cartesian")
    }
    let isCartesian: Bool
    switch lines.field(0).lowercased().first {
    case "c", "k": isCartesian = true
    case "d", "f": isCartesian = false
    default:
      throw lines.error(
        "'\(lines.text)' where the kind of positions is told", allowed: "Direct or Cartesian")
    }
    let positions = try positions(&lines, count: species.count, isSelective: isSelective)
    do throws(CrystalError) {
      let lattice = try Lattice(vectors.scaled)
      let scale = vectors.scale
      let structure =
        isCartesian
        ? try Structure(
          lattice: lattice, species: species,
          positions: positions.map { Vector3($0.x * scale.x, $0.y * scale.y, $0.z * scale.z) })
        : try Structure(lattice: lattice, species: species, fractionalPositions: positions)
      return [StructureRecord(structure: structure, comment: comment)]
    } catch { throw lines.error(error.description, line: latticeLine) }
  }

  // MARK: - Reading

  private struct ScaledLattice {
    var vectors: Matrix3
    var scale: Vector3
    var scaled: Matrix3 { vectors * Matrix3(diagonal: scale) }
  }

  private static func lattice(_ lines: inout LineReader) throws(FormatError) -> ScaledLattice {
    try lines.require("the scaling factor")
    let scaleLine = lines.line
    let allowed = "one factor, three positive factors, or minus the volume"
    guard lines.count > 0 else {
      throw lines.error("the scaling factor is missing", allowed: allowed)
    }
    var factors = [try lines.double(0, "the scaling factor")]
    if lines.count >= 3, let second = lines.number(1), let third = lines.number(2) {
      factors += [second, third]
    }
    guard factors.count == 1 ? factors[0] != 0 : factors.allSatisfy({ $0 > 0 }) else {
      throw lines.error("the scaling factor is \(lines.text)", allowed: allowed)
    }
    var rows: [Vector3] = []
    for name in ["first", "second", "third"] {
      try lines.require("the \(name) lattice vector")
      guard lines.count >= 3 else {
        throw lines.error("\(lines.count) components of the \(name) lattice vector", allowed: "3")
      }
      rows.append(try vector(lines, "the \(name) lattice vector"))
    }
    let vectors = Matrix3(rows: rows[0], rows[1], rows[2])
    var scale =
      factors.count == 3
      ? Vector3(factors[0], factors[1], factors[2]) : factors[0] * Vector3(1, 1, 1)
    if factors.count == 1, factors[0] < 0 {
      do {
        let lattice = try Lattice(vectors)
        scale = cubeRoot(-factors[0] / lattice.volume) * Vector3(1, 1, 1)
      } catch { throw lines.error(error.description, line: scaleLine + 1) }
    }
    return ScaledLattice(vectors: vectors, scale: scale)
  }

  private static func vector(
    _ lines: LineReader, _ what: @autoclosure () -> String
  ) throws(FormatError) -> Vector3 {
    Vector3(try lines.double(0, what()), try lines.double(1, what()), try lines.double(2, what()))
  }

  /// More atoms than any POSCAR lists; an array of the species is made before their lines are read.
  private static let largestAtomCount = 10_000_000

  private static func species(
    _ lines: inout LineReader, comment: String, elements: [ChemicalElement]?
  ) throws(FormatError) -> [ChemicalElement] {
    try lines.require("symbols or numbers of atoms")
    var blocks: [ChemicalElement]?
    if Int(lines.field(0)) == nil {
      guard lines.count > 0 else {
        throw lines.error("a blank line", allowed: "symbols or numbers of atoms")
      }
      var named: [ChemicalElement] = []
      for index in 0..<lines.count {
        guard let element = element(label: lines.field(index)) else {
          throw lines.error("'\(lines.field(index))' is no element", allowed: "chemical symbols")
        }
        named.append(element)
      }
      blocks = named
      try lines.require("numbers of atoms")
    }
    var counts: [Int] = []
    for index in 0..<lines.count {
      let field = lines.field(index)
      if field.hasPrefix("!") || field.hasPrefix("#") { break }
      let count = try lines.integer(index, "the number of atoms")
      guard count > 0 else {
        throw lines.error("the number of atoms is \(count)", allowed: "positive numbers")
      }
      counts.append(count)
      guard count <= largestAtomCount, counts.reduce(0, +) <= largestAtomCount else {
        throw lines.error(
          "the number of atoms is \(count)", allowed: "\(largestAtomCount) atoms together")
      }
    }
    guard !counts.isEmpty else {
      throw lines.error("the numbers of atoms are missing", allowed: "one per species")
    }
    let names = blocks ?? unnamedBlocks(counts.count, comment: comment, elements: elements)
    guard names.count == counts.count else {
      throw lines.error(
        "\(counts.count) numbers of atoms", allowed: "\(names.count), one per species")
    }
    return zip(names, counts).flatMap { Array(repeating: $0, count: $1) }
  }

  /// The element of a label such as `Ti`, `Ti_pv` or `Ti/0123abcd` (VASP 6).
  private static func element(label: String) -> ChemicalElement? {
    let symbol = label.prefix { $0 != "_" && $0 != "/" }
    return SpeciesNaming.element(symbol: String(symbol))
  }

  /// VASP 4 has no symbols: the caller's elements, else a comment that lists them, else numbers.
  private static func unnamedBlocks(
    _ count: Int, comment: String, elements: [ChemicalElement]?
  ) -> [ChemicalElement] {
    if let elements { return elements }
    let words = comment.split(separator: " ").map(String.init)
    let named = words.compactMap(ChemicalElement.init(symbol:))
    if named.count == count, words.count == count { return named }
    return (0..<count).map(ChemicalElement.unnamed)
  }

  private static func positions(
    _ lines: inout LineReader, count: Int, isSelective: Bool
  ) throws(FormatError) -> [Vector3] {
    var positions: [Vector3] = []
    for atom in 1...count {
      guard lines.advance(), lines.count > 0 else {
        throw lines.error("\(atom - 1) positions", allowed: "\(count), as the numbers of atoms say")
      }
      guard lines.count >= 3 else {
        throw lines.error("\(lines.count) coordinates of atom \(atom)", allowed: "3 per atom")
      }
      positions.append(try vector(lines, "the position of atom \(atom)"))
      guard isSelective else { continue }
      for index in 3..<6 {
        let flag = lines.field(index).uppercased().drop { $0 == "." }
        guard let first = flag.first, first == "T" || first == "F" else {
          throw lines.error(
            "'\(lines.field(index))' as flag of selective dynamics",
            allowed: "T or F, three per atom")
        }
      }
    }
    // A blank line or a word begins the velocities; a further position is one too many.
    if lines.advance(), lines.count >= 3, (0..<3).allSatisfy({ lines.number($0) != nil }) {
      throw lines.error("a position after the last atom", allowed: "\(count) positions")
    }
    return positions
  }

  // MARK: - Writing

  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    guard records.count == 1, let record = records.first else {
      throw FormatError(path: path, "\(records.count) structures", allowed: "one per POSCAR")
    }
    let structure = record.structure
    let naming = SpeciesNaming(elements: elements)
    let species = structure.species.map(naming.named)
    let order = StructureFile.poscarOrder(of: structure, elements: elements)
    var blocks: [(element: ChemicalElement, count: Int)] = []
    for atom in order {
      if let last = blocks.last, last.element == species[atom] {
        blocks[blocks.count - 1].count += 1
      } else {
        blocks.append((species[atom], 1))
      }
    }
    let title = record.comment.map { $0.isNewline ? " " : $0 }
    var text = title.isEmpty ? structure.composition().formula : String(title)
    text += "\n1.0\n"
    let v = structure.lattice.vectors
    for row in [v.a, v.b, v.c] { text += "  \(row.x) \(row.y) \(row.z)\n" }
    // Unnamed species have no symbol VASP could know: the file is then of version 4.
    if !blocks.contains(where: { $0.element.unnamedType != nil }) {
      text += blocks.map(\.element.symbol).joined(separator: " ") + "\n"
    }
    text += blocks.map { "\($0.count)" }.joined(separator: " ") + "\nDirect\n"
    for atom in order {
      let f = structure.lattice.fractional(structure.positions[atom])
      text += "  \(f.x) \(f.y) \(f.z)\n"
    }
    return text
  }
}

extension StructureFile {
  /// The order in which a POSCAR lists the atoms: by species, and within one as they are.
  ///
  /// VASP's output comes in this order.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - elements: The order of species; species not listed follow in order of appearance.
  /// - Returns: For each place in the file the index of the atom.
  public static func poscarOrder(
    of structure: Structure, elements: [ChemicalElement]? = nil
  ) -> [Int] {
    let naming = SpeciesNaming(elements: elements)
    var ranks: [ChemicalElement: Int] = [:]
    for element in (elements ?? []) + structure.species.map(naming.named)
    where ranks[element] == nil {
      ranks[element] = ranks.count
    }
    let keys = structure.species.map { ranks[naming.named($0)] ?? 0 }
    return (0..<structure.atomCount).sorted { (keys[$0], $0) < (keys[$1], $1) }
  }
}
