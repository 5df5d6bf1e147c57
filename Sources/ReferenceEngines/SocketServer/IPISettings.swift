import NumericalCore

/// How an ``IPIEngine`` gets its clients and how long it keeps them.
public struct IPISettings: Sendable, Hashable {
  /// How clients connect.
  public enum Transport: Sendable, Hashable {
    /// A UNIX socket `/tmp/ipi_NAME`; clients that the engine starts get a name of their own each that
    /// begins with this one.
    case unix(name: String)
    /// TCP; port 0 for any free one.
    case tcp(host: String, port: Int)
  }

  /// What the clients compute, on one line: it belongs to the key of every label.
  public var method: String
  /// The program that becomes a client, with its arguments and their variables; empty where clients
  /// are started by hand.
  public var command: [String]
  /// Variables that are set for the program.
  public var environment: [String: String]
  /// How clients connect.
  public var transport: Transport
  /// The input files of a client.
  public var inputs: [ClientTemplate]
  /// How long a client may take to connect, and to evaluate a structure, in seconds each.
  public var timeLimitSeconds: Double
  /// How many structures a client evaluates before another one is started; `nil` for any number.
  public var restartAfter: Int?
  /// How far the cell may be strained from the one that the client started with before another client
  /// is started, as a fraction of its lengths; `nil` for any strain.
  public var cellTolerance: Double?
  /// How many clients live at the same time, each for one list of atoms.
  public var liveClients: Int
  /// Largest distance of k points in 1/Å, with the factor 2π, for `{kmesh}`.
  public var kSpacing: Double
  /// Texts in the output of a client that the engine started which make the structure at hand a failure: the
  /// protocol has no word for it, and CP2K sends what it has when its self-consistent field did not converge.
  public var refusedOutput: [String]
  /// Energies per atom in eV below this are refused as unphysical; `nil` for no floor.
  public var energyFloor: Double?
  /// Whether the folders of clients that ended in good order are kept.
  public var keepsFolders: Bool
  /// The folder of the settings file, for `{here}`.
  public var settingsFolder: String
  /// The program of `command:` where it is not installed; `nil` where nothing is known.
  public internal(set) var missingProgram: String?

  /// Creates settings.
  public init(
    method: String, command: [String] = [], environment: [String: String] = [:],
    transport: Transport = .unix(name: "polymorph"),
    inputs: [ClientTemplate] = [], timeLimitSeconds: Double = 600, restartAfter: Int? = nil,
    cellTolerance: Double? = nil, liveClients: Int = 1, kSpacing: Double = 0.25,
    refusedOutput: [String] = ["SCF run NOT converged"], energyFloor: Double? = nil,
    keepsFolders: Bool = false,
    settingsFolder: String = "."
  ) {
    self.method = method
    self.command = command
    self.environment = environment
    self.transport = transport
    self.inputs = inputs
    self.timeLimitSeconds = timeLimitSeconds
    self.restartAfter = restartAfter
    self.cellTolerance = cellTolerance
    self.liveClients = liveClients
    self.kSpacing = kSpacing
    self.refusedOutput = refusedOutput
    self.energyFloor = energyFloor
    self.keepsFolders = keepsFolders
    self.settingsFolder = settingsFolder
  }

  /// The canonical bytes of everything that decides a label: not the command, which holds numbers of
  /// processes, nor sockets, folders and time limits.
  public var canonicalBytes: [UInt8] {
    var encoder = ByteEncoder()
    encoder.encode("i-pi")
    encoder.encode(method)
    encoder.encode(inputs.count)
    for input in inputs {
      encoder.encode(input.name)
      encoder.encode(input.text)
    }
    encoder.encode(restartAfter.map(Double.init))
    encoder.encode(cellTolerance)
    encoder.encode(kSpacing)
    encoder.encode(refusedOutput.count)
    for text in refusedOutput { encoder.encode(text) }
    return encoder.bytes
  }
}
