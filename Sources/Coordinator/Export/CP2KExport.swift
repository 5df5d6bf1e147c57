import Crystal
import NumericalCore
import ReferenceEngines

/// Inputs for CP2K: `relax.inp` (CELL_OPT) and `static.inp` (ENERGY_FORCE) for every candidate.
///
/// Where the campaign's labels are of CP2K, the inputs are the engine's own; otherwise basis sets and
/// pseudopotentials are those that CP2K ships for PBE.
package struct CP2KExport: CalculationExport {
  private let campaign: Cp2kProgram?
  let pressureGPa: Double
  let force: Double
  /// Largest distance between k-points in 1/Å, with 2π.
  let kSpacing = 0.25

  /// Creates an export at a pressure in GPa, to a largest force in eV/Å.
  ///
  /// - Parameters:
  ///   - campaign: The campaign's own method; `nil` for PBE with the usual basis.
  ///   - pressureGPa: In GPa.
  ///   - force: In eV/Å.
  package init(campaign: Cp2kProgram? = nil, pressureGPa: Double, force: Double = 0.02) {
    self.campaign = campaign
    self.pressureGPa = pressureGPa
    self.force = force
  }

  package func files(for structure: Structure, title: String) throws -> [File] {
    func input(_ step: Step) throws -> String {
      guard let campaign else { return self.input(structure, title, step) }
      return try "! \(title)\n" + campaignInput(campaign.inputText(for: structure), step)
    }
    return [("relax.inp", try input(.relax)), ("static.inp", try input(.single))]
  }

  /// The two steps, by the names of their files.
  private enum Step: String {
    case relax
    case single = "static"

    var runType: String { self == .relax ? "CELL_OPT" : "ENERGY_FORCE" }
  }

  /// The engine's input with another kind of run and what that needs.
  private func campaignInput(_ text: String, _ step: Step) -> String {
    var result = ""
    for line in text.split(separator: "\n").map(String.init) {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case "PROJECT": result += "  PROJECT \(step.rawValue)\n"
      case "RUN_TYPE": result += "  RUN_TYPE \(step.runType)\n"
      // Each step has files of its own: CP2K writes on at the end of one that is there.
      case "FILENAME": result += line.replacing("=cp2k.", with: "=\(step.rawValue).") + "\n"
      case "&END" where words.last == "GLOBAL": result += line + "\n" + sections(of: step)
      default: result += line + "\n"
      }
    }
    return result
  }

  /// The sections that a step needs beside those of a single point.
  private func sections(of step: Step) -> String {
    switch step {
    case .relax:
      // From eV/Å to Hartree/bohr; pressures are in bar.
      let limit =
        force * PhysicalConstants.angstromsPerBohr / PhysicalConstants.electronvoltsPerHartree
      return """
        &MOTION
          &CELL_OPT
            TYPE DIRECT_CELL_OPT
            OPTIMIZER BFGS
            MAX_ITER 200
            MAX_FORCE \(Float(limit))
            EXTERNAL_PRESSURE \(Float(10_000 * pressureGPa))
            PRESSURE_TOLERANCE 500
          &END CELL_OPT
        &END MOTION

        """
    case .single:
      return """
        &EXT_RESTART
          RESTART_FILE_NAME relax-1.restart
          RESTART_DEFAULT F
          RESTART_CELL T
          RESTART_POS T
        &END EXT_RESTART

        """
    }
  }

  private func input(_ structure: Structure, _ title: String, _ step: Step) -> String {
    var text = "! \(title)\n&GLOBAL\n  PROJECT \(step.rawValue)\n  RUN_TYPE \(step.runType)\n"
    // Below it, the atoms are not printed.
    text += "  PRINT_LEVEL MEDIUM\n&END GLOBAL\n" + sections(of: step)
    let mesh = structure.reciprocalMesh(spacing: kSpacing).map(String.init).joined(separator: " ")
    text += """
      &FORCE_EVAL
        METHOD QUICKSTEP
        STRESS_TENSOR ANALYTICAL
        &DFT
          BASIS_SET_FILE_NAME BASIS_MOLOPT
          POTENTIAL_FILE_NAME GTH_POTENTIALS
          &MGRID
            CUTOFF 600
            REL_CUTOFF 60
          &END MGRID
          &QS
            EPS_DEFAULT 1.0E-12
          &END QS
          &KPOINTS
            SCHEME MONKHORST-PACK \(mesh)
          &END KPOINTS
          &SCF
            EPS_SCF 1.0E-7
            MAX_SCF 200
            ADDED_MOS 20
            &MIXING
              METHOD BROYDEN_MIXING
              ALPHA 0.3
            &END MIXING
            &SMEAR
              METHOD FERMI_DIRAC
              ELECTRONIC_TEMPERATURE [K] 500
            &END SMEAR
          &END SCF
          &XC
            &XC_FUNCTIONAL PBE
            &END XC_FUNCTIONAL
          &END XC
        &END DFT
        &PRINT
          &FORCES ON
            FILENAME =\(step.rawValue).forces
            NDIGITS 14
          &END FORCES
          &STRESS_TENSOR ON
            FILENAME =\(step.rawValue).stress
          &END STRESS_TENSOR
        &END PRINT
        &SUBSYS
          &CELL

      """
    for (axis, name) in ["A", "B", "C"].enumerated() {
      text += "      \(name) \(vector(structure.lattice.vectors[axis]))\n"
    }
    text += "    &END CELL\n    &COORD\n      SCALED\n"
    for (element, position) in zip(structure.species, structure.fractionalPositions()) {
      text += "      \(element) \(vector(position))\n"
    }
    text += "    &END COORD\n"
    for element in structure.distinctElements() {
      text += """
            &KIND \(element)
              BASIS_SET DZVP-MOLOPT-SR-GTH
              POTENTIAL GTH-PBE
            &END KIND

        """
    }
    return text + "  &END SUBSYS\n&END FORCE_EVAL\n"
  }

  private func vector(_ v: Vector3) -> String { "\(v.x) \(v.y) \(v.z)" }

  package func commonFiles() -> [File] {
    let script = ExportScript.text(
      "CP2K", example: "mpirun -n 16 cp2k.psmp", finished: ("static.out", "PROGRAM ENDED AT"),
      steps: """
        $CP2K -i relax.inp > relax.out || exit 1
        # It reads cell and atoms from relax-1.restart.
        $CP2K -i static.inp > static.out || exit 1
        """)
    let readme = """
      # Candidates for CP2K

      Each folder holds one candidate and the inputs of two steps.

      1. `relax.inp`: atoms and cell to rest at \(VASPSettings.number(pressureGPa)) GPa (`CELL_OPT`).
      2. `static.inp`: energy, forces and stress; it takes the relaxed structure from `relax-1.restart`.

      `CP2K="mpirun -n 16 cp2k.psmp" ./run.sh` does all of it and goes on where it was stopped.
      \(methodNote)
      Afterwards `polymorph rerank CAMPAIGN --collect .` ranks the candidates by these energies and compares
      them with the potential's; it reads `candidate.json`, `relax.out`, `relax-1.restart` and `static.out` with
      `static.forces` and `static.stress`.

      """
    return [("README.md", readme), ("run.sh", script)]
  }

  private var methodNote: String {
    guard let campaign else {
      return
        "Elements without a DZVP-MOLOPT-SR-GTH basis in `BASIS_MOLOPT` need another one: see `&KIND`."
    }
    return """
      The method is the campaign's own (\(campaign.summary)).
      On another computer `BASIS_SET_FILE_NAME` and `POTENTIAL_FILE_NAME` may need other paths.
      """
  }
}
