import Crystal
import NumericalCore

/// Reads an `OUTCAR` line by line.
struct OutcarReader {
  private var lines: LineReader
  private var version: String?
  private var settings = VASPRunSettings()
  /// The names of the species as the potentials give them, by title and by valence configuration.
  private var titles: [String] = []
  private var valences: [String] = []
  /// The titles once more, above the energies of the free atoms; all that NWRITE = 0 and 1 print.
  private var atomTitles: [String] = []
  private var titleAbove = ""
  private var counts: [Int] = []
  private var atomCount: Int?
  private var species: [ChemicalElement] = []

  private var step: VASPStep?
  /// The number of the present electronic loop, as printed.
  private var ionicNumber: Int?
  /// Whether VASP has closed the step, so that nothing of it is missing.
  private var isClosed = false
  /// Whether the present block of stresses is of the force field.
  private var isForceField = false
  private var stepCount = 0
  private var steps: [VASPOutput.IonicStep] = []
  private var isFinished = false
  private var seconds: Double?

  init(_ lines: LineReader) { self.lines = lines }

  /// Reads the whole file.
  mutating func output() throws(FormatError) -> VASPOutput {
    while lines.advance() {
      if lines.count > 0 { try take() }
    }
    guard version != nil || !titles.isEmpty else {
      throw lines.error(
        "neither VASP's version nor a potential is found", allowed: "an OUTCAR of VASP", line: 1)
    }
    var ending = VASPOutput.Ending.finished
    if isFinished {
      try finishStep()
    } else {
      let isInside = step != nil && !isClosed
      let place =
        isInside
        ? "inside ionic step \(step?.number ?? 1)"
        : "after \(stepCount) complete ionic steps"
      if !isInside { try finishStep() }
      ending = .cut(
        line: max(lines.line, 1), reason: "the file breaks off \(place): VASP did not finish")
    }
    return VASPOutput(
      path: lines.path, programVersion: version, steps: steps, ending: ending,
      processorSeconds: seconds)
  }

  private mutating func take() throws(FormatError) {
    switch lines.field(0) {
    case "TITEL": titles.append(lines.text(from: 2))
    case "VRHFIN": valences.append(valueText())
    case "ions" where lines.matches(1, "per") && lines.matches(2, "type"): try takeCounts()
    case "number" where lines.matches(1, "of") && lines.matches(2, "dos"):
      atomCount = wholeNumber(after: "NIONS")
    case "NELM": settings.largestElectronicSteps = Int(valueText().prefix { $0.isNumber })
    case "EDIFF": settings.energyTolerance = lines.number(2)
    case "ICHARG": settings.chargeStart = Int(lines.field(2))
    case "ISIF": settings.stressMode = Int(lines.field(2))
    case "Total" where lines.matches(1, "CPU"): seconds = lines.number(lines.count - 1)
    case "General" where lines.matches(1, "timing"): isFinished = true
    case "FORCE" where lines.matches(1, "on"): isForceField = false
    case "ML" where lines.matches(1, "FORCE"): try takePrediction()
    case "energy" where lines.matches(1, "of") && lines.matches(2, "atom"):
      if Int(lines.field(3)) == atomTitles.count + 1 { atomTitles.append(titleAbove) }
    case "in" where lines.field(1).hasPrefix("kB"): takeStress()
    case "direct" where lines.matches(1, "lattice") && lines.matches(2, "vectors"): takeLattice()
    case "POSITION" where lines.field(1).hasPrefix("TOTAL-FORCE"): try takeForces()
    case "free" where lines.text.hasPrefix("free  energy"): takeEnergy()
    case "total" where lines.field(1).hasPrefix("energy-change"): takeChange()
    case "hard" where lines.matches(1, "stop"): step?.hasConverged = false
    case "LOOP+:": isClosed = step != nil
    case let first where first.hasPrefix("vasp.") && version == nil:
      version = String(first.dropFirst(5))
      settings.majorVersion = version.flatMap { Int($0.prefix { $0.isNumber }) }
    case let first where first.hasPrefix("-----"): try takeHeading()
    default:
      if counts.isEmpty, lines.field(lines.count - 1) == ":" {
        titleAbove = String(lines.text.dropLast())
      }
    }
  }

