import Foundation
import Synchronization

/// A program that runs beside this one until it is told to end.
///
/// A thread of its own waits for it: everything that descends from the program ends with this process,
/// as ``ChildProcess`` says.
final class LaunchedClient: Sendable {
  /// How a program ended.
  typealias Ending = Result<ChildProcess.Outcome, ReferenceEngineError>

  private struct State {
    var isToEnd = false
    var ending: Ending?
  }

  private let state = Mutex(State())
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Starts a program without waiting for it.
  ///
  /// - Parameters:
  ///   - launch: What is started.
  ///   - folder: Where it runs.
  init(_ launch: CalculationLaunch, in folder: String) {
    Thread.detachNewThread { [self] in
      let ending = Ending { () throws(ReferenceEngineError) in
        try ChildProcess.run(launch, in: folder, graceSeconds: 1) {
          state.withLock { $0.isToEnd }
        }
      }
      state.withLock { $0.ending = ending }
      hasEnded.signal()
    }
  }

  /// How it ended; `nil` while it runs.
  func ending() -> Ending? { state.withLock { $0.ending } }

  /// How it ended, having been waited for.
  ///
  /// - Parameter seconds: How long to wait: a connection breaks before its program has ended.
  /// - Returns: `nil` where it runs on.
  func ending(within seconds: Double) -> Ending? {
    if let ending = ending() { return ending }
    _ = hasEnded.wait(timeout: .now() + seconds)
    return ending()
  }

  /// Ends it, with everything it started; nothing of it is left then.
  ///
  /// - Parameter seconds: How long it may take to end by itself, having been told so.
  func stop(after seconds: Double) {
    guard ending(within: seconds) == nil else { return }
    state.withLock { $0.isToEnd = true }
    // A time limit only for a system that cannot even kill.
    _ = hasEnded.wait(timeout: .now() + 30)
  }
}
