import NumericalCore

/// How much energies, forces and stresses count in the loss.
///
/// I. S. Novikov et al., Mach. Learn.: Sci. Technol. 2, 025002 (2021), doi:10.1088/2632-2153/abc9fe, eqs.
/// 7, 11, 12.
public struct TrainingWeights: Sendable, Hashable {
  /// How weights are divided for a structure of N atoms.
  public enum Scaling: String, Sendable, Hashable, CaseIterable {
    /// Energy, force and stress weights stay: wₑ, w_f, wₛ.
    case molecules
    /// wₑ/N, w_f, wₛ/N: every atom counts alike.
    case vibrations
    /// wₑ/N², w_f/N, wₛ/N²: every structure counts alike.
    case structures
  }

  /// Weight of squared energy errors, 1/eV².
  public var energy: Double
  /// Weight of squared force errors, Å²/eV².
  public var force: Double
  /// Weight of squared errors of ∂E/∂ε, 1/eV².
  public var stress: Double
  /// How they are divided.
  public var scaling: Scaling

  /// Creates weights; none may be negative and one must be positive.
  ///
  /// - Throws: `PotentialError.training` otherwise.
  public init(
    energy: Double = 1, force: Double = 0.01, stress: Double = 0.001, scaling: Scaling = .vibrations
  ) throws(PotentialError) {
    guard energy >= 0, force >= 0, stress >= 0, energy + force + stress > 0,
      (energy + force + stress).isFinite
    else {
      throw .training(
        "weights \(energy), \(force), \(stress) (energy, force, stress) must not be negative, nor all 0"
      )
    }
    self.init(unchecked: energy, force, stress, scaling)
  }

  private init(unchecked energy: Double, _ force: Double, _ stress: Double, _ scaling: Scaling) {
    self.energy = energy
    self.force = force
    self.stress = stress
    self.scaling = scaling
  }

  /// 1, 0.01, 0.001, `vibrations`.
  public static let standard = TrainingWeights(unchecked: 1, 0.01, 0.001, .vibrations)

  /// The weights of a structure of N atoms.
  func divided(atomCount: Int) -> (energy: Double, force: Double, stress: Double) {
    let n = Double(atomCount)
    return switch scaling {
    case .molecules: (energy, force, stress)
    case .vibrations: (energy / n, force, stress / n)
    case .structures: (energy / (n * n), force / n, stress / (n * n))
    }
  }
}

/// Where a training starts.
public enum TrainingStart: Sendable, Hashable {
  /// f_μ = T_μ, the Chebyshev polynomials, for every pair of species.
  case chebyshev
  /// Chebyshev polynomials with a random admixture of 0.3 of their size.
  case random(seed: UInt64)
  /// The coefficients the given potential has (a refit).
  case current
}

/// What a training aims at and when it ends.
public struct TrainingSettings: Sendable, Hashable {
  /// Weights of the loss.
  public var weights = TrainingWeights.standard
  /// Structures with a larger force in eV/Å are not trained on; `nil`: no limit.
  public var forceCap: Double? = 20
  /// Structures whose enthalpy lies higher in eV/atom above the lowest of their composition are not trained on;
  /// `nil`: no limit.
  public var energyWindow: Double? = 5
  /// F₀ in eV/Å: the force weight of a structure is divided by 1 + F²ᵣₘₛ/F₀²; `nil`: it is not.
  public var robustForce: Double? = nil
  /// E₀ in eV/atom: all weights of a structure are divided by 1 + ΔH²/E₀², with ΔH the height of its enthalpy
  /// above the lowest of its composition; `nil`: they are not.
  public var robustEnergy: Double? = nil
  /// The pressure of the enthalpies in eV/Å³: what is low is what lies low where the potential is used.
  public var pressure = 0.0
  /// Relative ridge of the linear problem, after column scaling.
  public var ridge = 1e-12
  /// Most Levenberg–Marquardt trials (accepted or not) per level.
  public var maximumTrials = 60
  /// The training has converged when an accepted step lowers the loss by less than this fraction
  /// twice in a row.
  public var tolerance = 1e-4
  /// Where it starts.
  public var start = TrainingStart.chebyshev
  /// Lower levels through which a fresh start climbs to the level of the potential.
  public var continuation: [Int] = []

  /// Creates the default settings.
  public init() {}

  /// Settings for the training sets of a search.
  ///
  /// Random starts with forces of 10² eV/Å must not own the loss (F₀ = 2 eV/Å). What is high teaches where not
  /// to go, what is low the order of the best (E₀ = 0.5 eV/atom).
  public static var search: TrainingSettings {
    var settings = TrainingSettings()
    settings.energyWindow = 10
    settings.robustForce = 2
    settings.robustEnergy = 0.5
    return settings
  }

  /// Settings without cap, window and robust weights: the loss of MLIP-2.
  public static var plain: TrainingSettings {
    var settings = TrainingSettings()
    settings.forceCap = nil
    settings.energyWindow = nil
    return settings
  }
}
