import Coordinator
import Crystal
import Foundation

/// What all seeds of a campaign found, for people and programs.
struct CampaignTable {
  let title: String
  let goal: KnownStructure
  let seeds: [Int]
  let ranks: Int
  /// Whether reference calculations of another campaign may be used.
  let usesLabels: Bool
  let environment: RunEnvironment
  var trials: [CampaignTrial.Outcome] = []

  private var firsts: Int { trials.count { $0.hit?.place == 1 } }
  private var founds: Int { trials.count { $0.hit != nil } }
  private var labels: Sample { Sample(trials.map { Double($0.counts.labels) }) }
  private var seconds: Sample { Sample(trials.map(\.seconds)) }

  /// A seed in one line, as it is done.
  func line(_ index: Int) -> String {
    let trial = trials[index]
    let place = trial.hit.map { "place \($0.place)" } ?? "not found"
    return "seed \(trial.seed): \(place), \(trial.counts.labels) labels, "
      + "\(fixed(trial.seconds, 1)) s (\(trials.count) of \(seeds.count))"
  }

  /// The report of the benchmark.
  var report: Report {
    let interval = BinomialInterval(successes: firsts, trials: trials.count)
    return Report([
      .init("first", "seeds that have it first", .integer(firsts)),
      .init("found", "seeds that have it in their ranking", .integer(founds)),
      .init("seeds", "seeds", .integer(trials.count)),
      .init(
        "interval", "95 % interval of the success rate", .numbers([interval.lower, interval.upper])),
      .init("median_labels", "labels (median)", .number(labels.median)),
      .init("largest_labels", "labels (largest)", .number(labels.largest)),
      .init("median_seconds", "seconds (median)", .number(seconds.median)),
      .init("largest_seconds", "seconds (largest)", .number(seconds.largest)),
      .init("trials", "by seed", .list(trials.map(json))),
    ])
  }

  private func json(_ trial: CampaignTrial.Outcome) -> JSONValue {
    .object([
      .init("seed", .integer(trial.seed)),
      .init("place", trial.hit.map { .integer($0.place) } ?? .null),
      .init("energy_ev_per_atom", .optional(trial.hit?.enthalpyEvPerAtom)),
      .init("best_ev_per_atom", .optional(trial.best.first?.enthalpyEvPerAtom)),
      .init("best_space_group", trial.best.first.map { .integer($0.spaceGroup) } ?? .null),
      .init("times_found", trial.hit.map { .integer($0.timesFound) } ?? .null),
      .init("labels", .integer(trial.counts.labels)),
      .init("failed_labels", .integer(trial.counts.failedLabels)),
      .init("rerank_evaluations", .integer(trial.counts.rerankEvaluations)),
      .init("evaluations", .integer(trial.counts.evaluations)),
      .init("candidates", .integer(trial.counts.candidates)),
      .init("pearson", .optional(trial.comparison?.pearson)),
      .init("spearman", .optional(trial.comparison?.spearman)),
      .init("rmse_mev_per_atom", .optional(trial.comparison?.rmseMevPerAtom)),
      .init("seconds", .number(trial.seconds)),
      .init("digest", .text(trial.digest)),
    ])
  }

  /// The page for people.
  var markdown: String {
    var lines = PageHead(
      title: title,
      introduction: "How often a search finds a known structure: space group \(goal.spaceGroup), "
        + "\(goal.energyPerAtom) ± \(goal.tolerance) eV/atom. Every seed is a whole campaign"
        + (usesLabels
          ? ", which took over what another one had computed with the reference method; times are "
            + "of the rest."
          : " from nothing."),
      ranks: ranks, environment: environment,
      items: ["seeds done: \(trials.map { "\($0.seed)" }.joined(separator: ", "))"]
    ).lines
    lines += ["", "## Result", ""] + conclusions + ["", "## Every seed", ""]
    lines += [
      "| seed | place | energy (eV/atom) | best (eV/atom) | best is | times found | labels | "
        + "re-rank evaluations | candidates | seconds | digest |",
      "|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|---|",
    ]
    lines += trials.map(row)
    lines += ["", "## Potential against reference", ""] + agreement
    if trials.contains(where: { $0.lowestNetworks.count > 1 }) {
      lines += ["", "## Layers and frameworks", ""] + networks
    }
    lines += ["", "## Where the time goes", ""] + times
    lines += ["", "## The best of every seed", ""] + bests
    lines +=
      [""]
      + wrapped(
        "Labels are the reference calculations of the training set, failed ones not counted; "
          + "re-ranking the best candidates with the reference method costs the evaluations beside "
          + "them. The potential's enthalpies are those of its last version at its own minima, the "
          + "reference method's at its own, for the re-ranked candidates, each above its own lowest. "
          + "Bonded is what bonds up to \(BondNetwork.bondFactor) times the covalent radii hold "
          + "together: 0D molecules, 1D chains, 2D layers, 3D a framework. Seconds of work are summed "
          + "over the workers. Times found counts the candidates that fell into the structure's basin. Digests "
          + "(the first 12 digits) are the same for any number of ranks, given the same build and kind of processor."
      )
    return lines.joined(separator: "\n") + "\n"
  }

