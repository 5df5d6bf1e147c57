import Crystal
import Foundation
import NumericalCore
import StructureFormats

/// Inputs for VASP apart from the licensed POTCAR, of which only the list of names is written.
public struct VASPInput: Sendable {
  /// Plane-wave cutoff in eV.
  public var cutoffEnergy = 520.0
  /// Largest distance between k-points in 1/Å, with the factor 2π as in VASP's KSPACING.
  public var kPointSpacing = 0.25
  /// Largest force at rest in eV/Å.
  public var force = 0.02
  /// Pressure in GPa.
  public var pressureGPa = 0.0

  /// Creates inputs with the default accuracy at a pressure in GPa.
  public init(pressureGPa: Double = 0) { self.pressureGPa = pressureGPa }

  /// The INCAR of a relaxation of atoms and cell.
  ///
  /// - Parameter title: One line for the SYSTEM tag.
  /// - Returns: The file's text.
  public func incar(title: String) -> String {
    var lines = [
      "SYSTEM = \(title)",
      "PREC   = Accurate",
      "ENCUT  = \(number(cutoffEnergy))",
      "EDIFF  = 1E-6",
      "ISMEAR = 0",
      "SIGMA  = 0.05",
      "LREAL  = .FALSE.",
      "LASPH  = .TRUE.",
      "IBRION = 2",
      "ISIF   = 3",
      "NSW    = 100",
      "EDIFFG = \(number(-force))",
      "LWAVE  = .FALSE.",
      "LCHARG = .FALSE.",
    ]
    // VASP's PSTRESS is in kB; 1 GPa = 10 kB.
    if pressureGPa != 0 { lines.append("PSTRESS = \(number(10 * pressureGPa))") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The KPOINTS of a Γ-centred mesh of at most `kPointSpacing` between points.
  public func kPoints(for structure: Structure) -> String {
    let reciprocal = structure.lattice.inverse.transposed
    let mesh = (0..<3).map { axis in
      max(1, Int((2 * Double.pi * reciprocal[axis].length / kPointSpacing).rounded(.up)))
    }
    return """
      Gamma-centred mesh, spacing at most \(number(kPointSpacing)) 1/A
      0
      Gamma
      \(mesh.map(String.init).joined(separator: " "))
      0 0 0

      """
  }

  /// The names of the POTCAR files to join, in the order of the POSCAR.
  ///
  /// - Parameter elements: Elements in the order of the POSCAR.
  /// - Returns: One name a line.
  public func potcarList(for elements: [ChemicalElement]) -> String {
    elements.map { Self.recommendedPotential[$0.symbol] ?? $0.symbol }
      .joined(separator: "\n") + "\n"
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : String(value)
  }

  // The choices that VASP's documentation recommends for PBE; elements not named use the plain file.
  private static let recommendedPotential: [String: String] = [
    "Li": "Li_sv", "Na": "Na_pv", "K": "K_sv", "Ca": "Ca_sv", "Sc": "Sc_sv", "Ti": "Ti_sv",
    "V": "V_sv", "Cr": "Cr_pv", "Mn": "Mn_pv", "Ga": "Ga_d", "Ge": "Ge_d", "Rb": "Rb_sv",
    "Sr": "Sr_sv", "Y": "Y_sv", "Zr": "Zr_sv", "Nb": "Nb_sv", "Mo": "Mo_sv", "Tc": "Tc_pv",
    "Ru": "Ru_pv", "Rh": "Rh_pv", "In": "In_d", "Sn": "Sn_d", "Cs": "Cs_sv", "Ba": "Ba_sv",
    "Pr": "Pr_3", "Nd": "Nd_3", "Pm": "Pm_3", "Sm": "Sm_3", "Eu": "Eu_2", "Gd": "Gd_3",
    "Tb": "Tb_3", "Dy": "Dy_3", "Ho": "Ho_3", "Er": "Er_3", "Tm": "Tm_3", "Yb": "Yb_2",
    "Lu": "Lu_3", "Hf": "Hf_pv", "Ta": "Ta_pv", "W": "W_sv", "Tl": "Tl_d", "Pb": "Pb_d",
    "Bi": "Bi_d", "Po": "Po_d", "Fr": "Fr_sv", "Ra": "Ra_sv",
  ]
}
