import Crystal
import Foundation
import NumericalCore
import Synchronization

/// A client with the atoms it was started for.
final class LiveClient {
  let species: [ChemicalElement]
  /// The cell it was started with.
  let lattice: Lattice
  let connection: IPIConnection
  /// The program, and its folder; `nil` for one that was started by hand.
  let program: LaunchedClient?
  let folder: String?
  /// How much of its output was read.
  private var outputSize: UInt64 = 0

  init(
    for structure: Structure, _ connection: IPIConnection, _ program: LaunchedClient?,
    folder: String?
  ) {
    species = structure.species
    lattice = structure.lattice
    self.connection = connection
    self.program = program
    self.folder = folder
  }

  deinit { program?.stop(after: 0) }

  /// How it ended, in words, with the place of its output; `nil` where it still runs after a second.
  func ending() -> String? {
    IPIClientPool.text(program?.ending(within: 1), in: folder ?? "")
  }

  /// What it printed since the last call; nothing for a client that was started by hand.
  ///
  /// - Throws: `IPIError.system` where its output cannot be read, which would hide its warnings.
  func newOutput() throws(IPIError) -> String {
    guard let folder else { return "" }
    let path = "\(folder)/\(IPIClientPool.outputName)"
    let bytes: Data
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      try file.seek(toOffset: outputSize)
      bytes = try file.readToEnd() ?? Data()
    } catch {
      throw .system(step: "reading \(path)", reason: error.localizedDescription)
    }
    outputSize += UInt64(bytes.count)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// How far a cell is strained from the one it started with: the norm of the Green–Lagrange strain
  /// E = (F Fᵀ − 1)/2 of the deformation F = L₀⁻¹ L, which rotations leave alone.
  func strain(of lattice: Lattice) -> Double {
    let deformation = self.lattice.inverse * lattice.vectors
    // A mirrored cell has no strain, but nothing in common with the old one either.
    guard deformation.determinant > 0 else { return .infinity }
    return 0.5 * (deformation * deformation.transposed - .identity).frobeniusNorm
  }
}

/// The live clients of an engine, the least recently used first.
struct IPIClientPool {
  /// The file with a client's standard output and error.
  static let outputName = "client.out"

  let settings: IPISettings
  /// Where clients get their folders.
  let root: String
  let shouldStop: @Sendable () -> Bool
  private var clients: [LiveClient] = []
  /// For clients that are started by hand: they may come at any time.
  private var server: IPIServer?
  /// Servers of started clients in this process, for the names of their sockets.
  private static let serverCount = Atomic<Int>(0)

  init(_ settings: IPISettings, root: String, shouldStop: @escaping @Sendable () -> Bool) {
    self.settings = settings
    self.root = root.hasPrefix("/") ? root : "\(FileManager.default.currentDirectoryPath)/\(root)"
    self.shouldStop = shouldStop
  }

  /// How a program ended, in words, with the place of its output; `nil` while it runs.
  static func text(_ ending: LaunchedClient.Ending?, in folder: String) -> String? {
    let place = "; see \(folder)/\(outputName)"
    switch ending {
    case nil: return nil
    case .success(.exited(let status)): return "it ended with status \(status)\(place)"
    case .success(.signalled(let number)): return "signal \(number) ended it\(place)"
    case .success(.timedOut), .success(.stopped): return "it was stopped\(place)"
    case .failure(let error): return "\(error)"
    }
  }

  /// Where clients started by hand are awaited; `nil` before the first structure.
  var listeningAddress: IPIAddress? { server?.address }

  /// Starts to listen where clients are started by hand.
  mutating func listen() throws(IPIError) {
    guard server == nil else { return }
    server = try IPIServer(address(name: nil))
  }

  /// A client for the atoms of a structure: one that lives and fits, or a new one.
  mutating func client(for structure: Structure) throws -> LiveClient {
    if let place = clients.firstIndex(where: { $0.species == structure.species }) {
      let client = clients.remove(at: place)
      if fits(client, structure) {
        clients.append(client)
        return client
      }
      end(client)
    }
    while clients.count >= settings.liveClients { end(clients.removeFirst()) }
    let client =
      settings.command.isEmpty ? try awaited(for: structure) : try launched(for: structure)
    clients.append(client)
    return client
  }

