import Foundation
import NumericalCore

/// One tick of an axis.
public struct AxisTick: Sendable, Hashable {
  /// Where it stands, in the unit of the axis.
  public let value: Double
  /// What is written there.
  public let label: String

  /// Creates a tick.
  public init(_ value: Double, _ label: String) {
    self.value = value
    self.label = label
  }

  /// Ticks at the multiples of 1, 2 or 5 times a power of ten that lie in a range.
  ///
  /// - Parameters:
  ///   - range: Finite and longer than nothing.
  ///   - count: About how many; there are no more than one above it.
  /// - Returns: The ticks in ascending order.
  public static func linear(over range: ClosedRange<Double>, about count: Int = 6) -> [AxisTick] {
    let step = DecimalStep(over: range, about: count)
    // A tick at the very end counts, whatever rounding says.
    let first = (range.lowerBound / step.value - 1e-9).rounded(.up)
    let last = (range.upperBound / step.value + 1e-9).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    return (0...Int(last - first)).map { step.tick(first + Double($0)) }
  }

  /// Ticks of a logarithmic axis: the powers of ten in a range, with 2 and 5 times those where they are few.
  ///
  /// - Parameter range: Above 0. Where it holds fewer than two of these numbers the ticks are those of a
  ///   linear axis.
  /// - Returns: The ticks in ascending order.
  public static func logarithmic(over range: ClosedRange<Double>) -> [AxisTick] {
    precondition(range.lowerBound > 0, "a logarithm needs a number above 0")
    let exponents =
      DecimalStep.exponent(of: range.lowerBound)...DecimalStep.exponent(of: range.upperBound)
    let reach = 1 + 1e-9
    for factors in [[1], [1, 2, 5]] {
      let steps = exponents.flatMap { e in factors.map { DecimalStep(factor: $0, exponent: e) } }
      let inside = steps.filter {
        $0.value * reach >= range.lowerBound && $0.value <= range.upperBound * reach
      }
      if inside.count >= (factors.count == 1 ? 3 : 2) { return inside.map { $0.tick(1) } }
    }
    return linear(over: range, about: 4)
  }
}

/// 1, 2 or 5 times a power of ten.
struct DecimalStep {
  let factor: Int
  let exponent: Int

  init(factor: Int, exponent: Int) {
    self.factor = factor
    self.exponent = exponent
  }

  /// The smallest that cuts a range into no more parts than asked for.
  init(over range: ClosedRange<Double>, about count: Int) {
    let span = range.upperBound - range.lowerBound
    precondition(span > 0 && span.isFinite && count > 0, "an axis has a length")
    let least = span / Double(count) * (1 - 1e-9)
    let exponent = Self.exponent(of: least)
    let steps = [1, 2, 5].map { DecimalStep(factor: $0, exponent: exponent) }
    self =
      steps.first { $0.value >= least } ?? DecimalStep(factor: 1, exponent: exponent + 1)
  }

  /// The nearest number to the step.
  var value: Double { Double("\(factor)e\(exponent)") ?? 0 }

  /// The tick at a multiple of the step.
  func tick(_ multiple: Double) -> AxisTick {
    guard multiple != 0 else { return AxisTick(0, "0") }
    let value = multiple * Double(factor)
    // Decimal digits and exponent make the nearest number; a product of two roundings need not.
    let exact = Double("\(String(format: "%.0f", value))e\(exponent)") ?? multiple * self.value
    let text =
      exponent >= -6 && abs(exact) < 1e6
      ? String(format: "%.\(max(0, -exponent))f", exact)
      : String(format: "%.6g", exact)
    return AxisTick(exact, text.replacing("-", with: "\u{2212}"))
  }

  /// The largest e with 10ᵉ ≤ x, for x above 0.
  static func exponent(of x: Double) -> Int {
    func power(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? 0 }
    var exponent = Int((Double(x.exponent) * 0.301).rounded(.down))
    while power(exponent + 1) <= x { exponent += 1 }
    while power(exponent) > x { exponent -= 1 }
    return exponent
  }
}
