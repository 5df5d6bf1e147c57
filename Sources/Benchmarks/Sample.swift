import Foundation

/// Measured values.
struct Sample {
  private let sorted: [Double]

  /// Takes at least one value.
  init(_ values: [Double]) {
    precondition(!values.isEmpty, "a sample has values")
    sorted = values.sorted()
  }

  /// The value in the middle, or the mean of both.
  var median: Double {
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle])
  }

  /// The smallest value.
  var least: Double { sorted[0] }

  /// The largest value.
  var largest: Double { sorted[sorted.count - 1] }

  /// The sum over the number of values.
  var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }

  /// The standard error of the mean of independent values; 0 of one.
  var standardError: Double {
    guard sorted.count > 1 else { return 0 }
    let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(sorted.count * (sorted.count - 1))).squareRoot()
  }

  /// Values in another unit.
  func scaled(by factor: Double) -> Sample { Sample(sorted.map { factor * $0 }) }

  /// What follows from each value.
  func mapped(_ transform: (Double) -> Double) -> Sample { Sample(sorted.map(transform)) }
}

/// Measures processor time: on a shared machine it varies less than the time on the wall.
enum Stopwatch {
  private static let shortestRun = 0.05

  /// Seconds that this process has computed so far.
  static func processorSeconds() -> Double {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else {
      preconditionFailure("every Linux has a clock of the process")
    }
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  /// The processor seconds of one call.
  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = processorSeconds()
    try body()
    return processorSeconds() - start
  }

  /// Calls a body again and again.
  ///
  /// One call warms up and tells how many calls make a run long enough for the clock.
  ///
  /// - Parameters:
  ///   - runs: The number of values.
  ///   - body: What to measure.
  /// - Returns: Processor seconds of one call, once per run.
  static func sample(runs: Int, _ body: () throws -> Void) rethrows -> Sample {
    let first = try seconds(body)
    let calls = max(1, Int((shortestRun / max(first, 1e-9)).rounded(.up)))
    var values: [Double] = []
    for _ in 0..<runs {
      let time = try seconds { for _ in 0..<calls { try body() } }
      values.append(time / Double(calls))
    }
    return Sample(values)
  }
}

/// How busy the machine is.
enum MachineLoad {
  /// The mean number of runnable threads in the last minute; `nil` where the system does not tell.
  static func lastMinute() -> Double? {
    var load = 0.0
    return getloadavg(&load, 1) == 1 ? load : nil
  }
}
