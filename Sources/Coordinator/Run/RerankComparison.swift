import Crystal
import Dataset
import Evolution
import Foundation
import NumericalCore

/// The potential against the reference method, for every candidate that both have relaxed.
///
/// The potential's enthalpy is that of its newest version at its own minimum, the reference method's that at
/// its own: the comparison is of what a search ends with, not of single points. Enthalpies are at the campaign's
/// pressure.
public struct RerankComparison: Sendable {
  /// One candidate.
  public struct Row: Sendable {
    /// The candidate's number.
    public let candidate: Int
    /// The ratio of elements, such as `TiO2`; only candidates of one ratio are compared.
    public let formula: String
    /// Enthalpy of the potential in eV per atom.
    public let modelEnthalpyPerAtom: Double
    /// Enthalpy of the reference method in eV per atom.
    public let referenceEnthalpyPerAtom: Double
    /// Enthalpy of the potential above its lowest of the ratio, eV per atom.
    public let modelDifference: Double
    /// Enthalpy of the reference method above its lowest of the ratio, eV per atom.
    public let referenceDifference: Double
    /// Place by the potential among the candidates of the ratio, from 1; ties share the smaller place.
    public let modelPlace: Int
    /// Place by the reference method among them.
    public let referencePlace: Int
    /// Space group at the potential's minimum.
    public let modelSpaceGroup: SpaceGroupName
    /// Space group at the reference method's minimum.
    public let referenceSpaceGroup: SpaceGroupName
    /// Whether the reference method led to another structure: the two minima do not match, volumes
    /// within some per cent apart.
    public let hasMoved: Bool
    /// Whether the reference method's relaxation met its tolerances.
    public let hasConverged: Bool
  }

  /// A re-ranked candidate that cannot be compared.
  public struct Exclusion: Sendable, Hashable {
    /// The candidate's number.
    public let candidate: Int
    /// Why not: the reference method has no result, or the potential's is that of an older version.
    public let reason: String
  }

  /// The candidates by ratio of elements, place by the reference method, number.
  public let rows: [Row]
  /// The re-ranked candidates that are not compared.
  public let excluded: [Exclusion]
  /// How well both methods agree; the order is not that of the rows.
  public let statistics: RankingStatistics

  /// A candidate that both methods have relaxed.
  struct Candidate {
    /// The candidate's number.
    let number: Int
    /// Enthalpy of the potential in eV per atom.
    let modelEnthalpyPerAtom: Double
    /// The potential's minimum.
    let model: Structure
    /// The reference method's.
    let relaxed: RelaxedCandidate
  }

  /// Compares all re-ranked candidates.
  ///
  /// - Parameter state: A running or finished campaign.
  public init(of state: CampaignState) {
    let (compared, excluded) = Self.candidates(of: state)
    self.init(of: compared, excluded: excluded, matching: state.settings.search.duplicates.matching)
  }

  /// The re-ranked candidates that can be compared, in the order of the re-ranking, and the others.
  static func candidates(
    of state: CampaignState
  ) -> (compared: [Candidate], excluded: [Exclusion]) {
    var known: [(candidate: Candidate, version: Int)] = []
    var excluded: [Exclusion] = []
    for entry in state.reranked {
      guard let relaxed = entry.relaxed else {
        let reason = entry.failure ?? "no result"
        excluded.append(Exclusion(candidate: entry.candidate, reason: reason))
        continue
      }
      guard case .relaxed(let model, let version) = state[candidate: entry.candidate].status
      else { continue }
      let candidate = Candidate(
        number: entry.candidate, modelEnthalpyPerAtom: entry.modelEnthalpyPerAtom,
        model: model.structure, relaxed: relaxed)
      known.append((candidate, version))
    }
    // A campaign that went on after an export no longer refreshes all that was exported.
    let newest = known.map(\.version).max() ?? 0
    excluded += known.filter { $0.version != newest }.map {
      Exclusion(
        candidate: $0.candidate.number,
        reason: "the potential's enthalpy is that of version \($0.version), not \(newest)")
    }
    return (known.filter { $0.version == newest }.map(\.candidate), excluded)
  }

