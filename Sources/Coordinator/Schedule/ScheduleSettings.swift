import Crystal
import Evolution
import Potential

/// The numbers that steer the schedule; all of them are fixed for a campaign's life, apart from the
/// two limits.
public struct ScheduleSettings: Sendable {
  /// Seed of every random stream.
  public var seed: UInt64
  /// Whether a potential is trained; if not, candidates are relaxed with the reference method and
  /// the potential's version stays 0.
  public var learns: Bool
  /// Structures of the initial training set.
  public var initialStructures: Int
  /// Candidates to breed.
  public var candidates: Int
  /// Individuals in the population.
  public var population: Int
  /// Look-ahead window W (R1).
  public var window: Int
  /// Slots between a label's request and its arrival.
  public var labelDelay: Int
  /// Slots between a refit's request and its arrival.
  public var refitDelay: Int
  /// Stopped candidates that trigger a selection (R6).
  public var batch: Int
  /// Most labels, the initial ones included.
  public var maxLabels: Int
  /// Candidates to re-rank.
  public var rerankTop: Int
  /// How potentials are trained: which labels are, and at which pressure.
  public var training: TrainingSettings
  /// The melts that are learnt from before the search, `nil` for none; their starts are among the initial
  /// structures.
  public var melts: MeltSchedule?
  /// So many of the best minima are labelled whatever their grade, once per population and at the end.
  public var verify = 0
  /// At the end a minimum is labelled again where the newest potential differs from its label by more, in eV per
  /// atom.
  public var verifyTolerance = 0.01
  /// Continuations after which a candidate is unreliable (R6).
  public var maxContinuations = 5
  /// The population's own settings.
  public var search: PopulationSettings

  /// How many of the last labels are kept for the minima that the search ends with: half of those after the
  /// initial ones at most, so that others are left to explore with.
  public var reservedLabels: Int { min(verify, max(0, maxLabels - initialStructures) / 2) }

  /// Creates settings.
  public init(
    seed: UInt64, learns: Bool = true, initialStructures: Int, candidates: Int, population: Int,
    window: Int, labelDelay: Int, refitDelay: Int, batch: Int, maxLabels: Int,
    rerankTop: Int, training: TrainingSettings = .plain, search: PopulationSettings
  ) {
    precondition(window >= 1 && window <= population, "a window lies between 1 and the population")
    self.seed = seed
    self.learns = learns
    self.initialStructures = initialStructures
    self.candidates = candidates
    self.population = population
    self.window = window
    self.labelDelay = labelDelay
    self.refitDelay = refitDelay
    self.batch = batch
    self.maxLabels = maxLabels
    self.rerankTop = rerankTop
    self.training = training
    self.search = search
  }
}
