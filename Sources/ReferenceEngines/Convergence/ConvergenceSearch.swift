import Crystal

/// Looks for the coarsest cutoff and k-points at which a structure's energy, pressure and forces have
/// settled.
///
/// It computes nothing: it says which setting to compute next, and is told what came out.
///
/// ```swift
/// var search = ConvergenceSearch(of: structure, with: program, thresholds: thresholds)
/// while case .compute(let accuracy) = search.next {
///   search.record(label(structure, program.with(accuracy)), at: accuracy)
/// }
/// ```
///
/// A setting has *converged* in a series when energy per atom, pressure and every force component differ
/// by less than the thresholds from both the next and the next but one finer setting. One neighbor would not
/// do: curves that are not monotonic cross themselves. So the two finest settings of a series are never
/// the answer, nor is one beside a calculation that failed.
///
/// 1. The cutoff rises by about 1.15, to whole Ry or tens of eV, at the k-points of the start.
/// 2. At the converged cutoff the k-point spacing falls by 1.2 each time, in thousandths of 1/Å; spacings
///    that give the structure the same mesh are passed over.
/// 3. Both are made finer together, once. Where that changes too much, both go on together until a pair
///    has converged in the sense above.
///
/// After three failures in a row nothing more is tried.
public struct ConvergenceSearch: Sendable {
  /// What to do next.
  public enum Step: Sendable, Hashable {
    /// Compute the structure with a setting.
    case compute(CalculationAccuracy)
    /// The answer.
    case converged(CalculationAccuracy)
    /// A series came to its limit without an answer.
    case reachedLimit(Series.Kind)
    /// Three calculations in a row failed, the last for this reason.
    case failed(reason: String)
  }

  /// Settings each of which is finer than the one before.
  public struct Series: Sendable, Hashable {
    /// What becomes finer.
    public enum Kind: String, Sendable, CaseIterable {
      /// The cutoff, at the k-points of the start.
      case cutoff
      /// The k-points, at the converged cutoff.
      case kSpacing = "k_spacing"
      /// Both.
      case both
    }

    /// What becomes finer.
    public let kind: Kind
    /// The settings that were computed, the coarsest first.
    public let settings: [CalculationAccuracy]
  }

  /// The changes that count as none.
  public let thresholds: ConvergenceThresholds
  private let cutoffs: [Double]
  private let spacings: [Double]
  private var outcomes: [CalculationAccuracy: LabelOutcome] = [:]

  /// The cutoff of a step over that of the one before, up to rounding.
  public static let cutoffFactor = 1.15
  /// The k-point spacing of a step over that of the next one, up to rounding.
  public static let spacingDivisor = 1.2
  private static let mostFailures = 3

  /// Begins at a program's settings.
  ///
  /// - Parameters:
  ///   - structure: What is computed; its lattice decides which spacings are different meshes.
  ///   - program: The program at the coarsest settings.
  ///   - thresholds: The changes that count as none.
  ///   - largestCutoff: The end of the cutoffs, in the program's unit; 4 times the start where `nil`.
  ///   - smallestKSpacing: The end of the spacings in 1/Å; a quarter of the start where `nil`.
  public init(
    of structure: Structure, with program: any AdjustableProgram,
    thresholds: ConvergenceThresholds = ConvergenceThresholds(), largestCutoff: Double? = nil,
    smallestKSpacing: Double? = nil
  ) {
    let start = program.accuracy
    self.thresholds = thresholds
    cutoffs = Self.cutoffs(
      from: start.cutoff,
      to: min(largestCutoff ?? 4 * start.cutoff, program.allowedCutoffs.upperBound),
      program.cutoffUnit)
    spacings = Self.spacings(
      from: start.kSpacing,
      to: max(smallestKSpacing ?? start.kSpacing / 4, program.allowedKSpacings.lowerBound),
      structure)
  }

  private static func cutoffs(
    from start: Double, to limit: Double, _ unit: CutoffUnit
  ) -> [Double] {
    var cutoffs = [start]
    var next = unit.raised(start, by: cutoffFactor)
    while next <= limit {
      cutoffs.append(next)
      next = unit.raised(next, by: cutoffFactor)
    }
    return cutoffs
  }

  private static func spacings(
    from start: Double, to limit: Double, _ structure: Structure
  ) -> [Double] {
    var spacings = [start]
    var mesh = structure.reciprocalMesh(spacing: start)
    var next = CalculationAccuracy.lowered(start, by: spacingDivisor)
    // Thousandths end somewhere: below, a division changes nothing.
    var before = start
    while next >= limit, next < before {
      let finer = structure.reciprocalMesh(spacing: next)
      if finer != mesh { spacings.append(next) }
      mesh = finer
      before = next
      next = CalculationAccuracy.lowered(next, by: spacingDivisor)
    }
    return spacings
  }

