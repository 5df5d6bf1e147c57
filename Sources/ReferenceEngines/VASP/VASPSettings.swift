import Crystal
import Foundation
import NumericalCore

/// The method of a VASP calculation: everything that decides its numbers.
public struct VASPSettings: Sendable, Hashable {
  /// How occupations are smeared.
  public enum Smearing: String, Sendable, CaseIterable {
    /// Gaussian; for anything.
    case gaussian
    /// Methfessel and Paxton of first order; for metals.
    case methfesselPaxton = "methfessel-paxton"
    /// Fermi and Dirac.
    case fermiDirac = "fermi-dirac"

    /// VASP's ISMEAR.
    var code: Int {
      switch self {
      case .gaussian: 0
      case .methfesselPaxton: 1
      case .fermiDirac: -1
      }
    }
  }

  /// A further line of the INCAR.
  public struct Tag: Sendable, Hashable {
    /// VASP's name, in capitals.
    public let name: String
    /// Its value as VASP reads it.
    public let value: String

    /// Creates a tag.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Plane-wave cutoff in eV.
  public var cutoff = 520.0
  /// Largest distance between k-points in 1/Å, with the factor 2π as in VASP's KSPACING.
  public var kSpacing = 0.25
  /// How occupations are smeared.
  public var smearing = Smearing.gaussian
  /// Width of the smearing in eV.
  public var smearingWidth = 0.05
  /// Whether spins may differ.
  public var isSpinPolarized = false
  /// Initial magnetic moments per atom in Bohr magnetons; 1 for elements not named.
  public var magneticMoments: [ChemicalElement: Double] = [:]
  /// The change of energy in eV at which the electronic loop ends.
  public var convergence = 1e-6
  /// Most electronic steps.
  public var steps = 100
  /// The potentials.
  public var potentials = VASPPotentials()
  /// Further lines of the INCAR, by name.
  public var tags: [Tag] = []

  /// Creates the default method: 520 eV, k-points at most 0.25 1/Å apart, Gaussian smearing of 0.05 eV.
  public init() {}

  /// What the ions do.
  public enum Task: Sendable, Hashable {
    /// They stay: energy, forces and stress.
    case single
    /// They and the cell move to rest at a pressure in GPa, until no force exceeds a limit in eV/Å.
    case relaxation(pressureGPa: Double, force: Double, steps: Int)
  }

  /// The INCAR of a calculation.
  ///
  /// - Parameters:
  ///   - title: One line for the SYSTEM tag.
  ///   - task: What the ions do.
  ///   - atoms: The element of every atom in the order of the POSCAR.
  ///   - attempt: Whether slower settings are to converge what the regular ones did not.
  /// - Returns: The file's text.
  public func incar(
    title: String, _ task: Task, atoms: [ChemicalElement], attempt: CalculationAttempt = .regular
  ) -> String {
    var lines: [Tag] = [
      Tag("SYSTEM", title), Tag("ISTART", "0"), Tag("ICHARG", "2"), Tag("PREC", "Accurate"),
      Tag("ENCUT", Self.number(cutoff)), Tag("EDIFF", Self.number(convergence)),
      Tag("NELM", "\(steps)"), Tag("ISMEAR", "\(smearing.code)"),
      Tag("SIGMA", Self.number(smearingWidth)), Tag("ALGO", "Normal"), Tag("LREAL", ".FALSE."),
      Tag("LASPH", ".TRUE."),
    ]
    if isSpinPolarized {
      lines += [Tag("ISPIN", "2"), Tag("MAGMOM", moments(atoms))]
    }
    switch task {
    case .single:
      // Without steps of the ions, ISIF 2 still computes the stress.
      lines += [Tag("IBRION", "-1"), Tag("NSW", "0"), Tag("ISIF", "2")]
    case .relaxation(let pressure, let force, let steps):
      lines += [
        Tag("IBRION", "2"), Tag("NSW", "\(steps)"), Tag("ISIF", "3"),
        Tag("EDIFFG", Self.number(-force)),
      ]
      // VASP's PSTRESS is in kB; 1 GPa = 10 kB.
      if pressure != 0 { lines.append(Tag("PSTRESS", Self.number(10 * pressure))) }
    }
    lines += [Tag("LWAVE", ".FALSE."), Tag("LCHARG", ".FALSE.")]
    for tag in tags { Self.set(tag, in: &lines) }
    if attempt == .safer { makeSafer(&lines) }
    let width = lines.map(\.name.count).max() ?? 0
    return lines.map { tag in
      tag.name + String(repeating: " ", count: width - tag.name.count) + " = " + tag.value + "\n"
    }.joined()
  }

