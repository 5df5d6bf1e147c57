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
  /// VASP's `vasprun.xml`; read only.
  case vasprun
  /// VASP's `OUTCAR`; read only.
  case outcar

  /// Whether structures can be written in it; the others are outputs of programs.
  public var isWritable: Bool { outputKind == nil }

  /// The formats that can be written.
  public static var writable: [StructureFormat] { allCases.filter(\.isWritable) }

  /// The format a file name stands for.
  ///
  /// - Parameter path: A path; only its last component counts.
  /// - Returns: `nil` where the name says nothing.
  public static func recognized(path: String) -> StructureFormat? {
    var name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    if name.hasSuffix(".gz") { name.removeLast(3) }
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
    case .vasprun: VasprunFormat.self
    case .outcar: OutcarFormat.self
    }
  }

  /// Which output of VASP it is, where it is one.
  var outputKind: VASPOutput.Kind? {
    switch self {
    case .vasprun: .vasprun
    case .outcar: .outcar
    case .poscar, .extxyz, .cfg, .cif: nil
    }
  }
}
