import Crystal
import Evolution
import NumericalCore
import Settings

/// Everything a campaign file says, with every default filled in.
///
/// What cannot change between a start and a resume is `let`; limits that people may raise while a
/// campaign runs are `var`.
public struct CampaignSettings: Sendable, Hashable {
  /// A line for people.
  public let title: String
  /// What is searched for.
  public let target: Target
  /// External pressure in GPa.
  public let pressure: Double
  /// Seed of all random streams.
  public let seed: UInt64
  /// The potential that is trained.
  public let potential: PotentialChoice
  /// How it is trained.
  public let training: Training
  /// The method that labels structures.
  public let reference: Reference
  /// What is labelled before the search.
  public let initialTraining: InitialTraining
  /// When and what is labelled during the search.
  public var activeLearning: ActiveLearning
  /// The shortest allowed distances.
  public let distances: DistanceLimits
  /// The evolutionary search.
  public var search: Search
  /// Relaxation of candidates.
  public let relaxation: Relaxations
  /// Ranking of the best candidates by the reference method.
  public let rerank: Rerank

  init(
    title: String, target: Target, pressure: Double, seed: UInt64, potential: PotentialChoice,
    training: Training, reference: Reference,
    initialTraining: InitialTraining, activeLearning: ActiveLearning, distances: DistanceLimits,
    search: Search, relaxation: Relaxations, rerank: Rerank
  ) {
    self.title = title
    self.target = target
    self.pressure = pressure
    self.seed = seed
    self.potential = potential
    self.training = training
    self.reference = reference
    self.initialTraining = initialTraining
    self.activeLearning = activeLearning
    self.distances = distances
    self.search = search
    self.relaxation = relaxation
    self.rerank = rerank
  }

  /// External pressure in eV/Å³.
  public var pressureElectronvoltsPerCubicAngstrom: Double {
    pressure / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
  }

  /// The shortest allowed distance of every pair of elements.
  public var minimumDistances: MinimumDistances {
    MinimumDistances(
      elements: target.elements, covalentFraction: distances.fraction,
      pairs: distances.pairs.map { ($0.first, $0.second, $0.distance) })
  }

  /// The cells that are searched.
  public var space: CompositionSpace { target.space }
}

extension CampaignSettings: ByteCodable {
  /// Appends the settings as YAML with every default written out.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(yaml()) }

  /// Reads settings.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let text = try decoder.decode(String.self)
    do throws(SettingsError) {
      self = try CampaignSettings(SettingsDocument(text: text, path: "campaign.yaml"))
    } catch { throw .invalid(error.description) }
  }
}
