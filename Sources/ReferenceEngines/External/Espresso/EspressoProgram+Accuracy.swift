import Settings

extension EspressoProgram: AdjustableProgram {
  /// 1 to 1000 Ry.
  public static let cutoffs = 1.0...1000.0

  /// The cutoff of the wave functions in Ry, and the k-point spacing in 1/Å.
  public var accuracy: CalculationAccuracy {
    CalculationAccuracy(cutoff: parameters.cutoff, kSpacing: parameters.kPointSpacing)
  }

  /// `cutoff`, `density_cutoff` and `k_spacing`.
  public var accuracySettings: [SettingsNode.Entry] {
    [
      .init("cutoff", .number(parameters.cutoff)),
      .init("density_cutoff", .number(parameters.densityCutoff)),
      .init("k_spacing", .number(parameters.kPointSpacing)),
    ]
  }

  /// The same with another cutoff and other k-points; the cutoff of the density stays the same multiple.
  public func with(_ accuracy: CalculationAccuracy) -> EspressoProgram {
    var parameters = parameters
    if accuracy.cutoff != parameters.cutoff {
      let multiple = parameters.densityCutoff / parameters.cutoff
      // Without the quotient's roundoff: a multiple that a file leaves to the default is the same number.
      let density = (1e6 * multiple * accuracy.cutoff).rounded() / 1e6
      parameters.densityCutoff = max(4 * accuracy.cutoff, density)
    }
    parameters.cutoff = accuracy.cutoff
    parameters.kPointSpacing = accuracy.kSpacing
    return EspressoProgram(parameters)
  }
}
