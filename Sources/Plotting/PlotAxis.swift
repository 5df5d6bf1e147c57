import NumericalCore

/// An axis: what it shows, from where to where.
public struct PlotAxis: Sendable, Hashable {
  /// How values become places.
  public enum Scale: Sendable, Hashable {
    /// Equal differences are equally long.
    case linear
    /// Equal ratios are equally long.
    case logarithmic
  }

  /// The quantity with its unit; empty for none.
  public let label: String
  /// The values at both ends.
  public let range: ClosedRange<Double>
  /// How values become places.
  public let scale: Scale
  /// The ticks, in ascending order.
  public let ticks: [AxisTick]
  /// Whether the ticks' numbers are written, not only their grid lines drawn.
  public var showsNumbers = true

  /// Creates an axis of a given range.
  ///
  /// - Parameters:
  ///   - label: The quantity with its unit.
  ///   - range: The values at both ends, finite and different; above 0 for a logarithmic scale.
  ///   - scale: How values become places.
  ///   - tickCount: About how many ticks a linear axis has; 0 for none.
  ///   - ticks: Ticks instead of the usual ones.
  public init(
    _ label: String, range: ClosedRange<Double>, scale: Scale = .linear, tickCount: Int = 6,
    ticks: [AxisTick]? = nil
  ) {
    precondition(
      range.lowerBound < range.upperBound && range.lowerBound.isFinite && range.upperBound.isFinite,
      "an axis has a length")
    precondition(scale == .linear || range.lowerBound > 0, "a logarithm needs a number above 0")
    self.label = label
    self.range = range
    self.scale = scale
    if let ticks {
      self.ticks = ticks.filter { range.contains($0.value) }
    } else if tickCount == 0 {
      self.ticks = []
    } else {
      self.ticks =
        scale == .linear
        ? AxisTick.linear(over: range, about: tickCount) : AxisTick.logarithmic(over: range)
    }
  }

  /// Creates a linear axis that holds some values, and ends at ticks.
  ///
  /// - Parameters:
  ///   - label: The quantity with its unit.
  ///   - values: What has to fit; numbers that are not finite do not count. Without values it is 0 to 1.
  ///   - tickCount: About how many ticks.
  public init(_ label: String, covering values: [Double], tickCount: Int = 6) {
    let finite = values.filter(\.isFinite)
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    if high - low <= 1e-9 * max(abs(low), abs(high)) {
      let half = max(abs(low) * 0.1, 0.5)
      (low, high) = (low - half, high + half)
    }
    let step = DecimalStep(over: low...high, about: tickCount)
    let range =
      step.tick((low / step.value + 1e-9).rounded(.down))
      .value...step.tick((high / step.value - 1e-9).rounded(.up)).value
    self.init(label, range: range, tickCount: tickCount)
  }

  /// Where a value lies: 0 at the beginning of the axis, 1 at its end; not finite where a value has no place.
  public func fraction(of value: Double) -> Double {
    switch scale {
    case .linear: return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic:
      guard value > 0 else { return .nan }
      let (low, high) = (logarithm(range.lowerBound), logarithm(range.upperBound))
      return (logarithm(value) - low) / (high - low)
    }
  }
}
