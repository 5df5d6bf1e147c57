import Crystal
import Foundation
import NumericalCore

/// The text of the OUTCAR, in the layout of VASP 6.
struct OutcarText {
  let header: String
  let text: String

  init(_ run: StandInRun, steps: [StandInStep]) throws {
    let inputs = run.inputs
    header = try Self.header(run).joined(separator: "\n") + "\n"
    var text = header
    for (index, step) in steps.enumerated() {
      text += try Self.step(step, number: index + 1, run).joined(separator: "\n") + "\n"
    }
    if try inputs.integer("IBRION", default: -1) >= 0 {
      text += " reached required accuracy - stopping structural energy minimisation\n"
    }
    text += """

       General timing and accounting informations for this job:
       ========================================================

                        Total CPU time used (sec):        0.125
                              User time (sec):        0.100
                           System time (sec):        0.025

      """
    self.text = text
  }

  private static func header(_ run: StandInRun) throws -> [String] {
    let inputs = run.inputs
    var lines = [
      " vasp.6.4.2 20Jul23 (build Nov 20 2026 00:00:00) complex", "  ",
      " executed on               stand-in date 2026.11.20  12:00:00",
      " running on    1 total cores", "", " INCAR:",
    ]
    for (name, value) in inputs.tags.sorted(by: { $0.key < $1.key }) {
      lines.append("   \(name) = \(value)")
    }
    lines += inputs.titles.map { " POTCAR:    \($0)" } + [""]
    for (block, title) in zip(inputs.blocks, inputs.titles) {
      lines += [
        " POTCAR:    \(title)", "   VRHFIN =\(block.element): s2p2", "   LEXCH  = PE",
        "   TITEL  = \(title)",
      ]
    }
    let counts = inputs.blocks.map { String(format: "%4d", $0.count) }.joined()
    let frame = inputs.structure.lattice
    lines += [
      "", " Dimension of arrays:",
      "   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1   number of bands"
        + "    NBANDS=      8",
      "   number of dos      NEDOS =    301   number of ions     NIONS ="
        + String(format: "%7d", inputs.structure.atomCount),
      "   ions per type =            \(counts)", "",
      " SYSTEM =  \(inputs.tags["SYSTEM"] ?? "unknown system")", "",
      " Startparameter for this run:",
      "   ISTART =      0    job   : 0-new  1-cont  2-samecut",
      "   ICHARG =      2    charge: 1-file 2-atom 10-const",
      "   ISPIN  =      1    spin polarized calculation?", "", " Electronic Relaxation 1",
      String(
        format: "   NELM   = %6d;   NELMIN=  2; NELMDL= -5     # of ELM steps ",
        try inputs.integer("NELM", default: 60)),
      String(
        format: "   EDIFF  = %.1E   stopping-criterion for ELM",
        try inputs.number("EDIFF", default: 1e-4)), " Ionic relaxation",
      String(
        format: "   IBRION = %6d    ionic relax: 0-MD 1-quasi-New 2-CG",
        try inputs.integer("IBRION", default: -1)),
      String(
        format: "   ISIF   = %6d    stress and relaxation", try inputs.integer("ISIF", default: 2)),
      String(format: "   PSTRESS= %6.1f pullay stress", try run.pressureKilobar), "",
    ]
    lines += volume(frame)
    lines += [
      "", " k-points in reciprocal lattice and weights: Gamma-centred mesh",
      "   0.00000000  0.00000000  0.00000000       1.000", "",
      " position of ions in fractional coordinates (direct lattice) ",
    ]
    for f in inputs.structure.fractionalPositions() {
      lines.append(String(format: " %12.8f%12.8f%12.8f", f.x, f.y, f.z))
    }
    return lines + [""]
  }

  private static func volume(_ lattice: Lattice) -> [String] {
    let (v, r) = (lattice.vectors, lattice.inverse.transposed)
    var lines = [
      String(format: "  volume of cell : %12.2f", lattice.volume),
      "      direct lattice vectors                 reciprocal lattice vectors",
    ]
    for axis in 0..<3 {
      let (a, b) = (v[axis], r[axis])
      lines.append(
        String(format: "   %13.9f%13.9f%13.9f   %13.9f%13.9f%13.9f", a.x, a.y, a.z, b.x, b.y, b.z))
    }
    return lines + [""]
  }

  private static let bar = String(repeating: "-", count: 41)
  private static let line = " " + String(repeating: "-", count: 83)

  private static func step(
    _ step: StandInStep, number: Int, _ run: StandInRun
  ) throws -> [String] {
    var lines: [String] = []
    for (count, energy) in step.electronicEnergies.enumerated() {
      let change = count > 0 ? energy - step.electronicEnergies[count - 1] : energy
      lines += [
        "",
        String(format: "\(bar) Iteration %4d(%4d)  \(bar.dropLast(2))", number, count + 1),
        "", String(format: " total energy-change (2. order) :%14.7E  (%14.7E)", change, change),
        "", "  free energy    TOTEN  = \(String(format: "%18.8f", energy)) eV", "",
      ]
    }
    lines.append(
      step.hasConverged
        ? "------------------------ aborting loop because EDIFF is reached --------------------------"
        : "------------------------ aborting loop EDIFF was not reached (unconverged)  -------------"
    )
    let volume = step.structure.volume
    let kilobar = 10 * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    let pressure = try run.pressureKilobar
    if try run.inputs.integer("ISIF", default: 2) > 0 {
      let s = -1 * step.evaluation.stress
      func row(_ name: String, _ f: Double) -> String {
        name
          + [s.a.x, s.b.y, s.c.z, s.a.y, s.b.z, s.c.x].map { String(format: "%12.5f", f * $0) }
          .joined()
      }
      lines += [
        "", "  FORCE on cell =-STRESS in cart. coord.  units (eV):",
        "  Direction    XX          YY          ZZ          XY          YZ          ZX", line,
        row("  Total   ", volume), row("  in kB   ", kilobar),
        String(
          format: "  external pressure = %11.2f kB  Pullay stress = %11.2f kB",
          kilobar * s.trace / 3 - pressure, pressure),
      ]
    }
    lines +=
      ["", " VOLUME and BASIS-vectors are now :", line] + Self.volume(step.structure.lattice)
    lines += [" POSITION                                       TOTAL-FORCE (eV/Angst)", line]
    for (p, f) in zip(step.structure.positions, step.evaluation.forces) {
      lines.append(
        String(format: "%13.5f%13.5f%13.5f   %14.6f%14.6f%14.6f", p.x, p.y, p.z, f.x, f.y, f.z))
    }
    let energy = step.evaluation.energy
    lines += [
      line, "    total drift:                                0.000000      0.000000      0.000000",
      "", "", "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
      "  ---------------------------------------------------",
      "  free  energy   TOTEN  = \(String(format: "%18.8f", energy)) eV", "",
      String(
        format: "  energy  without entropy=%18.8f  energy(sigma->0) =%18.8f",
        energy + Smeared.withoutEntropy, energy + Smeared.extrapolated),
    ]
    if pressure != 0 {
      let work = pressure * volume / kilobar
      lines.append(
        String(format: "  enthalpy is  TOTEN    =%18.8f eV   P V=%18.8f", energy + work, work))
    }
    return lines + ["", "     LOOP+:  cpu time    0.0500: real time    0.0600"]
  }
}
