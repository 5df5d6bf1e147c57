import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Synchronization
import TestSupport
import Testing

@Suite("The i-PI protocol")
struct SocketProtocolTests {
  static let argon = ChemicalElement(symbol: "Ar") ?? .unnamed(0)
  static let neon = ChemicalElement(symbol: "Ne") ?? .unnamed(1)

  /// Atoms in a triclinic cell whose matrix is far from its transpose.
  static func triclinic(seed: UInt64 = 1) throws -> Structure {
    let lattice = try Lattice(
      Matrix3(rows: Vector3(6.1, 0.3, -0.4), Vector3(1.9, 5.2, 0.7), Vector3(-0.8, 2.1, 7.3)))
    let places = [
      Vector3(0.1, 0.05, 0.02), Vector3(0.55, 0.48, 0.2), Vector3(0.3, 0.1, 0.6),
      Vector3(0.75, 0.6, 0.8),
    ]
    let structure = try Structure(
      lattice: lattice, species: [argon, argon, neon, argon], fractionalPositions: places)
    return TestStructures.rattled(structure, by: 0.1, seed: seed)
  }

  static func lennardJones() throws -> LennardJonesPotential {
    try LennardJonesPotential(
      .init(
        truncation: .forceShift,
        pairs: [
          .init(argon, argon, depth: 0.0104, diameter: 3.4, cutoff: 8),
          .init(neon, neon, depth: 0.0031, diameter: 2.8, cutoff: 8),
          .init(argon, neon, depth: 0.0057, diameter: 3.1, cutoff: 8),
        ]))
  }

  /// Serves a potential from a thread of its own; gives what came of it.
  static func serve(
    _ structure: Structure, at address: IPIAddress
  ) throws -> Outcome<Result<Int, IPIError>> {
    let potential = try lennardJones()
    let outcome = Outcome<Result<Int, IPIError>>()
    Thread.detachNewThread {
      outcome.set(
        Result { () throws(IPIError) in
          try IPIClient(connectingTo: address).serve(structure) {
            try potential.evaluation(of: $0)
          }
        })
    }
    return outcome
  }

  static let addresses: [IPIAddress] = [.unix(name: ""), .tcp(host: "127.0.0.1", port: 0)]

  private func server(_ address: IPIAddress) throws -> IPIServer {
    if case .unix = address { return try IPIServer(.unix(name: SocketClients.uniqueName())) }
    return try IPIServer(address)
  }

  @Test("What crosses comes back as it was computed", arguments: addresses)
  func roundTrip(address: IPIAddress) throws {
    let server = try server(address)
    let first = try Self.triclinic()
    let outcome = try Self.serve(first, at: server.address)
    let connection = try server.accept(within: 30)
    let potential = try Self.lennardJones()
    for seed in 1...20 {
      let structure = try TestStructures.strained(
        Self.triclinic(seed: UInt64(seed)), by: 0.05, seed: UInt64(seed))
      let direct = try potential.evaluation(of: structure)
      let crossed = try connection.evaluation(of: structure, within: 30)
      // Units there and back.
      #expect(crossed.energy.isClose(to: direct.energy, .roundoff))
      #expect(crossed.stress.isClose(to: direct.stress, .roundoff))
      for (a, b) in zip(crossed.forces, direct.forces) { #expect(a.isClose(to: b, .roundoff)) }
    }
    #expect(connection.evaluationCount == 20)
    connection.end()
    #expect(try outcome.wait() == .success(20))
    #expect(throws: IPIError.closed(while: "a structure was to be sent")) {
      try connection.evaluation(of: first, within: 1)
    }
  }

  @Test("A call costs less than a millisecond", arguments: addresses)
  func speed(address: IPIAddress) throws {
    let server = try server(address)
    let structure = try Self.triclinic()
    let outcome = try Self.serve(structure, at: server.address)
    let connection = try server.accept(within: 30)
    let potential = try Self.lennardJones()
    let clock = ContinuousClock()
    let direct = try clock.measure {
      for _ in 0..<1000 { _ = try potential.evaluation(of: structure) }
    }
    let crossed = try clock.measure {
      for _ in 0..<1000 { _ = try connection.evaluation(of: structure, within: 30) }
    }
    connection.end()
    #expect(try outcome.wait() == .success(1000))
    print("i-PI over \(address): \(crossed) for 1000 structures, \(direct) without a socket")
    // A lost TCP_NODELAY costs 40 ms a call; the bound leaves room for a busy machine.
    #expect(crossed - direct < .seconds(10))
  }

