import Crystal
import NumericalCore
import Potential
import Settings

/// The `reference:` block of a campaign file, or of a file of its own: which method labels structures.
///
/// ```yaml
/// reference:
///   kind: buckingham
///   cutoff: 15.0               # Å
///   smoothing: 0               # Å, default: none
///   energy_floor: -20          # eV/atom, default: none
///   charges: {Ti: 2.196, O: -1.098}
///   pairs:                     # A eV, rho Å, C eV Å⁶, wall eV Å¹²
///     - {elements: [O, O], A: 11782.7, rho: 0.2340, C: 30.22, wall: 1.0}
/// ```
public struct ReferenceSettings: Sendable {
  /// A method with its parameters.
  public enum Model: Sendable, Hashable {
    /// Rigid ions.
    case buckingham(BuckinghamPotential.Parameters)
    /// Pairs.
    case lennardJones(LennardJonesPotential.Parameters)
    /// Pairs and angles.
    case stillingerWeber(StillingerWeberPotential.Parameters)
    /// Bond orders.
    case tersoff(TersoffPotential.Parameters)
    /// A program that is started for every structure.
    case external(ExternalMethod)
    /// Programs that stay alive and are sent structures through a socket.
    case socket(IPISettings)
  }

  /// The method.
  public let model: Model
  /// Energies per atom in eV below this are refused as unphysical; `nil` for no floor.
  public let energyFloor: Double?
  /// Why no calculation can begin, such as a program that is not installed; `nil` where nothing is known.
  public let problem: SettingsError?
  private let origin: Origin?

  /// Where the block stands, for messages of later checks.
  private struct Origin: Sendable {
    let file: String
    let keyPath: String
    let line: Int
    /// The lines of the keys that later checks may name, where they exist.
    let lines: [String: Int]
  }

  /// The kinds that this build can evaluate.
  public static let availableKinds =
    ["buckingham", "lennard-jones", "stillinger-weber", "tersoff"] + ExternalMethod.kinds + ["i-pi"]

  /// The kinds that the campaign file knows.
  public static let knownKinds = [
    "buckingham", "lennard-jones", "stillinger-weber", "tersoff", "eam", "espresso", "vasp", "cp2k",
    "i-pi",
  ]

  /// Creates settings in code.
  public init(_ model: Model, energyFloor: Double? = nil) {
    switch model {
    case .external(var method):
      method.limits.energyFloor = energyFloor
      self.model = .external(method)
    case .socket(var settings):
      settings.energyFloor = energyFloor
      self.model = .socket(settings)
    case .buckingham, .lennardJones, .stillingerWeber, .tersoff: self.model = model
    }
    self.energyFloor = energyFloor
    if case .external(let method) = model { problem = method.problem } else { problem = nil }
    origin = nil
  }

  /// Reads the mapping below `reference:`.
  ///
  /// - Throws: `SettingsError` with file, line and key.
  public init(_ reader: SettingsReader) throws(SettingsError) {
    var reader = reader
    let available = "one of \(Self.availableKinds.joined(separator: ", "))"
    let kindValue = try reader.required("kind", available)
    let kind = try kindValue.word(of: Self.knownKinds)
    energyFloor = try reader.optional("energy_floor")?.number(
      in: -1e6...1e6, unit: "eV per atom")
    var lines: [String: Int] = [:]
    // A copy looks: what it asks for does not count as known to the kind.
    var copy = reader
    for key in [
      "charges", "pairs", "parameters", "pseudopotentials", "basis", "potentials", "command",
    ] {
      lines[key] = copy.optional(key)?.line
    }
    var problem: SettingsError?
    switch kind {
    case "buckingham": model = .buckingham(try BuckinghamPotential.Parameters(&reader))
    case "lennard-jones": model = .lennardJones(try LennardJonesPotential.Parameters(&reader))
    case "stillinger-weber":
      model = .stillingerWeber(try StillingerWeberPotential.Parameters(&reader))
    case "tersoff": model = .tersoff(try TersoffPotential.Parameters(&reader))
    case _ where ExternalMethod.kinds.contains(kind):
      var method = try ExternalMethod(kind: kind, &reader)
      method.limits.energyFloor = energyFloor
      model = .external(method)
      problem = method.problem
    case "i-pi":
      var settings = try IPISettings(&reader)
      settings.energyFloor = energyFloor
      model = .socket(settings)
      problem = settings.missingProgram.flatMap { copy.problem(startingProgram: $0) }
    default:
      throw kindValue.error(
        allowed: available, suggestion: "this build cannot evaluate '\(kind)' yet")
    }
    self.problem = problem
    origin = Origin(
      file: reader.file, keyPath: reader.keyPath, line: reader.line, lines: lines)
    try reader.finish()
  }

  /// Reads the `reference:` block of a YAML file.
  ///
  /// - Throws: `SettingsError` where the file is not readable, has no such block, or the block is wrong.
  public init(path: String) throws(SettingsError) {
    var top = try SettingsDocument(path: path).mapping()
    try self.init(top.required("reference", "a reference method").mapping())
  }

  /// The potential that the settings describe.
  ///
  /// An external program computes in temporary folders that are removed at once, clients of a socket live in
  /// theirs; what failed stays, and the message names the place.
  ///
  /// - Throws: `SettingsError` with file, line and key where a program is missing or would have to be run by
  ///   hand, in folders that are removed; `PotentialError.invalidParameters` where the parameters contradict
  ///   each other, and for clients of a socket that cannot be had.
  public func potential() throws -> any InteratomicPotential {
    if let obstacle = obstacleToLabelling { throw obstacle }
    if let embedded = try embeddedPotential() { return embedded }
    let scratch = ScratchFolder()
    return EnginePotential(
      try engine(folder: scratch.path), elements: elements, scratch: scratch)
  }

  /// The potential inside this program; `nil` for external programs.
  func embeddedPotential() throws(PotentialError) -> (any InteratomicPotential)? {
    switch model {
    case .buckingham(let parameters): try BuckinghamPotential(parameters)
    case .lennardJones(let parameters): try LennardJonesPotential(parameters)
    case .stillingerWeber(let parameters): try StillingerWeberPotential(parameters)
    case .tersoff(let parameters): try TersoffPotential(parameters)
    case .external, .socket: nil
    }
  }

  /// Whether the method is computed here, without another program.
  public var isEmbedded: Bool {
    switch model {
    case .external, .socket: false
    case .buckingham, .lennardJones, .stillingerWeber, .tersoff: true
    }
  }

  /// The program that labels by files in folders; `nil` for other methods.
  public var program: (any CalculationProgram)? {
    if case .external(let method) = model { method.program } else { nil }
  }

  /// The elements that the method has parameters of; `nil` where it does not say.
  private var elements: [ChemicalElement]? {
    if case .external(let method) = model { method.elements } else { nil }
  }

