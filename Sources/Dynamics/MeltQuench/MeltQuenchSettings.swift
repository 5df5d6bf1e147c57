import NumericalCore

/// How disorder is sampled: superheat, find where the liquid freezes in, let the cell find its volume,
/// then liquid, quench and anneal.
///
/// C. Hong et al., Phys. Rev. B 102, 224104 (2020), doi:10.1103/PhysRevB.102.224104; the defaults are theirs but for the length of a
/// test. Times are in fs.
public struct MeltQuenchSettings: Sendable, Hashable {
  /// The time step.
  public var timeStep = 1.0
  /// What velocities remember, in fs: the relaxation time of Langevin's equation.
  public var relaxationTime = 100.0
  /// How long atoms have to part at the start.
  public var calmingTime = 500.0
  /// The temperature in K at which any order of the start is lost.
  public var superheat = 4000.0
  /// How long it is held.
  public var superheatTime = 5000.0
  /// By which factor the temperature falls from one test for a liquid to the next.
  public var coolingFactor = 0.9
  /// How long a temperature is tested; displacements are followed for half of this time.
  public var meltingTime = 20_000.0
  /// Shorter displacements do not count for the slope: atoms fly or rattle in their cages.
  public var ballisticTime = 2000.0
  /// A liquid's mean-square displacement grows at least with this power of time.
  public var diffusiveSlope = 0.8
  /// A liquid's atoms move at least so far in half of a test, in Å.
  public var diffusiveDistance = 1.5
  /// The pressure in eV/Å³ that the volume is made for.
  public var pressure = 0.0
  /// How well, in eV/Å³: two standard errors are to be smaller.
  public var pressureTolerance =
    0.1 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
  /// The longest time for a volume; where the tolerance is not met until then, the mean so far counts.
  public var longestVolumeTime = 1_000_000.0
  /// How long the liquid is sampled.
  public var liquidTime = 20_000.0
  /// How fast it is cooled, in K/fs.
  public var quenchRate = 0.1
  /// The temperature in K at which a quench ends.
  public var glassTemperature = 300.0
  /// The temperature in K at which the glass is annealed.
  public var annealTemperature = 500.0
  /// How long it is annealed.
  public var annealTime = 15_000.0
  /// How hard a melt is pressed at the end while it is quenched from the superheat once more, in bulk moduli of
  /// its liquid; 0 for not at all.
  ///
  /// Many crystals are denser than any glass; spinel of Mg2SiO4 by 16 %.
  public var pressing = 0.0
  /// The time between sampled frames.
  public var sampleInterval = 20.0
  /// Where velocities and noise come from.
  public var seed: UInt64

  /// Creates the settings of the paper.
  ///
  /// - Parameter seed: Where velocities and noise come from.
  public init(seed: UInt64) { self.seed = seed }

  /// The number of steps that a time in fs takes, at least one.
  func steps(_ time: Double) -> Int { max(1, Int((time / timeStep).rounded())) }
}

/// What happens to a structure that is molten and quenched, one after the other.
public enum MeltQuenchPhase: UInt8, Sendable, Hashable, CaseIterable {
  /// Atoms that were too close part, with so much friction that they are not thrown about.
  case calming
  /// Any order is lost.
  case superheat
  /// One temperature after the other is tested for a liquid.
  case melting
  /// The cell finds its volume.
  case volume
  /// The liquid is sampled at the lowest temperature at which it is one.
  case liquid
  /// It is cooled.
  case quench
  /// It is annealed.
  case anneal
  /// It is molten again and quenched under pressure.
  case press
  /// Nothing is left to do.
  case finished

  /// Whether frames of this phase are to be trained on.
  public var isSampled: Bool {
    switch self {
    case .liquid, .quench, .anneal, .press: true
    case .calming, .superheat, .melting, .volume, .finished: false
    }
  }
}

extension MeltQuenchPhase: CustomStringConvertible {
  /// The word for logs.
  public var description: String {
    switch self {
    case .calming: "calming"
    case .superheat: "superheat"
    case .melting: "melting"
    case .volume: "volume"
    case .liquid: "liquid"
    case .quench: "quench"
    case .anneal: "anneal"
    case .press: "press"
    case .finished: "finished"
    }
  }
}
