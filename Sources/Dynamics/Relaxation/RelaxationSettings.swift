import Crystal
import NumericalCore

/// How a relaxation is run and when it ends.
public struct RelaxationSettings: Sendable, Hashable {
  /// A set of tolerances and the work allowed to reach them.
  public struct Stage: Sendable, Hashable {
    /// No force may be longer, in eV/Å.
    public var force: Double
    /// No component of σ + p may be larger, in eV/Å³.
    public var stress: Double
    /// The largest number of energy evaluations of this stage, without those few by which a reference method
    /// goes on with other k-points, see `EvaluationSeries.renew(at:)`.
    public var evaluations: Int

    /// Creates a stage.
    ///
    /// - Parameters:
    ///   - force: Tolerance in eV/Å.
    ///   - stress: Tolerance in eV/Å³.
    ///   - evaluations: The largest number of energy evaluations.
    public init(force: Double, stress: Double, evaluations: Int) {
      precondition(force > 0 && stress > 0 && evaluations > 0, "tolerances and limits are positive")
      self.force = force
      self.stress = stress
      self.evaluations = evaluations
    }

    /// A stage with its stress tolerance in GPa.
    public static func gigapascals(force: Double, stress: Double, evaluations: Int) -> Stage {
      Stage(
        force: force,
        stress: stress / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom,
        evaluations: evaluations)
    }

    /// For all candidates: 0.1 eV/Å, 2 GPa, 400 evaluations.
    public static let coarse = gigapascals(force: 0.1, stress: 2, evaluations: 400)
    /// For those that are kept: 0.02 eV/Å, 0.4 GPa, 400 evaluations.
    public static let tight = gigapascals(force: 0.02, stress: 0.4, evaluations: 400)
  }

  /// The stages, run one after the other.
  public var stages: [Stage]
  /// The pressure in eV/Å³; the enthalpy E + pV is minimised.
  ///
  /// Meaningful for bulk crystals.
  public var pressure: Double
  /// Whether the cell stays as it is.
  public var hasFixedCell = false
  /// The longest move of an atom in one step, in Å.
  public var largestMove = 0.3
  /// The largest component of the strain in one step.
  public var largestStrain = 0.12
  /// The relaxation has collapsed or exploded where the volume leaves these multiples of its start.
  public var volumeRatios = 0.2...5.0
  /// Pairs must not come closer; `nil` for no limits.
  public var minimumDistances: MinimumDistances?

  /// Creates settings.
  ///
  /// - Parameters:
  ///   - stages: The stages, run one after the other.
  ///   - pressure: In eV/Å³.
  ///   - minimumDistances: Limits for pairs, checked at every step.
  public init(
    stages: [Stage] = [.tight], pressure: Double = 0, minimumDistances: MinimumDistances? = nil
  ) {
    precondition(!stages.isEmpty, "a relaxation has at least one stage")
    self.stages = stages
    self.pressure = pressure
    self.minimumDistances = minimumDistances
  }
}
