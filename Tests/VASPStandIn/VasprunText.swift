import Crystal
import Foundation
import NumericalCore

/// The text of `vasprun.xml`, in the layout of VASP 6.
struct VasprunText {
  let text: String

  init(_ run: StandInRun, steps: [StandInStep]) throws {
    let inputs = run.inputs
    var lines = [
      #"<?xml version="1.0" encoding="ISO-8859-1"?>"#, "<modeling>", " <generator>",
      #"  <i name="program" type="string">vasp </i>"#,
      #"  <i name="version" type="string">6.4.2  </i>"#,
      #"  <i name="subversion" type="string">20Jul23 (stand-in) complex  parallel </i>"#,
      " </generator>", " <incar>",
    ]
    for (name, value) in inputs.tags.sorted(by: { $0.key < $1.key }) {
      lines.append(#"  <i type="string" name="\#(name)">\#(value)</i>"#)
    }
    lines += [
      " </incar>", " <kpoints>", #"  <generation param="Gamma">"#,
      #"   <v type="int" name="divisions"> "#
        + inputs.divisions.map { String(format: "%7d", $0) }.joined() + " </v>",
      "  </generation>", #"  <varray name="kpointlist" >"#,
      "   <v>       0.00000000       0.00000000       0.00000000 </v>", "  </varray>",
      #"  <varray name="weights" >"#, "   <v>       1.00000000 </v>", "  </varray>", " </kpoints>",
      " <parameters>", #"  <separator name="electronic" >"#,
      Self.number("EDIFF", try inputs.number("EDIFF", default: 1e-4)),
      #"   <separator name="electronic startup" >"#, Self.integer("ICHARG", 2), "   </separator>",
      #"   <separator name="electronic convergence" >"#,
      Self.integer("NELM", try inputs.integer("NELM", default: 60)), "   </separator>",
      "  </separator>", #"  <separator name="ionic" >"#,
      Self.integer("NSW", try inputs.integer("NSW", default: 0)),
      Self.integer("IBRION", try inputs.integer("IBRION", default: -1)),
      Self.integer("ISIF", try inputs.integer("ISIF", default: 2)),
      Self.number("PSTRESS", try run.pressureKilobar), "  </separator>",
      // Another loop with a limit of the same name.
      #"  <separator name="response functions" >"#, Self.integer("NELM", 1), "  </separator>",
      " </parameters>",
    ]
    lines += Self.atoms(inputs)
    lines += Self.structure(inputs.structure, name: "initialpos")
    for step in steps { lines += try Self.calculation(step, run) }
    if let last = steps.last { lines += Self.structure(last.structure, name: "finalpos") }
    text = lines.joined(separator: "\n") + "\n</modeling>\n"
  }

  private static func integer(_ name: String, _ value: Int) -> String {
    #"   <i type="int" name="\#(name)">\#(String(format: "%6d", value))</i>"#
  }

  private static func number(_ name: String, _ value: Double) -> String {
    #"   <i name="\#(name)">\#(String(format: "%16.8f", value))</i>"#
  }

  private static func atoms(_ inputs: StandInInputs) -> [String] {
    var lines = [
      " <atominfo>", "  <atoms> \(String(format: "%7d", inputs.structure.atomCount)) </atoms>",
      "  <types> \(String(format: "%7d", inputs.blocks.count)) </types>",
      #"  <array name="atoms" >"#, #"   <dimension dim="1">ion</dimension>"#,
      #"   <field type="string">element</field>"#, #"   <field type="int">atomtype</field>"#,
      "   <set>",
    ]
    for (index, block) in inputs.blocks.enumerated() {
      let symbol = block.element.symbol.padding(toLength: 2, withPad: " ", startingAt: 0)
      let row = "    <rc><c>\(symbol)</c><c>\(String(format: "%4d", index + 1))</c></rc>"
      lines += Array(repeating: row, count: block.count)
    }
    lines += [
      "   </set>", "  </array>", #"  <array name="atomtypes" >"#,
      #"   <dimension dim="1">type</dimension>"#, #"   <field type="int">atomspertype</field>"#,
      #"   <field type="string">element</field>"#, "   <field>mass</field>",
      "   <field>valence</field>", #"   <field type="string">pseudopotential</field>"#, "   <set>",
    ]
    for (block, title) in zip(inputs.blocks, inputs.titles) {
      let symbol = block.element.symbol.padding(toLength: 2, withPad: " ", startingAt: 0)
      lines.append(
        "    <rc><c>\(String(format: "%4d", block.count))</c><c>\(symbol)</c><c>"
          + String(format: "%16.8f", block.element.mass)
          + "</c><c>      4.00000000</c><c>  \(title) </c></rc>")
    }
    return lines + ["   </set>", "  </array>", " </atominfo>"]
  }

  private static func vector(_ v: Vector3) -> String {
    String(format: "<v> %16.8f %16.8f %16.8f </v>", v.x, v.y, v.z)
  }

  private static func array(_ name: String, _ rows: [Vector3], _ indent: String) -> [String] {
    [indent + #"<varray name="\#(name)" >"#] + rows.map { indent + " " + vector($0) }
      + [indent + "</varray>"]
  }

  private static func structure(
    _ structure: Structure, name: String?, indent: String = " "
  ) -> [String] {
    let v = structure.lattice.vectors
    let r = structure.lattice.inverse.transposed
    var lines = [indent + (name.map { #"<structure name="\#($0)" >"# } ?? "<structure>")]
    lines.append(indent + " <crystal>")
    lines += array("basis", [v.a, v.b, v.c], indent + "  ")
    lines.append(
      indent + #"  <i name="volume">\#(String(format: "%16.8f", structure.volume)) </i>"#)
    lines += array("rec_basis", [r.a, r.b, r.c], indent + "  ")
    lines.append(indent + " </crystal>")
    lines += array("positions", structure.fractionalPositions(), indent + " ")
    return lines + [indent + "</structure>"]
  }

  private static func energies(_ free: Double, indent: String) -> [String] {
    [
      ("e_fr_energy", free), ("e_wo_entrp", free + Smeared.withoutEntropy),
      ("e_0_energy", free + Smeared.extrapolated),
    ].map { name, value in
      indent + #"<i name="\#(name)">\#(String(format: "%16.8f", value)) </i>"#
    }
  }

  private static func calculation(_ step: StandInStep, _ run: StandInRun) throws -> [String] {
    var lines = [" <calculation>"]
    for energy in step.electronicEnergies {
      lines += ["  <scstep>", #"   <time name="total">    0.01    0.01</time>"#, "   <energy>"]
      lines += energies(energy, indent: "    ")
      lines += ["   </energy>", "  </scstep>"]
    }
    lines += structure(step.structure, name: nil, indent: "  ")
    lines += array("forces", step.evaluation.forces, "  ")
    let kilobar = 10 * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    let s = -kilobar * step.evaluation.stress
    if try run.inputs.integer("ISIF", default: 2) > 0 {
      lines += array("stress", [s.a, s.b, s.c], "  ")
    }
    // With PSTRESS, VASP puts the enthalpy here.
    let work = try run.pressureKilobar * step.structure.volume / kilobar
    lines.append("  <energy>")
    lines += energies(step.evaluation.energy + work, indent: "   ")
    lines += ["  </energy>", #"  <time name="totalsc">    0.05    0.06</time>"#]
    return lines + [" </calculation>"]
  }
}
