import Foundation

/// What a study of disordered training sets found; each part is stored as soon as it is known.
struct DisorderFindings {
  /// What `correlate` says of a potential.
  struct Judgement: Codable {
    let pearson: Double
    let spearman: Double
    /// Of differences above the ground state, below the window, in meV/atom.
    let error: Double
    /// The same with the mean difference taken away.
    let errorFromMean: Double
    /// How many structures are below the window.
    let low: Int
    /// Of the five lowest by the reference so many are among the five lowest by the potential.
    let sharedLowest: Int
    /// Whether both have the same ground state.
    let hasGroundState: Bool
    /// At the potential's own minima.
    let relaxedPearson: Double
    let relaxedError: Double
  }

  /// The structures that judge.
  struct Pool: Codable {
    let structures: Int
    let candidates: Int
    let seed: Int
    /// Of the reference.
    let evaluations: Int
  }

  /// A potential of melts with active learning.
  struct Melted: Codable {
    let seed: Int
    let labels: Int
    /// Scattered atoms among the labels.
    let starts: Int
    /// In K.
    let temperature: Double
    let seconds: Double
    let judgement: Judgement
  }

  /// What the reference's own dynamics cost.
  struct ReferenceMelt: Codable {
    let frames: Int
    /// Evaluations of the reference, for temperature and volume too.
    let evaluations: Int
    let temperature: Double
    let seconds: Double
  }

  /// A potential of frames of the reference's own dynamics.
  struct Framed: Codable {
    let frames: Int
    let seconds: Double
    let judgement: Judgement
  }

  /// A whole campaign.
  struct Searched: Codable {
    let seed: Int
    let labels: Int
    let place: Int?
    let energy: Double?
    let best: String
    let bestEnergy: Double
    let timesFound: Int?
    let candidates: Int
    let seconds: Double
    let digest: String
    let judgement: Judgement
  }

  /// Retraining with trajectories and strains of candidates.
  struct Retrained: Codable {
    let seed: Int
    let taught: Int
    let tested: Int
    let structures: Int
    /// Of differences, on the tested candidates, in meV/atom.
    let errorBefore: Double
    let errorAfter: Double
    let pearsonBefore: Double
    let pearsonAfter: Double
    /// On the pool.
    let judgement: Judgement
  }

  /// Melt and quench with the trained potential, amorphous frames labelled and added.
  struct SecondRound: Codable {
    let seed: Int
    let temperature: Double
    let frames: Int
    let judgement: Judgement
  }

  var pool: Pool?
  var melted: [Melted] = []
  var referenceMelt: ReferenceMelt?
  var framed: [Framed] = []
  var searched: [Searched] = []
  var retrained: [Retrained] = []
  var secondRounds: [SecondRound] = []
}
