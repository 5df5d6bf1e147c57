import Crystal
import Evolution
import NumericalCore
import Potential
import Settings

extension CampaignSettings {
  /// The kind and size of the potential.
  public struct PotentialChoice: Sendable, Hashable {
    /// The kinds that a search can train.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// Moment tensor potential.
      case mtp
      /// None: candidates are relaxed with the reference method itself, and nothing is trained.
      case reference
    }

    /// The kind; with `reference`, the other numbers have no effect.
    public let kind: Kind
    /// Largest level of a basis function; even, 2 … 28.
    public let level: Int
    /// Cutoff radius in Å.
    public let cutoff: Double
    /// Number of radial basis functions.
    public let radialBasis: Int
    /// Inner end of the radial basis in Å; `nil`: 0.9 times the smallest allowed distance.
    public let minimumDistance: Double?
    /// What keeps atoms apart that are closer than in the training set; `nil` for nothing.
    public let repulsion: ShortRangeRepulsion?
  }

  /// How the potential is trained.
  public struct Training: Sendable, Hashable {
    /// Weights of energies, forces and stresses.
    public let weights: TrainingWeights
    /// Structures with a larger force in eV/Å are kept but not trained on.
    public let forceCap: Double
    /// Structures higher above the lowest one in eV/atom are kept but not trained on.
    public let energyWindow: Double
    /// F₀ in eV/Å: a structure's force weight is divided by 1 + F²ᵣₘₛ/F₀².
    public let robustForce: Double
    /// E₀ in eV/atom: a structure's weights are divided by 1 + ΔH²/E₀², with ΔH the height of its enthalpy above
    /// the lowest of its composition; `nil`: they are not.
    public let robustEnergy: Double?
  }

  /// What is labelled before the search.
  public struct InitialTraining: Sendable, Hashable {
    /// Random structures, over all numbers of formula units.
    public let randomStructures: Int
    /// Melts that are quenched and annealed; `nil` for none.
    public let meltQuench: MeltQuench?

    /// Structures that the first potential learns from.
    public var labels: Int { randomStructures + (meltQuench?.starts ?? 0) }
  }

  /// When and what is labelled during the search.
  public struct ActiveLearning: Sendable, Hashable {
    /// What a grade belongs to.
    public let mode: ExtrapolationMode
    /// The level of the potential whose grade decides, at most that of the one that relaxes.
    ///
    /// A potential of many parameters is accurate, and finds new what one of few knows: with as many labels as
    /// are few, its own grade would stop every relaxation.
    public let level: Int
    /// Structures from this grade on may be labelled.
    public let select: Double
    /// A relaxation stops at this grade.
    public let breaking: Double
    /// So many stopped candidates make a selection.
    public let batch: Int
    /// So many of the best minima are labelled whatever their grade, once per population and at the end.
    public let verify: Int
    /// Most labels of the whole campaign, those of the initial training included.
    public var maximumLabels: Int
  }

  /// The shortest allowed distances as the file gives them.
  public struct DistanceLimits: Sendable, Hashable {
    /// One pair of elements with its own limit.
    public struct Pair: Sendable, Hashable {
      /// One element.
      public let first: ChemicalElement
      /// The other, or the same.
      public let second: ChemicalElement
      /// The shortest allowed distance in Å.
      public let distance: Double
    }

    /// Fraction of the sum of covalent radii for all other pairs.
    public let fraction: Double
    /// Pairs with their own limit, in the order of the file.
    public let pairs: [Pair]
  }

  /// The evolutionary search.
  public struct Search: Sendable, Hashable {
    /// How many candidates are bred; continuations, refreshes, labels and refits are not counted.
    public var candidates: Int
    /// Size of the population.
    public let population: Int
    /// Look-ahead window W: how many slots may be under way.
    public let window: Int
    /// Distances in slots between a request and its arrival.
    public let delays: Delays
    /// Space groups of random structures.
    public let spaceGroups: [Int]
    /// The operators with their first ratios, in the order of `VariationKind.operators`; they add up
    /// to 1.
    public internal(set) var operators: [OperatorRatio]
    /// Which nets topological structures may use.
    public internal(set) var topologies: TopologySettings
    /// How many children are bred for a candidate; the better half race for a few steps, the lowest then
    /// is relaxed.
    public let draws: Int
    /// The draws where nothing else is said.
    public static let usualDraws = 4
    /// Whose vibrations soft mutations follow.
    public let hessian: HessianSource
    /// Whether ratios follow success.
    public let adaptive: Bool
    /// Penalties on visited basins.
    public let antiseeds: Antiseeds
    /// Fingerprint distance within which the population has one member at most; 0 for none.
    public let niche: Double
    /// So many packings of the same layers, chains or molecules breed and are re-ranked at most; `nil` for any
    /// number.
    public let packings: Int?
  }

  /// Where the vibrations of a parent come from.
  public enum HessianSource: String, Sendable, Hashable, CaseIterable {
    /// A model of bond strengths from tabulated radii.
    case bonds
    /// The newest trained potential; without training, the reference method.
    case potential
  }

  /// Distances in slots between a request and its arrival.
  public struct Delays: Sendable, Hashable {
    /// Of a label.
    public let label: Int
    /// Of a refit.
    public let refit: Int
  }

  /// One operator's share of the candidates.
  public struct OperatorRatio: Sendable, Hashable {
    /// The operator.
    public let kind: VariationKind
    /// Its share, 0 … 1.
    public let ratio: Double
  }

  /// Penalties on visited basins; height 0 means none.
  public struct Antiseeds: Sendable, Hashable {
    /// Height in units of the enthalpies' spread.
    public let height: Double
    /// Width in units of the mean fingerprint distance.
    public let width: Double
  }

  /// When a relaxation has converged.
  public struct Convergence: Sendable, Hashable {
    /// Largest force in eV/Å.
    public let force: Double
    /// Largest deviation of the stress from the target in GPa.
    public let stress: Double
  }

  /// Relaxation of candidates.
  public struct Relaxations: Sendable, Hashable {
    /// For every candidate.
    public let coarse: Convergence
    /// For survivors.
    public let tight: Convergence
    /// Most steps of one relaxation.
    public let steps: Int
  }

  /// Ranking of the best candidates by the reference method.
  public struct Rerank: Sendable, Hashable {
    /// How many distinct candidates.
    public let top: Int
    /// When their relaxation has converged.
    public let convergence: Convergence
  }
}
