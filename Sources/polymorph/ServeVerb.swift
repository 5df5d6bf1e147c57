import Coordinator
import Crystal
import ReferenceEngines
import StructureFormats

/// `polymorph serve POT --structure FILE`: a potential as a client of the i-PI protocol.
enum ServeVerb: Verb {
  static let name = "serve"
  static let summary = "a potential for i-PI, ASE and other servers of forces"
  static let syntax = CommandSyntax(
    arguments: [.init("POT", "potential: .mtp, or .yaml with a reference: block")],
    options: [
      .init(
        "structure", "FILE", "the atoms, in the order in which the server sends their positions",
        isRequired: true),
      .init("socket", "NAME", "the server's UNIX socket: a path, or NAME for /tmp/ipi_NAME"),
      .init("host", "H", "the server's host instead; default 127.0.0.1"),
      .init("port", "P", "its TCP port"),
      .init("wait", "TIME", "how long to wait for the server, as 90s or 5m; default 60s"),
    ] + StructureInput.options,
    notes: [
      "Answers every structure of the server with energy, forces and virial until it says EXIT or "
        + "closes the connection. One of --socket and --port is needed."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.communicator.size == 1 else {
      throw CommandLineError("serve: found \(session.communicator.size) ranks, allowed: 1")
    }
    let address = try address(arguments)
    let file = try arguments.required("structure")
    let patience = try arguments.duration("wait") ?? 60
    let potential = try StructureInput.potential(arguments)
    let structure = try StructureInput(arguments, for: potential).records(file)[0].structure
    let client = try IPIClient(connectingTo: address, within: patience)
    session.say("serving \(structure.composition().formula) at \(address)")
    let model = potential.potential
    let count = try client.serve(structure) { try model.evaluation(of: $0) }
    session.say("\(count) structures evaluated")
    return .done
  }

  private static func address(_ arguments: ParsedArguments) throws -> IPIAddress {
    let port = try arguments.integer("port", in: 1...65535)
    switch (arguments.option("socket"), port) {
    case (let name?, nil):
      guard !arguments.has("host") else {
        throw CommandLineError("serve: --host goes with --port, not with --socket")
      }
      return .unix(name: name)
    case (nil, let port?): return .tcp(host: arguments.option("host") ?? "127.0.0.1", port: port)
    case (nil, nil): throw CommandLineError("serve: one of --socket and --port is needed")
    case (_?, _?): throw CommandLineError("serve: --socket and --port exclude each other")
    }
  }
}