  /// Takes what became of a setting.
  ///
  /// - Parameters:
  ///   - outcome: The label, or why there is none.
  ///   - accuracy: The setting, as ``next`` named it.
  public mutating func record(_ outcome: LabelOutcome, at accuracy: CalculationAccuracy) {
    outcomes[accuracy] = outcome
  }

  /// What became of a setting; `nil` where it was not computed.
  public func outcome(at accuracy: CalculationAccuracy) -> LabelOutcome? { outcomes[accuracy] }

  /// What to do next.
  ///
  /// - Complexity: O(N) in atoms and computed settings.
  public var next: Step { progress.step }

  /// What has been computed, by series; a setting may belong to two.
  ///
  /// - Complexity: O(N) in atoms and computed settings.
  public var series: [Series] { progress.series }

  /// How the settings of a series differ from its finest one that has a label.
  ///
  /// - Returns: For each setting the change; `nil` where it has no label or is the finest one itself.
  /// - Complexity: O(N) in atoms and settings.
  public func changes(in series: Series) -> [EvaluationChange?] {
    guard let finest = series.settings.last(where: { label($0) != nil }),
      let reference = label(finest)
    else { return series.settings.map { _ in nil } }
    return series.settings.map { setting in
      setting == finest ? nil : label(setting).map { EvaluationChange(of: $0, from: reference) }
    }
  }

  private func label(_ accuracy: CalculationAccuracy) -> Evaluation? {
    if case .labelled(let evaluation)? = outcomes[accuracy] { evaluation } else { nil }
  }
}

// The walk along the series, from the beginning each time: what is known is passed, and the first
// setting that is not is the next one.
extension ConvergenceSearch {
  private struct Progress {
    var step: Step
    var series: [Series]
  }

  /// How the walk along one series ended.
  private enum End {
    case found(Int)
    case stopped(Step)
  }

  private var progress: Progress {
    var series: [Series] = []
    let atStart = cutoffs.map { CalculationAccuracy(cutoff: $0, kSpacing: spacings[0]) }
    switch walk(.cutoff, atStart, &series) {
    case .stopped(let step): return Progress(step: step, series: series)
    case .found(let cutoff):
      let atCutoff = spacings.map { CalculationAccuracy(cutoff: cutoffs[cutoff], kSpacing: $0) }
      switch walk(.kSpacing, atCutoff, &series) {
      case .stopped(let step): return Progress(step: step, series: series)
      case .found(let spacing):
        let together = zip(cutoffs[cutoff...], spacings[spacing...])
          .map { CalculationAccuracy(cutoff: $0, kSpacing: $1) }
        switch walk(.both, together, &series) {
        case .stopped(let step): return Progress(step: step, series: series)
        case .found(let place):
          return Progress(step: .converged(together[place]), series: series)
        }
      }
    }
  }

  /// Goes along a series up to the first converged setting, or to the first one that is not computed.
  private func walk(
    _ kind: Series.Kind, _ settings: [CalculationAccuracy], _ series: inout [Series]
  ) -> End {
    var failures = 0
    for (place, setting) in settings.enumerated() {
      guard let outcome = outcomes[setting] else {
        series.append(Series(kind: kind, settings: Array(settings[..<place])))
        return .stopped(.compute(setting))
      }
      var end: End?
      switch outcome {
      case .labelled:
        failures = 0
        if let converged = converged(kind, settings[...place]) { end = .found(converged) }
      case .failed(let reason):
        failures += 1
        if failures == Self.mostFailures { end = .stopped(.failed(reason: reason)) }
      }
      if let end {
        series.append(Series(kind: kind, settings: Array(settings[...place])))
        return end
      }
    }
    series.append(Series(kind: kind, settings: settings))
    return .stopped(.reachedLimit(kind))
  }

  /// The place of the setting that converged with the last one of a series.
  private func converged(_ kind: Series.Kind, _ settings: ArraySlice<CalculationAccuracy>) -> Int? {
    // The first pair has converged in each of the two already: one finer pair confirms it.
    let finer = kind == .both && settings.count == 2 ? 1 : 2
    let place = settings.count - 1 - finer
    guard place >= 0, let evaluation = label(settings[place]) else { return nil }
    // A second look at the first pair, once it has been refuted, could only contradict that.
    if kind == .both, place == 0, finer == 2 { return nil }
    for other in settings[(place + 1)...] {
      guard let reference = label(other),
        EvaluationChange(of: evaluation, from: reference).isBelow(thresholds)
      else { return nil }
    }
    return place
  }
}
