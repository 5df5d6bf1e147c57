/// The time until which a socket is waited for.
struct SocketDeadline {
  /// How long the whole wait may take in seconds, for messages.
  let seconds: Double
  private let end: ContinuousClock.Instant
  private let shouldStop: () -> Bool

  /// A deadline so many seconds from now, or when something says that it is to stop.
  init(seconds: Double, shouldStop: @escaping () -> Bool = { false }) {
    self.shouldStop = shouldStop
    // Longer than a century only overflows the clock.
    self.seconds = max(0, seconds)
    end = ContinuousClock.now + .seconds(min(max(0, seconds), 3e9))
  }

  /// Whether the time is over.
  var hasPassed: Bool { rest() <= 0 }

  /// Milliseconds to wait before asking again: the rest, rounded up, but not above a tenth of a second.
  ///
  /// - Throws: `IPIError.timedOut` where there is no rest, `.interrupted` where it is to stop.
  func milliseconds(_ awaited: String) throws(IPIError) -> Int32 {
    guard !shouldStop() else { throw .interrupted(waitingFor: awaited) }
    let rest = rest()
    guard rest > 0 else { throw .timedOut(waitingFor: awaited, seconds: seconds) }
    return min(100, rest)
  }

  private func rest() -> Int32 {
    let (seconds, attoseconds) = (end - ContinuousClock.now).components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let rest = Double(seconds) * 1e3 + (Double(attoseconds) * 1e-15).rounded(.up)
    return rest >= 1e6 ? 1_000_000 : Int32(rest)
  }
}
