import Coordinator
import Foundation

/// A study of disordered training sets, for people and programs.
struct DisorderPage {
  let title: String
  let goal: KnownStructure
  let ranks: Int
  let environment: RunEnvironment
  var findings = DisorderFindings()

  private typealias Judgement = DisorderFindings.Judgement

  /// The report of the benchmark.
  var report: Report {
    let melted = findings.melted.map(\.judgement)
    var quantities: [Report.Quantity] = []
    func add(_ key: String, _ name: String, _ values: [Double]) {
      guard !values.isEmpty else { return }
      quantities.append(.init(key, name, .number(Sample(values).median)))
    }
    add("median_error", "RMSE of melts alone in meV/atom (median)", melted.map(\.error))
    add("median_pearson", "Pearson's coefficient of melts alone (median)", melted.map(\.pearson))
    add(
      "median_labels", "labels of melts alone (median)", findings.melted.map { Double($0.labels) })
    quantities.append(
      .init(
        "first", "campaigns that have the known structure first",
        .integer(findings.searched.count { $0.place == 1 })))
    quantities.append(.init("seeds", "campaigns", .integer(findings.searched.count)))
    return Report(quantities)
  }

  /// The page for people.
  var markdown: String {
    var lines = PageHead(
      title: title,
      introduction: "What a training set out of melts is worth for structure prediction.",
      ranks: ranks, environment: environment,
      items: findings.pool.map { pool in
        [
          "pool: \(pool.structures) distinct structures of a search with the reference itself "
            + "(\(pool.candidates) candidates, seed \(pool.seed), \(pool.evaluations) evaluations)"
        ]
      } ?? []
    ).lines
    lines += ["", "## From melts alone", ""] + melts
    lines += ["", "## Labels with and without active learning", ""] + labels
    lines += ["", "## Whole campaigns", ""] + searches
    lines += ["", "## Retraining with relaxations and strains of candidates", ""] + retrainings
    lines += ["", "## A second round", ""] + secondRounds
    lines += [""]
    lines += wrapped(
      "RMSE is that of energies above the ground state, in meV/atom, of the pool's structures below 0.2 "
        + "eV/atom by the reference, in the pool's geometry; from mean: with the mean difference taken away, which the "
        + "potential's error of the ground state itself puts into every difference. Relaxed: at the "
        + "potential's own minima. Lowest five: how many of the reference's five lowest are among the potential's, and "
        + "* where both have the same ground state. Labels are the reference calculations of the training set. "
        + "Seconds are those of the wall.")
    return lines.joined(separator: "\n") + "\n"
  }

  private static let judgedHead = [
    "Pearson", "Spearman", "RMSE", "from mean", "relaxed Pearson", "relaxed RMSE", "lowest five",
  ]

  private func cells(_ judged: Judgement) -> [String] {
    [
      fixed(judged.pearson, 3), fixed(judged.spearman, 3), fixed(judged.error, 1),
      fixed(judged.errorFromMean, 1), fixed(judged.relaxedPearson, 3),
      fixed(judged.relaxedError, 1),
      "\(judged.sharedLowest)\(judged.hasGroundState ? " *" : "")",
    ]
  }

  private func head(_ names: [String]) -> [String] {
    [
      tableRow(names + Self.judgedHead),
      "|" + (names + Self.judgedHead).map { _ in "--:" }.joined(separator: "|") + "|",
    ]
  }

  private var melts: [String] {
    let low = findings.melted.first.map { " \($0.judgement.low) structures lie below 0.2 eV/atom." }
    return wrapped(
      "The campaign without its search: what was learnt is liquid, glass and pressed melt, and the scattered atoms that "
        + "melts began with, which are forgotten." + (low ?? "")) + [""]
      + head(["seed", "labels", "of them starts", "liquid down to (K)", "s"])
      + findings.melted.map { melt in
        tableRow(
          [
            "\(melt.seed)", "\(melt.labels)", "\(melt.starts)", fixed(melt.temperature, 0),
            fixed(melt.seconds, 0),
          ] + cells(melt.judgement))
      }
  }

