import Crystal
import Settings

/// The two numbers that decide how finely a program with plane waves or grids computes.
public struct CalculationAccuracy: Sendable, Hashable {
  /// The cutoff in the program's unit.
  public var cutoff: Double
  /// The largest distance between k-points in 1/Å, with the factor 2π.
  public var kSpacing: Double

  /// Creates an accuracy.
  ///
  /// - Parameters:
  ///   - cutoff: The cutoff in the program's unit.
  ///   - kSpacing: The largest distance between k-points in 1/Å, with the factor 2π.
  public init(cutoff: Double, kSpacing: Double) {
    self.cutoff = cutoff
    self.kSpacing = kSpacing
  }

  /// A finer one, in round numbers.
  ///
  /// - Parameters:
  ///   - unit: The unit of the cutoff, which decides what is round.
  ///   - cutoffFactor: The factor of the cutoff, above or equal to 1.
  ///   - spacingDivisor: The divisor of the k-point spacing, above or equal to 1.
  /// - Returns: A cutoff in whole Ry or tens of eV, at least one of them higher where the factor is above
  ///   1, and a spacing in thousandths of 1/Å, but not below 0.001.
  public func tightened(
    _ unit: CutoffUnit, cutoffFactor: Double, spacingDivisor: Double
  ) -> CalculationAccuracy {
    CalculationAccuracy(
      cutoff: cutoffFactor > 1 ? unit.raised(cutoff, by: cutoffFactor) : cutoff,
      kSpacing: spacingDivisor > 1 ? Self.lowered(kSpacing, by: spacingDivisor) : kSpacing)
  }

  static func lowered(_ spacing: Double, by divisor: Double) -> Double {
    max(0.001, (1000 * spacing / divisor).rounded() / 1000)
  }
}

/// The unit of a program's cutoff.
public enum CutoffUnit: String, Sendable {
  /// Quantum ESPRESSO and CP2K.
  case rydberg = "Ry"
  /// VASP.
  case electronvolt = "eV"

  /// The step of round numbers: 1 Ry, 10 eV.
  public var step: Double {
    switch self {
    case .rydberg: 1
    case .electronvolt: 10
    }
  }

  /// A cutoff times a factor above 1, as a multiple of the step that is at least one step higher.
  func raised(_ cutoff: Double, by factor: Double) -> Double {
    let next = (cutoff / step).rounded(.down) + 1
    return step * max(next, (factor * cutoff / step).rounded())
  }
}

/// A program whose cutoff and k-points can be changed while everything else stays.
public protocol AdjustableProgram: CalculationProgram {
  /// The unit of the cutoff.
  var cutoffUnit: CutoffUnit { get }

  /// The cutoffs that the settings allow.
  static var cutoffs: ClosedRange<Double> { get }

  /// The k-point spacings in 1/Å that the settings allow; 0.01 to 10 by default.
  static var kSpacings: ClosedRange<Double> { get }

  /// Cutoff and k-points as they are.
  var accuracy: CalculationAccuracy { get }

  /// Cutoff and k-points, and what changes with them, under their keys in the `reference:` block.
  var accuracySettings: [SettingsNode.Entry] { get }

  /// The same program with another cutoff and other k-points.
  ///
  /// - Parameter accuracy: The cutoff, and the k-point spacing in 1/Å.
  /// - Returns: A program whose other settings are the same.
  func with(_ accuracy: CalculationAccuracy) -> Self
}

/// What most programs have in common.
extension AdjustableProgram {
  /// 0.01 to 10 1/Å.
  public static var kSpacings: ClosedRange<Double> { 0.01...10 }

  /// Ry.
  public var cutoffUnit: CutoffUnit { .rydberg }

  /// The cutoffs that the settings allow.
  public var allowedCutoffs: ClosedRange<Double> { Self.cutoffs }

  /// The k-point spacings in 1/Å that the settings allow.
  public var allowedKSpacings: ClosedRange<Double> { Self.kSpacings }

  /// `cutoff` and `k_spacing`.
  public var accuracySettings: [SettingsNode.Entry] {
    let accuracy = accuracy
    return [
      .init("cutoff", .number(accuracy.cutoff)), .init("k_spacing", .number(accuracy.kSpacing)),
    ]
  }
}
