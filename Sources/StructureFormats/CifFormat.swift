import Crystal
import Foundation
import NumericalCore

/// The Crystallographic Information File.
///
/// Symmetry operations are applied to the asymmetric unit on reading; images of an atom on a
/// special position are merged.
enum CifFormat: StructureTextFormat {
  static let endings = ["cif"]
  static let prefixes: [String] = []

  /// Images closer than this in Å are one atom: coordinates of four digits put an atom at (1/3, 2/3) some
  /// 0.003 Å beside its axis in a cell of 10 Å, three digits 0.03 Å.
  static let mergingDistance = 0.05

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    let document = try CifDocument(&lines)
    var records: [StructureRecord] = []
    for block in document.blocks
    where block.column("_atom_site_fract_x", "_atom_site_cartn_x") != nil {
      records.append(try record(block, lines, SpeciesNaming(elements: elements)))
    }
    guard !records.isEmpty else {
      throw lines.error(
        "no block has atoms", allowed: "_atom_site_fract_x, _y, _z",
        line: document.blocks.first?.line ?? 1)
    }
    return records
  }

  // MARK: - Reading

  private static func record(
    _ block: CifBlock, _ lines: LineReader, _ naming: SpeciesNaming
  ) throws(FormatError) -> StructureRecord {
    let lattice = try lattice(block, lines)
    let operations = try operations(block, lines)
    let sites = try sites(block, lattice, lines, naming)
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for site in sites {
      for image in images(of: site.position, operations, lattice) {
        species.append(site.element)
        positions.append(image)
      }
    }
    do {
      let structure = try Structure(
        lattice: lattice, species: species, fractionalPositions: positions)
      return StructureRecord(structure: structure, comment: block.name)
    } catch { throw lines.error(error.description, line: block.line) }
  }

  /// A number with an optional standard uncertainty, `5.4310(2)`.
  private static func number(
    _ value: CifValue, _ what: String, _ lines: LineReader
  ) throws(FormatError) -> Double {
    var text = value.text[...]
    if text.last == ")", let bracket = text.lastIndex(of: "("),
      text[text.index(after: bracket)...].dropLast().allSatisfy(\.isNumber)
    {
      text = text[..<bracket]
    }
    guard !value.isMissing, let number = Double(text), number.isFinite else {
      throw lines.error("\(what) is '\(value.text)'", allowed: "a finite number", line: value.line)
    }
    return number
  }

  private static func lattice(
    _ block: CifBlock, _ lines: LineReader
  ) throws(FormatError) -> Lattice {
    func required(_ tag: String) throws(FormatError) -> (value: Double, line: Int) {
      guard let value = block.value(tag) else {
        throw lines.error(
          "block '\(block.name)' lacks \(tag)", allowed: "lengths and angles of the cell",
          line: block.line)
      }
      return (try number(value, tag, lines), value.line)
    }
    let a = try required("_cell_length_a")
    let b = try required("_cell_length_b")
    let c = try required("_cell_length_c")
    for length in [a, b, c] where length.value <= 0 {
      throw lines.error("the length is \(length.value)", allowed: "above 0", line: length.line)
    }
    let alpha = try required("_cell_angle_alpha")
    let beta = try required("_cell_angle_beta")
    let gamma = try required("_cell_angle_gamma")
    for angle in [alpha, beta, gamma] where !(angle.value > 0 && angle.value < 180) {
      throw lines.error(
        "the angle is \(angle.value)", allowed: "degrees between 0 and 180", line: angle.line)
    }
    do {
      return try CellParameters(
        lengths: Vector3(a.value, b.value, c.value),
        degrees: Vector3(alpha.value, beta.value, gamma.value)
      ).lattice()
    } catch { throw lines.error(error.description, line: a.line) }
  }

  private static func operations(
    _ block: CifBlock, _ lines: LineReader
  ) throws(FormatError) -> [SymmetryOperation] {
    if let column = block.column(
      "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
    {
      var operations: [SymmetryOperation] = []
      for value in column {
        guard let operation = SymmetryOperation(triplet: value.text) else {
          throw lines.error(
            "'\(value.text)' is no symmetry operation", allowed: "as '-x, y+1/2, -z'",
            line: value.line)
        }
        if !operations.contains(operation) { operations.append(operation) }
      }
      guard operations.contains(.identity) else {
        throw lines.error(
          "the symmetry operations lack the identity", allowed: "'x, y, z' among them",
          line: column[0].line)
      }
      return operations
    }
    let group =
      block.value("_space_group_it_number", "_symmetry_int_tables_number")
      ?? block.value("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m")
    let name = group?.text.filter { !$0.isWhitespace }.lowercased()
    guard name == nil || name == "1" || name == "p1" else {
      throw lines.error(
        "space group \(group?.text ?? "") without its operations",
        allowed: "_space_group_symop_operation_xyz", line: group?.line)
    }
    return [.identity]
  }

  private struct Site {
    var element: ChemicalElement
    var position: Vector3
  }

  private static func sites(
    _ block: CifBlock, _ lattice: Lattice, _ lines: LineReader, _ naming: SpeciesNaming
  ) throws(FormatError) -> [Site] {
    let isFractional = block.column("_atom_site_fract_x") != nil
    let kind = isFractional ? "fract" : "cartn"
    var columns: [[CifValue]] = []
    for axis in ["x", "y", "z"] {
      guard let column = block.column("_atom_site_\(kind)_\(axis)") else {
        throw lines.error(
          "block '\(block.name)' lacks _atom_site_\(kind)_\(axis)", allowed: "all of x, y, z",
          line: block.line)
      }
      columns.append(column)
    }
    guard let names = block.column("_atom_site_type_symbol") ?? block.column("_atom_site_label")
    else {
      throw lines.error(
        "block '\(block.name)' does not name its atoms",
        allowed: "_atom_site_type_symbol or _atom_site_label", line: block.line)
    }
    let labels = block.column("_atom_site_label")
    let count = names.count
    guard columns.allSatisfy({ $0.count == count }) else {
      throw lines.error("the atoms are in several loops", line: block.line)
    }
    let occupancies = block.column("_atom_site_occupancy")
    var sites: [Site] = []
    for index in 0..<count {
      let name = names[index].isMissing ? labels?[index] ?? names[index] : names[index]
      guard let element = element(label: name.text) else {
        throw lines.error("'\(name.text)' is no element", allowed: "a symbol", line: name.line)
      }
      if let occupancy = occupancies?[index], !occupancy.isMissing {
        let value = try number(occupancy, "the occupancy", lines)
        guard abs(value - 1) < 1e-3 else {
          throw lines.error(
            "the occupancy is \(occupancy.text): disordered crystals are not read", allowed: "1",
            line: occupancy.line)
        }
      }
      let what = "the position of \(name.text)"
      let position = Vector3(
        try number(columns[0][index], what, lines), try number(columns[1][index], what, lines),
        try number(columns[2][index], what, lines))
      sites.append(
        Site(
          element: naming.named(element),
          position: isFractional ? position : lattice.fractional(position)))
    }
    return sites
  }

  /// The element of a type symbol or label: `Ti`, `Ti4+`, `O2-`, `Fe1A`, `D`.
  private static func element(label: String) -> ChemicalElement? {
    let letters = label.prefix { $0.isLetter }
    if letters == "D" || letters == "T" { return ChemicalElement(symbol: "H") }
    if label.hasPrefix("X"), let element = SpeciesNaming.element(symbol: label) { return element }
    for length in [2, 1] where letters.count >= length {
      let head = letters.prefix(length)
      if let element = ChemicalElement(
        symbol: head.prefix(1).uppercased() + head.dropFirst().lowercased())
      {
        return element
      }
    }
    return nil
  }

  /// All images of a position in the cell, each once.
  ///
  /// Images that coincide are averaged, which puts an atom on its special position whatever the
  /// digits of the file. Without symmetry an atom stays where it is.
  static func images(
    of position: Vector3, _ operations: [SymmetryOperation], _ lattice: Lattice
  ) -> [Vector3] {
    guard operations.count > 1 else { return [position] }
    var clusters: [(first: Vector3, sum: Vector3, count: Double)] = []
    for operation in operations {
      let image = wrapped(operation.applied(to: position))
      var isNew = true
      for index in clusters.indices {
        var difference = image - clusters[index].first
        for axis in 0..<3 { difference[axis] -= difference[axis].rounded() }
        guard lattice.cartesian(difference).length < mergingDistance else { continue }
        clusters[index].sum += difference
        clusters[index].count += 1
        isNew = false
        break
      }
      if isNew { clusters.append((image, .zero, 1)) }
    }
    return clusters.map { wrapped($0.first + $0.sum / $0.count) }
  }

  static func wrapped(_ position: Vector3) -> Vector3 {
    position.map { x in
      let y = x - x.rounded(.down)
      return y >= 1 ? 0 : y
    }
  }
}

