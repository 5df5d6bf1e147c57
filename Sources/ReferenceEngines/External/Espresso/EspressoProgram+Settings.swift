import Crystal
import Foundation
import Settings

extension EspressoProgram.Parameters {
  /// Debian's place.
  private static let usualFolder = "/usr/share/espresso/pseudo"

  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: espresso
  /// command: pw.x                 # or [mpirun, -n, 2, pw.x]
  /// pseudopotentials: {Si: Si.pbe-rrkj.UPF}
  /// pseudopotential_folder: /usr/share/espresso/pseudo
  /// cutoff: 18                    # Ry
  /// density_cutoff: 72            # Ry
  /// k_spacing: 0.3                # 1/Å, with 2π
  /// smearing: {kind: gaussian, width: 0.1}   # eV
  /// spin: false
  /// convergence: 1.0e-8           # Ry per cell
  /// steps: 100
  /// mixing: 0.4
  /// extra: {system: {nbnd: 40}}
  /// ```
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let ry = "Ry"
    let command = try reader.command(default: "pw.x")
    let environment = try reader.environment()
    let files = try Self.pseudopotentials(&reader)
    let cutoff = try reader.required("cutoff", "an energy in Ry").number(
      in: EspressoProgram.cutoffs, unit: ry)
    let density = try reader.optional("density_cutoff")?.number(
      in: 4 * cutoff...100 * cutoff, unit: ry, suggestion: "at least 4 times the cutoff")
    self.init(pseudopotentials: files, cutoff: cutoff, densityCutoff: density)
    self.command = command
    self.environment = environment
    if let value = reader.optional("k_spacing") {
      kPointSpacing = try value.number(in: EspressoProgram.kSpacings, unit: "1/Å")
    }
    var smearingReader = try reader.section("smearing")
    if let value = smearingReader.optional("kind") { smearing = try value.enumeration() }
    if let value = smearingReader.optional("width") {
      smearingWidth = try value.number(in: 1e-4...5, unit: "eV")
    }
    try smearingReader.finish()
    isSpinPolarized = try reader.optional("spin")?.flag() ?? false
    for (element, value) in try reader.optional("magnetization")?.elementValues() ?? [] {
      startingMagnetization[element] = try value.number(in: -1...1)
    }
    convergence = try reader.optional("convergence")?.number(in: 1e-14...1e-2, unit: ry)
    steps = try reader.optional("steps")?.integer(in: 1...10000) ?? steps
    mixing = try reader.optional("mixing")?.number(in: 0.01...1) ?? mixing
    extra = try Self.extra(&reader)
  }

  private static func pseudopotentials(
    _ reader: inout SettingsReader
  ) throws(SettingsError) -> [ChemicalElement: PseudopotentialFile] {
    let folder = try reader.optional("pseudopotential_folder")?.path("a folder") ?? usualFolder
    let block = try reader.required("pseudopotentials", "a file for every element")
    var files: [ChemicalElement: PseudopotentialFile] = [:]
    for (element, value) in try block.elementValues() {
      let name = try value.string("a file name")
      let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
      let file: PseudopotentialFile
      do { file = try PseudopotentialFile(path: path) } catch {
        throw value.error(
          found: "no readable file \(path)", allowed: "a pseudopotential",
          suggestion: "give its folder in 'pseudopotential_folder:'")
      }
      if let named = file.element, named != element {
        throw value.error(found: "a pseudopotential of \(named)", allowed: "one of \(element)")
      }
      guard !files.values.contains(where: { $0.name == file.name && $0.digest != file.digest })
      else {
        throw value.error(
          found: "\(path), another file of the name \(file.name)",
          allowed: "pseudopotentials with different names",
          suggestion: "they lie in one folder in a calculation: rename one")
      }
      files[element] = file
    }
    guard !files.isEmpty else { throw block.error(allowed: "a file for every element") }
    return files
  }

  /// What the engine decides itself.
  private static let owned = [
    "control": [
      "calculation", "prefix", "outdir", "wfcdir", "pseudo_dir", "tprnfor", "tstress", "disk_io",
      "restart_mode", "max_seconds", "nstep",
    ],
    "system": [
      "ibrav", "nat", "ntyp", "ecutwfc", "ecutrho", "occupations", "smearing", "degauss", "nspin",
      "celldm", "a", "b", "c", "cosab", "cosac", "cosbc", "starting_magnetization",
    ],
    "electrons": ["conv_thr", "electron_maxstep", "mixing_beta", "startingpot"],
  ]

  private static func extra(
    _ reader: inout SettingsReader
  ) throws(SettingsError) -> [String: [String: String]] {
    var section = try reader.section("extra")
    var result: [String: [String: String]] = [:]
    for (namelist, names) in owned.sorted(by: { $0.key < $1.key }) {
      guard var block = try section.optional(namelist)?.mapping() else { continue }
      for (key, value) in block.allValues() {
        let name = key.lowercased()
        guard
          name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_(),%".contains($0)) })
        else { throw value.error(found: "'\(key)'", allowed: "the name of a variable") }
        guard !names.contains(String(name.prefix { $0 != "(" })) else {
          throw value.error(
            found: "a variable that the program sets itself", allowed: "other variables")
        }
        result[namelist, default: [:]][name] = try value.fortran()
      }
    }
    try section.finish()
    return result
  }
}

extension SettingsValue {
  /// The value as a Fortran namelist takes it.
  fileprivate func fortran() throws(SettingsError) -> String {
    let text = try string("a number, a truth value or a text")
    guard case .scalar(_, let isPlain) = node.content else { return text }
    if isPlain {
      if text == "true" { return ".true." }
      if text == "false" { return ".false." }
      let number = text.lowercased().replacing("d", with: "e")
      if Double(number) != nil, text.first != "n", text.first != "i" { return text }
    }
    guard !text.contains("'"), !text.contains(where: \.isNewline) else {
      throw error(allowed: "a text without quotes and line breaks")
    }
    return "'\(text)'"
  }
}
