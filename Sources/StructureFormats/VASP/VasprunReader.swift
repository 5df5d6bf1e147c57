import Crystal
import Foundation
import NumericalCore

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Reads `vasprun.xml` element by element; of the large parts (eigenvalues, densities of states) nothing
/// is kept.
final class VasprunReader: NSObject, XMLParserDelegate {
  /// Where in the document an element stands.
  enum Place {
    case document, modeling, generator, incar, parameters, atomInformation, atoms, types
    case structure, calculation, electronicStep, electronicEnergy, energy, vectors, text
  }

  private let path: String
  private var places: [Place] = [.document]
  private var labels: [String] = [""]
  /// How many elements that say nothing to us enclose the present place.
  private var ignored = 0
  private var text = ""
  private var line = 1

  private var version: String?
  private var settings = VASPRunSettings()
  private var settingsFromParameters: Set<String> = []
  private var cells: [String] = []
  private var atoms: [(symbol: String, type: Int?)] = []
  private var typeTitles: [String] = []
  private var rows: [Vector3] = []
  private var badRow: (line: Int, reason: String)?

  private var step: VASPStep?
  private var stepCount = 0
  private var initial = VASPStep(number: 0, line: 1)
  private var steps: [VASPOutput.IonicStep] = []
  private var seconds: Double?
  private var failure: FormatError?
  private var isRootSeen = false
  private var isRootClosed = false

  init(path: String) { self.path = path }

  /// Reads a whole file.
  func output(from bytes: [UInt8]) throws(FormatError) -> VASPOutput {
    let isComplete = VasprunText.isComplete(bytes)
    // As one piece of data, the parser gives up after 10 MB.
    let parser = XMLParser(stream: InputStream(data: Data(VasprunText.cleaned(bytes))))
    parser.delegate = self
    // On Linux the result is true even where the XML is malformed: the error and the root's end tell.
    _ = parser.parse()
    let isWellFormed = parser.parserError == nil && isRootClosed
    if let failure { throw failure }
    let lastLine = max(parser.lineNumber, 1)
    guard isRootSeen else {
      throw FormatError(
        path: path, line: 1, bytes.isEmpty ? "the file is empty" : "no <modeling> element is found",
        allowed: "a vasprun.xml of VASP")
    }
    var ending = VASPOutput.Ending.finished
    if isComplete {
      guard isWellFormed else {
        let reason = (parser.parserError as NSError?)?.code
        throw FormatError(
          path: path, line: lastLine,
          "the XML is malformed (error \(reason.map(String.init) ?? "unknown") of the XML reader)",
          allowed: "a vasprun.xml as VASP wrote it")
      }
    } else {
      let place =
        step == nil ? "after \(stepCount) complete ionic steps" : "inside ionic step \(stepCount)"
      ending = .cut(line: lastLine, reason: "the file breaks off \(place): VASP did not finish")
    }
    return VASPOutput(
      path: path, programVersion: version, steps: steps, ending: ending,
      processorSeconds: seconds)
  }

  // MARK: - Elements

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    if ignored > 0 {
      ignored += 1
      return
    }
    let label = attributes["name"] ?? ""
    guard let place = place(of: element, label, in: places.last ?? .document) else {
      ignored = 1
      return
    }
    line = parser.lineNumber
    places.append(place)
    labels.append(label)
    text = ""
    switch place {
    case .calculation:
      stepCount += 1
      step = VASPStep(number: stepCount, line: line)
      step?.arePositionsFractional = true
    case .electronicStep: step?.electronicSteps += 1
    case .vectors:
      rows = []
      badRow = nil
    default: break
    }
    if element == "rc" { cells = [] }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if ignored == 0, places.last == .text { text += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    if ignored > 0 {
      ignored -= 1
      return
    }
    guard places.count > 1, let place = places.popLast(), let label = labels.popLast() else {
      return
    }
    let parent = places.last ?? .document
    switch place {
    case .text: take(text.trimmingCharacters(in: .whitespaces), label, in: parent)
    case .vectors: take(label, in: parent)
    case .atoms where element == "rc":
      atoms.append((cells.first ?? "", cells.count > 1 ? Int(cells[1]) : nil))
    case .types where element == "rc":
      typeTitles.append(cells.count > 4 ? cells[4] : "")
    case .calculation: finishStep(parser)
    case .modeling: isRootClosed = true
    default: break
    }
  }

