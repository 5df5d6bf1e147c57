import Crystal
import NumericalCore

/// One block of a `.cfg` while it is read.
///
/// Fields come in any order, save that `Size` precedes the atoms.
struct ConfigurationBlock {
  private let firstLine: Int
  private var size: Int?
  private var rows: [Vector3]?
  private var atoms: Atoms?
  private var energy: Double?
  /// −∂E/∂ε in eV.
  private var plusStress: Matrix3?
  /// The peer's `Virial:`, which it divides by the volume to get what `PlusStress:` holds.
  private var volumeTimesPlusStress: Matrix3?
  private var features: [(key: String, value: String)] = []
  private var featureIndex: [String: Int] = [:]

  init(line: Int) { firstLine = line }

  /// The columns of the atoms.
  private struct Atoms {
    var headerLine = 0
    var types: [Int] = []
    /// The line of the first atom of the largest species number, for messages.
    var positions: [Vector3] = []
    var areFractional = false
    var forces: [Vector3]?
    var siteEnergies: [Double]?
    var charges: [Double]?
  }

  private enum Column: Equatable {
    case identifier, type, siteEnergy, charge, ignored
    case cartesian(Int)
    case fractional(Int)
    case force(Int)

    init?(_ name: String) {
      switch name {
      case "id": self = .identifier
      case "type": self = .type
      case "cartes_x": self = .cartesian(0)
      case "cartes_y": self = .cartesian(1)
      case "cartes_z": self = .cartesian(2)
      case "direct_x": self = .fractional(0)
      case "direct_y": self = .fractional(1)
      case "direct_z": self = .fractional(2)
      case "fx": self = .force(0)
      case "fy": self = .force(1)
      case "fz": self = .force(2)
      case "site_en": self = .siteEnergy
      case "charge": self = .charge
      case "nbh_grades": self = .ignored
      default: return nil
      }
    }

    static let names = "id type cartes_x|y|z direct_x|y|z site_en fx fy fz charge nbh_grades"
  }

  // MARK: - Fields

  /// Reads up to `END_CFG`.
  mutating func read(_ lines: inout LineReader) throws(FormatError) {
    while lines.advanceToText() {
      switch lines.field(0) {
      case "END_CFG": return
      case "Size": try readSize(&lines)
      case "Supercell", "SuperCell": try readLattice(&lines)
      case "AtomData:", "Atomic_data:": try readAtoms(&lines)
      case "Energy":
        guard energy == nil else { throw lines.error("Energy is given twice") }
        energy = try value(&lines, "the energy") { reader, field throws(FormatError) in
          try reader.double(field, "the energy")
        }
      case "PlusStress:":
        guard plusStress == nil else { throw lines.error("PlusStress is given twice") }
        plusStress = try tensor(&lines)
      case "Virial:":
        guard volumeTimesPlusStress == nil else { throw lines.error("Virial is given twice") }
        volumeTimesPlusStress = try tensor(&lines)
      case "Stress:":
        throw lines.error("'Stress:' has the wrong sign in this format", allowed: "PlusStress:")
      case "Feature": try readFeature(lines)
      case "BEGIN_CFG":
        throw lines.error(
          "a block begins inside the block of line \(firstLine)", allowed: "END_CFG first")
      default:
        throw lines.error(
          "unknown field '\(lines.field(0))'",
          allowed: "Size, Supercell, AtomData:, Energy, PlusStress:, Virial:, Feature, END_CFG")
      }
    }
    throw lines.error("the file ends inside the block of line \(firstLine)", allowed: "END_CFG")
  }

  /// A value behind its keyword or on the next line.
  private func value<T>(
    _ lines: inout LineReader, _ what: String,
    _ read: (LineReader, Int) throws(FormatError) -> T
  ) throws(FormatError) -> T {
    var field = 1
    if lines.count == 1 {
      try lines.require(what)
      field = 0
    }
    guard lines.count <= field + 1 else {
      throw lines.error("'\(lines.text)' stands for \(what)", allowed: "one value")
    }
    return try read(lines, field)
  }

  private mutating func readSize(_ lines: inout LineReader) throws(FormatError) {
    guard size == nil else { throw lines.error("Size is given twice") }
    let count = try value(&lines, "the number of atoms") { reader, field throws(FormatError) in
      try reader.integer(field, "the number of atoms")
    }
    guard count > 0 else {
      throw lines.error("the number of atoms is \(count)", allowed: "a positive number")
    }
    size = count
  }