/// Lengths and angles of a cell, and the lattice they stand for: a along x, b in the xy plane.
struct CellParameters {
  /// Lengths in Å.
  var lengths: Vector3
  /// The angles α, β, γ in degrees.
  var degrees: Vector3

  init(lengths: Vector3, degrees: Vector3) {
    self.lengths = lengths
    self.degrees = degrees
  }

  /// The parameters of a lattice.
  init(_ lattice: Lattice) {
    let v = lattice.vectors
    lengths = lattice.lengths
    func degrees(_ u: Vector3, _ w: Vector3) -> Double {
      let cosine = u.dot(w) / (u.length * w.length)
      // The angles of symmetric cells are written as such, free of the roundoff of the arc cosine.
      if abs(cosine) < 1e-15 { return 90 }
      if abs(cosine - 0.5) < 1e-15 { return 60 }
      if abs(cosine + 0.5) < 1e-15 { return 120 }
      return acos(max(-1, min(1, cosine))) * 180 / Double.pi
    }
    self.degrees = Vector3(degrees(v.b, v.c), degrees(v.a, v.c), degrees(v.a, v.b))
  }

  /// The lattice.
  ///
  /// - Throws: `CrystalError.singularLattice` where no such cell exists.
  func lattice() throws(CrystalError) -> Lattice {
    let cosines = degrees.map { angle in
      switch angle {
      case 90: 0
      case 60: 0.5
      case 120: -0.5
      default: cos(angle * Double.pi / 180)
      }
    }
    let (ca, cb, cg) = (cosines.x, cosines.y, cosines.z)
    let sg = (1 - cg * cg).squareRoot()
    let cy = (ca - cb * cg) / sg
    let square = 1 - cb * cb - cy * cy
    guard square > 0 else {
      throw .singularLattice("the angles \(degrees.x), \(degrees.y), \(degrees.z) fit no cell")
    }
    return try Lattice(
      Matrix3(
        rows: Vector3(lengths.x, 0, 0), lengths.y * Vector3(cg, sg, 0),
        lengths.z * Vector3(cb, cy, square.squareRoot())))
  }
}
