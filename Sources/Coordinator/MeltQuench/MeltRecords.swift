import Crystal
import Dynamics
import Evolution
import NumericalCore
import Potential

/// How far the melt of a campaign is: where the next piece of its way begins.
public enum MeltProgress: Sendable, Equatable {
  /// Atoms are to be scattered, with a volume per atom in Å³.
  case scattering(Composition, volumePerAtom: Double)
  /// Atoms are to be let go.
  case starting(Structure)
  /// Atoms are in motion.
  case moving(MeltQuenchState)
}

extension MeltProgress: ByteCodable {
  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .scattering(let composition, let volume):
      encoder.encode(UInt8(0))
      encoder.encode(composition)
      encoder.encode(volume)
    case .starting(let structure):
      encoder.encode(UInt8(1))
      encoder.encode(structure)
    case .moving(let state):
      encoder.encode(UInt8(2))
      encoder.encode(state)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0:
      self = .scattering(try decoder.decode(), volumePerAtom: try decoder.decode(Double.self))
    case 1: self = .starting(try decoder.decode())
    case 2: self = .moving(try decoder.decode(MeltQuenchState.self))
    case let tag: throw .invalid("melt \(tag)")
    }
  }
}

/// How a piece of a melt's way ended.
public enum MeltEnding: Sendable, Equatable {
  /// There is more to do.
  case underWay
  /// Nothing is left to do.
  case finished
  /// The potential extrapolated: the grade reached γ_break. The progress is the last reliable one.
  case stopped(grade: Double)
  /// Atoms flew apart, or there is no result. The progress is that before the piece.
  case failed(String)
}

extension MeltEnding: ByteCodable {
  /// Appends a tag and the contents.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .underWay: encoder.encode(UInt8(0))
    case .finished: encoder.encode(UInt8(1))
    case .stopped(let grade):
      encoder.encode(UInt8(2))
      encoder.encode(grade)
    case .failed(let reason):
      encoder.encode(UInt8(3))
      encoder.encode(reason)
    }
  }

  /// Reads a tag and the contents.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .underWay
    case 1: self = .finished
    case 2: self = .stopped(grade: try decoder.decode(Double.self))
    case 3: self = .failed(try decoder.decode(String.self))
    case let tag: throw .invalid("melt ending \(tag)")
    }
  }
}

/// A piece of a melt's way, with what it hands back to learn from.
public struct MeltReport: Sendable, Equatable {
  /// Where the next piece begins.
  public var progress: MeltProgress
  /// How the piece ended.
  public var ending: MeltEnding
  /// At most three structures worth labelling.
  public var extrapolative: [ExtrapolativeStructure] = []
  /// Where the potential let atoms fly apart without the grade having noticed: to be labelled whatever its grade.
  public var hole: Structure?
  /// Sampled frames, where the reference method moves the atoms.
  public var frames: [LabelledStructure] = []
  /// Some of the sampled frames, where a potential moves them.
  public var samples: [Structure] = []
  /// Whether the liquid froze while it was sampled, so that earlier samples are none of a liquid.
  public var hasRestarted = false
  /// How many energy-force evaluations it took.
  public var evaluations = 0

  /// Creates a report.
  public init(_ progress: MeltProgress, _ ending: MeltEnding) {
    self.progress = progress
    self.ending = ending
  }
}

extension MeltReport: ByteCodable {
  /// Appends every property.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(progress)
    encoder.encode(ending)
    encoder.encode(extrapolative)
    encoder.encode(hole)
    encoder.encode(frames)
    encoder.encode(samples)
    encoder.encode(hasRestarted)
    encoder.encode(evaluations)
  }

  /// Reads every property.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    progress = try decoder.decode()
    ending = try decoder.decode()
    extrapolative = try decoder.decode([ExtrapolativeStructure].self)
    hole = try decoder.decode(Structure?.self)
    frames = try decoder.decode([LabelledStructure].self)
    samples = try decoder.decode([Structure].self)
    hasRestarted = try decoder.decode()
    evaluations = try decoder.decode()
  }
}

