import NumericalCore

/// A temperature that stays or changes linearly with the number of steps.
public struct TemperatureRamp: Sendable, Hashable {
  /// The temperature at the first step, in K.
  public let start: Double
  /// The temperature at the last step and after it, in K.
  public let end: Double
  /// The step at which the ramp begins.
  public let firstStep: Int
  /// How many steps it takes.
  public let steps: Int

  /// Creates a temperature that changes.
  ///
  /// - Parameters:
  ///   - start: In K at the first step and before it; positive.
  ///   - end: In K from the last step on; positive.
  ///   - firstStep: Where the ramp begins, counted as in `DynamicalState.step`.
  ///   - steps: How long it takes; positive.
  public init(from start: Double, to end: Double, beginning firstStep: Int = 0, over steps: Int) {
    precondition(
      start > 0 && end > 0 && start.isFinite && end.isFinite, "temperatures are positive")
    precondition(steps > 0, "a ramp takes at least one step")
    self.start = start
    self.end = end
    self.firstStep = firstStep
    self.steps = steps
  }

  /// A temperature in K that stays.
  public static func constant(_ temperature: Double) -> TemperatureRamp {
    TemperatureRamp(from: temperature, to: temperature, over: 1)
  }

  /// The temperature in K at a step.
  public func temperature(at step: Int) -> Double {
    let fraction = Double(step - firstStep) / Double(steps)
    return start + (end - start) * min(1, max(0, fraction))
  }

  /// Boltzmann's constant times the temperature, in eV.
  func thermalEnergy(at step: Int) -> Double {
    PhysicalConstants.boltzmann * temperature(at: step)
  }
}
