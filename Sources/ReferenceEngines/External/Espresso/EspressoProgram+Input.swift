import Crystal
import NumericalCore

extension EspressoProgram {
  /// The input, and links to the pseudopotentials.
  ///
  /// Lengths are in Bohr radii, so that no constant of `pw.x` enters.
  ///
  /// - Throws: `ReferenceEngineError.unsupported` where the structure is not periodic in all directions,
  ///   an element has no pseudopotential, or two different ones have the same name.
  public func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    guard structure.periodicity == .full else {
      throw .unsupported("espresso needs structures that repeat in all three directions")
    }
    let elements = structure.distinctElements()
    var used: [PseudopotentialFile] = []
    for element in elements {
      guard let file = parameters.pseudopotentials[element] else {
        throw .unsupported("no pseudopotential of \(element)")
      }
      if let other = used.first(where: { $0.name == file.name }) {
        guard other.digest == file.digest else {
          throw .unsupported("\(other.path) and \(file.path) need different names in one folder")
        }
      } else {
        used.append(file)
      }
    }
    let files = used.map { CalculationFile(name: $0.name, content: .link(path: $0.path)) }
    let text =
      namelists(for: structure, elements, attempt).map(Self.text).joined()
      + cards(for: structure, elements, keeping: mesh)
    return [CalculationFile(name: Self.inputName, content: .text(text))] + files
  }

  /// A Fortran namelist; a later value of a variable replaces an earlier one.
  private struct Namelist {
    let name: String
    private(set) var variables: [(name: String, value: String)]

    init(_ name: String, _ variables: [(String, String)]) {
      self.name = name
      self.variables = variables.map { ($0.0, $0.1) }
    }

    mutating func set(_ name: String, _ value: String) {
      if let index = variables.firstIndex(where: { $0.name == name }) {
        variables[index].value = value
      } else {
        variables.append((name, value))
      }
    }
  }

  private static func text(_ list: Namelist) -> String {
    "&\(list.name)\n" + list.variables.map { "  \($0.name) = \($0.value)\n" }.joined() + "/\n"
  }

  private func namelists(
    for structure: Structure, _ elements: [ChemicalElement], _ attempt: CalculationAttempt
  ) -> [Namelist] {
    let p = parameters
    // Without files for restarts: a calculation that is cut off starts again. Energies are printed to
    // 10⁻⁸ Ry, forces to 10⁻⁸ Ry/a₀, stresses to 10⁻⁸ Ry/a₀³ (10⁻⁴ GPa): less than what convergence leaves.
    let control = Namelist(
      "control",
      [
        ("calculation", "'scf'"), ("prefix", "'pwscf'"), ("outdir", "'./\(Self.scratchName)'"),
        ("pseudo_dir", "'./'"), ("tprnfor", ".true."), ("tstress", ".true."),
        ("disk_io", "'none'"),
      ])
    let width = 2 * p.smearingWidth / PhysicalConstants.electronvoltsPerHartree
    var system = Namelist(
      "system",
      [
        ("ibrav", "0"), ("nat", "\(structure.atomCount)"), ("ntyp", "\(elements.count)"),
        ("ecutwfc", "\(p.cutoff)"), ("ecutrho", "\(p.densityCutoff)"),
        ("occupations", "'smearing'"), ("smearing", "'\(p.smearing.rawValue)'"),
        ("degauss", "\(width)"),
      ])
    if p.isSpinPolarized {
      system.set("nspin", "2")
      for (index, element) in elements.enumerated() {
        system.set(
          "starting_magnetization(\(index + 1))", "\(p.startingMagnetization[element] ?? 0.5)")
      }
    }
    let threshold =
      p.convergence ?? Parameters.defaultConvergencePerAtom * Double(structure.atomCount)
    let electrons = Namelist(
      "electrons",
      [
        ("conv_thr", "\(threshold)"), ("electron_maxstep", "\(p.steps)"),
        ("mixing_beta", "\(p.mixing)"), ("diagonalization", "'david'"),
      ])
    var lists = [control, system, electrons]
    for index in lists.indices {
      for (name, value) in (p.extra[lists[index].name] ?? [:]).sorted(by: { $0.key < $1.key }) {
        lists[index].set(name, value)
      }
    }
    if attempt == .safer {
      // Another way to the same minimum: the functional, the basis and the k-points stay.
      lists[1].set("nosym", ".true.")
      lists[2].set("electron_maxstep", "\(3 * p.steps)")
      lists[2].set("mixing_beta", "\(min(0.2, p.mixing / 2))")
      lists[2].set("mixing_mode", "'local-TF'")
      lists[2].set("diagonalization", "'cg'")
    }
    return lists
  }

  private func cards(
    for structure: Structure, _ elements: [ChemicalElement], keeping kept: [Int]?
  ) -> String {
    let bohr = PhysicalConstants.angstromsPerBohr
    var text = "ATOMIC_SPECIES\n"
    for element in elements {
      text +=
        "  \(element.symbol) \(element.mass) \(parameters.pseudopotentials[element]?.name ?? "")\n"
    }
    text += "CELL_PARAMETERS bohr\n"
    for axis in 0..<3 { text += Self.line(structure.lattice.vectors[axis] / bohr) }
    text += "ATOMIC_POSITIONS bohr\n"
    for (element, position) in zip(structure.species, structure.positions) {
      text += "  \(element.symbol)" + Self.line(position / bohr)
    }
    let mesh = KPointMesh(
      structure.lattice, spacing: parameters.kPointSpacing, keeping: kept)
    // At Γ alone wave functions are real: half the work.
    text +=
      mesh.isGamma
      ? "K_POINTS gamma\n"
      : "K_POINTS automatic\n  \(mesh.counts.map(String.init).joined(separator: " ")) 0 0 0\n"
    return text
  }

  private static func line(_ vector: Vector3) -> String {
    "  \(vector.x) \(vector.y) \(vector.z)\n"
  }
}
