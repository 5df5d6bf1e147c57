import Crystal
import NumericalCore
import ReferenceEngines
import Settings

/// Inputs for `pw.x` of Quantum ESPRESSO: `relax.in` and `static.in` for every candidate.
package struct EspressoExport: CalculationExport {
  let pseudopotentials: PseudopotentialList
  let pressureGPa: Double
  let force: Double
  /// Largest distance between k-points in 1/Å, with 2π.
  let kSpacing = 0.25
  /// Width of the Gaussian smearing in eV.
  let smearing = 0.05

  /// Creates an export at a pressure in GPa, to a largest force in eV/Å.
  package init(pseudopotentials: PseudopotentialList, pressureGPa: Double, force: Double = 0.02) {
    self.pseudopotentials = pseudopotentials
    self.pressureGPa = pressureGPa
    self.force = force
  }

  package func files(for structure: Structure, title: String) throws -> [File] {
    [
      ("relax.in", try input(structure, title, isRelaxation: true)),
      ("static.in", try input(structure, title, isRelaxation: false)),
    ]
  }

  private func input(
    _ structure: Structure, _ title: String, isRelaxation: Bool
  ) throws -> String {
    let elements = structure.distinctElements()
    let rydberg = PhysicalConstants.electronvoltsPerHartree / 2
    let bohr = PhysicalConstants.angstromsPerBohr
    var text = "! \(title)\n&CONTROL\n"
    text += "  calculation = '\(isRelaxation ? "vc-relax" : "scf")'\n"
    text += "  prefix = '\(isRelaxation ? "relax" : "static")'\n  outdir = './out'\n"
    text += "  pseudo_dir = '\(pseudopotentials.folder)'\n"
    text += "  tprnfor = .true.\n  tstress = .true.\n"
    if isRelaxation {
      // From eV/Å to Ry/bohr.
      text += "  forc_conv_thr = \(short(force * bohr / rydberg))\n  etot_conv_thr = 1.0e-5\n"
      text += "  nstep = 200\n"
    }
    text += "/\n&SYSTEM\n  ibrav = 0\n  nat = \(structure.atomCount)\n  ntyp = \(elements.count)\n"
    text += "  ecutwfc = \(short(pseudopotentials.cutoff / rydberg))\n"
    text += "  ecutrho = \(short(pseudopotentials.densityCutoff / rydberg))\n"
    text += "  occupations = 'smearing'\n  smearing = 'gaussian'\n"
    text += "  degauss = \(short(smearing / rydberg))\n/\n"
    text += "&ELECTRONS\n  conv_thr = 1.0e-8\n  mixing_beta = 0.4\n  electron_maxstep = 200\n/\n"
    if isRelaxation {
      text += "&IONS\n  ion_dynamics = 'bfgs'\n/\n&CELL\n  cell_dynamics = 'bfgs'\n"
      // Pressures are in kbar.
      text += "  press = \(short(10 * pressureGPa))\n  press_conv_thr = 0.5\n/\n"
    }
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
      Check that the cutoffs suit the pseudopotentials.
      Afterwards `polymorph rerank CAMPAIGN --collect .` ranks the candidates by these energies and compares
      them with the potential's; it reads `candidate.json`, `relax.out` and `static.out`.

      """
    return [("README.md", readme), ("run.sh", script)]
  }
}

/// The pseudopotentials of Quantum ESPRESSO for some elements.
///
/// ```yaml
/// folder: /usr/share/espresso/pseudo
/// files: {Si: Si.pbe-rrkj.UPF}
/// cutoff: 680             # eV, of the waves
/// density_cutoff: 5400    # eV
/// ```
package struct PseudopotentialList: Sendable {
  /// The file, for messages.
  let path: String
  /// The folder that holds the files.
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
    folder = try reader.required("folder", "the folder of the pseudopotentials").string("a folder")
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
      files[element] = try value.string("a file name")
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
