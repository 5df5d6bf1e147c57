extension VASPProgram: AdjustableProgram {
  /// 50 to 5000 eV.
  public static let cutoffs = 50.0...5000.0

  /// 0.02 to 5 1/Å.
  public static let kSpacings = 0.02...5.0

  /// eV.
  public var cutoffUnit: CutoffUnit { .electronvolt }

  /// The cutoff in eV, and the k-point spacing in 1/Å.
  public var accuracy: CalculationAccuracy {
    CalculationAccuracy(cutoff: settings.cutoff, kSpacing: settings.kSpacing)
  }

  /// The same with another cutoff and other k-points.
  public func with(_ accuracy: CalculationAccuracy) -> VASPProgram {
    var settings = settings
    settings.cutoff = accuracy.cutoff
    settings.kSpacing = accuracy.kSpacing
    return VASPProgram(settings, command: command)
  }
}
