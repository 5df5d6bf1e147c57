import Crystal
import Evolution
import NumericalCore

/// A structure chosen for labelling, from its choice to its label.
public struct LabelRecord: Sendable, Equatable {
  /// Who asked for the label.
  public enum Origin: Sendable, Equatable {
    /// The initial training set.
    case initial(Int)
    /// A relaxation that extrapolated.
    case candidate(Int, grade: Double)
    /// The minimum that a candidate came to rest in.
    case minimum(Int)
    /// Scattered atoms of the initial training set.
    case start(Int)
    /// A melt that extrapolated; the grade is 0 of a frame that the potential of the search chose, and of one that
    /// atoms flew apart from.
    case melt(Int, grade: Double)
    /// A melt that the reference method moved.
    case frame(Int)
  }

  /// How far the label is.
  public enum Status: Sendable, Equatable {
    /// Chosen, not yet asked for.
    case queued
    /// Asked for in a slot.
    case requested
    /// Arrived.
    case labelled(LabelledStructure)
    /// The reference method gave nothing.
    case failed(String)
  }

  /// The label's number, from 0.
  public let id: Int
  /// The structure that was chosen.
  public let structure: Structure
  /// The same crystal without repetition, which is what the reference method gets.
  ///
  /// Its label is that of the whole: in training a small cell would weigh less than the chosen one.
  public let unit: RepeatingUnit
  /// Who asked for it.
  public let origin: Origin
  /// How far it is.
  public internal(set) var status: Status
  /// How often the reference method was tried.
  public internal(set) var tries = 0

  /// A label that is to be asked for.
  init(id: Int, structure: Structure, origin: Origin) {
    self.id = id
    self.structure = structure
    self.origin = origin
    unit = RepeatingUnit(of: structure, within: CampaignRules.repetitionTolerance)
    status = .queued
  }

  /// A sampled frame of a melt, which comes with its label.
  init(id: Int, frame: LabelledStructure, run: Int) {
    self.id = id
    structure = frame.structure
    origin = .frame(run)
    unit = RepeatingUnit(of: frame.structure, within: CampaignRules.repetitionTolerance)
    status = .labelled(frame)
  }

  /// The label of the whole that comes of an evaluation of its unit; `nil` where a number is not finite.
  func labelled(by evaluation: Evaluation) -> LabelledStructure? {
    try? LabelledStructure(unit.whole, unit.whole(of: evaluation))
  }

  /// The label, once it has arrived.
  public var labelled: LabelledStructure? {
    if case .labelled(let value) = status { return value }
    return nil
  }
}

/// A candidate from its breeding to its end.
public struct CandidateRecord: Sendable, Equatable {
  /// Where the candidate stands.
  public enum Status: Sendable, Equatable {
    /// A worker has it, or will have it.
    case inFlight
    /// Stopped by its grade under a potential version; goes on from a geometry once there is a newer one.
    case stopped(resumeFrom: Structure, version: Int)
    /// Relaxed under a potential version.
    case relaxed(RelaxedCandidate, version: Int)
    /// No structure could be bred.
    case rejected(String)
    /// Collapsed, exploded, broke a minimum distance or could not be evaluated.
    case failed(String)
    /// Still extrapolating after all its continuations, or no more labels allowed.
    case unreliable
  }

  /// The candidate's number, from 1.
  public let id: Int
  /// How it was bred.
  public let kind: VariationKind
  /// Candidates it was bred from.
  public let parents: [Int]
  /// How it was made, if it began as a random structure and one was made.
  public internal(set) var recipe: RandomRecipe?
  /// Where it stands.
  public internal(set) var status: Status
  /// How often it was continued after a stop.
  public internal(set) var continuations = 0
  /// How often its grade stopped it.
  public internal(set) var stops = 0
  /// Energy-force evaluations spent on it.
  public internal(set) var evaluations = 0
  /// The ratio of its operator when it was bred.
  public internal(set) var ratio = 0.0
  /// What its operator has earned by it; `nil` where nothing was decided when it came to rest.
  public internal(set) var credit: Double?
}

/// A structure waiting for selection.
public struct PoolEntry: Sendable, Equatable {
  /// The structure.
  public let structure: Structure
  /// Its grade when it was stored.
  public let grade: Double
  /// What it belongs to.
  public let source: Source

  /// What extrapolated.
  public enum Source: Sendable, Equatable {
    /// A candidate, by number.
    case candidate(Int)
    /// A melt, by number.
    case melt(Int)

    /// Who asks for the label.
    func origin(grade: Double) -> LabelRecord.Origin {
      switch self {
      case .candidate(let id): .candidate(id, grade: grade)
      case .melt(let run): .melt(run, grade: grade)
      }
    }
  }
}

/// A candidate relaxed with the reference method.
public struct RerankedCandidate: Sendable, Equatable {
  /// The candidate's number.
  public let candidate: Int
  /// Enthalpy per atom of the potential, eV.
  public let modelEnthalpyPerAtom: Double
  /// What the reference method made of it; `nil` where it failed.
  public let relaxed: RelaxedCandidate?
  /// Why it failed.
  public let failure: String?
  /// Reference evaluations spent.
  public let evaluations: Int
}

/// Counts that are reported and stored with a campaign.
public struct CampaignCounts: Sendable, Equatable {
  /// Candidates that were bred.
  public internal(set) var bred = 0
  /// Breedings that gave no structure.
  public internal(set) var rejected = 0
  /// Relaxations that failed.
  public internal(set) var failed = 0
  /// Relaxations stopped by their grade.
  public internal(set) var stopped = 0
  /// Continuations of stopped candidates.
  public internal(set) var continued = 0
  /// Candidates that stayed unreliable.
  public internal(set) var unreliable = 0
  /// Refreshes of individuals.
  public internal(set) var refreshes = 0
  /// Labels that arrived.
  public internal(set) var labels = 0
  /// Labels that the reference method failed to give.
  public internal(set) var failedLabels = 0
  /// Refits after the first training.
  public internal(set) var refits = 0
  /// Reference evaluations spent on re-ranking.
  public internal(set) var rerankEvaluations = 0
  /// Idle slots.
  public internal(set) var idle = 0
  /// Energy-force evaluations of the potential.
  public internal(set) var evaluations = 0
  /// Energy-force evaluations that moved melts, of the potential or of the reference method.
  public internal(set) var meltEvaluations = 0
  /// Frames of melts that the reference method moved; not counted as labels.
  public internal(set) var frames = 0
}
