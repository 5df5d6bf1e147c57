extension Cp2kProgram: AdjustableProgram {
  /// 20 to 5000 Ry.
  public static let cutoffs = 20.0...5000.0

  /// The cutoff of the finest grid in Ry, and the k-point spacing in 1/Å.
  public var accuracy: CalculationAccuracy {
    CalculationAccuracy(cutoff: parameters.cutoff, kSpacing: parameters.kPointSpacing)
  }

  /// The same with another finest grid and other k-points; `rel_cutoff` stays.
  public func with(_ accuracy: CalculationAccuracy) -> Cp2kProgram {
    var parameters = parameters
    parameters.cutoff = accuracy.cutoff
    parameters.kPointSpacing = accuracy.kSpacing
    return Cp2kProgram(parameters)
  }
}
