import Crystal
import NumericalCore

/// The settings of a run that decide what its numbers mean.
struct VASPRunSettings {
  /// Most electronic steps.
  var largestElectronicSteps: Int?
  /// The change of energy in eV at which the electronic loop ends.
  var energyTolerance: Double?
  /// External pressure in kB.
  var pressure = 0.0
  /// ICHARG; 10 and more keep the density as it is.
  var chargeStart: Int?
  /// ISIF; 1 computes the trace of the stress alone.
  var stressMode: Int?
  /// The version's first number.
  var majorVersion: Int?
}

/// What was found of one ionic step, in VASP's units, before it is checked.
struct VASPStep {
  let number: Int
  let line: Int
  var lattice: [Vector3]?
  var positions: [Vector3]?
  var arePositionsFractional = false
  /// eV/Å.
  var forces: [Vector3]?
  /// kB, positive in compression.
  var stress: Matrix3?
  /// The free energy of the ionic step in eV, which the forces belong to.
  var energy: Double?
  /// The last free energy of the electronic loop in eV, where the file is `vasprun.xml`.
  var electronicEnergy: Double?
  var electronicSteps = 0
  /// What VASP itself says of the electronic loop, where it says it.
  var hasConverged: Bool?
  /// Change of the energy in the last electronic step in eV.
  var lastChange: Double?
  /// Whether a machine-learned force field of VASP gave the numbers.
  var isPredicted = false
  /// The first thing that cannot be read.
  var defect: (line: Int, reason: String)?

  init(number: Int, line: Int) {
    self.number = number
    self.line = line
  }

  mutating func addElectronicStep(energy: Double) {
    lastChange = electronicEnergy.map { energy - $0 }
    electronicEnergy = energy
  }

  mutating func note(_ line: Int, _ reason: String) {
    if defect == nil { defect = (line, reason) }
  }

  /// The step, checked.
  ///
  /// - Returns: `nil` where nothing was found that could be a step.
  func checked(_ species: [ChemicalElement], _ settings: VASPRunSettings) -> VASPOutput.IonicStep? {
    func step(_ content: VASPOutput.IonicStep.Content) -> VASPOutput.IonicStep {
      VASPOutput.IonicStep(
        number: number, line: line, electronicSteps: electronicSteps, content: content)
    }
    func unusable(_ reason: String) -> VASPOutput.IonicStep {
      step(.unusable(line: line, reason: reason))
    }
    if let defect { return step(.unusable(line: defect.line, reason: defect.reason)) }
    if isPredicted && energy == nil {
      return unusable(
        "the numbers come from VASP's machine-learned force field (ML_LMLFF), not from DFT")
    }
    guard let positions, let lattice else {
      let isEmpty = energy == nil && forces == nil
      return isEmpty ? nil : unusable("lattice or positions are missing")
    }
    guard lattice.count == 3 else { return unusable("\(lattice.count) lattice vectors, not 3") }
    let count = species.count
    guard positions.count == count, forces == nil || forces?.count == count else {
      return unusable(
        "\(positions.count) positions and \(forces?.count ?? 0) forces for \(count) atoms")
    }
    if let reason = invalidity(settings) { return unusable(reason) }
    let structure: Structure
    do throws(CrystalError) {
      let lattice = try Lattice(Matrix3(rows: lattice[0], lattice[1], lattice[2]))
      structure =
        arePositionsFractional
        ? try Structure(lattice: lattice, species: species, fractionalPositions: positions)
        : try Structure(lattice: lattice, species: species, positions: positions)
    } catch { return unusable(error.description) }
    var record = StructureRecord(structure: structure)
    record.energy = energy.map { $0 - pressureWork(structure.volume, settings) }
    record.forces = forces
    if let stress, settings.stressMode != 1 {
      record.setStress(-VASPUnits.electronvoltsPerCubicAngstromPerKilobar * stress)
    }
    return step(.usable(record))
  }