  private var labels: [String] {
    guard let reference = findings.referenceMelt else { return ["Not done yet."] }
    var lines = wrapped(
      "Where the reference itself moves the atoms, \(reference.frames) frames are labels, and finding "
        + "temperature and volume takes \(reference.evaluations - reference.frames) evaluations of the reference that "
        + "are none. Potentials of the same level and training, of evenly chosen frames:")
    lines += [""] + head(["training set", "labels", "s of training"])
    lines += findings.framed.map { framed in
      tableRow(
        ["frames of the reference", "\(framed.frames)", fixed(framed.seconds, 0)]
          + cells(framed.judgement))
    }
    lines += findings.melted.map { melt in
      tableRow(
        ["active learning, seed \(melt.seed)", "\(melt.labels)", "–"] + cells(melt.judgement))
    }
    return lines + [""] + wrapped(comparison)
  }

  /// How many frames do as well as active learning.
  private var comparison: String {
    let errors = findings.melted.map(\.judgement.error)
    guard !errors.isEmpty else { return "" }
    let error = Sample(errors).median
    let count = fixed(Sample(findings.melted.map { Double($0.labels) }).median, 0)
    let enough = findings.framed.sorted { $0.frames < $1.frames }
      .first { $0.judgement.error <= error }
    let start = "Active learning asks for \(count) labels (median) and errs by \(fixed(error, 1)). "
    guard let enough else { return start + "No number of frames above does as well." }
    return start + "\(enough.frames) frames of the reference are the fewest above that do as well "
      + "(\(fixed(enough.judgement.error, 1)))."
  }

  private var searches: [String] {
    wrapped(
      "The known structure has space group \(goal.spaceGroup) and \(goal.energyPerAtom) ± "
        + "\(goal.tolerance) eV/atom. The potential judged is the last of the campaign, whose training set "
        + "holds candidates, too.") + [""]
      + [
        "| seed | place | energy (eV/atom) | best (eV/atom) | best is | times found | labels | "
          + "candidates | s | digest |", "|--:|--:|--:|--:|---|--:|--:|--:|--:|---|",
      ]
      + findings.searched.map { found in
        tableRow([
          "\(found.seed)", found.place.map(String.init) ?? "–",
          found.energy.map { fixed($0, 6) } ?? "–", fixed(found.bestEnergy, 6), found.best,
          found.timesFound.map(String.init) ?? "–", "\(found.labels)", "\(found.candidates)",
          fixed(found.seconds, 0), "`\(found.digest.prefix(12))`",
        ])
      } + [""] + head(["seed"])
      + findings.searched.map { tableRow(["\($0.seed)"] + cells($0.judgement)) }
  }

  private var retrainings: [String] {
    wrapped(
      "`rerank --retrain`: half of the candidates teach with the steps of their relaxations and with strained "
        + "minima; the others test the potential before and after. The last columns are those of the pool."
    ) + [""]
      + head([
        "seed", "teach", "test", "new structures", "RMSE before", "RMSE after", "Pearson before",
        "Pearson after",
      ])
      + findings.retrained.map { again in
        tableRow(
          [
            "\(again.seed)", "\(again.taught)", "\(again.tested)", "\(again.structures)",
            fixed(again.errorBefore, 1), fixed(again.errorAfter, 1), fixed(again.pearsonBefore, 3),
            fixed(again.pearsonAfter, 3),
          ] + cells(again.judgement))
      }
  }

  private var secondRounds: [String] {
    wrapped(
      "Another melt, moved by the potential of the first one alone; frames of its glass are labelled, and the "
        + "potential is refitted with them.") + [""]
      + head(["seed", "potential", "liquid down to (K)", "frames added"])
      + findings.secondRounds.flatMap { round -> [String] in
        let before = findings.melted.first { $0.seed == round.seed }
        return [
          before.map {
            tableRow(
              ["\($0.seed)", "before", fixed($0.temperature, 0), "–"] + cells($0.judgement))
          },
          tableRow(
            ["\(round.seed)", "after", fixed(round.temperature, 0), "\(round.frames)"]
              + cells(round.judgement)),
        ].compactMap { $0 }
      }
  }
}
