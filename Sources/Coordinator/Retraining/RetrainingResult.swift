import Potential

/// What a potential that was trained further says of candidates that it did not learn.
public struct RetrainingResult: Sendable {
  /// A structure without a label.
  public struct FailedLabel: Sendable, Hashable {
    /// The candidate that it was made of.
    public let candidate: Int
    /// What it is, such as `uniaxial -3 % along a`.
    public let structure: String
    /// Why there is no label.
    public let reason: String
  }

  /// A candidate that the reference method led to the minimum of another one.
  public struct Duplicate: Sendable, Hashable {
    /// The candidate.
    public let candidate: Int
    /// The one that stands for both.
    public let other: Int
  }

  /// The candidates that it learnt, by place of the reference method.
  public let training: [Int]
  /// The candidates that test it, by place.
  public let test: [Int]
  /// Candidates that do neither, so that no test is among the candidates that were learnt.
  ///
  /// The campaign's own training set may hold minima that test, where the search has verified them: both
  /// potentials have learnt those.
  public let duplicates: [Duplicate]
  /// New structures that are steps of relaxations.
  public let trajectoryStructures: Int
  /// New structures that are strained minima.
  public let strainedStructures: Int
  /// What could not be labelled.
  public let failedLabels: [FailedLabel]
  /// Structures of the training set, those of the campaign included.
  public let structures: Int
  /// How the training ended.
  public let report: TrainingReport
  /// Its errors over the structures trained on.
  public let errors: ErrorStatistics
  /// The campaign's potential against the reference method, for the candidates that test.
  public let before: RerankComparison
  /// The same of the new potential, for the same candidates.
  public let after: RerankComparison

  /// New structures of the training set.
  public var newStructures: Int { trajectoryStructures + strainedStructures }

  // MARK: For people

  /// A few lines: who learns and who tests, what is new, and both comparisons.
  public var text: String {
    func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
    var lines = ["trained on candidates \(list(training)); tested on candidates \(list(test))"]
    lines += duplicates.map {
      "candidate \($0.candidate) does neither: the reference method led it to the minimum of "
        + "candidate \($0.other)"
    }
    lines.append(
      "new structures: \(newStructures), \(trajectoryStructures) of relaxations and "
        + "\(strainedStructures) strained; failed labels: \(failedLabels.count)")
    lines += failedLabels.map {
      "no label of candidate \($0.candidate), \($0.structure): \($0.reason)"
    }
    let energy = TextColumn.fixed(1000 * errors.energyPerAtom.rootMeanSquare, 2)
    let force = TextColumn.fixed(errors.force.rootMeanSquare, 4)
    lines.append(
      "trained on \(errors.structureCount) of \(structures) structures: RMSE \(energy) meV/atom, "
        + "\(force) eV/Å" + (report.converged ? "" : "; not converged"))
    for (name, comparison) in [("before: ", before), ("after:  ", after)] {
      let moved = comparison.moved.map(\.candidate)
      // One such candidate may make most of the error.
      let note = moved.isEmpty ? "" : "; in another structure than the reference: \(list(moved))"
      lines.append(name + comparison.summary + note)
    }
    lines += after.excluded.map { "candidate \($0.candidate) is not compared: \($0.reason)" }
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: For programs

  var json: JSONValue {
    func integers(_ numbers: [Int]) -> JSONValue { .list(numbers.map { .integer($0) }) }
    func object(_ measure: ErrorMeasure, factor: Double) -> JSONValue {
      .object([
        .init("rmse", .number(factor * measure.rootMeanSquare)),
        .init("mae", .number(factor * measure.meanAbsolute)),
      ])
    }
    return .object([
      .init("training_candidates", integers(training)), .init("test_candidates", integers(test)),
      .init(
        "duplicates",
        .list(
          duplicates.map {
            .object([
              .init("candidate", .integer($0.candidate)), .init("same_as", .integer($0.other)),
            ])
          })),
      .init("new_structures", .integer(newStructures)),
      .init("trajectory_structures", .integer(trajectoryStructures)),
      .init("strained_structures", .integer(strainedStructures)),
      .init("failed_labels", .list(failedLabels.map(\.json))),
      .init("structures", .integer(structures)),
      .init("trained_on", .integer(errors.structureCount)), .init("loss", .number(report.loss)),
      .init("trials", .integer(report.trials)), .init("converged", .flag(report.converged)),
      .init("energy_error_mev_per_atom", object(errors.energyPerAtom, factor: 1000)),
      .init("force_error_ev_per_angstrom", object(errors.force, factor: 1)),
      .init("before", before.json), .init("after", after.json),
    ])
  }
}

extension RetrainingResult.FailedLabel {
  fileprivate var json: JSONValue {
    .object([
      .init("candidate", .integer(candidate)), .init("structure", .text(structure)),
      .init("reason", .text(reason)),
    ])
  }
}