  /// What follows the first `=` of the line.
  private func valueText() -> String {
    let parts = lines.text.split(separator: "=", maxSplits: 1)
    return parts.count > 1 ? parts[1].trimmed : ""
  }

  private func wholeNumber(after name: String) -> Int? {
    guard let place = (0..<lines.count).first(where: { lines.field($0).hasPrefix(name) }) else {
      return nil
    }
    let text = lines.text(from: place).dropFirst(name.count).drop { $0 == " " || $0 == "=" }
    return Int(text.prefix { $0.isNumber })
  }

  // MARK: - Atoms

  private mutating func takeCounts() throws(FormatError) {
    guard counts.isEmpty else { return }
    let text = valueText()
    let words = text.split(separator: " ")
    counts = words.compactMap { Self.count($0) }
    if counts.count == words.count {
      // Ten to a line, the others on lines of their own.
      while counts.reduce(0, +) < atomCount ?? 0, lines.advance() {
        let more = (0..<lines.count).compactMap { Self.count(lines.field($0)) }
        guard !more.isEmpty, more.count == lines.count else {
          lines.hold()
          break
        }
        counts += more
      }
      if isConsistent(counts) { return }
    }
    // Four columns each, so that thousands of ions touch.
    counts = Self.columns(text)
    guard isConsistent(counts) else {
      throw lines.error(
        "the numbers of ions per type are '\(text)'",
        allowed: "one number per type, together \(atomCount ?? 0) ions")
    }
  }

  /// More ions than VASP can treat; a damaged number must not exhaust the memory.
  private static let mostIons = 10_000_000

  /// A number of ions, `nil` where it is none.
  private static func count(_ text: some StringProtocol) -> Int? {
    Int(text).flatMap { (0...mostIons).contains($0) ? $0 : nil }
  }

  private func isConsistent(_ counts: [Int]) -> Bool {
    let sum = counts.reduce(0, +)
    return !counts.isEmpty && sum <= Self.mostIons && (atomCount == nil || sum == atomCount)
  }

  private static func columns(_ text: String) -> [Int] {
    var counts: [Int] = []
    var rest = Substring(text)
    while !rest.isEmpty, let count = Self.count(rest.suffix(4).drop { $0 == " " }) {
      counts.insert(count, at: 0)
      rest = rest.dropLast(4)
    }
    return counts
  }

  private mutating func findSpecies(_ line: Int) throws(FormatError) {
    guard species.isEmpty else { return }
    if titles.isEmpty && valences.isEmpty { titles = atomTitles }
    let names = max(titles.count, valences.count)
    guard !counts.isEmpty, names >= counts.count else {
      throw lines.error(
        "\(names) potentials and \(counts.count) numbers of ions",
        allowed: "one potential per type", line: line)
    }
    for (index, count) in counts.enumerated() {
      let title = index < titles.count ? titles[index] : ""
      let valence = index < valences.count ? valences[index] : ""
      guard
        let element = VASPElementName.element(title: title) ?? VASPElementName.element(valence)
      else {
        throw lines.error(
          "the potential '\(title)' is of no known element",
          allowed: "titles such as PAW_PBE Ti_pv", line: line)
      }
      species += Array(repeating: element, count: count)
    }
  }

  // MARK: - Steps

  /// A line of dashes with words in it.
  private mutating func takeHeading() throws(FormatError) {
    if lines.matches(1, "aborting") {
      // Behind the energy follow loops of the response to fields and displacements.
      guard step?.energy == nil else { return }
      let isReached = lines.text.contains("EDIFF is reached")
      if !isReached || step?.hasConverged == nil { step?.hasConverged = isReached }
    } else if lines.matches(1, "Iteration") {
      let words = lines.text(from: 2).split { $0 == "(" || $0 == ")" || $0 == "-" }
      let numbers = words.prefix(2).map { Int($0.trimmed) }
      let ionic = numbers.first ?? nil
      let electronic = numbers.count > 1 ? numbers[1] : nil
      // Thousands of steps print as stars; a loop then begins with its first iteration.
      if step == nil || step?.electronicSteps == 0 || electronic == 1 || ionic != ionicNumber {
        try beginStep(isElectronic: true)
        ionicNumber = ionic
      }
      step?.electronicSteps += 1
    } else if lines.matches(1, "Ionic") && lines.matches(2, "step") {
      try beginStep(isElectronic: false)
    }
  }

