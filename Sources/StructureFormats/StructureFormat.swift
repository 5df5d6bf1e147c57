/// The file formats for structures.
public enum StructureFormat: String, CaseIterable, Sendable {
  /// VASP's POSCAR and CONTCAR, versions 4 and 5.
  case poscar
  /// Extended XYZ in ASE's convention.
  case extxyz
  /// MLIP's `.cfg`.
  case cfg
  /// The Crystallographic Information File.
  case cif

  /// The format a file name stands for.
  ///
  /// - Parameter path: A path; only its last component counts.
  /// - Returns: `nil` where the name says nothing.
  public static func recognized(path: String) -> StructureFormat? {
    let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    let parts = name.split(separator: ".")
    if let ending = parts.last, parts.count > 1 || name.hasPrefix(".") {
      for format in allCases where format.implementation.endings.contains(String(ending)) {
        return format
      }
    }
    for format in allCases {
      for prefix in format.implementation.prefixes where name.hasPrefix(prefix) { return format }
    }
    return nil
  }

  /// The code that reads and writes the format.
  var implementation: any StructureTextFormat.Type {
    switch self {
    case .poscar: PoscarFormat.self
    case .extxyz: ExtendedXYZFormat.self
    case .cfg: ConfigurationFormat.self
    case .cif: CifFormat.self
    }
  }
}