  /// Why the numbers are no label.
  private func invalidity(_ settings: VASPRunSettings) -> String? {
    guard energy != nil || forces != nil else { return nil }
    if let start = settings.chargeStart, start >= 10 {
      return "the density was kept fixed (ICHARG = \(start)): forces and energy do not belong "
        + "together"
    }
    guard electronicSteps > 0 else {
      return "no electronic step was made: the numbers do not come from DFT"
    }
    let limit = settings.largestElectronicSteps
    let isAtLimit = limit.map { electronicSteps >= $0 } ?? false
    if !isAtLimit, hasConverged == false || isLastChangeLarge(settings) {
      let tolerance = settings.energyTolerance.map { " eV, EDIFF = \($0) eV" } ?? ""
      return "the electronic loop was stopped after \(electronicSteps) steps before it converged"
        + (lastChange.map { " (last change \(abs($0))\(tolerance))" } ?? "")
    }
    // VASP 6 says in the OUTCAR whether the last allowed step was enough; earlier versions say in both
    // cases that EDIFF is reached.
    if hasConverged == true, !isAtLimit || settings.majorVersion ?? 0 >= 6 { return nil }
    guard hasConverged == false || isAtLimit else { return nil }
    var change = ""
    if let lastChange, let tolerance = settings.energyTolerance {
      change = ", with a last change of \(abs(lastChange)) eV and EDIFF = \(tolerance) eV"
    }
    let steps = limit.map { "all \($0) steps that NELM allows" } ?? "\(electronicSteps) steps"
    return "the electronic loop is not known to have converged: it took \(steps)\(change); "
      + "run it again with a larger NELM"
  }

  /// Whether the last electronic steps differ by more than a loop that ended by itself allows.
  private func isLastChangeLarge(_ settings: VASPRunSettings) -> Bool {
    guard let lastChange, let tolerance = settings.energyTolerance else { return false }
    return abs(lastChange) > 10 * tolerance + Self.printedDigits
  }

  /// The part p V of the energy in eV.
  ///
  /// With PSTRESS, `vasprun.xml` holds the enthalpy in the energy of the ionic step, the OUTCAR the energy
  /// (and the enthalpy on a line of its own). The electronic steps are free of it in both, so that one can
  /// see it. The stress is that of the electrons alone in both.
  private func pressureWork(_ volume: Double, _ settings: VASPRunSettings) -> Double {
    guard settings.pressure != 0, let energy, let electronicEnergy,
      abs(energy - electronicEnergy) > Self.printedDigits
    else { return 0 }
    return settings.pressure * volume * VASPUnits.electronvoltsPerCubicAngstromPerKilobar
  }

  /// Energies are printed with eight decimals, in eV.
  private static let printedDigits = 1e-6
}

/// VASP's units.
enum VASPUnits {
  /// One kB in eV/Å³; 10 kB are 1 GPa.
  static let electronvoltsPerCubicAngstromPerKilobar =
    0.1 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
}

/// The element that one of VASP's names stands for.
package enum VASPElementName {
  /// The element of a name such as `Ti`, `Ti_pv`, `H.75` or `Gd_3`.
  package static func element(_ name: some StringProtocol) -> ChemicalElement? {
    let letters = name.prefix { $0.isASCII && $0.isLetter }
    if let element = ChemicalElement(symbol: String(letters)) { return element }
    guard let first = letters.first else { return nil }
    return ChemicalElement(symbol: first.uppercased() + letters.dropFirst().lowercased())
  }

  /// The element of a potential's title such as `PAW_PBE Ti_pv 07Sep2000`, which may lack its first word.
  package static func element(title: some StringProtocol) -> ChemicalElement? {
    let words = title.split(whereSeparator: \.isWhitespace)
    let kinds: Set = ["PAW_PBE", "PAW_GGA", "PAW", "PAW_LDA", "US", "NC", "LDA", "GGA"]
    guard let first = words.first else { return nil }
    if kinds.contains(String(first)) || first.hasPrefix("PAW") {
      return words.count > 1 ? element(words[1]) : nil
    }
    return element(first)
  }
}
