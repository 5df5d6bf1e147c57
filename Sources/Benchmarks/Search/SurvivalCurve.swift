import Foundation

/// How long runs last until an event, where some end before it came (censored).
///
/// E. L. Kaplan & P. Meier, J. Am. Stat. Assoc. 53, 457 (1958).
struct SurvivalCurve {
  /// One run: how long it lasted and whether the event ended it.
  struct Observation: Equatable {
    let time: Double
    let isEvent: Bool
  }

  /// A step of the curve.
  struct Step: Equatable {
    let time: Double
    /// Runs under observation just before.
    let atRisk: Int
    let events: Int
    /// The estimated share of runs that last longer.
    let survival: Double
  }

  let observations: [Observation]
  /// The times with events, in ascending order.
  let steps: [Step]

  init(_ observations: [Observation]) {
    self.observations = observations
    var steps: [Step] = []
    var survival = 1.0
    for time in Set(observations.filter(\.isEvent).map(\.time)).sorted() {
      let atRisk = observations.count { $0.time >= time }
      let events = observations.count { $0.isEvent && $0.time == time }
      survival *= 1 - Double(events) / Double(atRisk)
      steps.append(Step(time: time, atRisk: atRisk, events: events, survival: survival))
    }
    self.steps = steps
  }

  /// The time after which at most half of the runs last; `nil` where more than half lasted to the end.
  ///
  /// Rounding of the products must not move it: half is taken with a little slack.
  var median: Double? { steps.first { $0.survival <= 0.5 + 1e-12 }?.time }

  /// Runs that ended with the event.
  var eventCount: Int { observations.count(where: \.isEvent) }

  /// The mean time to the event if events come at a constant rate: all time spent over all events;
  /// `nil` without an event.
  var exponentialMean: Double? {
    guard eventCount > 0 else { return nil }
    return observations.reduce(0) { $0 + $1.time } / Double(eventCount)
  }

  /// The curve in words: the share of runs that had the event up to each of a few times.
  func eventShare(at time: Double) -> Double {
    1 - (steps.last { $0.time <= time }?.survival ?? 1)
  }
}

/// Whether two groups of runs differ in how long they last.
///
/// N. Mantel, Cancer Chemother. Rep. 50, 163 (1966): at every event the events of the first group are
/// compared with its share of the runs under observation.
struct LogRankTest {
  /// Events of the first group beyond what its share would be.
  let excess: Double
  /// The squared excess over its variance; one degree of freedom.
  let chiSquare: Double
  /// The probability of so large a difference either way, were both groups alike.
  let pValue: Double

  /// Compares two groups; without an event there is no difference.
  init(_ first: SurvivalCurve, _ second: SurvivalCurve) {
    var excess = 0.0
    var variance = 0.0
    let times = Set((first.steps + second.steps).map(\.time)).sorted()
    for time in times {
      let risk = (
        Double(first.observations.count { $0.time >= time }),
        Double(second.observations.count { $0.time >= time })
      )
      let events = (
        Double(first.observations.count { $0.isEvent && $0.time == time }),
        Double(second.observations.count { $0.isEvent && $0.time == time })
      )
      let (all, total) = (risk.0 + risk.1, events.0 + events.1)
      excess += events.0 - total * risk.0 / all
      if all > 1 {
        variance += total * (risk.0 / all) * (risk.1 / all) * (all - total) / (all - 1)
      }
    }
    self.excess = excess
    chiSquare = variance > 0 ? excess * excess / variance : 0
    pValue = erfc((0.5 * chiSquare).squareRoot())
  }
}
