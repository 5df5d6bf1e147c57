import Crystal
import NumericalCore

/// Extended XYZ in the convention of ASE (ase.io.extxyz): the vectors of `Lattice` one after another,
/// `stress` as nine values in eV/Å³ with the sign of ASE, which is ours (positive in tension).
enum ExtendedXYZFormat: StructureTextFormat {
  static let endings = ["extxyz", "xyz"]
  static let prefixes: [String] = []

  /// The width in columns of each quantity by its name in `Properties`, where this program uses it.
  private static let knownProperties: [String: (type: String, width: Int)] = [
    "species": ("S", 1), "Z": ("I", 1), "pos": ("R", 3), "forces": ("R", 3),
    "energies": ("R", 1), "charge": ("R", 1), "charges": ("R", 1), "initial_charges": ("R", 1),
  ]

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    var records: [StructureRecord] = []
    while lines.advanceToText() {
      guard lines.count == 1, let count = Int(lines.field(0)), count > 0 else {
        throw lines.error("'\(lines.text)' begins a frame", allowed: "the number of atoms alone")
      }
      records.append(try frame(&lines, count: count, naming: SpeciesNaming(elements: elements)))
    }
    return records
  }

  // MARK: - Reading

  /// What the second line of a frame says.
  private struct Header {
    var line = 0
    var lattice: [Vector3?]?
    var periodicity: Periodicity?
    var columns = Columns()
    var energy: Double?
    var stress: Matrix3?
    var virial: Matrix3?
    var features: [(key: String, value: String)] = []
    var comment = ""
  }

  /// Where the quantities of an atom's line begin.
  private struct Columns {
    var total = 4
    var isExact = false
    var starts: [String: Int] = ["species": 0, "pos": 1]
    var charge: Int? { starts["charge"] ?? starts["charges"] ?? starts["initial_charges"] }
  }

  private static func frame(
    _ lines: inout LineReader, count: Int, naming: SpeciesNaming
  ) throws(FormatError) -> StructureRecord {
    let countLine = lines.line
    try lines.require("the comment line of the frame")
    let header = try header(lines)
    let columns = header.columns
    guard let positionColumn = columns.starts["pos"] else {
      throw lines.error("Properties lacks the positions", allowed: "pos:R:3")
    }
    let (forceColumn, siteColumn) = (columns.starts["forces"], columns.starts["energies"])
    let (symbolColumn, numberColumn) = (columns.starts["species"], columns.starts["Z"])
    let chargeColumn = columns.charge
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    var forces: [Vector3] = []
    var siteEnergies: [Double] = []
    var charges: [Double] = []
    // Neighboring atoms are mostly of one element, whose symbol need not be looked up again.
    var known: (symbol: String, element: ChemicalElement)?
    for atom in 1...count {
      guard lines.advance(), lines.count > 0 else {
        throw lines.error(
          "the frame of line \(countLine) has \(atom - 1) atoms", allowed: "\(count) atoms")
      }
      guard lines.count >= columns.total, !columns.isExact || lines.count == columns.total else {
        throw lines.error(
          "\(lines.count) columns for atom \(atom)", allowed: "\(columns.total) columns")
      }
      if let symbolColumn {
        let symbol = lines.field(symbolColumn)
        if let known, known.symbol == symbol {
          species.append(known.element)
        } else {
          guard let element = SpeciesNaming.element(symbol: symbol) else {
            throw lines.error("'\(symbol)' is no element", allowed: "a chemical symbol")
          }
          known = (symbol, naming.named(element))
          species.append(naming.named(element))
        }
      } else if let numberColumn {
        let number = try lines.integer(numberColumn, "the atomic number")
        guard let element = ChemicalElement(atomicNumber: number) else {
          throw lines.error("the atomic number is \(number)", allowed: "1 to 118")
        }
        species.append(element)
      }
      positions.append(try vector(lines, positionColumn, "the position of atom \(atom)"))
      if let forceColumn {
        forces.append(try vector(lines, forceColumn, "the force on atom \(atom)"))
      }
      if let siteColumn {
        siteEnergies.append(try lines.double(siteColumn, "the energy of atom \(atom)"))
      }
      if let chargeColumn {
        charges.append(try lines.double(chargeColumn, "the charge of atom \(atom)"))
      }
    }
    var record = try record(header, lines, species, positions)
    if forceColumn != nil { record.forces = forces }
    if siteColumn != nil { record.siteEnergies = siteEnergies }
    if chargeColumn != nil { record.charges = charges }
    return record
  }

  private static func record(
    _ header: Header, _ lines: LineReader, _ species: [ChemicalElement], _ positions: [Vector3]
  ) throws(FormatError) -> StructureRecord {
    do throws(CrystalError) {
      let lattice = try IncompleteLattice.completed(
        header.lattice ?? [nil, nil, nil], around: positions)
      let periodicity =
        header.periodicity ?? (header.lattice == nil ? Periodicity.none : Periodicity.full)
      for axis in 0..<3 where periodicity[axis] && header.lattice?[axis] == nil {
        throw .singularLattice("pbc repeats direction \(axis + 1), which has no lattice vector")
      }
      var record = StructureRecord(
        structure: try Structure(
          lattice: lattice, periodicity: periodicity, species: species, positions: positions),
        features: header.features, comment: header.comment)
      record.energy = header.energy
      if let stress = header.stress {
        record.setStress(stress)
      } else if let virial = header.virial {
        record.setVirial(virial)
      }
      return record
    } catch { throw lines.error(error.description, line: header.line) }
  }

  private static func vector(
    _ lines: LineReader, _ column: Int, _ what: @autoclosure () -> String
  ) throws(FormatError) -> Vector3 {
    Vector3(
      try lines.double(column, what()), try lines.double(column + 1, what()),
      try lines.double(column + 2, what()))
  }

  private static func header(_ lines: LineReader) throws(FormatError) -> Header {
    var header = Header()
    header.line = lines.line
    guard lines.contentBytes.contains(UInt8(ascii: "=")) else {
      header.comment = lines.text
      return header
    }
    var seen: Set<String> = []
    for (key, value) in KeyValueLine.pairs(lines.contentBytes) {
      switch key {
      case "Lattice", "Properties", "pbc", "energy", "stress":
        guard seen.insert(key).inserted else { throw lines.error("\(key) is given twice") }
      default: break
      }
      switch key {
      case "Lattice": header.lattice = try lattice(value, lines)
      case "Properties": header.columns = try columns(value, lines)
      case "pbc": header.periodicity = try periodicity(value, lines)
      case "energy": header.energy = try numbers(value, 1, key, lines)[0]
      case "stress": header.stress = try matrix(value, key, lines)
      case "comment": header.comment = value
      default: header.features.append((key, value))
      }
    }
    if header.stress == nil, let place = header.features.firstIndex(where: { $0.key == "virial" }) {
      // The virial of data sets is −∂E/∂ε in eV (QUIP, GAP, MACE); ASE itself does not read it.
      header.virial = -1 * (try matrix(header.features[place].value, "virial", lines))
      header.features.remove(at: place)
    }
    return header
  }

  private static func numbers(
    _ value: String, _ count: Int, _ key: String, _ lines: LineReader
  ) throws(FormatError) -> [Double] {
    var reader = LineReader(value.utf8.map { $0 == UInt8(ascii: ",") ? 32 : $0 }, path: lines.path)
    let exists = reader.advance()
    guard exists, reader.count == count else {
      throw lines.error("\(key) has \(reader.count) values", allowed: "\(count)")
    }
    var result: [Double] = []
    for index in 0..<count {
      guard let number = reader.number(index) else {
        throw lines.error("\(key) holds '\(reader.field(index))'", allowed: "finite numbers")
      }
      result.append(number)
    }
    return result
  }

  /// Nine numbers in the order of ASE, which is by columns; stresses are symmetric.
  private static func matrix(
    _ value: String, _ key: String, _ lines: LineReader
  ) throws(FormatError) -> Matrix3 {
    let v = try numbers(value, 9, key, lines)
    return Matrix3(
      rows: Vector3(v[0], v[3], v[6]), Vector3(v[1], v[4], v[7]), Vector3(v[2], v[5], v[8]))
  }

  private static func lattice(
    _ value: String, _ lines: LineReader
  ) throws(FormatError) -> [Vector3?] {
    let v = try numbers(value, 9, "Lattice", lines)
    return [Vector3(v[0], v[1], v[2]), Vector3(v[3], v[4], v[5]), Vector3(v[6], v[7], v[8])]
      .map { $0 == .zero ? nil : $0 }
  }

  private static func periodicity(
    _ value: String, _ lines: LineReader
  ) throws(FormatError) -> Periodicity {
    let words = value.split { $0 == " " || $0 == "," || $0 == "\t" }
    let flags = words.compactMap { word -> Bool? in
      switch word {
      case "T", "True", "true", "1": true
      case "F", "False", "false", "0": false
      default: nil
      }
    }
    guard words.count == 3, flags.count == 3 else {
      throw lines.error("pbc is '\(value)'", allowed: "three of T and F, as \"T T T\"")
    }
    return Periodicity(flags[0], flags[1], flags[2])
  }

  private static func columns(_ value: String, _ lines: LineReader) throws(FormatError) -> Columns {
    let parts = value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count % 3 == 0 else {
      throw lines.error("Properties is '\(value)'", allowed: "name:type:columns, repeated")
    }
    var columns = Columns(total: 0, isExact: true, starts: [:])
    for start in stride(from: 0, to: parts.count, by: 3) {
      let (name, type) = (parts[start], parts[start + 1])
      guard ["R", "I", "S", "L"].contains(type), let width = Int(parts[start + 2]), width > 0,
        width < 10_000
      else {
        throw lines.error(
          "Properties holds '\(parts[start..<start + 3].joined(separator: ":"))'",
          allowed: "a type of R, I, S, L and a positive number of columns")
      }
      if let known = knownProperties[name], known.type != type || known.width != width {
        throw lines.error(
          "Properties holds '\(name):\(type):\(width)'",
          allowed: "\(name):\(known.type):\(known.width)")
      }
      guard columns.starts[name] == nil else { throw lines.error("\(name) is given twice") }
      columns.starts[name] = columns.total
      columns.total += width
    }
    guard columns.starts["species"] != nil || columns.starts["Z"] != nil else {
      throw lines.error("Properties lacks the species", allowed: "species:S:1 or Z:I:1")
    }
    return columns
  }

  // MARK: - Writing

  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    let naming = SpeciesNaming(elements: elements)
    var text = ""
    for (index, record) in records.enumerated() {
      let structure = record.structure
      text += "\(structure.atomCount)\n"
      do { text += try headerText(record) } catch {
        throw FormatError(
          path: path, "entry \(index + 1): \(error.problem)", allowed: error.allowed)
      }
      for atom in 0..<structure.atomCount {
        text += naming.named(structure.species[atom]).symbol
        append(structure.positions[atom], to: &text)
        if let forces = record.forces { append(forces[atom], to: &text) }
        if let energies = record.siteEnergies { text += " \(energies[atom])" }
        if let charges = record.charges { text += " \(charges[atom])" }
        text += "\n"
      }
    }
    return text
  }

  private static func append(_ vector: Vector3, to text: inout String) {
    text += " \(vector.x) \(vector.y) \(vector.z)"
  }

  private static func headerText(_ record: StructureRecord) throws(FormatError) -> String {
    let structure = record.structure
    let v = structure.lattice.vectors
    var text = "Lattice=\""
    text += [v.a, v.b, v.c].map { "\($0.x) \($0.y) \($0.z)" }.joined(separator: " ")
    text += "\" Properties=species:S:1:pos:R:3"
    if record.forces != nil { text += ":forces:R:3" }
    if record.siteEnergies != nil { text += ":energies:R:1" }
    if record.charges != nil { text += ":charges:R:1" }
    var written: Set<String> = ["Lattice", "Properties", "pbc"]
    if let energy = record.energy {
      text += " energy=\(energy)"
      written.insert("energy")
    }
    if structure.periodicity == .full, let stress = record.stress ?? record.bulkStress {
      text += " stress=\"\(columnsText(stress))\""
      written.insert("stress")
    } else if let virial = record.virial {
      text += " virial=\"\(columnsText(-1 * virial))\""
      written.insert("virial")
    }
    let flags = (0..<3).map { structure.periodicity[$0] ? "T" : "F" }
    text += " pbc=\"\(flags.joined(separator: " "))\""
    if !record.comment.isEmpty {
      text += " comment=\(try KeyValueLine.quoted(record.comment))"
      written.insert("comment")
    }
    for (key, value) in record.features where !written.contains(key) {
      text += " \(try KeyValueLine.quoted(key))=\(try KeyValueLine.quoted(value))"
    }
    return text + "\n"
  }

  private static func columnsText(_ m: Matrix3) -> String {
    let t = m.transposed
    return [t.a, t.b, t.c].map { "\($0.x) \($0.y) \($0.z)" }.joined(separator: " ")
  }
}

