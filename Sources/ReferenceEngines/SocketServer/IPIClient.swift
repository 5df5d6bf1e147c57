import Crystal

/// A client of the i-PI protocol: it gives energies, forces and virials to any server, such as i-PI
/// itself, ASE, or an ``IPIServer``.
///
/// ```swift
/// let client = try IPIClient(connectingTo: .unix(name: "argon"), within: 10)
/// let count = try client.serve(structure) { try potential.evaluation(of: $0) }
/// ```
public final class IPIClient {
  private let stream: SocketStream

  /// Connects to a server that may still be starting.
  ///
  /// - Parameters:
  ///   - address: Where it listens.
  ///   - seconds: How long to try.
  /// - Throws: `IPIError` where no server listens in time.
  public init(connectingTo address: IPIAddress, within seconds: Double = 10) throws(IPIError) {
    let deadline = SocketDeadline(seconds: seconds)
    while true {
      do throws(IPIError) {
        let descriptor = try SystemSocket.connected(to: address)
        stream = try SocketStream(descriptor, isTCP: address.path == nil)
        return
      } catch {
        guard !deadline.hasPassed else { throw error }
        SystemSocket.sleep(seconds: 0.02)
      }
    }
  }

  /// Evaluates structures until the server ends.
  ///
  /// - Parameters:
  ///   - structure: The atoms, in the server's order, and which directions repeat; cell and positions come
  ///     from the server.
  ///   - patience: How long the server may be silent, in seconds.
  ///   - evaluate: Gives the energy in eV, forces in eV/Å and stress in eV/Å³ of a structure.
  /// - Returns: How many structures were evaluated.
  /// - Throws: `IPIError`; `.evaluation` with the reason where a structure cannot be evaluated, as the
  ///   protocol has no word for it: the server sees the connection end.
  public func serve(
    _ structure: Structure, patience: Double = .infinity,
    _ evaluate: (Structure) throws -> Evaluation
  ) throws(IPIError) -> Int {
    var count = 0
    var isInitialized = false
    var result: Evaluation?
    while let word = try nextWord(patience) {
      let deadline = SocketDeadline(seconds: 60)
      switch word {
      case .status:
        let state: IPIWord =
          result != nil ? .haveData : isInitialized ? .ready : .needInitialization
        try stream.write(state.bytes, state.rawValue, until: deadline)
      case .initialize:
        _ = try stream.read(4, "a replica's number", until: deadline)
        let size = IPIBytes.count(try stream.read(4, "a count of bytes", until: deadline))
        guard (0...IPIResult.largestExtra).contains(size) else { throw .byteCount(size) }
        _ = try stream.read(size, "the server's parameters", until: deadline)
        isInitialized = true
      case .positions:
        let geometry = try IPIGeometry(
          from: stream, atomCount: structure.atomCount, until: deadline)
        result = try evaluation(of: structure, at: geometry, evaluate)
      case .getForce:
        guard let evaluation = result else {
          throw .unexpectedWord(found: word.rawValue, allowed: [IPIWord.positions.rawValue])
        }
        try stream.write(IPIResult.bytes(of: evaluation), "forces", until: deadline)
        (result, isInitialized) = (nil, false)
        count += 1
      default: return count
      }
    }
    return count
  }

  /// The server's next word; `nil` after EXIT, and where the server left instead of saying it.
  private func nextWord(_ patience: Double) throws(IPIError) -> IPIWord? {
    let allowed: [IPIWord] = [.status, .initialize, .positions, .getForce, .exit]
    let bytes: [UInt8]
    do throws(IPIError) {
      bytes = try stream.read(
        IPIWord.size, "the server's next word", until: SocketDeadline(seconds: patience))
    } catch .closed {
      return nil
    }
    let word = try IPIWord(bytes, among: allowed)
    return word == .exit ? nil : word
  }

  private func evaluation(
    of structure: Structure, at geometry: IPIGeometry,
    _ evaluate: (Structure) throws -> Evaluation
  ) throws(IPIError) -> Evaluation {
    do {
      return try evaluate(
        Structure(
          lattice: Lattice(geometry.vectors), periodicity: structure.periodicity,
          species: structure.species, positions: geometry.positions))
    } catch { throw .evaluation("\(error)") }
  }
}
