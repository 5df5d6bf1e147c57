import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import StructureFormats

/// One step of the ions as the files show it.
struct StandInStep {
  let structure: Structure
  let evaluation: Evaluation
  /// Free energies of the electronic loop in eV.
  let electronicEnergies: [Double]
  let hasConverged: Bool
}

/// A run: computes, then writes all files.
struct StandInRun {
  let inputs: StandInInputs
  /// In GPa per eV/Å³.
  private let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom

  init(_ inputs: StandInInputs) { self.inputs = inputs }

  func run() throws {
    switch inputs.mode {
    case .crash:
      try write("vasprun.xml", String(try VasprunText(self, steps: []).text.dropLast(12)))
      print(" WARNING in EDDRMM: call to ZHEGV failed, returncode =   6  3      4")
      print(" Error EDDDAV: Call to ZHEGV failed. Returncode =  12 2  24")
      exit(1)
    case .hang:
      try write("OUTCAR", OutcarText(self, steps: []).header)
      while true { sleep(1) }
    case .regular, .unconverged, .difficult, .truncated, .coarse: break
    }
    let steps = try steps()
    let vasprun = try VasprunText(self, steps: steps).text
    let outcar = try OutcarText(self, steps: steps).text
    if inputs.mode == .truncated {
      try write("vasprun.xml", String(vasprun.prefix(vasprun.count * 2 / 3)))
      try write("OUTCAR", String(outcar.prefix(outcar.count * 2 / 3)))
      kill(getpid(), SIGKILL)
    }
    try write("vasprun.xml", vasprun)
    try write("OUTCAR", outcar)
    try write("OSZICAR", oszicar(steps))
    if let last = steps.last {
      try StructureFile.write(
        [StructureRecord(structure: last.structure, comment: inputs.tags["SYSTEM"] ?? "")],
        to: "\(inputs.folder)/CONTCAR", format: .poscar)
    }
    print(" running on    1 total cores\n vasp.6.4.2 stand-in\n writing wavefunctions")
  }

  private func write(_ name: String, _ text: String) throws {
    try AtomicFile.write(text, to: "\(inputs.folder)/\(name)")
  }

  var pressureKilobar: Double { get throws { try inputs.number("PSTRESS", default: 0) } }

  private func steps() throws -> [StandInStep] {
    let moves = try inputs.integer("NSW", default: 0)
    guard try inputs.integer("IBRION", default: -1) >= 0, moves > 0 else {
      let evaluation = try inputs.potential.evaluation(of: inputs.structure)
      return [try step(inputs.structure, coarsened(evaluation))]
    }
    let limit = abs(try inputs.number("EDIFFG", default: -0.02))
    var settings = RelaxationSettings(
      stages: [.gigapascals(force: limit, stress: 0.1, evaluations: moves)],
      pressure: 0.1 * (try pressureKilobar) / gigapascals)
    settings.hasFixedCell = try inputs.integer("ISIF", default: 2) < 3
    var path: [RelaxationStep] = []
    _ = Relaxation.run(inputs.structure, with: inputs.potential, settings: settings) { step in
      path.append(step)
      return .continue
    }
    return try path.map { try step($0.structure, $0.evaluation) }
  }

  /// What a cutoff and a mesh leave out: in eV per atom 2 at 200 eV, a tenth of it at 290 eV, and 0.15 at
  /// one k-point, a third of it with each further one along the shortest side of the mesh.
  private func coarsened(_ evaluation: Evaluation) throws -> Evaluation {
    guard inputs.mode == .coarse else { return evaluation }
    let cutoff = try inputs.number("ENCUT", default: 400)
    let points = Double(inputs.divisions.min() ?? 1)
    let missing = 2 * exp((200 - cutoff) / 40) + 0.4 * exp(-points)
    let structure = inputs.structure
    return Evaluation(
      energy: evaluation.energy + Double(structure.atomCount) * missing,
      forces: evaluation.forces.map { (1 + 0.1 * missing) * $0 },
      virial: evaluation.virial + 0.02 * missing * structure.volume * .identity, of: structure)
  }

  /// An electronic loop whose energies fall to the potential's, a tenth of the way off each time.
  private func step(_ structure: Structure, _ evaluation: Evaluation) throws -> StandInStep {
    let limit = try inputs.integer("NELM", default: 60)
    let tolerance = try inputs.number("EDIFF", default: 1e-4)
    let isSlow = inputs.tags["ALGO"]?.lowercased().hasPrefix("a") ?? false
    let isStuck = inputs.mode == .unconverged || (inputs.mode == .difficult && !isSlow)
    var energies: [Double] = []
    while energies.count < limit {
      let count = energies.count
      let distance = isStuck ? (count % 2 == 0 ? 0.3 : -0.2) : pow(10, 1 - Double(count))
      energies.append(evaluation.energy + distance)
      guard !isStuck, count > 2, abs(energies[count] - energies[count - 1]) < tolerance else {
        continue
      }
      energies[count] = evaluation.energy
      return StandInStep(
        structure: structure, evaluation: evaluation, electronicEnergies: energies,
        hasConverged: true)
    }
    return StandInStep(
      structure: structure, evaluation: evaluation, electronicEnergies: energies,
      hasConverged: false)
  }

  private func oszicar(_ steps: [StandInStep]) -> String {
    var text = ""
    for (index, step) in steps.enumerated() {
      text += "       N       E                     dE             d eps       ncg     rms\n"
      for (count, energy) in step.electronicEnergies.enumerated() {
        let change = count > 0 ? energy - step.electronicEnergies[count - 1] : energy
        text += String(
          format: "DAV: %3d %18.12e %13.5e %13.5e %5d %9.3e\n", count + 1, energy, change, change,
          64, abs(change))
      }
      text += String(
        format: "%4d F= %.8e E0= %.8e  d E =%.6e\n", index + 1, step.evaluation.energy,
        step.evaluation.energy + Smeared.extrapolated, 0)
    }
    return text
  }
}

/// What parts the free energy, which the forces belong to, from the energies of smeared occupations.
///
/// The gaps are large so that a reader that takes the wrong one is noticed.
enum Smeared {
  /// Energy without entropy minus free energy, in eV.
  static let withoutEntropy = 0.4
  /// Energy extrapolated to no smearing minus free energy, in eV.
  static let extrapolated = 0.2
}