  /// The same equations, solved more slowly: another algorithm, more steps, less of the new density.
  private func makeSafer(_ lines: inout [Tag]) {
    let algorithm = tags.first { $0.name == "ALGO" }?.value.lowercased() ?? "normal"
    Self.set(Tag("ALGO", algorithm.hasPrefix("a") ? "Normal" : "All"), in: &lines)
    Self.set(Tag("NELM", "\(3 * steps)"), in: &lines)
    Self.set(Tag("AMIX", "0.1"), in: &lines)
    if isSpinPolarized { Self.set(Tag("AMIX_MAG", "0.4"), in: &lines) }
  }

  private static func set(_ tag: Tag, in lines: inout [Tag]) {
    if let place = lines.firstIndex(where: { $0.name == tag.name }) {
      lines[place] = tag
    } else {
      lines.append(tag)
    }
  }

  /// MAGMOM: runs of atoms with equal moments.
  private func moments(_ atoms: [ChemicalElement]) -> String {
    var runs: [(moment: Double, count: Int)] = []
    for atom in atoms {
      let moment = magneticMoments[atom] ?? 1
      if let last = runs.last, last.moment == moment {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((moment, 1))
      }
    }
    return runs.map { "\($0.count)*\(Self.number($0.moment))" }.joined(separator: " ")
  }

  /// The KPOINTS of a Γ-centred mesh of at most `kSpacing` between points.
  ///
  /// - Parameters:
  ///   - structure: What is to be computed.
  ///   - kept: Divisions in place of those that the structure's cell asks for.
  /// - Returns: The text of the file.
  public func kPoints(for structure: Structure, keeping kept: [Int]? = nil) -> String {
    let mesh = kept ?? structure.reciprocalMesh(spacing: kSpacing)
    let asked =
      kept == nil ? "spacing at most \(Self.number(kSpacing)) 1/A" : "kept during a relaxation"
    return """
      Gamma-centred mesh, \(asked)
      0
      Gamma
      \(mesh.map(String.init).joined(separator: " "))
      0 0 0

      """
  }

  /// The canonical bytes of everything that decides a label.
  var canonicalBytes: [UInt8] {
    var encoder = ByteEncoder()
    encoder.encode("vasp")
    for value in [cutoff, kSpacing, smearingWidth, convergence] { encoder.encode(value) }
    encoder.encode(smearing.rawValue)
    encoder.encode(isSpinPolarized)
    for element in magneticMoments.keys.sorted() {
      encoder.encode(element.symbol)
      encoder.encode(magneticMoments[element] ?? 0)
    }
    for element in potentials.names.keys.sorted() {
      encoder.encode(element.symbol)
      encoder.encode(potentials.name(of: element))
    }
    // The folder's own name tells functional and release; where it lies does not matter. The files' content
    // is added for each structure.
    encoder.encode(potentials.folder.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "")
    for tag in tags.sorted(by: { $0.name < $1.name }) where !Self.parallelTags.contains(tag.name) {
      encoder.encode(tag.name)
      encoder.encode(tag.value)
    }
    return encoder.bytes
  }

  /// Tags that spread the work over processes.
  private static let parallelTags: Set = [
    "NCORE", "NPAR", "KPAR", "NSIM", "LPLANE", "LSCALU", "LSCALAPACK", "NWRITE", "IMAGES",
    "NCORE_IN_IMAGE1",
  ]

  /// A number as VASP reads it, whole ones without a point.
  package static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : String(value)
  }
}