  /// Takes a client out that failed; what it left stays.
  mutating func discard(_ client: LiveClient) {
    clients.removeAll { $0 === client }
    client.program?.stop(after: 0)
  }

  private func fits(_ client: LiveClient, _ structure: Structure) -> Bool {
    let isYoung = settings.restartAfter.map { client.connection.evaluationCount < $0 } ?? true
    let isNear =
      settings.cellTolerance.map { client.strain(of: structure.lattice) <= $0 } ?? true
    return isYoung && isNear && client.connection.isOpen
  }

  /// Lets a client end in good order.
  private func end(_ client: LiveClient) {
    client.connection.end()
    client.program?.stop(after: 10)
    guard let folder = client.folder, !settings.keepsFolders else { return }
    // What cannot be removed only takes room.
    try? FileManager.default.removeItem(atPath: folder)
  }

  private mutating func awaited(for structure: Structure) throws(IPIError) -> LiveClient {
    try listen()
    guard let server else { throw .closed(while: "a client was awaited") }
    let connection = try server.accept(within: settings.timeLimitSeconds) { () throws(IPIError) in
      if shouldStop() { throw .interrupted(waitingFor: "a client") }
    }
    return LiveClient(for: structure, connection, nil, folder: nil)
  }

  private mutating func launched(for structure: Structure) throws -> LiveClient {
    let folder = try freshFolder(for: structure)
    let server = try freshServer()
    var values = ClientTemplate.values(of: structure, spacing: settings.kSpacing)
    values["folder"] = folder
    values["here"] = settings.settingsFolder
    switch server.address {
    case .unix(let name): values["socket"] = name
    case .tcp(let host, let port):
      let isAny = host == "0.0.0.0" || host == "::"
      values["host"] = isAny ? SystemSocket.hostName() : host
      values["port"] = "\(port)"
    }
    for input in settings.inputs {
      let text = ClientTemplate.filled(input.text, values)
      let path = "\(folder)/\(input.name)"
      do { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) } catch {
        throw ReferenceEngineError.file(path: path, reason: "\(error.localizedDescription)")
      }
    }
    let command = settings.command.map { ClientTemplate.filled($0, values) }
    let program = LaunchedClient(
      CalculationLaunch(
        command: command, input: nil, output: Self.outputName, environment: settings.environment),
      in: folder)
    let connection: IPIConnection
    do throws(IPIError) {
      connection = try server.accept(within: settings.timeLimitSeconds) { () throws(IPIError) in
        if shouldStop() { throw .interrupted(waitingFor: "a client") }
        guard let ending = Self.text(program.ending(), in: folder) else { return }
        throw .clientEnded(ending)
      }
    } catch {
      program.stop(after: 0)
      throw error
    }
    return LiveClient(for: structure, connection, program, folder: folder)
  }

  /// A server of one client: what connects is what was started.
  private func freshServer() throws(IPIError) -> IPIServer {
    var tries = 0
    while true {
      let number = Self.serverCount.add(1, ordering: .relaxed).newValue
      let process = ProcessInfo.processInfo.processIdentifier
      do throws(IPIError) { return try IPIServer(address(name: "\(process)-\(number)")) } catch {
        // Processes of several containers may share their numbers and /tmp.
        tries += 1
        guard case .unix = settings.transport, tries < 20 else { throw error }
      }
    }
  }

  private func address(name suffix: String?) -> IPIAddress {
    switch settings.transport {
    case .unix(let name): .unix(name: suffix.map { "\(name)-\($0)" } ?? name)
    case .tcp(let host, let port): .tcp(host: host, port: port)
    }
  }

  /// Makes a folder that no client had before, whatever other processes do.
  private func freshFolder(for structure: Structure) throws(ReferenceEngineError) -> String {
    let manager = FileManager.default
    let name = "client-\(structure.composition().formula)"
    do {
      try manager.createDirectory(atPath: root, withIntermediateDirectories: true)
      for number in 1...Int.max {
        let path = "\(root)/\(name)-\(number)"
        if manager.fileExists(atPath: path) { continue }
        do {
          try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
          return path
        } catch  where manager.fileExists(atPath: path) { continue }
      }
    } catch {
      throw .file(path: root, reason: "\(error.localizedDescription)")
    }
    throw .file(path: root, reason: "no free name for a client's folder")
  }
}
