import NumericalCore

/// Why two programs that speak the i-PI protocol could not go on.
///
/// After any of these the connection is closed: its two ends no longer agree on what comes next.
public enum IPIError: Error, Hashable, Sendable {
  /// A name, port or host that no socket can have.
  case address(String, reason: String)
  /// The operating system refused a step, such as `binding`.
  case system(step: String, reason: String)
  /// Nothing came, or nothing was taken, in time.
  case timedOut(waitingFor: String, seconds: Double)
  /// The wait was broken off because this process is to stop.
  case interrupted(waitingFor: String)
  /// The program that was to become a client ended instead.
  case clientEnded(String)
  /// The other side ended.
  case closed(while: String)
  /// Another word came than the protocol allows.
  case unexpectedWord(found: String, allowed: [String])
  /// The two sides disagree on the number of atoms.
  case atomCount(found: Int, expected: Int)
  /// An impossible count of bytes was announced.
  case byteCount(Int)
  /// An energy, force, virial, cell or position is not a number.
  case notFinite(String)
  /// The potential behind a client refused a structure.
  case evaluation(String)
}

extension IPIError: CustomStringConvertible {
  /// What failed, what was found, what was expected.
  public var description: String {
    switch self {
    case .address(let address, let reason): "socket address \(address): \(reason)"
    case .system(let step, let reason): "\(step) failed: \(reason)"
    case .timedOut(let event, let seconds): "no \(event) within \(seconds) s"
    case .interrupted(let event): "asked to stop while \(event) was awaited"
    case .clientEnded(let ending): "the client did not connect: \(ending)"
    case .closed(let action): "the other side closed the connection while \(action)"
    case .unexpectedWord(let found, let allowed):
      "found '\(found.onOneLine(limit: 40))', allowed in the i-PI protocol here: "
        + allowed.joined(separator: ", ")
    case .atomCount(let found, let expected):
      "\(found) atoms came over the connection, \(expected) expected; one client keeps its atoms"
    case .byteCount(let count): "\(count) further bytes were announced"
    case .notFinite(let quantity): "\(quantity) is not finite"
    case .evaluation(let reason): reason
    }
  }
}
