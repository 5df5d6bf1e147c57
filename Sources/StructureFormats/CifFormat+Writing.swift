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
  var operations: [CifOperation]
  var sites: [Site]

  /// The description without symmetry.
  ///
  /// A left-handed lattice is turned into the right-handed (a, b, −c): lengths and angles alone
  /// cannot tell them apart, and the crystal would become its mirror image.
  init(withoutSymmetry structure: Structure) throws(CrystalError) {
    symbol = "P 1"
    number = 1
    operations = [.identity]
    var vectors = structure.lattice.vectors
    let isLeftHanded = vectors.determinant < 0
    if isLeftHanded { vectors.c = -vectors.c }
    lattice = try Lattice(vectors)
    sites = zip(structure.species, structure.fractionalPositions()).map { element, position in
      var position = position
      if isLeftHanded { position.z = -position.z }
      return Site(element: element, position: position, multiplicity: 1, wyckoff: "a")
    }
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
        let description = try CifDescription(withoutSymmetry: record.structure)
        text += block(record, description, naming, number: records.count > 1 ? index + 1 : nil)
      } catch { throw FormatError(path: path, "entry \(index + 1): \(error)") }
    }
    return text
  }

  private static func block(
    _ record: StructureRecord, _ crystal: CifDescription, _ naming: SpeciesNaming, number: Int?
  ) -> String {
    let composition = record.structure.composition()
    let parts = zip(composition.elements, composition.counts)
      .map { "\(naming.named($0).symbol)\($1 == 1 ? "" : "\($1)")" }
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
    for operation in crystal.operations { text += "'\(operation.text)'\n" }
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