extension StructureRecord {
  /// The stress in eV/Å³ of a bulk crystal whose virial alone is known.
  fileprivate var bulkStress: Matrix3? { virial.map { (1 / structure.volume) * $0 } }
}

/// The comment line of extended XYZ: `key=value` pairs in ASE's grammar.
///
/// Values may stand in quotes or brackets, a backslash takes the next character as it is, and a key
/// alone means true.
enum KeyValueLine {
  static func pairs(_ bytes: ArraySlice<UInt8>) -> [(key: String, value: String)] {
    var tokens: [Token] = []
    var current = Token()
    var closing: UInt8?
    var isEscaped = false
    for byte in bytes {
      if isEscaped {
        current.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
        current.isStarted = true
      } else if let end = closing {
        if byte == end { closing = nil } else { current.append(byte) }
      } else if let end = closer(of: byte) {
        closing = end
        current.isStarted = true
      } else if byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13) {
        if current.isStarted {
          tokens.append(current)
          current = Token()
        }
      } else if byte == UInt8(ascii: "=") {
        // Blanks may stand before and after the sign.
        if !current.isStarted, let last = tokens.popLast() { current = last }
        current.beginValue()
      } else {
        current.append(byte)
      }
    }
    if current.isStarted || current.parts.count > 1 { tokens.append(current) }
    return tokens.map(\.pair)
  }

  private struct Token {
    var parts: [[UInt8]] = [[]]
    /// Whether the last part has begun: a value in quotes may be empty.
    var isStarted = false

    mutating func append(_ byte: UInt8) {
      parts[parts.count - 1].append(byte)
      isStarted = true
    }

    mutating func beginValue() {
      parts.append([])
      isStarted = false
    }

    var pair: (key: String, value: String) {
      let texts = parts.map { String(decoding: $0, as: UTF8.self) }
      guard texts.count > 1 else { return (texts[0], "T") }
      let value = texts.dropFirst().joined(separator: "=")
      return (texts[0], value.allSatisfy { $0 == " " } ? "" : value)
    }
  }

  private static func closer(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): byte
    case UInt8(ascii: "{"): UInt8(ascii: "}")
    case UInt8(ascii: "["): UInt8(ascii: "]")
    default: nil
    }
  }

  /// A key or value as it is written, in quotes where needed.
  static func quoted(_ text: String) throws(FormatError) -> String {
    guard !text.contains(where: \.isNewline) else {
      throw FormatError(path: "", "'\(text)' holds a line break", allowed: "one line")
    }
    // ASE 3.22 loses the key that follows an empty value in quotes; a blank is read as empty.
    if text.allSatisfy({ $0 == " " }) { return "\" \"" }
    let special: Set<Character> = [" ", "\t", "\"", "'", "{", "}", "[", "]", "=", "\\", ","]
    guard text.contains(where: special.contains) else { return text }
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "\""
  }
}
