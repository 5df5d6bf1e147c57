import Coordinator
import Foundation
import NumericalCore

/// One run of a campaign with a seed of its own.
struct CampaignTrial {
  /// What came of it.
  struct Outcome {
    /// A distinct candidate of the final ranking.
    struct Candidate: Decodable {
      let place: Int
      let candidate: Int
      let enthalpyEvPerAtom: Double
      let spaceGroup: Int
      let spaceGroupSymbol: String
      let dimension: Int
      let volumePerAtom: Double
      let timesFound: Int
      /// `nil` where all candidates have one ratio of elements.
      let aboveHullEvPerAtom: Double?
    }

    /// The campaign's counts.
    struct Counts: Decodable {
      let candidates: Int
      let labels: Int
      let initialLabels: Int
      let failedLabels: Int
      let rerankEvaluations: Int
      let evaluations: Int
      /// Sampled where the reference moves the atoms.
      let frames: Int?
      /// `nil` where nothing melts.
      let melts: [Melt]?

      /// A melt of the initial training.
      struct Melt: Decodable {
        let steps: Int
        /// In K.
        let liquidDownTo: Double?
      }
    }

    /// The potential against the reference method, over the candidates that were re-ranked.
    struct Comparison: Decodable {
      /// A candidate's heights above each method's lowest.
      struct Row: Decodable {
        let candidate: Int
        let modelDifferenceMevPerAtom: Double
        let referenceDifferenceMevPerAtom: Double
      }

      let candidates: Int
      let pearson: Double?
      let spearman: Double?
      let rmseMevPerAtom: Double?
      let rows: [Row]
    }

    /// Work of one kind.
    struct Work: Decodable {
      let seconds: Double
    }

    /// What the workers spent their time on.
    struct Times: Decodable {
      let relaxation: Work
      let labels: Work
      let training: Work
      let reranking: Work
    }

    let seed: Int
    let counts: Counts
    let best: [Candidate]
    /// `nil` where the reference method itself relaxes.
    let comparison: Comparison?
    let times: Times
    /// The candidate that is the known structure.
    let hit: Candidate?
    /// Seconds from start to end on the wall.
    let seconds: Double
    let digest: String

    /// What both methods say of a candidate of the ranking.
    func compared(_ candidate: Candidate) -> Comparison.Row? {
      comparison?.rows.first { $0.candidate == candidate.candidate }
    }

    /// Whether all candidates have one ratio of elements: then their energies compare.
    var hasOneRatio: Bool { best.allSatisfy { $0.aboveHullEvPerAtom == nil } }

    /// How far a candidate of the ranking lies above the lowest, or above the convex hull, in eV per atom.
    func height(of candidate: Candidate) -> Double {
      candidate.aboveHullEvPerAtom
        ?? candidate.enthalpyEvPerAtom - (best.first?.enthalpyEvPerAtom ?? 0)
    }

    /// The lowest of each kind of bonded network in the ranking, by dimension; none where energies do not compare.
    var lowestNetworks: [Candidate] {
      guard hasOneRatio else { return [] }
      return (0...3).compactMap { dimension in best.first { $0.dimension == dimension } }
    }
  }

  /// What `status --json` prints.
  private struct Status: Decodable {
    let summary: Outcome.Counts
    let best: [Outcome.Candidate]
    let comparison: Outcome.Comparison?
    let work: Outcome.Times
    let digest: String
  }

  /// The campaign file; its seed is replaced.
  let campaign: CampaignDocument
  let seed: Int
  /// The path of polymorph.
  let program: String
  let ranks: Int
  /// How many candidates the campaign re-ranks.
  let rankedCount: Int
  /// Another campaign's folder whose reference calculations may be used.
  let labelStore: String?
  /// The campaign's folder; beside it appear the campaign file and what was printed.
  let directory: String

  /// Runs the campaign from its beginning to its end.
  ///
  /// - Throws: `BenchmarkFailure` where the program fails, with the end of what it printed.
  func run(_ goal: KnownStructure) throws -> Outcome {
    let file = directory + ".yaml"
    try AtomicFile.write(campaign.with(seed: seed).text, to: file)
    let search =
      [program, "search", file, "--directory", directory, "--quiet"]
      + (labelStore.map { ["--labels", $0] } ?? [])
    let clock = ContinuousClock()
    let start = clock.now
    try execute(ChildProgram.launcher(ranks: ranks) + search, printing: directory + ".log")
    let passed = seconds(clock.now - start)
    let status = directory + ".status.json"
    // Without a re-ranking the potential ranks.
    let top = rankedCount > 0 ? min(10_000, rankedCount) : 10
    try execute(
      [program, "status", directory, "--top", "\(top)", "--json"], printing: status,
      errors: directory + ".status.log")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let result = try decoder.decode(
      Status.self, from: try Data(contentsOf: URL(fileURLWithPath: status)))
    return Outcome(
      seed: seed, counts: result.summary, best: result.best, comparison: result.comparison,
      times: result.work,
      hit: result.best.first {
        $0.spaceGroup == goal.spaceGroup
          && abs($0.enthalpyEvPerAtom - goal.energyPerAtom) <= goal.tolerance
      },
      seconds: passed,
      digest: result.digest)
  }

  private func execute(
    _ words: [String], printing output: String, errors: String? = nil
  ) throws {
    let status = try ChildProgram.run(
      words, output: output, errors: errors)
    guard status == 0 else {
      let printed = try String(contentsOfFile: errors ?? output, encoding: .utf8)
      throw BenchmarkFailure(
        "seed \(seed): '\(words.joined(separator: " "))' ended with status \(status):\n"
          + printed.suffix(2000))
    }
  }
}

/// A time on the wall in seconds.
func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + 1e-18 * Double(duration.components.attoseconds)
}
