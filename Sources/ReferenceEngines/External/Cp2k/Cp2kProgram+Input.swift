import Crystal
import NumericalCore

extension Cp2kProgram {
  /// The input; basis sets and pseudopotentials are named by their paths.
  ///
  /// - Throws: `ReferenceEngineError.unsupported` where the structure is not periodic in all directions, an
  ///   element has no basis set, or with spin the file of the pseudopotentials does not tell its electrons.
  public func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    guard structure.periodicity == .full else {
      throw .unsupported("cp2k needs structures that repeat in all three directions")
    }
    for element in structure.distinctElements() where parameters.kinds[element] == nil {
      throw .unsupported("no basis set of \(element)")
    }
    let lines = [
      "&GLOBAL", "PROJECT cp2k", "RUN_TYPE ENERGY_FORCE", "PRINT_LEVEL MEDIUM", "&END GLOBAL",
      "&FORCE_EVAL", "METHOD QUICKSTEP", "STRESS_TENSOR ANALYTICAL",
    ]
    let print = [
      "&PRINT", "&FORCES ON", "FILENAME =\(Self.forcesName)", "NDIGITS 14", "&END FORCES",
      "&STRESS_TENSOR ON", "FILENAME =\(Self.stressName)", "&END STRESS_TENSOR", "&END PRINT",
    ]
    let all =
      try lines + densityFunctional(structure, mesh, attempt) + system(structure) + print
      + ["&END FORCE_EVAL"]
    return [CalculationFile(name: Self.inputName, content: .text(Self.indented(all)))]
  }

  private func densityFunctional(
    _ structure: Structure, _ mesh: [Int]?, _ attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [String] {
    let p = parameters
    return try [
      "&DFT", "BASIS_SET_FILE_NAME \(p.basisFile.path)",
      "POTENTIAL_FILE_NAME \(p.potentialFile.path)",
    ] + spin(structure) + [
      "&MGRID", "CUTOFF \(p.cutoff)", "REL_CUTOFF \(p.relativeCutoff)", "&END MGRID",
      "&QS", "EPS_DEFAULT 1.0E-12", "&END QS",
    ] + kPoints(structure, keeping: mesh) + selfConsistency(structure, attempt) + functional() + [
      "&END DFT"
    ]
  }

  /// CP2K scales the electrons of each spin in its first density to those of the multiplicity, a singlet where
  /// none is given, in which moments that do not cancel would be lost.
  private func spin(_ structure: Structure) throws(ReferenceEngineError) -> [String] {
    guard parameters.isSpinPolarized else { return [] }
    let number = try multiplicity(structure)
    return ["UKS ON", "MULTIPLICITY \(number)"]
  }

  /// 2S + 1 of the sum of the moments, or the nearest that the number of valence electrons allows.
  ///
  /// - Throws: `ReferenceEngineError.unsupported` where the file of the pseudopotentials does not tell the
  ///   electrons of an element: without a multiplicity moments would be lost unnoticed.
  private func multiplicity(_ structure: Structure) throws(ReferenceEngineError) -> Int {
    var electrons = 0
    for element in structure.species {
      guard let name = parameters.kinds[element]?.potential else {
        throw .unsupported("no pseudopotential of \(element)")
      }
      let file = parameters.potentialFile
      guard let own = file.valenceElectrons(name, of: element) else {
        throw .unsupported(
          "\(file.path): found no numbers of electrons below '\(element.symbol) \(name)', expected those in "
            + "s, p, d and f, which the multiplicity of a calculation with spin needs")
      }
      electrons += own
    }
    // Unpaired electrons are even or odd as all are: the sum lies between two such numbers.
    let parity = electrons % 2
    let sum = abs(netMoment(structure))
    let unpaired = parity + 2 * Int(max(0, ((sum - Double(parity)) / 2).rounded()))
    return min(unpaired, electrons) + 1
  }

  private func moment(_ element: ChemicalElement) -> Double {
    parameters.magneticMoments[element] ?? 1
  }

  /// The sum of the moments that the atoms are given.
  private func netMoment(_ structure: Structure) -> Double {
    structure.species.reduce(0) { $0 + moment($1) }
  }

  /// CP2K's own meshes leave out Γ where a number of points is even, so the points are listed; of k and −k,
  /// which have the same energies, only one.
  private func kPoints(_ structure: Structure, keeping kept: [Int]?) -> [String] {
    let mesh = KPointMesh(
      structure.lattice, spacing: parameters.kPointSpacing, keeping: kept)
    guard !mesh.isGamma else { return [] }
    var lines = ["&KPOINTS", "SCHEME GENERAL", "SYMMETRY OFF", "UNITS B_VECTOR"]
    for point in mesh.pointsUpToSign() {
      let place = (0..<3).map { "\(Double(point.place[$0]) / Double(mesh.counts[$0]))" }
      lines.append("KPOINT \(place.joined(separator: " ")) \(point.weight)")
    }
    return lines + ["PARALLEL_GROUP_SIZE -1", "&END KPOINTS"]
  }

  private func selfConsistency(
    _ structure: Structure, _ attempt: CalculationAttempt
  ) -> [String] {
    let p = parameters
    let isSafer = attempt == .safer
    let added = p.addedOrbitals ?? 4 + 2 * structure.atomCount
    return [
      "&SCF", "SCF_GUESS ATOMIC", "EPS_SCF \(p.convergence)",
      "MAX_SCF \(isSafer ? 3 * p.steps : p.steps)",
      "ADDED_MOS \(added)\(p.isSpinPolarized ? " \(added)" : "")",
      "&SMEAR ON", "METHOD FERMI_DIRAC",
      "ELECTRONIC_TEMPERATURE [K] \(p.smearingWidth / PhysicalConstants.boltzmann)",
      "&END SMEAR",
      "&DIAGONALIZATION ON", "ALGORITHM STANDARD", "&END DIAGONALIZATION",
      // Another way to the same minimum.
      "&MIXING", "METHOD BROYDEN_MIXING",
      "ALPHA \(isSafer ? min(0.1, p.mixing / 2) : p.mixing)",
      "NBROYDEN \(isSafer ? 16 : 8)", "&END MIXING",
      "&PRINT", "&RESTART OFF", "&END RESTART", "&END PRINT", "&END SCF",
    ]
  }

  private func functional() -> [String] {
    let lines =
      switch parameters.functional {
      case .pbe: ["&PBE", "&END PBE"]
      case .pbeSol: ["&PBE", "PARAMETRIZATION PBESOL", "&END PBE"]
      case .lda: ["&PADE", "&END PADE"]
      }
    return ["&XC", "&XC_FUNCTIONAL"] + lines + ["&END XC_FUNCTIONAL", "&END XC"]
  }

  /// In Bohr radii, so that no constant of CP2K enters.
  private func system(_ structure: Structure) -> [String] {
    let bohr = PhysicalConstants.angstromsPerBohr
    func text(_ vector: Vector3) -> String { "\(vector.x) \(vector.y) \(vector.z)" }
    var lines = ["&SUBSYS", "&CELL"]
    for (axis, name) in ["A", "B", "C"].enumerated() {
      lines.append("\(name) [bohr] \(text(structure.lattice.vectors[axis] / bohr))")
    }
    lines += ["&END CELL", "&COORD", "UNIT bohr"]
    for (element, position) in zip(structure.species, structure.positions) {
      lines.append("\(element.symbol) \(text(position / bohr))")
    }
    lines.append("&END COORD")
    // In CP2K spin up is the majority; with all moments reversed it is the same state.
    let sign = netMoment(structure) < 0 ? -1.0 : 1.0
    for element in structure.distinctElements() {
      guard let kind = parameters.kinds[element] else { continue }
      lines += [
        "&KIND \(element.symbol)", "BASIS_SET \(kind.basis)", "POTENTIAL \(kind.potential)",
      ]
      // From equal spins the field would find only states without moments.
      if parameters.isSpinPolarized {
        lines.append("MAGNETIZATION \(sign * moment(element))")
      }
      lines.append("&END KIND")
    }
    return lines + ["&END SUBSYS"]
  }

  /// Sections shift what is in them.
  private static func indented(_ lines: [String]) -> String {
    var depth = 0
    return lines.map { line in
      if line.hasPrefix("&END") { depth -= 1 }
      defer { if line.hasPrefix("&"), !line.hasPrefix("&END") { depth += 1 } }
      return String(repeating: "  ", count: depth) + line + "\n"
    }.joined()
  }
}
