import Crystal

/// A program that computes a structure's energy, forces and stress from input files in a folder.
///
/// It only writes and reads texts; ``ExternalEngine`` makes folders, starts processes, sets limits and tries
/// again.
public protocol CalculationProgram: Sendable {
  /// The `kind:` of the settings, such as `espresso`.
  var kind: String { get }

  /// The method with its main parameters, on one line for people.
  var summary: String { get }

  /// The canonical bytes of every setting that decides a label; commands, process counts and time
  /// limits do not.
  var settingsBytes: [UInt8] { get }

  /// The canonical bytes of everything but the structure itself that decides its label: the settings and,
  /// where they only name files, what these hold for the structure.
  ///
  /// - Parameter structure: What is to be computed.
  /// - Returns: By default the settings alone.
  func settingsBytes(for structure: Structure) -> [UInt8]

  /// The mesh of k-points that a structure's cell asks for.
  ///
  /// - Parameter structure: What is to be computed.
  /// - Returns: The divisions along the reciprocal vectors; `nil`, the default, where there is no such mesh.
  func mesh(for structure: Structure) -> [Int]?

  /// The input files of a calculation.
  ///
  /// - Parameters:
  ///   - structure: What to compute.
  ///   - mesh: Divisions of the mesh of k-points; `nil` for those of ``mesh(for:)``.
  ///   - attempt: Which try this is.
  /// - Returns: What has to lie in the folder.
  /// - Throws: `ReferenceEngineError` where the program cannot treat the structure.
  func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile]

  /// How the program is started in a folder that holds the inputs.
  var launch: CalculationLaunch { get }

  /// Reads what the program left in a folder.
  ///
  /// - Parameters:
  ///   - folder: Path of the folder.
  ///   - structure: What was computed; forces are returned in the order of its atoms.
  /// - Returns: Whether the calculation is finished, and its numbers.
  func result(in folder: String, for structure: Structure) -> CalculationResult

  /// How the program is made to say its version, in an empty folder; `nil`, the default, where it
  /// cannot be asked.
  var versionLaunch: CalculationLaunch? { get }

  /// The version in what the program printed when it was asked, such as `PWSCF v.6.7MaX`.
  ///
  /// - Parameter output: Standard output and error.
  /// - Returns: `nil` where there is none.
  func version(in output: String) -> String?

  /// Names of large files and folders in a calculation's folder that nobody needs once it is finished;
  /// none by default.
  var scratch: [String] { get }
}

extension CalculationProgram {
  /// The settings alone.
  public func settingsBytes(for structure: Structure) -> [UInt8] { settingsBytes }

  /// There is no mesh.
  public func mesh(for structure: Structure) -> [Int]? { nil }

  /// The input files of a calculation with the mesh of k-points that the structure's cell asks for.
  public func inputs(
    for structure: Structure, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    try inputs(for: structure, mesh: nil, attempt: attempt)
  }

  /// The program cannot be asked.
  public var versionLaunch: CalculationLaunch? { nil }

  /// The program cannot be asked.
  public func version(in output: String) -> String? { nil }

  /// Everything is kept.
  public var scratch: [String] { [] }
}

/// Which try a calculation is.
public enum CalculationAttempt: Int, Sendable, CaseIterable {
  /// The settings as asked for.
  case regular
  /// Slower settings that converge where the regular ones did not: the physics stays the same.
  case safer
}

/// A file of a calculation.
public struct CalculationFile: Sendable, Hashable {
  /// Its name in the calculation's folder.
  public let name: String
  /// What it holds.
  public let content: Content

  /// Where a file's content comes from.
  public enum Content: Sendable, Hashable {
    /// Text that is written.
    case text(String)
    /// An existing file that is linked (read only), such as a pseudopotential.
    case link(path: String)
  }

  /// Creates a file.
  public init(name: String, content: Content) {
    self.name = name
    self.content = content
  }
}

/// How a program is started.
public struct CalculationLaunch: Sendable, Hashable {
  /// Program and arguments, without a shell; the first is looked up on the PATH.
  public var command: [String]
  /// The file in the folder that becomes its standard input; `nil` for none.
  public var input: String?
  /// The file in the folder that takes its standard output and error.
  public var output: String
  /// Variables set beside the inherited ones.
  public var environment: [String: String]

  /// Creates a launch.
  public init(
    command: [String], input: String?, output: String, environment: [String: String] = [:]
  ) {
    self.command = command
    self.input = input
    self.output = output
    self.environment = environment
  }
}

/// What a calculation's folder holds.
public enum CalculationResult: Sendable, Hashable {
  /// A finished calculation.
  case finished(Evaluation, details: CalculationDetails)
  /// Nothing, or the output of a run that was cut off: it is to be run.
  case unfinished(reason: String)
  /// The program ended without a usable result; another try with safer settings may help.
  case failed(reason: String)
}

/// What a program says of its calculation beside the label.
public struct CalculationDetails: Sendable, Hashable {
  /// The program's version as it prints it, such as `PWSCF v.6.7MaX`.
  public var programVersion: String?
  /// Steps of the self-consistent field.
  public var iterations: Int?
  /// The program's own processor time in seconds.
  public var seconds: Double?

  /// Creates details.
  public init(programVersion: String? = nil, iterations: Int? = nil, seconds: Double? = nil) {
    self.programVersion = programVersion
    self.iterations = iterations
    self.seconds = seconds
  }
}