  @Test("Every way a client fails is an error that names it")
  func faults() throws {
    let expectations: [(String, (IPIError) -> Bool)] = [
      ("garbage", { if case .unexpectedWord = $0 { true } else { false } }),
      ("die", { if case .closed = $0 { true } else { false } }),
      ("half", { if case .closed = $0 { true } else { false } }),
      ("nan", { $0 == .notFinite("a force") }),
      ("count", { $0 == .atomCount(found: 5, expected: 4) }),
      ("extra", { $0 == .byteCount(-5) }),
    ]
    for (fault, isExpected) in expectations {
      let server = try IPIServer(.unix(name: SocketClients.uniqueName()))
      let client = try SocketClients.startToy(server.address, [fault, "2"])
      let connection = try server.accept(within: 30)
      let structure = try Self.triclinic()
      _ = try connection.evaluation(of: structure, within: 30)
      do throws(IPIError) {
        _ = try connection.evaluation(of: structure, within: 30)
        Issue.record("\(fault) went unnoticed")
      } catch {
        #expect(isExpected(error), "\(fault): \(error)")
        #expect(!connection.isOpen)
      }
      client.stop(after: 0)
    }
  }

  @Test("Slow, busy and talkative clients are understood", arguments: ["slow", "busy", "none"])
  func patience(habit: String) throws {
    let server = try IPIServer(.tcp(host: "localhost", port: 0))
    let client = try SocketClients.startToy(server.address, [habit])
    let connection = try server.accept(within: 30)
    let structure = try Self.triclinic()
    let evaluation = try connection.evaluation(of: structure, within: 30)
    let (bohr, hartree) = (
      PhysicalConstants.angstromsPerBohr, PhysicalConstants.electronvoltsPerHartree
    )
    for (i, position) in structure.positions.enumerated() {
      let force = (-Double(i + 1) * hartree / (bohr * bohr)) * position
      #expect(evaluation.forces[i].isClose(to: force, .roundoff))
    }
    // The client sent the cell back as its virial, and −virial = ∂E/∂ε.
    let expected = (-hartree / bohr) * structure.lattice.vectors.symmetrized
    #expect(evaluation.virial.isClose(to: expected, .roundoff))
    connection.end()
    client.stop(after: 10)
    #expect(client.ending() == "ended with status 0")
  }

  @Test("A client that says nothing costs its time limit, not more")
  func timeOut() throws {
    let server = try IPIServer(.unix(name: SocketClients.uniqueName()))
    #expect(throws: IPIError.self) { try server.accept(within: 0.05) }
    let client = try SocketClients.startToy(server.address, ["silent"])
    let connection = try server.accept(within: 30)
    let structure = try Self.triclinic()
    let clock = ContinuousClock()
    let duration = clock.measure {
      #expect(throws: IPIError.timedOut(waitingFor: "HAVEDATA or READY", seconds: 0.3)) {
        try connection.evaluation(of: structure, within: 0.3)
      }
    }
    #expect(duration < .seconds(10))
    client.stop(after: 0)
  }

  @Test("A client with other atoms says so and leaves")
  func otherAtoms() throws {
    let server = try IPIServer(.unix(name: SocketClients.uniqueName()))
    let structure = try Self.triclinic()
    let outcome = try Self.serve(structure, at: server.address)
    let connection = try server.accept(within: 30)
    #expect(throws: IPIError.self) {
      try connection.evaluation(of: structure.supercell(2, 1, 1), within: 30)
    }
    #expect(try outcome.wait() == .failure(.atomCount(found: 8, expected: 4)))
  }

  @Test("A name in use is refused, the file of a dead server replaced")
  func names() throws {
    let address = IPIAddress.unix(name: SocketClients.uniqueName())
    var server: IPIServer? = try IPIServer(address)
    #expect(throws: IPIError.self) { try IPIServer(address) }
    #expect(server != nil)
    server = nil
    #expect(!FileManager.default.fileExists(atPath: address.path ?? ""))
    // What a killed server leaves behind.
    let script =
      "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()"
    _ = try PythonASE.run(script, [address.path ?? ""])
    #expect(FileManager.default.fileExists(atPath: address.path ?? ""))
    _ = try IPIServer(address)
    try Data("text".utf8).write(to: URL(fileURLWithPath: address.path ?? ""))
    #expect(throws: IPIError.self) { try IPIServer(address) }
    try FileManager.default.removeItem(atPath: address.path ?? "")
    let long = String(repeating: "x", count: 200)
    #expect(throws: IPIError.self) { try IPIServer(.unix(name: long)) }
    #expect(throws: IPIError.self) { try IPIServer(.tcp(host: "127.0.0.1", port: 70_000)) }
    #expect(throws: IPIError.self) {
      try IPIClient(connectingTo: .unix(name: SocketClients.uniqueName()), within: 0.1)
    }
  }
}

/// A value that a thread gives to the test.
final class Outcome<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let semaphore = DispatchSemaphore(value: 0)

  func set(_ value: Value) {
    self.value.withLock { $0 = value }
    semaphore.signal()
  }

  func wait(seconds: Double = 30) throws -> Value {
    try #require(semaphore.wait(timeout: .now() + seconds) == .success)
    return try #require(value.withLock { $0 })
  }
}
