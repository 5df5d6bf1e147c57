import Foundation

/// Waits between two looks at something that will come: first not at all, then with sleeps of about a ninth of the time
/// waited so far, up to 10 ms.
///
/// A blocking call of Open MPI would burn a full core meanwhile. A look costs up to 0.1 ms where system calls are slow: every
/// 2 ms they took 5 % of a core from rank 0.
struct Patience {
  private static let immediateLooks = 50
  private static let longestNanoseconds = 10_000_000

  private var looks = 0
  private var nanoseconds = 20_000

  /// Pauses before the next look.
  mutating func pause() {
    looks += 1
    guard looks > Self.immediateLooks else { return }
    var time = timespec(tv_sec: 0, tv_nsec: nanoseconds)
    nanosleep(&time, nil)
    nanoseconds = min(Self.longestNanoseconds, nanoseconds * 9 / 8)
  }
}
