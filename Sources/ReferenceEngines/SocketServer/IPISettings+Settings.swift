import Foundation
import NumericalCore
import Settings

extension IPISettings {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: i-pi
  /// command: [pw.x, --ipi, "{socket}:UNIX", -in, pw.in]   # omit for clients started by hand
  /// input: {pw.in: si.pw.in}     # name in the client's folder: file beside this one
  /// environment: {OMP_NUM_THREADS: 2}   # default: 1
  /// method: PBE, 40 Ry           # default: the names of program and input; needed without input
  /// socket: unix                 # or tcp
  /// address: polymorph           # a name for unix; host:port for tcp, port 0 for any free one
  /// time_limit: 10m              # to connect, and for every structure
  /// restart_after: 200           # structures of one client, default: none
  /// cell_tolerance: 0.03         # strain before another client starts, or none
  /// live_clients: 1              # lists of atoms that have a client at the same time
  /// k_spacing: 0.25              # 1/Å, for {kmesh}
  /// refused_output: [SCF run NOT converged]   # texts in a started client's output: no label
  /// keep_folders: false          # also of clients that ended in good order
  /// here: .                      # what {here} stands for, default: the folder of this file
  /// ```
  public init(_ reader: inout SettingsReader) throws(SettingsError) {
    let folder =
      try reader.optional("here")?.path("a folder")
      ?? URL(fileURLWithPath: reader.file).deletingLastPathComponent().path
    var command: [String] = []
    var missingProgram: String?
    let commandValue = reader.optional("command")
    let transport = try Transport(&reader, isStarted: commandValue != nil)
    if let value = commandValue {
      command = try value.command()
      for word in command { try value.checkVariables(word, transport) }
      // What lies in the folder of a client that is not there yet cannot be looked for.
      let program = ClientTemplate.filled(command[0], ["here": folder])
      if !ClientTemplate.usesAny(in: program), ChildProcess.path(of: program) == nil {
        missingProgram = program
      }
    }
    let environment = try reader.environment()
    let inputs = try Self.inputs(&reader, transport)
    let methodValue = reader.optional("method")
    guard methodValue != nil || !inputs.isEmpty else {
      throw reader.error(
        found: "neither method nor input", allowed: "method: what the clients compute, in words",
        suggestion: "it tells labels of different methods apart")
    }
    let program = command.first.map { [URL(fileURLWithPath: $0).lastPathComponent] } ?? []
    let method =
      try methodValue?.string("what the clients compute, in words")
      ?? (program + inputs.map(\.name)).joined(separator: " ")
    let limit = try reader.optional("time_limit")?.duration() ?? 600
    let restartAfter = try reader.optional("restart_after")?.integer(in: 1...1_000_000)
    var tolerance: Double? = command.isEmpty ? nil : 0.03
    if let value = reader.optional("cell_tolerance") {
      tolerance =
        value.isNone ? nil : try value.positiveNumber(upTo: 10, suggestion: "or 'none'")
    }
    var refused = ["SCF run NOT converged"]
    if let value = reader.optional("refused_output") {
      guard !command.isEmpty else {
        throw value.error(
          found: "refused_output without command", allowed: "refused_output with 'command:'",
          suggestion: "what clients print that are started by hand cannot be read")
      }
      refused = []
      for text in try value.list("texts") { refused.append(try text.string()) }
    }
    self.init(
      method: method, command: command, environment: environment, transport: transport,
      inputs: inputs,
      timeLimitSeconds: limit, restartAfter: restartAfter, cellTolerance: tolerance,
      liveClients: try reader.optional("live_clients")?.integer(in: 1...1000) ?? 1,
      kSpacing: try reader.optional("k_spacing")?.positiveNumber(upTo: 10, unit: "1/Å") ?? 0.25,
      refusedOutput: refused, keepsFolders: try reader.optional("keep_folders")?.flag() ?? false,
      settingsFolder: folder)
    self.missingProgram = missingProgram
  }

  private static func inputs(
    _ reader: inout SettingsReader, _ transport: Transport
  ) throws(SettingsError) -> [ClientTemplate] {
    guard let section = reader.optional("input") else { return [] }
    var files = try section.mapping()
    var inputs: [ClientTemplate] = []
    for (name, value) in files.allValues() {
      guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
        throw value.error(
          found: "the name \(name)", allowed: "a name in the client's folder, without '/'")
      }
      let path = try value.path("a file beside the settings")
      guard let bytes = FileManager.default.contents(atPath: path),
        let text = String(validating: bytes, as: UTF8.self)
      else { throw value.error(found: "no readable text file \(path)", allowed: "an input file") }
      try value.checkVariables(text, transport)
      try value.checkEspresso(text, path)
      inputs.append(ClientTemplate(name: name, text: text))
    }
    return inputs
  }
}

