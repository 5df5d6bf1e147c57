// Stands in for VASP in tests: reads INCAR, KPOINTS, POSCAR and POTCAR of the working directory and writes
// vasprun.xml, OUTCAR, OSZICAR and CONTCAR in VASP's layout, with the numbers of a classical potential.
//
//   VASP_STANDIN_MODEL=FILE   a YAML file with a reference: block; default: pairs of Lennard-Jones form
//   VASP_STANDIN=MODE         how it misbehaves, if at all, or `coarse`; `[MODE]` in the SYSTEM tag does the same
import Foundation

let files = FileManager.default
let environment = ProcessInfo.processInfo.environment

do {
  let inputs = try StandInInputs(
    folder: files.currentDirectoryPath, mode: environment["VASP_STANDIN"],
    model: environment["VASP_STANDIN_MODEL"])
  try StandInRun(inputs).run()
} catch let error as StandInError {
  // VASP complains in a box on its standard output, and its exit status is no help.
  let bar = String(repeating: "-", count: 77)
  print(" \(bar)\n|     ERROR: \(error.description)\n \(bar)")
  exit(1)
}