  /// Compares candidates.
  ///
  /// - Parameters:
  ///   - compared: Both methods' minima.
  ///   - excluded: Candidates that cannot be compared.
  ///   - tolerance: When two minima are the same structure.
  init(of compared: [Candidate], excluded: [Exclusion], matching tolerance: MatchingTolerance) {
    self.excluded = excluded
    let formulas = compared.map { $0.model.composition().smallestFormula }
    let distinct = Set(formulas).sorted()
    statistics = RankingStatistics(
      model: compared.map(\.modelEnthalpyPerAtom),
      reference: compared.map(\.relaxed.enthalpyPerAtom),
      groups: formulas.map { distinct.firstIndex(of: $0) ?? 0 })
    var rows: [Row] = []
    for (index, item) in compared.enumerated() {
      rows.append(
        Row(
          candidate: item.number, formula: formulas[index],
          modelEnthalpyPerAtom: item.modelEnthalpyPerAtom,
          referenceEnthalpyPerAtom: item.relaxed.enthalpyPerAtom,
          modelDifference: statistics.modelDifferences[index],
          referenceDifference: statistics.referenceDifferences[index],
          modelPlace: statistics.modelPlaces[index],
          referencePlace: statistics.referencePlaces[index],
          modelSpaceGroup: SpaceGroupName(of: item.model),
          referenceSpaceGroup: SpaceGroupName(of: item.relaxed.structure),
          hasMoved: !item.model.matches(item.relaxed.structure, tolerance: tolerance),
          hasConverged: item.relaxed.hasConverged))
    }
    self.rows = rows.sorted {
      ($0.formula, $0.referencePlace, $0.referenceEnthalpyPerAtom, $0.candidate)
        < ($1.formula, $1.referencePlace, $1.referenceEnthalpyPerAtom, $1.candidate)
    }
  }

  /// Compares a learned potential with the reference method.
  ///
  /// - Parameter state: A running or finished campaign.
  /// - Returns: `nil` before re-ranking, and where the reference method itself relaxed the candidates.
  public static func ofLearned(_ state: CampaignState) -> RerankComparison? {
    state.settings.learns && !state.reranked.isEmpty ? RerankComparison(of: state) : nil
  }

  /// The candidates whose place the reference method changed, in the order of the rows.
  public var orderChanges: [Row] { rows.filter { $0.modelPlace != $0.referencePlace } }

  /// The candidates that the reference method led to another structure, in the order of the rows.
  public var moved: [Row] { rows.filter(\.hasMoved) }

  // MARK: For people

  /// Correlation, errors and order on one line, empty without candidates.
  public var summary: String {
    guard !rows.isEmpty else { return "" }
    func number(_ value: Double?, _ digits: Int, factor: Double = 1) -> String {
      value.map { TextColumn.fixed(factor * $0, digits) } ?? "undefined"
    }
    let s = statistics
    return "potential against reference, \(rows.count) candidates: Pearson "
      + "\(number(s.pearson, 3)), Spearman \(number(s.spearman, 3)), Kendall \(number(s.kendall, 3)); "
      + "RMSE \(number(s.rootMeanSquareError, 2, factor: 1000)), MAE "
      + "\(number(s.meanAbsoluteError, 2, factor: 1000)) meV/atom after the mean offset of "
      + "\(number(s.meanOffset, 2, factor: 1000)); pairs in opposite order: \(s.discordantPairs) of "
      + "\(s.pairs)"
  }

