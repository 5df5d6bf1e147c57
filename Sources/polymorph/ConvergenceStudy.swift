import Coordinator
import Crystal
import Foundation
import NumericalCore
import ReferenceEngines

/// The calculations of `polymorph converge`, and how they are shown.
struct ConvergenceStudy {
  let structure: Structure
  /// How the structure's atoms have been moved; `nil` where they are as on file.
  let displacement: ConvergeVerb.Displacement?
  private(set) var search: ConvergenceSearch
  let unit: CutoffUnit
  /// Seconds of a calculation, also where it was found finished.
  private var seconds: [CalculationAccuracy: Double] = [:]
  /// How many calculations somebody else has still to run.
  private var waitingCount = 0

  init(
    structure: Structure, displacement: ConvergeVerb.Displacement?, search: ConvergenceSearch,
    unit: CutoffUnit
  ) {
    self.structure = structure
    self.displacement = displacement
    self.search = search
    self.unit = unit
  }

  /// The setting that has converged; `nil` where there is none, and while any calculation waits: what it will
  /// say may change everything after it.
  var answer: CalculationAccuracy? {
    if waitingCount == 0, case .converged(let accuracy) = search.next { accuracy } else { nil }
  }

  /// Computes until the search ends, or until the next series would begin while calculations of this one
  /// wait to be run by somebody else.
  ///
  /// - Throws: Where the program cannot be started; calculations that fail are part of the search.
  mutating func run(
    _ reference: AdjustableReference, _ session: Session, isTold: Bool
  ) throws {
    var isFirst = true
    var waitingSeries: ConvergenceSearch.Series.Kind?
    while case .compute(let accuracy) = search.next {
      let kind = search.series.last?.kind
      if waitingCount > 0, kind != waitingSeries { return }
      let engine = try reference.engine(at: accuracy)
      let outcome = engine.label(structure, again: reference.isAgain)
      seconds[accuracy] = engine.record(for: structure)?.seconds
      search.record(outcome, at: accuracy)
      if outcome.isWaiting {
        waitingCount += 1
        waitingSeries = kind
      }
      switch outcome {
      case .failed(let reason): session.warn("\(reference.text(accuracy)): \(reason)")
      case .labelled(let evaluation):
        if isFirst, evaluation.largestForce() < 0.05 {
          session.warn(
            "no force is above \(short(evaluation.largestForce(), 2)) eV/Å, and forces near zero say little; "
              + "give a superheated snapshot, or --rattle 0.1")
        }
        isFirst = false
        if isTold {
          let energy = evaluation.energy / Double(structure.atomCount)
          session.say(
            "\(reference.text(accuracy)): \(fixed(energy, 5)) eV/atom, "
              + "\(fixed(gigapascals(evaluation.pressure), 3)) GPa")
          // Calculations are long: a log is to show them as they end.
          fflush(nil)
        }
      }
    }
  }

  private func mesh(_ accuracy: CalculationAccuracy) -> [Int] {
    structure.reciprocalMesh(spacing: accuracy.kSpacing)
  }

  private static func title(_ kind: ConvergenceSearch.Series.Kind) -> String {
    switch kind {
    case .cutoff: "cutoff"
    case .kSpacing: "k-points"
    case .both: "both together"
    }
  }

  // For people.

  /// A block of lines for each series; changes are those from its last line.
  func table() -> [String] {
    let head =
      "cutoff \(unit.rawValue)".padding(12) + "k_spacing 1/Å".padding(15) + "k-mesh".padding(12)
      + "ΔE meV/atom".padding(13) + "Δp GPa".padding(10) + "ΔF eV/Å".padding(10) + "seconds"
    var lines: [String] = []
    for series in search.series where !series.settings.isEmpty {
      lines += ["", "\(Self.title(series.kind)): changes from the finest setting", head]
      for (setting, change) in zip(series.settings, search.changes(in: series)) {
        lines.append(row(setting, change))
      }
    }
    return lines
  }

  private func row(_ setting: CalculationAccuracy, _ change: EvaluationChange?) -> String {
    let outcome = search.outcome(at: setting)
    let isFailed = if case .failed? = outcome { true } else { false }
    let missing = outcome?.isWaiting == true ? "waiting" : "failed"
    let numbers =
      change.map { change in
        [
          fixed(1000 * change.energyPerAtom, 2), fixed(gigapascals(change.pressure), 3),
          fixed(change.force, 4),
        ]
      } ?? (isFailed ? [missing, "", ""] : ["-", "-", "-"])
    return short(setting.cutoff, 6).padding(12) + short(setting.kSpacing, 6).padding(15)
      + mesh(setting).map(String.init).joined(separator: "×").padding(12)
      + numbers[0].padding(13) + numbers[1].padding(10) + numbers[2].padding(10)
      + (seconds[setting].map { fixed($0, 1) } ?? "-")
  }

