import Foundation
import MPIBindings

/// Tells people how a search stands: one line that renews itself on a terminal, plain lines elsewhere.
public final class ProgressReporter {
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant?
  private var replayed = 0
  private var lastBest: Double?
  private var hasOpenLine = false

  /// Creates a reporter.
  ///
  /// - Parameter isQuiet: Whether to print nothing.
  public init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isTerminal = isatty(STDOUT_FILENO) != 0 && Self.launcherWritesToTerminal()
    start = clock.now
  }

  // mpirun gives its ranks a terminal of its own making, wherever its output goes: only the launcher's
  // standard output tells.
  private static func launcherWritesToTerminal() -> Bool {
    guard LaunchEnvironment.isLaunched(ProcessInfo.processInfo.environment) else { return true }
    let link = "/proc/\(getppid())/fd/1"
    // A launcher that cannot be looked at gets plain lines, which are right everywhere.
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else {
      return false
    }
    return target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty")
  }

  /// Tells of a commit; most commits pass in silence.
  public func report(_ state: CampaignState, isReplayed: Bool) {
    if isReplayed { replayed = state.counts.bred }
    guard !isQuiet, !isReplayed else { return }
    let now = clock.now
    let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
    if let last, now - last < pause { return }
    last = now
    let text = line(state, elapsed: (now - start).inSeconds)
    if isTerminal {
      write("\r\u{1B}[K" + text)
      hasOpenLine = true
    } else {
      write(text + "\n")
    }
  }

  /// Prints lines below the progress line.
  public func say(_ text: String) {
    guard !isQuiet else { return }
    if hasOpenLine { write("\n") }
    hasOpenLine = false
    write(text.hasSuffix("\n") ? text : text + "\n")
  }

  /// Prints a warning, also where nothing else is printed.
  public func warn(_ text: String) {
    if hasOpenLine { write("\n") }
    hasOpenLine = false
    // Nobody is left to be told where the standard error is closed.
    try? FileHandle.standardError.write(contentsOf: Data("polymorph: \(text)\n".utf8))
  }

  private func line(_ state: CampaignState, elapsed: Double) -> String {
    let counts = state.counts
    let settings = state.settings
    var parts: [String] = []
    switch state.phase {
    case .searching where state.version > 0 && state.isMelting:
      let melts = state.melts.map { melt in
        guard let moving = melt.state else { return "begins" }
        let picoseconds = Double(moving.dynamics.step) * melt.timeStep / 1000
        return "\(moving.phase) \(TextColumn.fixed(picoseconds, 0)) ps"
      }
      parts.append("melts: " + melts.joined(separator: "; "))
    case .searching where !state.canRelax:
      parts.append("initial training set: \(counts.labels)/\(settings.initialStructures) labels")
    case .searching: parts.append("candidates \(counts.bred)/\(settings.candidates)")
    case .reranking: parts.append("re-ranking \(state.reranked.count)/\(settings.rerankTop)")
    case .finished: parts.append("finished")
    case .failed: parts.append("failed")
    }
    if let best = state.population.best(1).first {
      parts.append(
        String(format: "best %.4f eV/atom", best.representative.enthalpyPerAtom))
    }
    if settings.learns {
      parts.append("labels \(counts.labels)/\(settings.maxLabels)")
      parts.append("potential \(state.version)")
    }
    if state.phase == .searching, state.canRelax, counts.bred > 0 {
      let done = counts.bred - replayed
      if done > 10 {
        let left = elapsed / Double(done) * Double(settings.candidates - counts.bred)
        parts.append("left \(Self.duration(left))")
      }
    }
    parts.append("elapsed \(Self.duration(elapsed))")
    return parts.joined(separator: ", ")
  }

  private func write(_ text: String) {
    // Nobody is left to be told where the standard output is closed.
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }

  /// A duration such as `2 h 05 min` or `34 s`.
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(max(0, seconds).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