  private var conclusions: [String] {
    let interval = BinomialInterval(successes: firsts, trials: trials.count)
    let percent = { (value: Double) in fixed(100 * value, 0) }
    return [
      "- first in the ranking: \(firsts) of \(trials.count) seeds (95 % interval of the rate: "
        + "\(percent(interval.lower))–\(percent(interval.upper)) %), found: \(founds)",
      "- labels: median \(fixed(labels.median, 0)), \(fixed(labels.least, 0)) to "
        + "\(fixed(labels.largest, 0))",
      "- seconds: median \(fixed(seconds.median, 0)), \(fixed(seconds.least, 0)) to "
        + "\(fixed(seconds.largest, 0))",
    ]
  }

  private var agreement: [String] {
    [
      "| seed | candidates | Pearson | Spearman | RMSE (meV/atom) | distinct within 0.5 eV/atom |",
      "|--:|--:|--:|--:|--:|--:|",
    ]
      + trials.map { trial in
        let cells = [
          "\(trial.seed)", "\(trial.comparison?.candidates ?? 0)",
          trial.comparison?.pearson.map { fixed($0, 3) } ?? "–",
          trial.comparison?.spearman.map { fixed($0, 3) } ?? "–",
          trial.comparison?.rmseMevPerAtom.map { fixed($0, 1) } ?? "–",
          "\(trial.best.count { trial.height(of: $0) <= 0.5 })",
        ]
        return tableRow(cells)
      }
  }

  /// How far apart both methods put the lowest layers, frameworks, chains and molecules.
  private var networks: [String] {
    [
      "| seed | lowest | place | space group | against | reference (meV/atom) | potential (meV/atom) "
        + "| difference |",
      "|--:|---|--:|---|---|--:|--:|--:|",
    ]
      + trials.flatMap { trial -> [String] in
        let lowest = trial.lowestNetworks.sorted { $0.place < $1.place }
        guard let first = lowest.first else { return [] }
        return lowest.dropFirst().map { candidate in
          let reference = 1000 * (candidate.enthalpyEvPerAtom - first.enthalpyEvPerAtom)
          var numbers = [fixed(reference, 1), "–", "–"]
          if let one = trial.compared(candidate), let other = trial.compared(first) {
            let model = one.modelDifferenceMevPerAtom - other.modelDifferenceMevPerAtom
            numbers[1...] = [fixed(model, 1), fixed(model - reference, 1)]
          }
          return tableRow(
            [
              "\(trial.seed)", "\(candidate.dimension)D", "\(candidate.place)",
              "\(candidate.spaceGroupSymbol) (\(candidate.spaceGroup))",
              "\(first.dimension)D, place \(first.place)",
            ] + numbers)
        }
      }
  }

  /// Seconds of the workers by kind of work.
  private var times: [String] {
    [
      "| seed | labels | re-ranking | relaxations | training | wall clock |",
      "|--:|--:|--:|--:|--:|--:|",
    ]
      + trials.map { trial in
        let works = [
          trial.times.labels, trial.times.reranking, trial.times.relaxation, trial.times.training,
        ]
        let cells =
          ["\(trial.seed)"] + works.map { "\(fixed($0.seconds, 1)) s" }
          + ["\(fixed(trial.seconds, 1)) s"]
        return tableRow(cells)
      }
  }

  /// The first places of each seed's ranking.
  private var bests: [String] {
    [
      "| seed | place | eV/atom | meV/atom above | potential's | space group | bonded | Å³/atom "
        + "| times found |",
      "|--:|--:|--:|--:|--:|---|---|--:|--:|",
    ]
      + trials.flatMap { trial in
        trial.best.map { candidate in
          let model = trial.compared(candidate)?.modelDifferenceMevPerAtom
          let cells = [
            "\(trial.seed)", "\(candidate.place)", fixed(candidate.enthalpyEvPerAtom, 5),
            fixed(1000 * trial.height(of: candidate), 1),
            model.map { fixed($0, 1) } ?? "–",
            "\(candidate.spaceGroupSymbol) (\(candidate.spaceGroup))", "\(candidate.dimension)D",
            fixed(candidate.volumePerAtom, 3), "\(candidate.timesFound)",
          ]
          return tableRow(cells)
        }
      }
  }

  private func row(_ trial: CampaignTrial.Outcome) -> String {
    var cells = ["\(trial.seed)"]
    if let hit = trial.hit {
      cells += ["\(hit.place)", fixed(hit.enthalpyEvPerAtom, 6)]
    } else {
      cells += ["–", "–"]
    }
    if let best = trial.best.first {
      cells += [fixed(best.enthalpyEvPerAtom, 6), "\(best.spaceGroupSymbol) (\(best.spaceGroup))"]
    } else {
      cells += ["–", "–"]
    }
    let numbers = [
      trial.hit?.timesFound ?? 0, trial.counts.labels, trial.counts.rerankEvaluations,
      trial.counts.candidates,
    ]
    cells += numbers.map { "\($0)" }
    cells += [fixed(trial.seconds, 1), "`\(trial.digest.prefix(12))`"]
    return tableRow(cells)
  }
}

/// The day of today, as year-month-day in universal time.
var today: String { String(ISO8601DateFormatter().string(from: Date()).prefix(10)) }

/// The number of cores that this machine offers.
var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }
