import Crystal
import Settings

/// An external program as reference method, as the settings describe it.
public struct ExternalMethod: Sendable, Hashable {
  /// The program and its settings.
  public let program: any CalculationProgram
  /// The elements that it has pseudopotentials or basis sets of; `nil` for all.
  public let elements: [ChemicalElement]?
  /// The key of the settings that lists them.
  public let elementsKey: String
  /// What one calculation may take.
  public var limits: ExternalLimits
  /// Why no calculation can begin, such as a program that is not installed; `nil` where nothing is known.
  public internal(set) var problem: SettingsError?

  /// Creates a method.
  ///
  /// - Parameters:
  ///   - program: The program and its settings.
  ///   - elements: The elements that it knows; `nil` for all.
  ///   - elementsKey: The key of the settings that lists them, for messages.
  ///   - limits: What one calculation may take.
  public init(
    _ program: any CalculationProgram, elements: [ChemicalElement]? = nil,
    elementsKey: String = "pseudopotentials", limits: ExternalLimits = ExternalLimits()
  ) {
    self.program = program
    self.elements = elements
    self.elementsKey = elementsKey
    self.limits = limits
  }

  /// The kinds of external programs.
  static let kinds = ["espresso", "cp2k", "vasp"]

  /// Reads the keys of a `reference:` block of one of the `kinds`.
  init(kind: String, _ reader: inout SettingsReader) throws(SettingsError) {
    switch kind {
    case "espresso":
      let parameters = try EspressoProgram.Parameters(&reader)
      self.init(
        EspressoProgram(parameters), elements: parameters.pseudopotentials.keys.sorted())
      problem = reader.problem(startingProgram: parameters.command[0])
    case "cp2k":
      let parameters = try Cp2kProgram.Parameters(&reader)
      self.init(
        Cp2kProgram(parameters), elements: parameters.kinds.keys.sorted(), elementsKey: "basis")
      problem = reader.problem(startingProgram: parameters.command[0])
    case "vasp":
      let vasp = try VASPProgram(&reader)
      self.init(vasp)
      // Without a command VASP is run by hand, elsewhere.
      problem = vasp.command.first.flatMap { reader.problem(startingProgram: $0) }
    default: throw reader.error(found: kind, allowed: Self.kinds.joined(separator: ", "))
    }
    limits.timeLimitSeconds = try reader.optional("time_limit")?.duration()
    limits.keepsScratch = try reader.optional("keep_scratch")?.flag() ?? false
  }

  /// Whether two methods give the same labels in the same way.
  public static func == (a: Self, b: Self) -> Bool {
    a.program.kind == b.program.kind && a.program.settingsBytes == b.program.settingsBytes
      && a.program.launch == b.program.launch && a.elements == b.elements && a.limits == b.limits
  }

  /// Hashes the program's settings.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(program.kind)
    hasher.combine(program.settingsBytes)
  }
}
