import Crystal
import Foundation
import Settings

extension Cp2kProgram.Parameters {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: cp2k
  /// command: cp2k.psmp            # or [mpirun, -n, 2, cp2k.psmp]
  /// basis: DZVP-MOLOPT-SR-GTH     # of all elements, or {Si: DZVP-MOLOPT-SR-GTH}
  /// basis_file: BASIS_MOLOPT      # in CP2K's data folder, or a path
  /// potentials: GTH-PBE           # of all elements, or {Si: GTH-PBE-q4}
  /// potential_file: GTH_POTENTIALS
  /// functional: PBE
  /// cutoff: 300                   # Ry
  /// rel_cutoff: 50                # Ry
  /// k_spacing: 0.3                # 1/Å, with 2π
  /// smearing: {kind: fermi-dirac, width: 0.1}   # eV
  /// added_mos: 20
  /// spin: true                    # default: only where moments are given
  /// magnetic_moments: {Fe: 3}     # that atoms start from, in Bohr magnetons; default: 1
  /// ```
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let ry = "Ry"
    let command = try reader.command(default: "cp2k.psmp")
    let environment = try reader.environment()
    let bases = try Names(&reader, "basis", file: "BASIS_MOLOPT", "basis_file")
    let potentials = try Names(&reader, "potentials", file: "GTH_POTENTIALS", "potential_file")
    let cutoff = try reader.required("cutoff", "an energy in Ry").number(
      in: Cp2kProgram.cutoffs, unit: ry)
    var kinds: [ChemicalElement: Kind] = [:]
    let usual = Kind()
    for element in bases.elements(usual.basis) {
      guard potentials.elements(usual.potential).contains(element) else {
        if let place = bases.places[element] {
          throw place.error(
            found: "no pseudopotential of \(element)",
            allowed: "elements with one in \(potentials.file.path)",
            suggestion: "name it in 'potentials:', or the file in 'potential_file:'")
        }
        continue
      }
      kinds[element] = Kind(
        basis: bases.name(of: element) ?? usual.basis,
        potential: potentials.name(of: element) ?? usual.potential)
    }
    guard !kinds.isEmpty else {
      throw reader.error(
        found: "no element with both a basis set and a pseudopotential",
        allowed: "names that the files hold")
    }
    self.init(
      basisFile: bases.file, potentialFile: potentials.file, kinds: kinds, cutoff: cutoff)
    self.command = command
    self.environment = environment
    if let value = reader.optional("rel_cutoff") {
      relativeCutoff = try value.number(in: 5...1000, unit: ry)
    }
    if let value = reader.optional("k_spacing") {
      kPointSpacing = try value.number(in: Cp2kProgram.kSpacings, unit: "1/Å")
    }
    functional = try reader.optional("functional")?.enumeration() ?? functional
    var smearing = try reader.section("smearing")
    _ = try smearing.optional("kind")?.word(of: ["fermi-dirac"])
    if let value = smearing.optional("width") {
      smearingWidth = try value.number(in: 1e-4...5, unit: "eV")
    }
    try smearing.finish()
    addedOrbitals = try reader.optional("added_mos")?.integer(in: 0...100_000)
    let moments = reader.optional("magnetic_moments")
    isSpinPolarized = try reader.optional("spin")?.flag() ?? (moments != nil)
    if let value = moments {
      guard isSpinPolarized else {
        throw value.error(
          allowed: "no moments with 'spin: false'", suggestion: "write 'spin: true'")
      }
      for (element, value) in try value.elementValues() {
        magneticMoments[element] = try value.number(in: -20...20, unit: "Bohr magnetons")
      }
    }
    let places = potentials.places.sorted { $0.key < $1.key }
    for (element, place) in places where isSpinPolarized {
      guard let name = kinds[element]?.potential else { continue }
      guard potentials.file.valenceElectrons(name, of: element) != nil else {
        throw place.error(
          found: "'\(name)' without numbers of electrons",
          allowed: "an entry with those in s, p, d and f, which calculations with spin need")
      }
    }
    convergence = try reader.optional("convergence")?.number(in: 1e-14...1e-2) ?? convergence
    steps = try reader.optional("steps")?.integer(in: 1...10000) ?? steps
    mixing = try reader.optional("mixing")?.number(in: 0.01...1) ?? mixing
  }

  /// Entries of a data file: one name for all elements, or one for each.
  private struct Names {
    let file: Cp2kDataFile
    private var common: String?
    private var own: [ChemicalElement: String] = [:]
    /// Where elements have names of their own.
    private(set) var places: [ChemicalElement: SettingsValue] = [:]

    init(
      _ reader: inout SettingsReader, _ key: String, file usual: String, _ fileKey: String
    ) throws(SettingsError) {
      let place = reader.optional(fileKey)
      let name = try place?.string("a file") ?? usual
      let path =
        name.contains("/")
        ? try place?.path("a file") ?? name : "\(Cp2kDataFile.usualFolder)/\(name)"
      do { file = try Cp2kDataFile(path: path) } catch {
        let hint = "give a path, or the folder of CP2K's data in CP2K_DATA_DIR"
        let found = "no readable file \(path)"
        throw place?.error(found: found, allowed: "a data file of CP2K", suggestion: hint)
          ?? reader.error(found: found, allowed: "a data file of CP2K", suggestion: hint)
      }
      guard let value = reader.optional(key) else { return }
      if !value.isMapping {
        let name = try value.string("a name, or one for every element")
        guard !file.elements(with: name).isEmpty else { throw Self.missing(name, value, file) }
        common = name
        return
      }
      for (element, entry) in try value.elementValues() {
        let name = try entry.string("a name in \(file.path)")
        guard file.has(name, of: element) else { throw Self.missing(name, entry, file) }
        own[element] = name
        places[element] = entry
      }
    }

    private static func missing(
      _ name: String, _ value: SettingsValue, _ file: Cp2kDataFile
    ) -> SettingsError {
      value.error(found: "'\(name)'", allowed: "a name that \(file.path) holds for the element")
    }

    func name(of element: ChemicalElement) -> String? { own[element] ?? common }

    /// The elements that have an entry.
    func elements(_ usual: String) -> [ChemicalElement] {
      own.isEmpty ? file.elements(with: common ?? usual) : own.keys.sorted()
    }
  }
}
