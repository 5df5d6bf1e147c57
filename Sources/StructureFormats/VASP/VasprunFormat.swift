import Crystal

/// VASP's `vasprun.xml`, every ionic step with its label; it is read, never written.
enum VasprunFormat: StructureTextFormat {
  static let endings = ["xml"]
  static let prefixes = ["vasprun"]

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    try VASPOutput(bytes: Array(lines.allBytes), path: lines.path, kind: .vasprun).records()
  }

  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    throw FormatError(
      path: path, "vasprun.xml is written by VASP alone", allowed: "poscar, extxyz, cfg or cif")
  }
}

/// VASP's `OUTCAR`, every ionic step with its label; it is read, never written.
enum OutcarFormat: StructureTextFormat {
  static let endings = ["outcar"]
  static let prefixes = ["outcar"]

  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord] {
    try VASPOutput(bytes: Array(lines.allBytes), path: lines.path, kind: .outcar).records()
  }

  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String {
    throw FormatError(
      path: path, "an OUTCAR is written by VASP alone", allowed: "poscar, extxyz, cfg or cif")
  }
}
