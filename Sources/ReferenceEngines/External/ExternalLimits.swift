/// What one calculation of an external program may take, and what is left of it.
public struct ExternalLimits: Sendable, Hashable {
  /// Wall-clock seconds of one run of the program; `nil` for no limit.
  public var timeLimitSeconds: Double?
  /// Seconds between the request to end and the kill.
  public var graceSeconds: Double
  /// Whether large files that only the program itself could use are kept after a success.
  public var keepsScratch: Bool
  /// Energies per atom in eV below this are refused as unphysical; `nil` for no floor.
  public var energyFloor: Double?

  /// Creates limits.
  ///
  /// - Parameters:
  ///   - timeLimitSeconds: Wall-clock seconds of one run; `nil` for no limit.
  ///   - graceSeconds: Seconds between the request to end and the kill.
  ///   - keepsScratch: Whether large files stay after a success.
  ///   - energyFloor: The lowest energy in eV per atom that counts as physical.
  public init(
    timeLimitSeconds: Double? = nil, graceSeconds: Double = 5, keepsScratch: Bool = false,
    energyFloor: Double? = nil
  ) {
    self.timeLimitSeconds = timeLimitSeconds
    self.graceSeconds = graceSeconds
    self.keepsScratch = keepsScratch
    self.energyFloor = energyFloor
  }
}
