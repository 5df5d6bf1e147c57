import Coordinator
import Potential

/// A potential that was fitted, and how well.
struct Fit {
  /// How it was found, on rank 0.
  let report: TrainingReport?
  let loss: Double
  let potential: MomentTensorPotential
  /// How many structures were trained on, of how many.
  let usedCount: Int
  let structureCount: Int
  /// The losses of all starts of which it is the best.
  var startLosses: [Double] = []
  /// Errors on the training set and the validation set.
  var errors: ErrorStatistics?
  var validation: ErrorStatistics?
}

/// What a training prints.
struct TrainingSummary {
  /// The potentials: one, or all members of an ensemble.
  let fits: [Fit]
  let output: String
  let isEnsemble: Bool

  var lines: [String] { isEnsemble ? ensembleLines : fits.flatMap(lines) }

  private func lines(_ fit: Fit) -> [String] {
    let trials = fit.report?.trials ?? 0
    var lines = ["potential       \(output), \(fit.potential.parameterCount) parameters"]
    if let repulsion = fit.potential.repulsion {
      lines.append(
        "repulsion       ZBL, \(repulsion.inner) to \(repulsion.outer) of the sum of covalent radii"
      )
    }
    lines += [
      "trained on      \(fit.usedCount) of \(fit.structureCount) structures",
      "loss            \(short(fit.loss)) after \(trials) trials"
        + (fit.report?.converged ?? true ? "" : ", not converged"),
    ]
    if fit.startLosses.count > 1 {
      lines.append("starts          " + fit.startLosses.map { short($0) }.joined(separator: ", "))
    }
    if let errors = fit.errors { lines += ["", "training set"] + ErrorsVerb.lines(errors) }
    if let validation = fit.validation {
      lines += ["", "validation set"] + ErrorsVerb.lines(validation)
    }
    return lines
  }

  private var ensembleLines: [String] {
    var lines = [
      "potentials      \(output.dropLast(4))-1\(output.suffix(4)) … -\(fits.count), "
        + "\(fits.first?.potential.parameterCount ?? 0) parameters each",
      "losses          " + fits.map { short($0.loss) }.joined(separator: ", "),
    ]
    for (name, errors) in [
      ("training set", fits.compactMap(\.errors)),
      ("validation set", fits.compactMap(\.validation)),
    ] where !errors.isEmpty {
      lines += ["", name + ": RMSE, mean ± 2σ over the ensemble"]
      lines += Self.quantities(errors).map { quantity in
        "\(quantity.name.padding(16))\(quantity.unit.padding(10))"
          + "\(short(quantity.factor * quantity.spread.mean)) ± "
          + short(quantity.factor * quantity.spread.twoSigma)
      }
    }
    return lines
  }

  // MARK: spread over an ensemble

  private struct Spread {
    let mean: Double
    let twoSigma: Double

    init(_ values: [Double]) {
      let n = Double(values.count)
      let mean = values.reduce(0, +) / n
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      self.mean = mean
      twoSigma = values.count > 1 ? 2 * (square / (n - 1)).squareRoot() : 0
    }
  }

  private struct Quantity {
    let name: String
    let key: String
    let unit: String
    let factor: Double
    let spread: Spread
  }

  private static func quantities(_ errors: [ErrorStatistics]) -> [Quantity] {
    var result = [
      Quantity(
        name: "energy", key: "energy_per_atom", unit: "meV/atom", factor: 1000,
        spread: Spread(errors.map(\.energyPerAtom.rootMeanSquare))),
      Quantity(
        name: "force", key: "force", unit: "eV/Å", factor: 1,
        spread: Spread(errors.map(\.force.rootMeanSquare))),
    ]
    let stresses = errors.compactMap(\.stress?.rootMeanSquare)
    if stresses.count == errors.count {
      result.append(
        Quantity(
          name: "stress", key: "stress_gpa", unit: "GPa", factor: 1, spread: Spread(stresses)))
    }
    return result
  }

  // MARK: JSON

  var json: JSONValue {
    guard isEnsemble else { return fits.first.map(json) ?? .null }
    func spreads(_ errors: [ErrorStatistics]) -> JSONValue {
      guard !errors.isEmpty else { return .null }
      return .object(
        Self.quantities(errors).map {
          .init(
            $0.key,
            .object([
              .init("mean_rmse", .number($0.spread.mean)),
              .init("two_sigma", .number($0.spread.twoSigma)),
            ]))
        })
    }
    return .object([
      .init("training_ensemble", spreads(fits.compactMap(\.errors))),
      .init("validation_ensemble", spreads(fits.compactMap(\.validation))),
      .init("members", .list(fits.map(json))),
    ])
  }

  private func json(_ fit: Fit) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("parameters", .integer(fit.potential.parameterCount)),
      .init("trained_on", .integer(fit.usedCount)), .init("loss", .number(fit.loss)),
      .init("trials", .integer(fit.report?.trials ?? 0)),
      .init("converged", .flag(fit.report?.converged ?? false)),
    ]
    if fit.startLosses.count > 1 {
      members.append(.init("start_losses", .numbers(fit.startLosses)))
    }
    return .object(
      members + [
        .init("training", fit.errors.map(ErrorsVerb.json) ?? .null),
        .init("validation", fit.validation.map(ErrorsVerb.json) ?? .null),
        .init("history", .list((fit.report?.history ?? []).map(Self.json))),
      ])
  }

  private static func json(_ step: TrainingStep) -> JSONValue {
    .object([
      .init("trials", .integer(step.trials)), .init("loss", .number(step.loss)),
      .init("energy_per_atom_rmse", .optional(step.errors.energyPerAtom.rootMeanSquare)),
      .init("force_rmse", .optional(step.errors.force.rootMeanSquare)),
      .init("stress_rmse_gpa", .optional(step.errors.stress.rootMeanSquare)),
      .init("seconds", .number(step.seconds)),
    ])
  }
}
