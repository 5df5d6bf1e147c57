import Foundation
import Synchronization

/// When a run ends before its campaign: between two commits, so that the log is a prefix (R9).
final class StopConditions {
  private let stopAfter: Int?
  private let timeLimit: Double?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let interrupts: InterruptFlag

  init(_ options: Campaign.Options, _ interrupts: InterruptFlag) {
    self.interrupts = interrupts
    stopAfter = options.stopAfter
    timeLimit = options.timeLimitSeconds
    start = clock.now
  }

  func reason(_ state: CampaignState) -> RunEnding.StopReason? {
    if interrupts.isRaised { return .interrupted }
    if let stopAfter, state.nextCommit >= stopAfter { return .commitLimit }
    if let timeLimit, (clock.now - start).inSeconds >= timeLimit { return .timeLimit }
    return nil
  }
}

/// Notes an interrupt from the keyboard or the batch system.
///
/// Comfort only: a campaign is as safe without it, because what is committed is on the disk.
final class InterruptFlag {
  private let sources: [any DispatchSourceSignal]
  private final class Raised: Sendable {
    let value = Atomic(false)
  }
  private let raised = Raised()

  init() {
    let raised = raised
    let queue = DispatchQueue(label: "interrupts")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { raised.value.store(true, ordering: .relaxed) }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
  }

  var isRaised: Bool { raised.value.load(ordering: .relaxed) }

  /// Whether it is raised, for others to ask.
  var question: @Sendable () -> Bool {
    { [raised] in raised.value.load(ordering: .relaxed) }
  }
}
