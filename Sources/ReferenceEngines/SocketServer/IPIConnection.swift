import Crystal

/// A client of an ``IPIServer``: a program that waits for positions and answers with forces.
///
/// It keeps the atoms it started with, in their order. After an error the connection is closed.
public final class IPIConnection {
  /// `nil` once it is closed.
  private var stream: SocketStream?
  /// How many structures were evaluated.
  public private(set) var evaluationCount = 0

  /// How long a word that needs no calculation may take in seconds.
  private static let promptness = 30.0

  init(_ stream: SocketStream) { self.stream = stream }

  deinit { end() }

  /// Whether structures can be sent.
  public var isOpen: Bool { stream != nil }

  /// Lets the client evaluate a structure.
  ///
  /// - Parameters:
  ///   - structure: The client's atoms in their order, at any positions in any cell.
  ///   - seconds: How long the client may take.
  ///   - shouldStop: Asked ten times a second; where it says yes, the evaluation is broken off.
  /// - Returns: Energy in eV, forces in eV/Å, stress in eV/Å³.
  /// - Throws: `IPIError`; the connection is then closed.
  public func evaluation(
    of structure: Structure, within seconds: Double,
    shouldStop: @escaping () -> Bool = { false }
  ) throws(IPIError) -> Evaluation {
    guard let stream else { throw .closed(while: "a structure was to be sent") }
    do throws(IPIError) {
      let deadline = SocketDeadline(seconds: seconds, shouldStop: shouldStop)
      try prepare(stream, until: deadline)
      try stream.write(
        IPIGeometry.bytes(of: structure) + IPIWord.status.bytes, "positions", until: deadline)
      try awaitData(stream, until: deadline)
      try stream.write(IPIWord.getForce.bytes, "GETFORCE", until: deadline)
      _ = try word(stream, [.forceReady], until: deadline)
      let evaluation = try IPIResult.evaluation(of: structure, from: stream, until: deadline)
      evaluationCount += 1
      return evaluation
    } catch {
      // What comes next over this stream is unknown: a late answer would become another's label.
      self.stream = nil
      throw error
    }
  }

  /// Tells the client to end, and closes the connection.
  public func end() {
    // A client that is gone already needs no farewell.
    try? stream?.write(
      IPIWord.exit.bytes, "EXIT", until: SocketDeadline(seconds: Self.promptness))
    stream = nil
  }

  /// Brings the client into the state in which it takes positions.
  private func prepare(
    _ stream: SocketStream, until deadline: SocketDeadline
  ) throws(IPIError) {
    try stream.write(IPIWord.status.bytes, "STATUS", until: deadline)
    let state = try word(stream, [.ready, .needInitialization], until: deadline)
    guard state == .needInitialization else { return }
    // The replica's number never changes: for another one pw.x would drop its wave functions. Of the
    // text one byte is sent, since not every client can read none.
    var message = IPIBytes()
    message.append(count: 0)
    message.append(count: 1)
    try stream.write(
      IPIWord.initialize.bytes + message.bytes + [0] + IPIWord.status.bytes, "INIT",
      until: deadline)
    _ = try word(stream, [.ready], until: deadline)
  }

  /// Waits for the end of the calculation, after STATUS was sent.
  ///
  /// Most clients answer when they are done. Those that compute beside the connection say READY
  /// until then, and are asked again after growing pauses.
  private func awaitData(
    _ stream: SocketStream, until deadline: SocketDeadline
  ) throws(IPIError) {
    var pause = 50e-6
    while try word(stream, [.haveData, .ready], until: deadline) == .ready {
      _ = try deadline.milliseconds("forces")
      SystemSocket.sleep(seconds: pause)
      pause = min(1.5 * pause, 2e-3)
      try stream.write(IPIWord.status.bytes, "STATUS", until: deadline)
    }
  }

  private func word(
    _ stream: SocketStream, _ allowed: [IPIWord], until deadline: SocketDeadline
  ) throws(IPIError) -> IPIWord {
    let names = allowed.map(\.rawValue).joined(separator: " or ")
    return try IPIWord(
      try stream.read(IPIWord.size, names, until: deadline), among: allowed)
  }
}