  private mutating func beginStep(isElectronic: Bool) throws(FormatError) {
    // The force field speaks first in a step that DFT computes as well, and may do so before the heading.
    if !isClosed, let step, step.electronicSteps == 0, step.energy == nil,
      isElectronic || step.isPredicted
    {
      isForceField = false
      return
    }
    try finishStep()
    stepCount += 1
    step = VASPStep(number: stepCount, line: lines.line)
    isClosed = false
    isForceField = false
  }

  private mutating func finishStep() throws(FormatError) {
    guard let finished = step else { return }
    step = nil
    try findSpecies(finished.line)
    if let checked = finished.checked(species, settings) { steps.append(checked) }
  }

  /// The heading of a block that a machine-learned force field wrote.
  ///
  /// After a step of DFT it predicts the next geometry, which is not that of the step's numbers. Between two
  /// ends of steps it is a step of its own, without a heading in VASP 6.3.
  private mutating func takePrediction() throws(FormatError) {
    if step == nil || isClosed { try beginStep(isElectronic: false) }
    isForceField = true
    step?.isPredicted = true
  }

  private mutating func takeStress() {
    guard !isForceField, step != nil else { return }
    // `in kB` and six numbers, the first of which may touch the word.
    let numbers = lines.text.drop { $0 != "B" }.dropFirst()
    do throws(FortranNumbers.Failure) {
      let p = try FortranNumbers.read(numbers, decimals: Array(repeating: 5, count: 6))
      // The order is XX YY ZZ XY YZ ZX.
      step?.stress = Matrix3(
        rows: Vector3(p[0], p[3], p[5]), Vector3(p[3], p[1], p[4]), Vector3(p[5], p[4], p[2]))
    } catch { step?.note(lines.line, "stress: \(error.reason)") }
  }

  private mutating func takeLattice() {
    guard step != nil, !isForceField else { return }
    var rows: [Vector3] = []
    for _ in 0..<3 {
      guard lines.advance() else { return }
      do throws(FortranNumbers.Failure) {
        let v = try FortranNumbers.vector(lines.text, decimals: 9)
        rows.append(Vector3(v[0], v[1], v[2]))
      } catch {
        step?.note(lines.line, "lattice vectors: \(error.reason)")
        return
      }
    }
    step?.lattice = rows
  }

  private mutating func takeForces() throws(FormatError) {
    guard step != nil else { return }
    guard !lines.text.hasSuffix("(ML)") else {
      step?.isPredicted = true
      return
    }
    guard lines.advance(), lines.field(0).hasPrefix("---") else { return }
    var positions: [Vector3] = []
    var forces: [Vector3] = []
    while lines.advance(), lines.count > 0, !lines.field(0).hasPrefix("---") {
      do throws(FortranNumbers.Failure) {
        let v = try FortranNumbers.read(lines.text, decimals: [5, 5, 5, 6, 6, 6])
        positions.append(Vector3(v[0], v[1], v[2]))
        forces.append(Vector3(v[3], v[4], v[5]))
      } catch {
        step?.note(lines.line, "position and force of atom \(forces.count + 1): \(error.reason)")
        return
      }
    }
    step?.positions = positions
    step?.forces = forces
  }

  private mutating func takeEnergy() {
    if lines.matches(2, "ML") {
      step?.isPredicted = true
    } else if lines.matches(2, "TOTEN") {
      if let energy = lines.number(4), lines.matches(5, "eV") {
        step?.energy = energy
      } else {
        step?.note(lines.line, "the free energy is '\(lines.field(4))', no finite number")
      }
    }
  }

  private mutating func takeChange() {
    let text = lines.text
    guard let colon = text.firstIndex(of: ":") else { return }
    // Stars where the first energies are far off; the number serves a message only.
    step?.lastChange = try? FortranNumbers.read(text[text.index(after: colon)...], decimals: [7])[0]
  }
}

extension StringProtocol {
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text = text.dropFirst() }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}
