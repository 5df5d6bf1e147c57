import Crystal
import NumericalCore
import ReferenceEngines
import StructureFormats

/// Inputs for VASP: `relax/` and `static/` for every candidate.
package struct VASPExport: CalculationExport {
  let settings: VASPSettings
  let pressureGPa: Double
  let force: Double

  /// Creates an export at a pressure in GPa, to a largest force in eV/Å.
  package init(settings: VASPSettings, pressureGPa: Double, force: Double = 0.02) {
    self.settings = settings
    self.pressureGPa = pressureGPa
    self.force = force
  }

  /// Steps of the ions in one run; the plane waves of each run belong to its first cell.
  private static let steps = 100

  package func files(for structure: Structure, title: String) throws -> [File] {
    let poscar = try StructureFile.text(
      of: [StructureRecord(structure: structure, comment: title)], format: .poscar)
    let order = StructureFile.poscarOrder(of: structure)
    let atoms = order.map { structure.species[$0] }
    var elements: [ChemicalElement] = []
    for atom in atoms where elements.last != atom { elements.append(atom) }
    let relaxation = VASPSettings.Task.relaxation(
      pressureGPa: pressureGPa, force: force, steps: Self.steps)
    let kPoints = settings.kPoints(for: structure)
    var files: [File] = [
      ("POSCAR", poscar), ("relax/POSCAR", poscar),
      ("relax/INCAR", settings.incar(title: "\(title) relaxation", relaxation, atoms: atoms)),
      ("static/INCAR", settings.incar(title: "\(title) single point", .single, atoms: atoms)),
      ("relax/KPOINTS", kPoints), ("static/KPOINTS", kPoints),
    ]
    let potcar: File
    if settings.potentials.folder == nil {
      potcar = ("POTCAR.list", settings.potentials.list(for: elements))
    } else {
      do { potcar = ("POTCAR", try settings.potentials.potcar(for: elements)) } catch {
        throw CampaignError.wrongInput("\(error)")
      }
    }
    for folder in ["relax", "static"] { files.append(("\(folder)/\(potcar.path)", potcar.text)) }
    return files
  }

  package func commonFiles() -> [File] {
    let script = ExportScript.text(
      "VASP", example: "mpirun -n 16 vasp_std",
      finished: ("static/OUTCAR", "General timing and accounting"),
      steps: """
        cd relax || exit 1
        # Two restarts: the plane waves of a run belong to the cell it began with.
        for run in 1 2 3; do
          $VASP > vasp.out 2>&1 || exit 1
          # After an error, CONTCAR is empty.
          [ -s CONTCAR ] || exit 1
          cp OUTCAR "OUTCAR.$run" && cp CONTCAR POSCAR || exit 1
        done
        cd ../static && cp ../relax/CONTCAR POSCAR || exit 1
        $VASP > vasp.out 2>&1 || exit 1
        """)
    let potentials =
      settings.potentials.folder == nil
      ? """
      The potentials are licensed and not part of the export: join the files that `POTCAR.list` names, in
      its order, as `POTCAR` in `relax/` and in `static/`. `export --potcar-folder FOLDER` does it, where
      FOLDER holds `Si/POTCAR` and so on.

      """ : ""
    let readme = """
      # Candidates for VASP

      Each folder holds one candidate: `POSCAR` as the search left it, and the inputs of two steps.

      1. `relax/`: atoms and cell to rest at \(VASPSettings.number(pressureGPa)) GPa. Start it again from its
         own result twice (`cp CONTCAR POSCAR`): a run keeps the plane waves of the cell it began with, so
         that its last energies and stresses belong to no definite cutoff.
      2. `static/`: energy, forces and stress of the relaxed structure: `cp relax/CONTCAR static/POSCAR`, then
         run VASP. Compare the energies of this step.

      `VASP="mpirun -n 16 vasp_std" ./run.sh` does all of it and goes on where it was stopped.
      Afterwards `polymorph rerank CAMPAIGN --collect .` ranks the candidates by these energies and compares
      them with the potential's (keep `candidate.json`), and `polymorph convert
      CANDIDATE/static/vasprun.xml all.cfg` reads the labels.

      \(potentials)
      """
    return [("README.md", readme), ("run.sh", script)]
  }
}
