/// The time until which a socket is waited for.
struct SocketDeadline {
  /// How long the whole wait may take in seconds, for messages.
  let seconds: Double
  private let end: ContinuousClock.Instant

  /// A deadline so many seconds from now.
  init(seconds: Double) {
    // Longer than a century only overflows the clock.
    self.seconds = max(0, seconds)
    end = ContinuousClock.now + .seconds(min(max(0, seconds), 3e9))
  }

  /// Whether the time is over.
  var hasPassed: Bool { ContinuousClock.now >= end }

  /// The rest in milliseconds, rounded up and not above a limit, as `poll` takes it.
  func milliseconds(upTo limit: Int32 = .max) -> Int32 {
    let (seconds, attoseconds) = (end - ContinuousClock.now).components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let rest = Double(seconds) * 1e3 + (Double(attoseconds) * 1e-15).rounded(.up)
    return rest >= Double(limit) ? limit : Int32(rest)
  }
}