  /// What to try where nothing has converged.
  func advice(directory: String) -> String {
    func shortfall(_ kind: ConvergenceSearch.Series.Kind) -> String {
      guard let series = search.series.last(where: { $0.kind == kind }) else { return "" }
      // All that have a label but the finest. Of both together one finer pair would confirm the first.
      let changes = search.changes(in: series).compactMap { $0 }
      guard changes.count >= (kind == .both ? 1 : 2), let change = changes.last else {
        return " after too few calculations: a setting is compared with two finer ones"
      }
      guard !change.isBelow(search.thresholds) else {
        return ": the last two calculations agree, but a setting must agree with two finer ones"
      }
      return ": the last two calculations still differ by "
        + "\(short(1000 * abs(change.energyPerAtom), 3)) meV/atom, "
        + "\(short(abs(gigapascals(change.pressure)), 3)) GPa, \(short(change.force, 3)) eV/Å"
    }
    if waitingCount > 0 {
      return "not converged yet: run the inputs in the folders named above, and start again"
    }
    switch search.next {
    case .failed(let reason):
      return "not converged: three calculations in a row failed, the last with: \(reason); their "
        + "folders are in \(directory), and --again runs them anew"
    case .reachedLimit(let kind):
      let option =
        switch kind {
        case .cutoff: "a higher --largest-cutoff, or larger"
        case .kSpacing: "a smaller --smallest-k-spacing, or larger"
        case .both: "a higher --largest-cutoff, a smaller --smallest-k-spacing, or larger"
        }
      return "not converged: \(Self.title(kind)) reached the limit\(shortfall(kind)); try "
        + "\(option) --energy, --pressure, --force"
    case .converged, .compute: return "not converged"
    }
  }

  /// How the setting was found, for the head of a file.
  func comments(engine: String, structure file: String) -> [String] {
    let thresholds = search.thresholds
    let moved =
      displacement.map { ", displaced by \(short($0.size)) Å (seed \($0.seed))" } ?? ""
    let formula = structure.composition().formula
    return [
      "Cutoff and k_spacing found by polymorph converge from \(engine)",
      "with \(file) (\(formula), \(structure.atomCount) atoms\(moved)).",
      "From two finer cutoffs, two finer meshes of k-points, and both finer together, the numbers differ by less",
      "than \(short(1000 * thresholds.energyPerAtom)) meV/atom, "
        + "\(short(gigapascals(thresholds.pressure))) GPa and \(short(thresholds.force)) eV/Å.",
    ]
  }

  // For programs.

  /// Everything in eV, eV/Å, GPa and seconds.
  func json(answer: CalculationAccuracy?, output: String) -> JSONValue {
    .object([
      .init("converged", .flag(answer != nil)),
      .init("cutoff", .optional(answer?.cutoff)),
      .init("cutoff_unit", .text(unit.rawValue)),
      .init("k_spacing", .optional(answer?.kSpacing)),
      .init("output", answer == nil ? .null : .text(output)),
      .init(
        "thresholds",
        .object([
          .init("energy_per_atom", .number(search.thresholds.energyPerAtom)),
          .init("pressure_gpa", .number(gigapascals(search.thresholds.pressure))),
          .init("force", .number(search.thresholds.force)),
        ])),
      .init("series", .list(search.series.filter { !$0.settings.isEmpty }.map(json))),
    ])
  }

  private func json(_ series: ConvergenceSearch.Series) -> JSONValue {
    .object([
      .init("finer", .text(series.kind.rawValue)),
      .init(
        "calculations",
        .list(zip(series.settings, search.changes(in: series)).map { json($0, $1) })),
    ])
  }

  private func json(_ setting: CalculationAccuracy, _ change: EvaluationChange?) -> JSONValue {
    var evaluation: Evaluation?
    var failure = JSONValue.null
    switch search.outcome(at: setting) {
    case .labelled(let label)?: evaluation = label
    case .failed(let reason)?: failure = .text(reason)
    case nil: break
    }
    return .object([
      .init("cutoff", .number(setting.cutoff)), .init("k_spacing", .number(setting.kSpacing)),
      .init("k_mesh", .list(mesh(setting).map { .integer($0) })),
      .init("energy", .optional(evaluation?.energy)),
      .init("pressure_gpa", .optional(evaluation.map { gigapascals($0.pressure) })),
      .init("energy_change_per_atom", .optional(change?.energyPerAtom)),
      .init("pressure_change_gpa", .optional(change.map { gigapascals($0.pressure) })),
      .init("force_change", .optional(change?.force)),
      .init("seconds", .optional(seconds[setting])), .init("failure", failure),
    ])
  }
}
