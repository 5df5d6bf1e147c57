import Crystal
import Dynamics
import Evolution
import NumericalCore
import Potential

/// What a campaign file says of the work that ranks do; the same on every rank.
public struct CampaignRules: Sendable {
  /// Seed of all random streams.
  public let seed: UInt64
  /// What children must keep.
  public let breeding: BreedingSettings
  /// How many children are bred for a candidate, of which one is relaxed to its end.
  public var draws: Int
  /// Whose vibrations soft mutations follow.
  public let hessian: CampaignSettings.HessianSource
  /// γ from which a geometry is remembered for labelling.
  public let selectThreshold: Double
  /// γ from which a relaxation stops.
  public let breakThreshold: Double
  /// Structures with larger forces, in eV/Å, are not trained on.
  public let forceCap: Double
  /// What a row of the active set stands for.
  public let extrapolationMode: ExtrapolationMode
  /// First coarse, then tight.
  public let searchStages: [RelaxationSettings.Stage]
  /// The tolerances of a finished candidate.
  public let tightStage: RelaxationSettings.Stage
  /// Tolerances of relaxations with the reference method.
  public let rerankStages: [RelaxationSettings.Stage]
  /// How far in Å atoms may be from where a translation puts them, to be labelled and re-ranked in a smaller cell.
  ///
  /// Far above the rounding of symmetric structures, and so small that a distortion that doubles the cell is kept.
  public static let repetitionTolerance = 0.01
  /// External pressure in eV/Å³.
  public let pressure: Double
  /// How fingerprints are made: scaled to one volume per atom, so that residual strain does not count.
  public let fingerprint: StructureFingerprint.Settings
  private let settings: CampaignSettings

  /// Takes the rules from a campaign file.
  public init(_ settings: CampaignSettings) {
    self.settings = settings
    seed = settings.seed
    var breeding = BreedingSettings(
      minimumDistances: settings.minimumDistances, spaceGroups: settings.search.spaceGroups)
    breeding.topologies = settings.search.topologies
    self.breeding = breeding
    draws = settings.search.draws
    hessian = settings.search.hessian
    selectThreshold = settings.activeLearning.select
    breakThreshold = settings.activeLearning.breaking
    forceCap = settings.training.forceCap
    extrapolationMode =
      settings.activeLearning.mode == .neighbourhood ? .neighbourhood : .configuration
    let relaxation = settings.relaxation
    let coarse = RelaxationSettings.Stage.gigapascals(
      force: relaxation.coarse.force, stress: relaxation.coarse.stress,
      evaluations: relaxation.steps)
    tightStage = .gigapascals(
      force: relaxation.tight.force, stress: relaxation.tight.stress,
      evaluations: relaxation.steps)
    searchStages = [coarse, tightStage]
    rerankStages = [
      .gigapascals(
        force: settings.rerank.convergence.force, stress: settings.rerank.convergence.stress,
        evaluations: relaxation.steps)
    ]
    pressure = settings.pressureElectronvoltsPerCubicAngstrom
    fingerprint = StructureFingerprint.Settings(
      volumePerAtom: settings.target.fingerprintVolumePerAtom)
  }

  /// Where the reference method begins to relax a candidate: in the smallest cell of the crystal.
  public static func rerankStart(_ structure: Structure) -> Structure {
    RepeatingUnit(of: structure, within: repetitionTolerance).structure
  }

  /// Settings of one relaxation.
  public func relaxation(stages: [RelaxationSettings.Stage]) -> RelaxationSettings {
    RelaxationSettings(
      stages: stages, pressure: pressure, minimumDistances: breeding.minimumDistances)
  }

  /// How a melt is treated; each has a seed of its own.
  func meltQuench(_ run: Int) -> MeltQuenchSettings {
    guard var melt = settings.initialTraining.meltQuench?.settings else {
      preconditionFailure("orders for melts come of a campaign that has some")
    }
    var random = RandomStream(seed: seed, purpose: .dynamics, slot: UInt64(run), attempt: 2)
    melt.seed = random.next64()
    return melt
  }