  private mutating func readLattice(_ lines: inout LineReader) throws(FormatError) {
    guard rows == nil else { throw lines.error("Supercell is given twice") }
    var vectors: [Vector3] = []
    while lines.advance() {
      if lines.count == 0 { continue }
      guard lines.number(0) != nil || Self.looksLikeNumber(lines.field(0)) else {
        lines.hold()
        break
      }
      guard vectors.count < 3 else {
        throw lines.error("a fourth lattice vector", allowed: "0 to 3 rows")
      }
      guard lines.count == 3 else {
        throw lines.error("\(lines.count) components of a lattice vector", allowed: "3")
      }
      vectors.append(
        Vector3(
          try lines.double(0, "a lattice component"), try lines.double(1, "a lattice component"),
          try lines.double(2, "a lattice component")))
    }
    rows = vectors
  }

  private static func looksLikeNumber(_ text: String) -> Bool {
    guard let first = text.utf8.first else { return false }
    return (48...57).contains(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
      || first == UInt8(ascii: ".") || ["nan", "inf"].contains(text.prefix(3).lowercased())
  }

  private func columns(_ lines: LineReader) throws(FormatError) -> [Column] {
    var columns: [Column] = []
    for index in 1..<max(lines.count, 1) {
      guard let column = Column(lines.field(index)) else {
        throw lines.error("unknown column '\(lines.field(index))'", allowed: Column.names)
      }
      guard column == .ignored || !columns.contains(column) else {
        throw lines.error("column '\(lines.field(index))' is given twice")
      }
      columns.append(column)
    }
    func count(_ kind: (Int) -> Column) -> Int { (0..<3).count { columns.contains(kind($0)) } }
    let (cartesian, fractional, force) =
      (count(Column.cartesian), count(Column.fractional), count(Column.force))
    guard (cartesian == 3) != (fractional == 3), cartesian + fractional == 3 else {
      throw lines.error(
        "the columns give no complete position", allowed: "cartes_x|y|z or direct_x|y|z")
    }
    guard force == 0 || force == 3 else {
      throw lines.error("the columns give \(force) force components", allowed: "fx fy fz or none")
    }
    return columns
  }

  private mutating func readAtoms(_ lines: inout LineReader) throws(FormatError) {
    guard atoms == nil else { throw lines.error("the atoms are given twice") }
    guard let size else { throw lines.error("the atoms come before Size", allowed: "Size first") }
    let columns = try columns(lines)
    var read = Atoms()
    read.headerLine = lines.line
    read.areFractional = columns.contains(.fractional(0))
    var forces: [Vector3] = []
    var siteEnergies: [Double] = []
    var charges: [Double] = []
    for atom in 1...size {
      guard lines.advance(), lines.count > 0,
        lines.number(0) != nil
          || Self.looksLikeNumber(lines.field(0)) || lines.count == columns.count
      else { throw lines.error("\(atom - 1) atoms are given", allowed: "\(size), as Size says") }
      guard lines.count == columns.count else {
        throw lines.error("\(lines.count) values for atom \(atom)", allowed: "\(columns.count)")
      }
      var type = 0
      var position = Vector3.zero
      var force = Vector3.zero
      for (field, column) in columns.enumerated() {
        switch column {
        case .identifier:
          let identifier = try lines.integer(field, "the id")
          guard identifier == atom else {
            throw lines.error("the id is \(identifier)", allowed: "\(atom): ids run from 1 to Size")
          }
        case .type:
          type = try lines.integer(field, "the type")
          guard (0..<1000).contains(type) else {
            throw lines.error("the type is \(type)", allowed: "0 to 999")
          }
        case .cartesian(let axis), .fractional(let axis):
          position[axis] = try lines.double(field, "the position of atom \(atom)")
        case .force(let axis): force[axis] = try lines.double(field, "the force on atom \(atom)")
        case .siteEnergy:
          siteEnergies.append(try lines.double(field, "the energy of atom \(atom)"))
        case .charge: charges.append(try lines.double(field, "the charge of atom \(atom)"))
        case .ignored: break
        }
      }
      read.types.append(type)
      read.positions.append(position)
      forces.append(force)
    }
    if columns.contains(.force(0)) { read.forces = forces }
    if columns.contains(.siteEnergy) { read.siteEnergies = siteEnergies }
    if columns.contains(.charge) { read.charges = charges }
    atoms = read
  }

  /// Six components in the order that the keyword's line names.
  private func tensor(_ lines: inout LineReader) throws(FormatError) -> Matrix3 {
    var places: [(Int, Int)] = []
    for index in 1..<max(lines.count, 1) {
      let name = Array(lines.field(index).utf8)
      let axes = name.map { Int($0) - 120 }
      guard axes.count == 2, axes.allSatisfy((0..<3).contains) else {
        throw lines.error("component '\(lines.field(index))'", allowed: "xx yy zz yz xz xy")
      }
      places.append((min(axes[0], axes[1]), max(axes[0], axes[1])))
    }
    guard Set(places.map { 3 * $0.0 + $0.1 }).count == 6, places.count == 6 else {
      throw lines.error(
        "\(places.count) components are named", allowed: "each of xx yy zz yz xz xy once")
    }
    try lines.require("six stress components")
    guard lines.count == 6 else {
      throw lines.error("\(lines.count) stress components", allowed: "6")
    }
    var tensor = Matrix3.zero
    for (field, place) in places.enumerated() {
      let value = try lines.double(field, "a stress component")
      tensor[place.0, place.1] = value
      tensor[place.1, place.0] = value
    }
    return tensor
  }

  /// A key and the rest of the line; a key that comes again continues its value on a new line.
  private mutating func readFeature(_ lines: LineReader) throws(FormatError) {
    guard lines.count > 1 else { throw lines.error("a feature without a name") }
    let key = ConfigurationFormat.unescaped(lines.field(1))
    let value = lines.text(from: 2)
    if let index = featureIndex[key] {
      features[index].value += "\n" + value
    } else {
      featureIndex[key] = features.count
      features.append((key, value))
    }
  }

  // MARK: - The record

  /// The record, once the block has been read.
  func record(
    _ lines: LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> StructureRecord {
    guard let atoms else {
      throw lines.error("the block has no atoms", allowed: "AtomData:", line: firstLine)
    }
    var features = features
    var names = elements
    if let place = features.firstIndex(where: { $0.key == ConfigurationFormat.elementsKey }),
      let named = Self.elements(features[place].value)
    {
      names = named
      features.remove(at: place)
    }
    var comment = ""
    if let place = features.firstIndex(where: { $0.key == "comment" }) {
      comment = features.remove(at: place).value
    }
    let naming = SpeciesNaming(elements: names)
    var species: [ChemicalElement] = []
    for (index, type) in atoms.types.enumerated() {
      guard let element = naming.element(ofType: type) else {
        throw lines.error(
          "the type is \(type)",
          allowed: "0 to \((names?.count ?? 0) - 1) for \((names ?? []).map(\.symbol))",
          line: atoms.headerLine + 1 + index)
      }
      species.append(element)
    }
    let structure = try structure(atoms, species, lines)
    var record = StructureRecord(structure: structure, features: features, comment: comment)
    record.energy = energy
    record.forces = atoms.forces
    record.siteEnergies = atoms.siteEnergies
    record.charges = atoms.charges
    if let plusStress {
      record.setVirial(-1 * plusStress)
    } else if let volumeTimesPlusStress {
      guard structure.periodicity == .full else {
        throw lines.error(
          "Virial needs a volume", allowed: "three lattice vectors or PlusStress:", line: firstLine)
      }
      record.setVirial((-1 / structure.volume) * volumeTimesPlusStress)
    }
    return record
  }

  private func structure(
    _ atoms: Atoms, _ species: [ChemicalElement], _ lines: LineReader
  ) throws(FormatError) -> Structure {
    let rows = rows ?? []
    guard !atoms.areFractional || rows.count == 3 else {
      throw lines.error(
        "direct_* columns with \(rows.count) lattice vectors", allowed: "3", line: atoms.headerLine)
    }
    do throws(CrystalError) {
      let given: [Vector3?] = (0..<3).map { $0 < rows.count ? rows[$0] : nil }
      let lattice = try IncompleteLattice.completed(given, around: atoms.positions)
      let periodicity = Periodicity(rows.count > 0, rows.count > 1, rows.count > 2)
      return atoms.areFractional
        ? try Structure(
          lattice: lattice, periodicity: periodicity, species: species,
          fractionalPositions: atoms.positions)
        : try Structure(
          lattice: lattice, periodicity: periodicity, species: species,
          positions: atoms.positions)
    } catch { throw lines.error(error.description, line: firstLine) }
  }

  /// The elements of a list of symbols, or `nil` where it is something else.
  private static func elements(_ text: String) -> [ChemicalElement]? {
    let symbols = text.split { $0 == " " || $0 == "," }
    let elements = symbols.compactMap { ChemicalElement(symbol: String($0)) }
    return elements.isEmpty || elements.count != symbols.count ? nil : elements
  }
}
