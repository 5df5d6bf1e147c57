import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings

/// Inputs for `pw.x` of Quantum ESPRESSO: `relax.in` and `static.in` for every candidate.
package struct EspressoExport: CalculationExport {
  /// Where pseudopotentials and parameters come from.
  private enum Method {
    /// A file of its own; k-points and smearing are those below.
    case named(PseudopotentialList)
    /// The campaign's labels: the inputs are the engine's own.
    case campaign(EspressoProgram)
  }

  private let method: Method
  let pressureGPa: Double
  let force: Double
  /// Largest distance between k-points in 1/Å, with 2π.
  let kSpacing = 0.25
  /// Width of the Gaussian smearing in eV.
  let smearing = 0.05

  /// Creates an export at a pressure in GPa, to a largest force in eV/Å.
  package init(pseudopotentials: PseudopotentialList, pressureGPa: Double, force: Double = 0.02) {
    self.init(.named(pseudopotentials), pressureGPa, force)
  }

  /// Creates an export by the campaign's own method, at a pressure in GPa, to a largest force in eV/Å.
  package init(campaign program: EspressoProgram, pressureGPa: Double, force: Double = 0.02) {
    self.init(.campaign(program), pressureGPa, force)
  }

  private init(_ method: Method, _ pressureGPa: Double, _ force: Double) {
    self.method = method
    self.pressureGPa = pressureGPa
    self.force = force
  }

  package func files(for structure: Structure, title: String) throws -> [File] {
    func input(isRelaxation: Bool) throws -> String {
      switch method {
      case .named(let list): try self.input(structure, title, list, isRelaxation: isRelaxation)
      case .campaign(let program):
        try "! \(title)\n"
          + campaignInput(program.inputText(for: structure), isRelaxation: isRelaxation)
      }
    }
    return [
      ("relax.in", try input(isRelaxation: true)), ("static.in", try input(isRelaxation: false)),
    ]
  }

  /// The engine's input with the pseudopotentials beside the candidates' folders.
  private func campaignInput(_ text: String, isRelaxation: Bool) -> String {
    var input = EspressoInput(text)
    input.set("pseudo_dir", "'../'")
    if isRelaxation {
      input.set("calculation", "'vc-relax'")
      for (name, value) in relaxationControl { input.set(name, value) }
      input.add(relaxationNamelists)
    }
    return input.text
  }

  /// What a relaxation needs in the namelist `control`; forces go from eV/Å to Ry/bohr.
  private var relaxationControl: [(name: String, value: String)] {
    let rydberg = PhysicalConstants.electronvoltsPerHartree / 2
    let limit = short(force * PhysicalConstants.angstromsPerBohr / rydberg)
    return [("forc_conv_thr", limit), ("etot_conv_thr", "1.0e-5"), ("nstep", "200")]
  }

  /// The namelists of a relaxation; pressures are in kbar.
  private var relaxationNamelists: String {
    """
    &IONS
      ion_dynamics = 'bfgs'
    /
    &CELL
      cell_dynamics = 'bfgs'
      press = \(short(10 * pressureGPa))
      press_conv_thr = 0.5
    /
    """
  }

  private func input(
    _ structure: Structure, _ title: String, _ pseudopotentials: PseudopotentialList,
    isRelaxation: Bool
  ) throws -> String {
    let elements = structure.distinctElements()
    let rydberg = PhysicalConstants.electronvoltsPerHartree / 2
    var text = "! \(title)\n&CONTROL\n"
    text += "  calculation = '\(isRelaxation ? "vc-relax" : "scf")'\n"
    text += "  prefix = '\(isRelaxation ? "relax" : "static")'\n  outdir = './out'\n"
    text += "  pseudo_dir = '\(pseudopotentials.folder)'\n"
    text += "  tprnfor = .true.\n  tstress = .true.\n"
    if isRelaxation {
      for (name, value) in relaxationControl { text += "  \(name) = \(value)\n" }
    }
    text += "/\n&SYSTEM\n  ibrav = 0\n  nat = \(structure.atomCount)\n  ntyp = \(elements.count)\n"
    text += "  ecutwfc = \(short(pseudopotentials.cutoff / rydberg))\n"
    text += "  ecutrho = \(short(pseudopotentials.densityCutoff / rydberg))\n"
    text += "  occupations = 'smearing'\n  smearing = 'gaussian'\n"
    text += "  degauss = \(short(smearing / rydberg))\n/\n"
    text += "&ELECTRONS\n  conv_thr = 1.0e-8\n  mixing_beta = 0.4\n  electron_maxstep = 200\n/\n"
    if isRelaxation { text += relaxationNamelists + "\n" }
    text += "ATOMIC_SPECIES\n"
    for element in elements {
      text += "  \(element) \(element.mass) \(try pseudopotentials.file(of: element))\n"
    }
    let mesh = structure.reciprocalMesh(spacing: kSpacing).map(String.init)
    text += "K_POINTS automatic\n  \(mesh.joined(separator: " ")) 0 0 0\n"
    // These two come last: the script puts the relaxed ones in their place.
    text += "CELL_PARAMETERS angstrom\n"
    for axis in 0..<3 { text += "  \(vector(structure.lattice.vectors[axis]))\n" }
    text += "ATOMIC_POSITIONS crystal\n"
    for (element, position) in zip(structure.species, structure.fractionalPositions()) {
      text += "  \(element) \(vector(position))\n"
    }
    return text
  }

  private func vector(_ v: Vector3) -> String { "\(v.x) \(v.y) \(v.z)" }

  /// Six digits: for limits and cutoffs.
  private func short(_ value: Double) -> String {
    guard value != 0 else { return "0" }
    var scale = 1.0
    while abs(value) * scale < 1e5 { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }

  package func commonFiles() -> [File] {
    let script = ExportScript.text(
      "PW", example: "mpirun -n 16 pw.x", finished: ("static.out", "JOB DONE"),
      steps: """
        $PW -in relax.in > relax.out || exit 1
        # The relaxed cell and atoms replace those of static.in, which stand at its end.
        grep -q 'Begin final coordinates' relax.out || exit 1
        sed '/^CELL_PARAMETERS/,$d' static.in > static.next
        sed -n '/Begin final coordinates/,/End final coordinates/p' relax.out \\
          | sed -n '/^CELL_PARAMETERS/,$p' | sed '/^End final/d' >> static.next
        mv static.next static.in || exit 1
        $PW -in static.in > static.out || exit 1
        """)
    let readme = """
      # Candidates for Quantum ESPRESSO

      Each folder holds one candidate and the inputs of two steps.

      1. `relax.in`: atoms and cell to rest at \(VASPSettings.number(pressureGPa)) GPa (`vc-relax`).
      2. `static.in`: energy, forces and stress of the relaxed structure. It holds the structure of the search
         until the final `CELL_PARAMETERS` and `ATOMIC_POSITIONS` of `relax.out` are put in their place.

      `PW="mpirun -n 16 pw.x" ./run.sh` does all of it and goes on where it was stopped.
      \(methodNote)
      Afterwards `polymorph rerank CAMPAIGN --collect .` ranks the candidates by these energies and compares
      them with the potential's; it reads `candidate.json`, `relax.out` and `static.out`.

      """
    return [("README.md", readme), ("run.sh", script)]
  }

  private var methodNote: String {
    switch method {
    case .named: "Check that the cutoffs suit the pseudopotentials."
    case .campaign(let program):
      """
      The method is the campaign's own (\(program.summary));
      its pseudopotentials lie beside this file, where the inputs look for them.
      """
    }
  }

  /// The campaign's pseudopotentials go with the export; a file names a folder, which stays where it is.
  package func copies() throws -> [(name: String, source: String)] {
    guard case .campaign(let program) = method else { return [] }
    var written: [String: PseudopotentialFile] = [:]
    for (_, file) in program.parameters.pseudopotentials.sorted(by: { $0.key < $1.key }) {
      if let other = written[file.name], other.digest != file.digest {
        throw CampaignError.wrongInput(
          "export --format espresso: \(other.path) and \(file.path) need different names in one "
            + "folder")
      }
      written[file.name] = written[file.name] ?? file
    }
    return written.sorted { $0.key < $1.key }.map { ($0.key, $0.value.path) }
  }
}

/// The pseudopotentials of Quantum ESPRESSO for some elements.
///
/// ```yaml
/// folder: /usr/share/espresso/pseudo   # a relative one counts from this file's folder
/// files: {Si: Si.pbe-rrkj.UPF}
/// cutoff: 680             # eV, of the waves
/// density_cutoff: 5400    # eV
/// ```
package struct PseudopotentialList: Sendable {
  /// The file, for messages.
  let path: String
  /// The folder that holds the files, as an absolute path: `pw.x` runs in the candidates' folders.
  let folder: String
  /// The file of an element.
  let files: [ChemicalElement: String]
  /// Cutoff of the waves in eV.
  let cutoff: Double
  /// Cutoff of the density in eV.
  let densityCutoff: Double

  /// Reads a file.
  ///
  /// - Throws: `SettingsError` with file, line and key.
  package init(path: String) throws(SettingsError) {
    self.path = path
    var reader = try SettingsDocument(path: path).mapping()
    let place = try reader.required("folder", "the folder of the pseudopotentials")
      .string("a folder")
    folder =
      place.hasPrefix("/")
      ? place
      : URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(place)
        .standardizedFileURL.path
    cutoff = try reader.optional("cutoff")?.number(in: 50...5000, unit: "eV") ?? 680
    densityCutoff =
      try reader.optional("density_cutoff")?.number(in: 4 * cutoff...1e5, unit: "eV") ?? 8 * cutoff
    var files: [ChemicalElement: String] = [:]
    var entries = try reader.required("files", "one file per element, such as {Si: Si.upf}")
      .mapping()
    for (key, value) in entries.allValues() {
      guard let element = ChemicalElement(symbol: key) else {
        throw value.error(found: "the key '\(key)'", allowed: "element symbols such as Si")
      }
      let name = try value.string("a file name")
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder),
        !isFolder.boolValue
      else {
        throw value.error(
          found: "no file \(folder)/\(name)", allowed: "a pseudopotential in the 'folder:'")
      }
      files[element] = name
    }
    self.files = files
    try entries.finish()
    try reader.finish()
  }

  /// The file of an element.
  ///
  /// - Throws: `CampaignError.wrongInput` where none is named.
  func file(of element: ChemicalElement) throws(CampaignError) -> String {
    guard let file = files[element] else {
      throw .wrongInput(
        "\(path): files: found no pseudopotential of \(element), allowed: one per element")
    }
    return file
  }
}
