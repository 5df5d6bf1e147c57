import NumericalCore

/// How far two numbers may lie apart: both bounds are needed, because relative bounds fail at zero and
/// absolute ones at large values.
public struct Tolerance: Sendable, Hashable {
  /// Allowed difference relative to the larger magnitude.
  public let relative: Double
  /// Allowed difference, in the unit of the numbers.
  public let absolute: Double

  /// Creates a tolerance.
  public init(relative: Double, absolute: Double) {
    self.relative = relative
    self.absolute = absolute
  }

  /// Same mathematics in another order of operations: some thousand roundings.
  public static let roundoff = Tolerance(relative: 1e-11, absolute: 1e-11)
  /// A derivative against extrapolated central differences with steps of 10⁻³ Å.
  public static let finiteDifference = Tolerance(relative: 1e-6, absolute: 1e-6)
  /// Another code with its own constants and cutoffs in the last digits.
  public static let crossCode = Tolerance(relative: 1e-5, absolute: 1e-6)
}

extension Double {
  /// Whether two numbers agree within a relative or an absolute bound.
  public func isClose(to other: Double, relative: Double, absolute: Double) -> Bool {
    if self == other { return true }
    let difference = abs(self - other)
    return difference <= absolute || difference <= relative * Swift.max(abs(self), abs(other))
  }

  /// Whether two numbers agree within a tolerance.
  public func isClose(to other: Double, _ tolerance: Tolerance) -> Bool {
    isClose(to: other, relative: tolerance.relative, absolute: tolerance.absolute)
  }
}

extension Vector3 {
  /// Whether two vectors agree, the relative bound counting for the length.
  public func isClose(to other: Vector3, _ tolerance: Tolerance) -> Bool {
    let bound = tolerance.relative * Swift.max(length, other.length)
    return (self - other).length <= Swift.max(tolerance.absolute, bound)
  }
}

extension Matrix3 {
  /// Whether two matrices agree, the relative bound counting for the norm.
  public func isClose(to other: Matrix3, _ tolerance: Tolerance) -> Bool {
    let bound = tolerance.relative * Swift.max(frobeniusNorm, other.frobeniusNorm)
    return (self - other).frobeniusNorm <= Swift.max(tolerance.absolute, bound)
  }
}