/// A melt of a campaign from its start to its end.
public struct MeltRecord: Sendable, Equatable {
  /// Where a melt stands.
  public enum Status: Sendable, Equatable {
    /// The next piece can be handed over.
    case ready
    /// A worker has it.
    case inFlight
    /// Waits for a potential that is newer than the one that extrapolated.
    case waiting(version: Int)
    /// Nothing is left to do.
    case finished
    /// It cannot go on, and why; the campaign does.
    case ended(String)
  }

  /// Its number, from 0.
  public let id: Int
  /// Its time step in fs.
  public let timeStep: Double
  /// Where it stands.
  public internal(set) var status = Status.ready
  /// How far it is; `nil` before its first piece.
  public internal(set) var progress: MeltProgress?
  /// How often the grade stopped it.
  public internal(set) var stops = 0
  /// How often it failed.
  public internal(set) var failures = 0
  /// How often it failed since atoms last moved on.
  var failuresInRow = 0
  /// Energy-force evaluations spent on it.
  public internal(set) var evaluations = 0

  /// A melt that has not begun.
  init(id: Int, timeStep: Double) {
    self.id = id
    self.timeStep = timeStep
  }

  /// Whether nothing is left to do.
  public var isOver: Bool {
    switch status {
    case .finished, .ended: true
    case .ready, .inFlight, .waiting: false
    }
  }

  /// Its atoms in motion; `nil` before they are let go.
  public var state: MeltQuenchState? {
    if case .moving(let state)? = progress { return state }
    return nil
  }
}

/// What the schedule knows of a campaign's melts.
public struct MeltSchedule: Sendable, Equatable {
  /// How many there are.
  public var runs: Int
  /// Disordered structures that are labelled before.
  public var starts: Int
  /// About so many atoms each of both has.
  public var atoms: Int
  /// The volume in Å³ per atom at the start of a melt; `nil`: that of the best disordered structures.
  public var volumePerAtom: Double?
  /// The time step in fs.
  public var timeStep: Double
  /// So many frames of each melt are labelled whatever their grade.
  public var samples: Int
  /// Whether the reference method moves the atoms.
  public var usesReference: Bool
  /// Most labels of starts and melts together; the frames of the reference are not counted.
  public var maximumLabels: Int

  /// Takes what the schedule needs from a campaign file.
  public init(_ settings: CampaignSettings.MeltQuench) {
    runs = settings.runs
    starts = settings.starts
    atoms = settings.atoms
    volumePerAtom = settings.volumePerAtom
    timeStep = settings.settings.timeStep
    samples = settings.samples
    usesReference = settings.method == .reference
    maximumLabels = settings.maximumLabels
  }

  /// Volumes of disordered structures over the estimate from covalent radii: wide, as that is wrong by a factor of up
  /// to 2.4, and rather too large, as forces in dense disorder are beyond what is trained on.
  private static let startVolumes = [1.81, 1.43, 1.13, 2.30, 1.60, 0.85]

  /// The atoms of a melt, or of a disordered structure: as many formula units as come closest.
  func composition(_ number: Int, in space: CompositionSpace, seed: UInt64) -> Composition {
    let unit = space.initial(number, seed: seed).reduced
    return unit.repeated(max(1, Int((Double(atoms) / Double(unit.atomCount)).rounded())))
  }

  /// What a disordered structure of the initial training set is made of, by its number, and its volume per atom in Å³.
  func start(
    _ number: Int, in space: CompositionSpace, seed: UInt64
  ) -> (composition: Composition, volumePerAtom: Double) {
    let composition = composition(number, in: space, seed: seed)
    let ratio = Self.startVolumes[number % Self.startVolumes.count]
    return (composition, ratio * VolumeEstimate.fromRadii(composition))
  }
}
