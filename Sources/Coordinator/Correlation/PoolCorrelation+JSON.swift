import Dataset
import NumericalCore

extension PoolCorrelation {
  /// All numbers; what is undefined is `null`.
  ///
  /// The keys are explained in <doc:Correlation>.
  public var json: JSONValue {
    .object([
      .init("structures", .integer(poolCount)),
      .init("window_ev_per_atom", .number(comparison.statistics.window)),
      .init(
        "pressure_gpa",
        .number(pressure * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom)),
      .init("pool_geometry", comparison.json), .init("relaxed", relaxed?.json ?? .null),
      .init("grades", grades?.json ?? .null), .init("environments", environments?.json ?? .null),
      .init(
        "learning_curve",
        learningCurve.isEmpty ? .null : .list(learningCurve.map(\.json))),
    ])
  }
}

private func milli(_ value: Double?) -> JSONValue { .optional(value.map { 1000 * $0 }) }

private func integers(_ values: [Int]) -> JSONValue { .list(values.map { .integer($0) }) }

extension PoolStatistics.Errors {
  fileprivate var members: [JSONValue.Member] {
    [
      .init("structures", .integer(count)),
      .init("rmse_difference_mev_per_atom", milli(fromGroundState)),
      .init("rmse_from_mean_mev_per_atom", milli(fromMean)),
      .init("rmse_energy_mev_per_atom", milli(absolute)),
    ]
  }
}

extension PoolStatistics {
  fileprivate var summary: [JSONValue.Member] {
    [
      .init("pearson", .optional(ranking.pearson)), .init("spearman", .optional(ranking.spearman)),
      .init("kendall", .optional(ranking.kendall)), .init("pairs", .integer(ranking.pairs)),
      .init("discordant_pairs", .integer(ranking.discordantPairs)),
      .init("below_window", .object(low.members)), .init("all", .object(all.members)),
      .init(
        "windows",
        .list(
          windows.map { window in
            .object(
              [
                .init("from_mev_per_atom", milli(window.lowerBound)),
                .init("to_mev_per_atom", milli(window.upperBound)),
              ] + window.errors.members)
          })),
    ]
  }
}

extension PoolComparison.Failure {
  fileprivate var json: JSONValue {
    .object([.init("structure", .integer(number)), .init("reason", .text(reason))])
  }
}

extension PoolComparison {
  fileprivate var json: JSONValue { .object(members) }

  fileprivate var members: [JSONValue.Member] {
    statistics.summary + [
      .init("compositions", .list(statistics.groups.map(json))),
      .init("rows", .list(entries.indices.map(row))),
      .init("not_compared", .list(failures.map(\.json))),
    ]
  }

  private func json(_ group: PoolStatistics.Group) -> JSONValue {
    func numbers(_ members: [Int]) -> JSONValue { integers(members.map { entries[$0].number }) }
    return .object([
      .init("formula", .text(group.name)), .init("structures", .integer(group.members.count)),
      .init("ground_state", .integer(entries[group.groundState].number)),
      .init("pearson", .optional(group.pearson)), .init("spearman", .optional(group.spearman)),
      .init("below_window", .object(group.errors.members)),
      .init("lowest_by_reference", numbers(group.lowestByReference)),
      .init("lowest_by_model", numbers(group.lowestByModel)),
    ])
  }

  private func row(_ index: Int) -> JSONValue {
    let entry = entries[index]
    return .object([
      .init("structure", .integer(entry.number)), .init("formula", .text(entry.formula)),
      .init("atoms", .integer(entry.structure.atomCount)),
      .init("reference_ev_per_atom", .number(entry.referencePerAtom)),
      .init("model_ev_per_atom", .number(modelPerAtom[index])),
      .init("reference_difference_mev_per_atom", milli(statistics.referenceDifferences[index])),
      .init("model_difference_mev_per_atom", milli(statistics.modelDifferences[index])),
      .init("reference_place", .integer(statistics.ranking.referencePlaces[index])),
      .init("model_place", .integer(statistics.ranking.modelPlaces[index])),
    ])
  }
}

extension RelaxedPool {
  fileprivate var json: JSONValue {
    .object(
      (comparison?.members ?? [.init("not_compared", .list(failures.map(\.json)))]) + [
        .init("moved", integers(moved)), .init("not_converged", integers(unconverged)),
        .init("not_matched", integers(unmatched)),
        .init(
          "not_moved",
          kept.map {
            .object([.init("structures", .integer($0.entries.count))] + $0.statistics.summary)
          } ?? .null),
      ])
  }
}

extension GradedPool {
  fileprivate var json: JSONValue {
    .object([
      .init("mode", .text("neighbourhood")), .init("maximum", .optional(grades.max())),
      .init("threshold", .number(threshold)), .init("above_threshold", .integer(extrapolated)),
      .init("pearson_with_error", .optional(pearson)),
      .init("spearman_with_error", .optional(spearman)),
      .init(
        "rows",
        .list(
          zip(numbers, grades).map {
            .object([.init("structure", .integer($0)), .init("grade", .number($1))])
          })),
    ])
  }
}

extension PoolEnvironments {
  fileprivate var json: JSONValue {
    .object([
      .init("maps", .list(maps.map(\.json))),
      .init(
        "unknown",
        .list(
          unknown.map {
            .object([
              .init("element", .text($0.element.symbol)), .init("environments", .integer($0.count)),
            ])
          })),
    ])
  }
}

extension EnvironmentMap {
  fileprivate var json: JSONValue {
    func fraction(_ part: Int) -> JSONValue {
      pool.count > 0 ? .number(Double(part) / Double(pool.count)) : .null
    }
    func set(_ points: Points, _ densities: [Histogram]) -> JSONValue {
      .object([
        .init("environments", .integer(points.count)), .init("first", .numbers(points.first)),
        .init("second", .numbers(points.second)),
        .init("first_density", .numbers(densities[0].densities)),
        .init("second_density", .numbers(densities[1].densities)),
      ])
    }
    let (training, pool) = marginals
    return .object([
      .init("element", .text(element.symbol)),
      .init("variance_fractions", .numbers(components.fractions)),
      .init("outside_map", .integer(outsideMap)),
      .init("outside_map_fraction", fraction(outsideMap)),
      .init("outside_ranges", .integer(outsideFeatures)),
      .init("outside_ranges_fraction", fraction(outsideFeatures)),
      .init("first_edges", .numbers(training[0].edges)),
      .init("second_edges", .numbers(training[1].edges)),
      .init("training", set(self.training, training)), .init("pool", set(self.pool, pool)),
    ])
  }
}

extension LearningCurvePoint {
  fileprivate var json: JSONValue {
    .object(
      [
        .init("training_structures", .integer(structureCount)),
        .init("trained_on", .integer(usedCount)), .init("loss", .number(loss)),
        .init("converged", .flag(hasConverged)),
        .init("not_compared", .integer(comparison.failures.count)),
      ] + comparison.statistics.summary)
  }
}
