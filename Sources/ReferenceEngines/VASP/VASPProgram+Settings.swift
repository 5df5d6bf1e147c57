import Crystal
import Settings

extension VASPProgram {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: vasp
  /// command: [mpirun, -n, 16, vasp_std]  # without it, inputs are only written
  /// potcar_folder: /opt/vasp/potpaw_PBE  # holds Ti_pv/POTCAR; relative paths count from this file
  /// potentials: {Ti: Ti_pv, O: O}        # default: those that VASP's documentation recommends
  /// cutoff: 520                          # eV
  /// k_spacing: 0.25                      # 1/Å, with 2π
  /// smearing: {kind: gaussian, width: 0.05}  # or methfessel-paxton, fermi-dirac; eV
  /// spin: true                           # default: only where moments are given
  /// magnetic_moments: {Fe: 3}            # Bohr magnetons per atom
  /// convergence: 1.0e-6                  # eV
  /// steps: 100
  /// time_limit: 2h
  /// incar: {LREAL: Auto, NCORE: 4}
  /// ```
  ///
  /// - Throws: `SettingsError` with file, line and key.
  public init(_ reader: inout SettingsReader) throws(SettingsError) {
    var settings = VASPSettings()
    if let value = reader.optional("cutoff") {
      settings.cutoff = try value.number(in: Self.cutoffs, unit: "eV")
    }
    if let value = reader.optional("k_spacing") {
      settings.kSpacing = try value.number(in: Self.kSpacings, unit: "1/Å")
    }
    if let value = reader.optional("smearing") {
      var smearing = try value.mapping()
      settings.smearing = try smearing.optional("kind")?.enumeration() ?? settings.smearing
      settings.smearingWidth =
        try smearing.optional("width")?.positiveNumber(upTo: 5, unit: "eV")
        ?? settings.smearingWidth
      try smearing.finish()
    }
    let moments = reader.optional("magnetic_moments")
    settings.isSpinPolarized = try reader.optional("spin")?.flag() ?? (moments != nil)
    if let value = moments {
      guard settings.isSpinPolarized else {
        throw value.error(
          allowed: "no moments with 'spin: false'", suggestion: "write 'spin: true'")
      }
      for (element, value) in try value.elementValues() {
        settings.magneticMoments[element] = try value.number(in: -20...20, unit: "Bohr magnetons")
      }
    }
    if let value = reader.optional("convergence") {
      settings.convergence = try value.number(in: 1e-12...1e-2, unit: "eV")
    }
    settings.steps = try reader.optional("steps")?.integer(in: 2...10_000) ?? settings.steps
    settings.tags =
      try reader.optional("incar").map { value throws(SettingsError) in
        try Self.tags(value)
      } ?? []
    settings.potentials.folder = try reader.optional("potcar_folder")?.path("a folder")
    for (element, value) in try reader.optional("potentials")?.elementValues() ?? [] {
      settings.potentials.names[element] = try value.potentialName(of: element)
    }
    let command = try Self.command(&reader)
    if let value = command.value, settings.potentials.folder == nil {
      throw value.error(
        found: "a command but no potcar_folder",
        allowed: "potcar_folder: the folder of your VASP potentials, which the command needs")
    }
    self.init(settings, command: command.words)
  }

  private static func command(
    _ reader: inout SettingsReader
  ) throws(SettingsError) -> (words: [String], value: SettingsValue?) {
    guard let value = reader.optional("command") else { return ([], nil) }
    return (try value.command(), value)
  }

  /// Reads `incar:`; what the engine decides itself is refused by name.
  private static func tags(_ value: SettingsValue) throws(SettingsError) -> [VASPSettings.Tag] {
    var reader = try value.mapping()
    var tags: [VASPSettings.Tag] = []
    for (name, value) in reader.allValues() {
      if let key = ownedTags[name.uppercased()] {
        throw value.error(
          found: "\(name), which the engine sets", allowed: "other tags of the INCAR",
          suggestion: key.isEmpty ? "leave it out" : "use the key '\(key)'")
      }
      guard !name.isEmpty, name.utf8.allSatisfy({ isTagByte($0) }) else {
        throw value.error(found: "the tag '\(name)'", allowed: "a tag of the INCAR in capitals")
      }
      tags.append(VASPSettings.Tag(name, try text(of: value)))
    }
    try reader.finish()
    return tags.sorted { $0.name < $1.name }
  }

  private static func isTagByte(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "_")
  }

  private static func text(of value: SettingsValue) throws(SettingsError) -> String {
    if value.isList {
      var words: [String] = []
      for word in try value.list("words", counts: 1...100_000) { words.append(try text(of: word)) }
      return words.joined(separator: " ")
    }
    if let flag = try? value.flag() { return flag ? ".TRUE." : ".FALSE." }
    let text = try value.string("a value of the INCAR")
    guard text.allSatisfy({ !$0.isNewline && !";#!=".contains($0) }) else {
      throw value.error(allowed: "one value without ; # ! = and line breaks")
    }
    return text
  }

  /// What the engine sets, with the key of the settings that decides it.
  private static let ownedTags: [String: String] = [
    "SYSTEM": "", "ISTART": "", "ICHARG": "", "ENCUT": "cutoff", "ENMAX": "cutoff",
    "EDIFF": "convergence", "NELM": "steps", "ISMEAR": "smearing", "SIGMA": "smearing",
    "ISPIN": "spin", "MAGMOM": "magnetic_moments", "IBRION": "", "NSW": "", "ISIF": "",
    "EDIFFG": "", "POTIM": "", "PSTRESS": "", "KSPACING": "k_spacing", "KGAMMA": "k_spacing",
    "LWAVE": "", "LCHARG": "", "ML_LMLFF": "", "ML_MODE": "", "NBLOCK": "",
  ]
}

extension SettingsValue {
  /// The name of a potential, which must be one of the element and no path.
  fileprivate func potentialName(of element: ChemicalElement) throws(SettingsError) -> String {
    let name = try string("the name of a potential")
    let parts = name.split(omittingEmptySubsequences: false) { "_./".contains($0) }
    guard !name.contains("/"), !name.hasPrefix("."), parts.first.map(String.init) == element.symbol
    else {
      throw error(
        allowed: "the name of a potential of \(element), such as \(element) or \(element)_pv")
    }
    return name
  }
}
