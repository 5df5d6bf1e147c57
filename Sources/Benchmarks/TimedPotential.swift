import Crystal
import Potential
import Synchronization

/// A potential whose evaluations in series add up the processor time that they take.
struct TimedPotential: InteratomicPotential {
  private let potential: any InteratomicPotential
  /// The sum over all series.
  let time = EvaluationTime()

  init(_ potential: any InteratomicPotential) { self.potential = potential }

  var elements: [ChemicalElement] { potential.elements }

  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    try potential.evaluation(of: structure)
  }

  func series() -> any EvaluationSeries {
    TimedEvaluations(series: potential.series(), time: time)
  }
}

/// A sum of processor times.
final class EvaluationTime: Sendable {
  private let total = Mutex(0.0)

  /// Processor seconds so far.
  var seconds: Double { total.withLock { $0 } }

  func add(_ seconds: Double) { total.withLock { $0 += seconds } }
}

private struct TimedEvaluations: EvaluationSeries {
  var series: any EvaluationSeries
  let time: EvaluationTime

  mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let start = Stopwatch.processorSeconds()
    defer { time.add(Stopwatch.processorSeconds() - start) }
    return try series.evaluation(of: structure)
  }
}
