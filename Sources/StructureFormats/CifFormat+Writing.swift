import Crystal
import NumericalCore

/// A crystal as CIF describes it: a cell, symmetry operations and the atoms that the others follow from.
struct CifDescription {
  /// One atom of the asymmetric unit.
  struct Site {
    var element: ChemicalElement
    /// Fractional.
    var position: Vector3
    /// Atoms in the cell that follow from it.
    var multiplicity: Int
    /// Its Wyckoff letter.
    var wyckoff: String
  }

  var symbol: String
  var number: Int
  var lattice: Lattice
  var operations: [SymmetryOperation]
  var sites: [Site]

  /// How far in Å atoms may be from where symmetry puts them.
  static let symmetryTolerance = 0.01

  /// The description with the symmetry that is found, in the conventional cell of the standard setting.
  ///
  /// A crystal without any, and one whose symmetry does not lead back to the same atoms, is described as it
  /// is.
  init(_ structure: Structure) throws(CrystalError) {
    try self.init(withoutSymmetry: structure)
    // A group that cannot be found leaves the description without symmetry, which is always right.
    if let symmetric = try? Self.symmetric(Self.rightHanded(structure)) { self = symmetric }
  }

  private static func symmetric(_ structure: Structure) throws(CrystalError) -> CifDescription? {
    let conventional = try structure.standardizedConventional(tolerance: symmetryTolerance)
    let symmetry = try conventional.symmetry(tolerance: symmetryTolerance)
    guard symmetry.spaceGroupNumber > 1 else { return nil }
    let positions = conventional.fractionalPositions()
    var counts = [Int](repeating: 0, count: conventional.atomCount)
    for atom in symmetry.equivalentAtoms { counts[atom] += 1 }
    var description = try CifDescription(withoutSymmetry: conventional)
    description.symbol = spaced(symmetry.internationalSymbol)
    description.number = symmetry.spaceGroupNumber
    description.operations = symmetry.operations
    description.sites = conventional.species.indices.filter { counts[$0] > 0 }.map { atom in
      Site(
        element: conventional.species[atom], position: CifFormat.wrapped(positions[atom]),
        multiplicity: counts[atom], wyckoff: symmetry.wyckoffLetters[atom])
    }
    let leadsBack = description.sites.allSatisfy { site in
      CifFormat.images(of: site.position, symmetry.operations, conventional.lattice).count
        == site.multiplicity
    }
    return leadsBack && symmetry.operations.contains(.identity) ? description : nil
  }

  /// The same atoms in the lattice (a, b, −c) where (a, b, c) is left-handed.
  ///
  /// Lengths and angles alone cannot tell the two apart, and the crystal would become its mirror image.
  private static func rightHanded(_ structure: Structure) throws(CrystalError) -> Structure {
    var vectors = structure.lattice.vectors
    guard vectors.determinant < 0 else { return structure }
    vectors.c = -vectors.c
    return try Structure(
      lattice: Lattice(vectors), species: structure.species, positions: structure.positions)
  }

  /// The description without symmetry, in a right-handed cell.
  init(withoutSymmetry structure: Structure) throws(CrystalError) {
    let structure = try Self.rightHanded(structure)
    symbol = "P 1"
    number = 1
    operations = [.identity]
    lattice = structure.lattice
    sites = zip(structure.species, structure.fractionalPositions()).map {
      Site(element: $0, position: $1, multiplicity: 1, wyckoff: "a")
    }
  }

  /// A short international symbol as CIF spells it: `P4_2/mnm` becomes `P 42/m n m`.
  static func spaced(_ symbol: String) -> String {
    var parts: [String] = []
    var isJoined = false
    for character in symbol {
      switch character {
      case "_": isJoined = true
      case "/" where !parts.isEmpty:
        parts[parts.count - 1].append(character)
        isJoined = true
      default:
        if isJoined || parts.last == "-", !parts.isEmpty {
          parts[parts.count - 1].append(character)
        } else {
          parts.append(String(character))
        }
        isJoined = false
      }
    }
    return parts.joined(separator: " ")
  }
}

extension CifFormat {
  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    guard !records.isEmpty else {
      throw FormatError(path: path, "no structure", allowed: "at least one per CIF")
    }
    let naming = SpeciesNaming(elements: elements)
    var text = ""
    for (index, record) in records.enumerated() {
      guard record.structure.periodicity == .full else {
        throw FormatError(
          path: path, "entry \(index + 1) does not repeat in all directions",
          allowed: "bulk crystals in a CIF")
      }
      do {
        let description = try CifDescription(record.structure)
        text += block(record, description, naming, number: records.count > 1 ? index + 1 : nil)
      } catch { throw FormatError(path: path, "entry \(index + 1): \(error)") }
    }
    return text
  }

  private static func block(
    _ record: StructureRecord, _ crystal: CifDescription, _ naming: SpeciesNaming, number: Int?
  ) -> String {
    var atoms: [ChemicalElement: Int] = [:]
    for site in crystal.sites { atoms[naming.named(site.element), default: 0] += site.multiplicity }
    let parts = atoms.sorted { $0.key < $1.key }
      .map { "\($0.key.symbol)\($0.value == 1 ? "" : "\($0.value)")" }
    let cell = CellParameters(crystal.lattice)
    var text = "data_\(name(record, parts.joined(), number))\n"
    text += "_chemical_formula_sum '\(parts.joined(separator: " "))'\n"
    text += "_cell_length_a \(cell.lengths.x)\n_cell_length_b \(cell.lengths.y)\n"
    text += "_cell_length_c \(cell.lengths.z)\n"
    text += "_cell_angle_alpha \(cell.degrees.x)\n_cell_angle_beta \(cell.degrees.y)\n"
    text += "_cell_angle_gamma \(cell.degrees.z)\n_cell_volume \(crystal.lattice.volume)\n\n"
    text += "_space_group_name_H-M_alt '\(crystal.symbol)'\n"
    text += "_space_group_IT_number \(crystal.number)\n\n"
    text += "loop_\n_space_group_symop_operation_xyz\n"
    for operation in crystal.operations { text += "'\(operation.triplet)'\n" }
    text += """

      loop_
      _atom_site_label
      _atom_site_type_symbol
      _atom_site_symmetry_multiplicity
      _atom_site_Wyckoff_symbol
      _atom_site_fract_x
      _atom_site_fract_y
      _atom_site_fract_z
      _atom_site_occupancy

      """
    var counts: [ChemicalElement: Int] = [:]
    for site in crystal.sites {
      let element = naming.named(site.element)
      counts[element, default: 0] += 1
      let separator = element.unnamedType == nil ? "" : "_"
      text += "\(element.symbol)\(separator)\(counts[element] ?? 0) \(element.symbol)"
      text += " \(site.multiplicity) \(site.wyckoff)"
      text += " \(site.position.x) \(site.position.y) \(site.position.z) 1\n"
    }
    return text + "\n"
  }

  /// The name of a block: the comment where it is a word, else the formula; numbered among several.
  private static func name(_ record: StructureRecord, _ formula: String, _ number: Int?) -> String {
    let characters = record.comment.unicodeScalars.map { scalar -> Character in
      scalar.value > 32 && scalar.value < 127 ? Character(scalar) : "_"
    }
    let base = characters.isEmpty ? formula : String(characters.prefix(70))
    return characters.isEmpty ? base + (number.map { "-\($0)" } ?? "") : base
  }
}