  /// The method as engine and as potential, both with the same memory.
  ///
  /// - Parameters:
  ///   - folder: Where an external program computes, one folder for each structure.
  ///   - stores: Such folders of other campaigns, whose labels are taken over.
  ///   - shouldStop: Asked while an external program runs; where it says yes, the program is ended.
  /// - Returns: What labels structures, and the same as a potential for relaxations.
  /// - Throws: As `engine(folder:stores:shouldStop:)`.
  public func method(
    folder: String, stores: [String] = [],
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> (engine: any ReferenceEngine, potential: any InteratomicPotential) {
    let engine = try engine(folder: folder, stores: stores, shouldStop: shouldStop)
    return (engine, try embeddedPotential() ?? EnginePotential(engine, elements: elements))
  }

  /// The labelling engine that the settings describe.
  ///
  /// - Parameters:
  ///   - folder: Where an external program computes, one folder for each structure.
  ///   - stores: Such folders of other campaigns, whose labels are taken over.
  ///   - shouldStop: Asked while an external program runs; where it says yes, the program is ended.
  /// - Returns: The engine.
  /// - Throws: `SettingsError` with file, line and key where a program cannot be started,
  ///   `PotentialError.invalidParameters` where the parameters contradict each other and for clients of a socket
  ///   that cannot be had, `ReferenceEngineError` for a temporary folder that cannot be made.
  public func engine(
    folder: String = "reference", stores: [String] = [],
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> any ReferenceEngine {
    // What is not asked for its version need not be there to write inputs and read results.
    if let problem, program.map({ $0.versionLaunch != nil }) ?? true {
      throw problem
    }
    switch model {
    case .external(let method):
      return try externalEngine(method, folder: folder, stores: stores, shouldStop: shouldStop)
    case .socket(let settings):
      do throws(IPIError) {
        return try IPIEngine(settings, folder: folder, shouldStop: shouldStop)
      } catch {
        throw PotentialError.invalidParameters("\(error)")
      }
    case .buckingham, .lennardJones, .stillingerWeber, .tersoff:
      return try EmbeddedReference(self)
    }
  }

  /// The engine of an external program, of this block or of one that differs from it in its accuracy.
  ///
  /// - Parameters:
  ///   - method: The program with its limits.
  ///   - folder: Where it computes, one folder for each structure.
  ///   - stores: Such folders of other campaigns, whose labels are taken over.
  ///   - shouldStop: Asked while the program runs; where it says yes, the program is ended.
  /// - Returns: The engine.
  /// - Throws: `SettingsError` with file, line and key where the program cannot be started or says no version;
  ///   any other `ReferenceEngineError`, such as for a temporary folder that cannot be made, as it is.
  package func externalEngine(
    _ method: ExternalMethod, folder: String, stores: [String] = [],
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> ExternalEngine {
    do throws(ReferenceEngineError) {
      return try ExternalEngine(
        method.program, folder: folder, stores: stores, limits: method.limits,
        shouldStop: shouldStop)
    } catch {
      guard case .cannotStart = error else { throw error }
      throw self.error("command", found: "a program that does not work (\(error))", "one that does")
    }
  }

  /// The method with its main parameters, on one line.
  public var summary: String {
    switch model {
    case .buckingham(let p):
      let ions = p.charges.sorted { $0.element < $1.element }
        .map { "\($0.element) \($0.charge > 0 ? "+" : "")\($0.charge)" }.joined(separator: ", ")
      let end = p.smoothing > 0 ? "smoothed over the last \(p.smoothing) Å" : "abrupt"
      return "buckingham: \(p.pairs.count) pairs to \(p.cutoff) Å (\(end)), charges \(ions)"
    case .lennardJones(let p):
      let end = p.pairs.compactMap(\.cutoff).max().map { "up to \($0) Å" } ?? "without cutoff"
      return "lennard-jones: \(p.pairs.count) pairs \(end), truncation \(p.truncation.rawValue)"
    case .stillingerWeber(let p): return "stillinger-weber: \(p.element) to \(p.cutoff) Å"
    case .tersoff(let p):
      let elements = p.elements.map(\.element).sorted().map(\.symbol)
      return "tersoff: \(elements.joined(separator: ", "))"
    case .external(let method): return method.program.summary
    case .socket(let settings): return "i-pi: \(settings.method)"
    }
  }

  /// The canonical bytes of everything that decides a label.
  public var canonicalBytes: [UInt8] {
    var encoder = ByteEncoder()
    switch model {
    case .buckingham(let parameters):
      encoder.encode("buckingham")
      encoder.encode(parameters)
    case .lennardJones(let parameters):
      encoder.encode("lennard-jones")
      encoder.encode(parameters)
    case .stillingerWeber(let parameters):
      encoder.encode("stillinger-weber")
      encoder.encode(parameters)
    case .tersoff(let parameters):
      encoder.encode("tersoff")
      encoder.encode(parameters)
    case .external(let method):
      encoder.encode(method.program.kind)
      encoder.encode(method.program.settingsBytes)
    case .socket(let settings):
      encoder.encode("i-pi")
      encoder.encode(settings.canonicalBytes)
    }
    encoder.encode(energyFloor)
    return encoder.bytes
  }
}

extension ReferenceSettings {
  /// Checks that the method can treat a composition.
  ///
  /// Unlike charges need a short-range pair, or they would fall into each other; like charges may
  /// interact by their charges alone. Elements without charges need all their pairs.
  ///
  /// - Throws: `SettingsError` that names the missing element or pair, or a composition that is not
  ///   neutral.
  public func check(_ composition: Composition) throws(SettingsError) {
    switch model {
    case .buckingham(let parameters): try check(composition, parameters)
    case .lennardJones(let parameters):
      try check(composition, "pairs", parameters.pairs.flatMap { [$0.first, $0.second] })
    case .stillingerWeber(let parameters):
      try check(composition, "parameters", [parameters.element])
    case .tersoff(let parameters):
      try check(composition, "parameters", parameters.elements.map(\.element))
    case .external(let method):
      if let known = method.elements {
        try check(composition, method.elementsKey, known)
      }
    case .socket: break
    }
  }

  private func check(
    _ composition: Composition, _ key: String, _ known: [ChemicalElement]
  ) throws(SettingsError) {
    for element in composition.elements where !known.contains(element) {
      throw error(
        key, found: "no parameters of \(element)", "every element of \(composition.formula)")
    }
  }

  private func check(
    _ composition: Composition, _ parameters: BuckinghamPotential.Parameters
  ) throws(SettingsError) {
    let elements = composition.elements
    func charge(_ element: ChemicalElement) -> Double? {
      parameters.charges.first { $0.element == element }?.charge
    }
    func hasPair(_ a: ChemicalElement, _ b: ChemicalElement) -> Bool {
      parameters.pairs.contains { $0.joins(a, b) }
    }
    for element in elements {
      let isPaired = parameters.pairs.contains { $0.first == element || $0.second == element }
      if charge(element) == nil && !isPaired {
        throw error(
          "charges", found: "no parameters of \(element)",
          "every element of \(composition.formula)")
      }
    }
    for (index, a) in elements.enumerated() {
      for b in elements[index...] where !hasPair(a, b) {
        let product = (charge(a) ?? 0) * (charge(b) ?? 0)
        if product <= 0 {
          throw error(
            "pairs", found: "missing pair parameters of \(a)–\(b)",
            "every pair of unlike or no charges in \(composition.formula)")
        }
      }
    }
    var total = 0.0
    for (element, count) in zip(composition.elements, composition.counts) {
      total += Double(count) * (charge(element) ?? 0)
    }
    guard abs(total) < 1e-6 else {
      throw error(
        "charges", found: "a charge of \(total) e in \(composition.formula)",
        "charges that sum to zero")
    }
  }

  /// Why the method cannot label structures by itself; `nil` where it can.
  public var obstacleToLabelling: SettingsError? {
    if let problem { return problem }
    guard case .external(let method) = model, method.program.launch.command.isEmpty else {
      return nil
    }
    return error(
      "command", found: "none",
      "how \(method.program.kind) is started, such as [mpirun, -n, 16, vasp_std]; nobody can be waited for "
        + "here, and 'search --dry-run' and 'export' write inputs")
  }

  private func error(_ key: String, found: String, _ allowed: String) -> SettingsError {
    let path = origin.map { $0.keyPath.isEmpty ? key : "\($0.keyPath).\(key)" } ?? key
    return SettingsError(
      file: origin?.file ?? "reference", line: origin?.lines[key] ?? origin?.line, keyPath: path,
      found: found, allowed: allowed)
  }
}
