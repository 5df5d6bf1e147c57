import Crystal
import NumericalCore
import ReferenceEngines

/// Inputs for CP2K: `relax.inp` (CELL_OPT) and `static.inp` (ENERGY_FORCE) for every candidate.
///
/// Basis sets and pseudopotentials are those that CP2K ships for PBE.
package struct CP2KExport: CalculationExport {
  let pressureGPa: Double
  let force: Double
  /// Largest distance between k-points in 1/Å, with 2π.
  let kSpacing = 0.25

  /// Creates an export at a pressure in GPa, to a largest force in eV/Å.
  package init(pressureGPa: Double, force: Double = 0.02) {
    self.pressureGPa = pressureGPa
    self.force = force
  }

  package func files(for structure: Structure, title: String) throws -> [File] {
    [
      ("relax.inp", input(structure, title, isRelaxation: true)),
      ("static.inp", input(structure, title, isRelaxation: false)),
    ]
  }

  private func input(_ structure: Structure, _ title: String, isRelaxation: Bool) -> String {
    var text = "! \(title)\n&GLOBAL\n  PROJECT \(isRelaxation ? "relax" : "static")\n"
    text += "  RUN_TYPE \(isRelaxation ? "CELL_OPT" : "ENERGY_FORCE")\n  PRINT_LEVEL LOW\n"
    text += "&END GLOBAL\n"
    if isRelaxation {
      // From eV/Å to Hartree/bohr; pressures are in bar.
      let limit =
        force * PhysicalConstants.angstromsPerBohr / PhysicalConstants.electronvoltsPerHartree
      text += """
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
    } else {
      text += """
        &EXT_RESTART
          RESTART_FILE_NAME relax-1.restart
          RESTART_DEFAULT F
          RESTART_CELL T
          RESTART_POS T
        &END EXT_RESTART

        """
    }
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
          &FORCES
          &END FORCES
          &STRESS_TENSOR
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
      Elements without a DZVP-MOLOPT-SR-GTH basis in `BASIS_MOLOPT` need another one: see `&KIND`.

      """
    return [("README.md", readme), ("run.sh", script)]
  }
}