extension IPISettings.Transport {
  /// Reads `socket:` and `address:`.
  fileprivate init(_ reader: inout SettingsReader, isStarted: Bool) throws(SettingsError) {
    let kind = try reader.optional("socket")?.word(of: ["unix", "tcp"]) ?? "unix"
    let address = reader.optional("address")
    guard kind == "tcp" else {
      self = .unix(name: try address?.socketName() ?? "polymorph")
      return
    }
    guard let address else {
      guard isStarted else {
        throw reader.error(found: "no address", allowed: "address: host:port")
      }
      self = .tcp(host: "127.0.0.1", port: 0)
      return
    }
    let text = try address.string("host:port")
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
      let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port),
      isStarted || port > 0
    else {
      throw address.error(
        found: text,
        allowed: isStarted
          ? "host:port, with port 0 for any free one"
          : "host:port, with a port from 1 to 65535 for clients started by hand")
    }
    self = .tcp(host: String(text[..<colon]), port: port)
  }
}

extension SettingsValue {
  /// The name of a UNIX socket, short enough for what is added to it.
  fileprivate func socketName() throws(SettingsError) -> String {
    let name = try string("the name of a socket")
    guard name.utf8.count <= 60, !name.contains("/") else {
      throw error(allowed: "a name of up to 60 characters without '/'")
    }
    return name
  }

  /// Refuses mistyped variables, and those of the address that the transport does not have.
  fileprivate func checkVariables(
    _ text: String, _ transport: IPISettings.Transport
  ) throws(SettingsError) {
    if let mistake = ClientTemplate.mistake(in: text) {
      throw error(
        found: "{\(mistake.found)}",
        allowed: ClientTemplate.variables.map { "{\($0)}" }.joined(separator: ", "),
        suggestion: "did you mean '{\(mistake.meant)}'?")
    }
    let (kind, own, foreign) =
      switch transport {
      case .unix: ("unix", ["socket"], ["host", "port"])
      case .tcp: ("tcp", ["host", "port"], ["socket"])
      }
    guard let wrong = foreign.first(where: { ClientTemplate.uses($0, in: text) }) else { return }
    throw error(
      found: "{\(wrong)} with 'socket: \(kind)'",
      allowed: own.map { "{\($0)}" }.joined(separator: " and "))
  }

  /// Refuses inputs of pw.x that would impose what belongs to another structure: the symmetry of the
  /// first one on all later ones, the k points of a fixed cell on the first.
  fileprivate func checkEspresso(_ text: String, _ path: String) throws(SettingsError) {
    let small = text.lowercased()
    guard small.contains("&system") else { return }
    guard Self.isTrue("nosym", in: small) else {
      throw error(
        found: "\(path) without nosym", allowed: "nosym = .true. in &SYSTEM",
        suggestion: "pw.x keeps the symmetry of a client's first structure for all later ones")
    }
    let vectors = ["cella", "cellb", "cellc"]
    guard
      ClientTemplate.uses("cell", in: text)
        || vectors.allSatisfy({ ClientTemplate.uses($0, in: text) })
    else {
      throw error(
        found: "\(path) with a fixed cell", allowed: "CELL_PARAMETERS with {cell}",
        suggestion: "pw.x keeps the k points of the cell in its input, whatever cell is sent")
    }
  }

  /// Whether a namelist in small letters says that a variable is true.
  ///
  /// Comments begin with `!`, and blanks, commas and slashes end a value. Fortran takes for true what begins
  /// with T after a point or none, whatever follows (ISO/IEC 1539-1:2018, 13.7.3).
  private static func isTrue(_ name: String, in text: String) -> Bool {
    text.split(whereSeparator: \.isNewline).contains { line in
      let words = line.prefix { $0 != "!" }.replacing("=", with: " = ")
        .split { $0.isWhitespace || $0 == "," || $0 == "/" }
      return words.indices.dropLast(2).contains { place in
        let value = words[place + 2]
        // Behind a variable without a value the next one may stand.
        let isName = words.dropFirst(place + 3).first == "="
        return words[place] == name && words[place + 1] == "=" && !isName
          && (value.first == "." ? value.dropFirst() : value).first == "t"
      }
    }
  }
}