  /// The table with the summary below it and what is not compared last, empty where nothing was re-ranked.
  public var text: String {
    var lines: [String] = []
    if !rows.isEmpty {
      let hasFormula = Set(rows.map(\.formula)).count > 1
      func line(
        _ place: String, _ candidate: String, _ formula: String, _ numbers: (String, String),
        _ groups: String, _ notes: String
      ) -> String {
        let text =
          TextColumn.right(place, 12) + TextColumn.right(candidate, 11)
          + (hasFormula ? "  " + TextColumn.left(formula, 12) : "")
          + TextColumn.right(numbers.0, 13) + TextColumn.right(numbers.1, 17) + "  "
          + TextColumn.left(groups, 38) + notes
        return String(text.reversed().drop { $0 == " " }.reversed())
      }
      lines.append("the potential against the reference method, dE in meV/atom")
      lines.append(
        line("place", "candidate", "formula", ("dE potential", "dE reference"), "space group", ""))
      for row in rows {
        let notes = (row.hasMoved ? ["moved"] : []) + (row.hasConverged ? [] : ["not converged"])
        lines.append(
          line(
            Self.change("\(row.modelPlace)", "\(row.referencePlace)"), "\(row.candidate)",
            row.formula,
            (
              TextColumn.fixed(1000 * row.modelDifference, 2),
              TextColumn.fixed(1000 * row.referenceDifference, 2)
            ),
            Self.change(row.modelSpaceGroup.description, row.referenceSpaceGroup.description),
            notes.joined(separator: ", ")))
      }
      lines.append(summary)
      if !moved.isEmpty {
        let names = moved.map { "\($0.candidate)" }.joined(separator: ", ")
        lines.append("relaxed to another structure: candidates \(names)")
      }
    }
    lines += excluded.map { "candidate \($0.candidate) is not compared: \($0.reason)" }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func change(_ before: String, _ after: String) -> String {
    before == after ? before : "\(before) -> \(after)"
  }

  // MARK: For programs

  /// The comparison; what is undefined is `null`.
  public var json: JSONValue {
    func milli(_ value: Double?) -> JSONValue { .optional(value.map { 1000 * $0 }) }
    let s = statistics
    return .object([
      .init("candidates", .integer(rows.count)),
      .init("pearson", .optional(s.pearson)), .init("spearman", .optional(s.spearman)),
      .init("kendall", .optional(s.kendall)),
      .init("rmse_mev_per_atom", milli(s.rootMeanSquareError)),
      .init("mae_mev_per_atom", milli(s.meanAbsoluteError)),
      .init("mean_offset_mev_per_atom", milli(s.meanOffset)),
      .init("pairs", .integer(s.pairs)), .init("discordant_pairs", .integer(s.discordantPairs)),
      .init(
        "order_changes",
        .list(
          orderChanges.map {
            .object([
              .init("candidate", .integer($0.candidate)),
              .init("model_place", .integer($0.modelPlace)),
              .init("reference_place", .integer($0.referencePlace)),
            ])
          })),
      .init("moved", .list(moved.map { .integer($0.candidate) })),
      .init("rows", .list(rows.map(\.json))),
      .init(
        "not_compared",
        .list(
          excluded.map {
            .object([
              .init("candidate", .integer($0.candidate)), .init("reason", .text($0.reason)),
            ])
          })),
    ])
  }
}

extension RerankComparison.Row {
  fileprivate var json: JSONValue {
    .object([
      .init("candidate", .integer(candidate)), .init("formula", .text(formula)),
      .init("model_enthalpy_ev_per_atom", .number(modelEnthalpyPerAtom)),
      .init("reference_enthalpy_ev_per_atom", .number(referenceEnthalpyPerAtom)),
      .init("model_difference_mev_per_atom", .number(1000 * modelDifference)),
      .init("reference_difference_mev_per_atom", .number(1000 * referenceDifference)),
      .init("model_place", .integer(modelPlace)),
      .init("reference_place", .integer(referencePlace)),
      .init("model_space_group", .integer(modelSpaceGroup.number)),
      .init("model_space_group_symbol", .text(modelSpaceGroup.symbol)),
      .init("reference_space_group", .integer(referenceSpaceGroup.number)),
      .init("reference_space_group_symbol", .text(referenceSpaceGroup.symbol)),
      .init("moved", .flag(hasMoved)), .init("converged", .flag(hasConverged)),
    ])
  }
}

extension Composition {
  /// The formula with the smallest whole numbers, the same for all cells with one ratio of elements.
  var smallestFormula: String {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    let common = max(1, counts.reduce(0) { divisor($0, $1) })
    return zip(elements, counts)
      .map { $1 == common ? $0.symbol : "\($0.symbol)\($1 / common)" }.joined()
  }
}