  /// The seed of a disordered structure of the initial training set.
  func scatteringSeed(_ stream: Int) -> UInt64 {
    var random = RandomStream(
      seed: seed, purpose: .initialTraining, slot: UInt64(stream), attempt: 1)
    return random.next64()
  }

  /// Settings of one training.
  public func training(start: TrainingStart) -> TrainingSettings {
    var training = settings.trainingSettings(start: start)
    if start == .current {
      // A refit follows new labels from a potential that was converged before.
      training.maximumTrials = 12
      training.tolerance = 1e-3
    }
    return training
  }

  /// Settings of a training after the search: from the newest potential, but to the tolerance of a first
  /// training and with more trials than that, as half of the data may be new.
  public func retraining() -> TrainingSettings {
    var training = settings.trainingSettings(start: .current)
    training.maximumTrials = 200
    return training
  }

  /// The level of the potential whose grade decides; `nil` where it is the one that relaxes.
  public var gradingLevel: Int? {
    let level = settings.activeLearning.level
    return level < settings.potential.level ? level : nil
  }

  /// The level of the potential that moves melts; `nil` for that of the search.
  var meltLevel: Int? { settings.initialTraining.meltQuench?.level }

  /// A potential before its first training; its smallest distance is fixed here for good.
  ///
  /// - Parameter level: Its level; `nil` for that of the one that relaxes.
  /// - Returns: The potential with the initial radial functions.
  /// - Throws: `PotentialError` where the basis cannot be made.
  public func untrainedPotential(
    level: Int? = nil
  ) throws(PotentialError) -> MomentTensorPotential {
    let elements = settings.target.elements
    let limits = breeding.minimumDistances
    let shortest =
      elements.flatMap { a in elements.map { b in limits[a, b] } }.min() ?? 0
    return try MomentTensorPotential(
      basis: MomentTensorBasis(level: level ?? settings.potential.level),
      radialBasis: RadialBasis(
        size: settings.potential.radialBasis,
        minimumDistance: settings.potential.minimumDistance ?? 0.9 * shortest,
        cutoff: settings.potential.cutoff),
      elements: elements, repulsion: settings.potential.repulsion)
  }
}

extension CampaignSettings {
  /// The numbers that steer the schedule.
  public func schedule() -> ScheduleSettings {
    var population = PopulationSettings(size: search.population, space: target.space)
    population.spaceGroups = search.spaceGroups
    population.operators = search.operators.map(\.ratio)
    population.isAdaptive = search.adaptive
    population.antiseedHeight = search.antiseeds.height
    population.antiseedWidth = search.antiseeds.width
    population.nicheRadius = search.niche
    population.packings = search.packings
    population.bestCount = max(population.bestCount, 2 * rerank.top)
    let learns = potential.kind != .reference
    var schedule = ScheduleSettings(
      seed: seed, learns: learns,
      initialStructures: learns ? initialTraining.labels : 0,
      candidates: search.candidates,
      population: search.population, window: search.window, labelDelay: search.delays.label,
      refitDelay: search.delays.refit, batch: activeLearning.batch,
      maxLabels: learns ? activeLearning.maximumLabels : 0, rerankTop: rerank.top,
      training: trainingSettings(start: .current), search: population)
    schedule.verify = learns ? activeLearning.verify : 0
    schedule.melts = initialTraining.meltQuench.map(MeltSchedule.init)
    return schedule
  }

  /// The settings of the trainer, without what refits and retrainings change.
  func trainingSettings(start: TrainingStart) -> TrainingSettings {
    var settings = TrainingSettings.search
    settings.weights = training.weights
    settings.forceCap = training.forceCap
    settings.energyWindow = training.energyWindow
    settings.robustForce = training.robustForce
    settings.robustEnergy = training.robustEnergy
    settings.pressure = pressureElectronvoltsPerCubicAngstrom
    settings.start = start
    return settings
  }
}