  /// The place that an element opens, `nil` where it says nothing to us.
  private func place(of element: String, _ label: String, in parent: Place) -> Place? {
    switch (parent, element) {
    case (.document, "modeling"):
      isRootSeen = true
      return .modeling
    case (.modeling, "generator"): return .generator
    case (.modeling, "incar"): return .incar
    case (.modeling, "parameters"): return .parameters
    // What follows sets other loops than the electronic one, with the same names.
    case (.parameters, "separator"): return label.hasPrefix("response") ? nil : .parameters
    case (.modeling, "atominfo"): return .atomInformation
    case (.atomInformation, "array"):
      return label == "atoms" ? .atoms : label == "atomtypes" ? .types : nil
    case (.atoms, "set"), (.atoms, "rc"): return .atoms
    case (.types, "set"), (.types, "rc"): return .types
    case (.modeling, "structure"): return label == "initialpos" ? .structure : nil
    case (.modeling, "calculation"): return .calculation
    case (.calculation, "structure"), (.structure, "crystal"): return .structure
    case (.structure, "varray"):
      return label == "basis" || label == "positions" ? .vectors : nil
    case (.calculation, "varray"): return label == "forces" || label == "stress" ? .vectors : nil
    // After the step's own energy follow loops of the response to fields and displacements.
    case (.calculation, "scstep"): return step?.energy == nil ? .electronicStep : nil
    case (.electronicStep, "energy"): return .electronicEnergy
    case (.calculation, "energy"): return .energy
    case (.electronicEnergy, "i"), (.energy, "i"): return label == "e_fr_energy" ? .text : nil
    case (.calculation, "time"): return label == "totalsc" ? .text : nil
    case (.generator, "i"), (.incar, "i"), (.parameters, "i"), (.vectors, "v"), (.atoms, "c"),
      (.types, "c"):
      return .text
    default: return nil
    }
  }

  // MARK: - What they hold

  private func take(_ text: String, _ label: String, in parent: Place) {
    switch parent {
    case .generator: if label == "version" { version = text }
    case .incar, .parameters: setting(label, text, isParameter: parent == .parameters)
    case .atoms, .types: cells.append(text)
    case .vectors:
      do throws(FortranNumbers.Failure) {
        let v = try FortranNumbers.vector(text, decimals: 8)
        rows.append(Vector3(v[0], v[1], v[2]))
      } catch {
        if badRow == nil { badRow = (line, error.reason) }
        rows.append(.zero)
      }
    case .electronicEnergy:
      if let energy = number(text) { step?.addElectronicStep(energy: energy) }
    case .energy:
      if let energy = number(text) {
        step?.energy = energy
      } else {
        step?.note(line, "the free energy is '\(text)', no finite number")
      }
    case .calculation:
      if let time = number(text.split(separator: " ").first ?? "") {
        seconds = (seconds ?? 0) + time
      }
    default: break
    }
  }

  private func number(_ text: some StringProtocol) -> Double? {
    try? FortranNumbers.read(text, decimals: [8])[0]  // the caller says what is wrong
  }

  /// Settings stand in `incar` as people wrote them and in `parameters` as VASP took them.
  private func setting(_ name: String, _ text: String, isParameter: Bool) {
    guard ["NELM", "EDIFF", "PSTRESS", "ICHARG", "ISIF"].contains(name) else { return }
    if isParameter, !settingsFromParameters.insert(name).inserted { return }
    switch name {
    case "NELM": settings.largestElectronicSteps = Int(text)
    case "EDIFF": settings.energyTolerance = number(text)
    case "PSTRESS": settings.pressure = number(text) ?? 0
    case "ICHARG": settings.chargeStart = Int(text)
    default: settings.stressMode = Int(text)
    }
  }

  /// The rows of a `varray` that has ended.
  private func take(_ label: String, in parent: Place) {
    if parent == .structure, step == nil {
      if badRow == nil {
        if label == "basis" { initial.lattice = rows } else { initial.positions = rows }
      }
      return
    }
    if let badRow { step?.note(badRow.line, "\(label): \(badRow.reason)") }
    switch label {
    case "basis": step?.lattice = rows
    case "positions": step?.positions = rows
    case "forces": step?.forces = rows
    default:
      guard rows.count == 3 else {
        step?.note(line, "\(rows.count) rows of stress, expected 3")
        return
      }
      step?.stress = Matrix3(rows: rows[0], rows[1], rows[2])
    }
  }

  private func finishStep(_ parser: XMLParser) {
    guard var step else { return }
    self.step = nil
    if stepCount == 1, step.lattice == nil, step.positions == nil, step.forces != nil {
      step.lattice = initial.lattice
      step.positions = initial.positions
    }
    settings.majorVersion = version.flatMap { Int($0.prefix { $0.isNumber }) }
    do throws(FormatError) {
      if let checked = step.checked(try species(step.line), settings) { steps.append(checked) }
    } catch {
      failure = error
      parser.abortParsing()
    }
  }

  /// The element of every atom; VASP cuts names to two letters, the potentials' titles help out.
  private func species(_ line: Int) throws(FormatError) -> [ChemicalElement] {
    var species: [ChemicalElement] = []
    species.reserveCapacity(atoms.count)
    for (index, atom) in atoms.enumerated() {
      // Types count from 1; a damaged number may be any.
      let title = atom.type.flatMap {
        $0 > 0 && $0 <= typeTitles.count ? typeTitles[$0 - 1] : nil
      }
      guard
        let element = ChemicalElement(symbol: atom.symbol)
          ?? title.flatMap({ VASPElementName.element(title: $0) })
          ?? VASPElementName.element(atom.symbol)
      else {
        throw FormatError(
          path: path, line: line, "atom \(index + 1) is of the unknown element '\(atom.symbol)'",
          allowed: "chemical symbols")
      }
      species.append(element)
    }
    guard !species.isEmpty else {
      throw FormatError(path: path, line: line, "no atoms are listed", allowed: "<atominfo>")
    }
    return species
  }
}
