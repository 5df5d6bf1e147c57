/// How well two methods agree on the order and the differences of enthalpies of the same candidates.
///
/// Only candidates of one *group* are compared with each other: cells with one ratio of elements. With one
/// group the numbers are the usual ones. Enthalpies are in eV per atom. What is undefined is `nil`, never a
/// number that is not finite.
public struct RankingStatistics: Sendable, Hashable {
  /// Enthalpies of one pair that differ by no more than this, in eV per atom, are tied: relaxations end
  /// within a force, and two that end in one minimum differ by about so much.
  public static let tieWidth = 1e-4

  /// Enthalpy of the model above its lowest of the group, by candidate, eV per atom.
  public let modelDifferences: [Double]
  /// Enthalpy of the reference method above its lowest of the group, by candidate, eV per atom.
  public let referenceDifferences: [Double]
  /// Place by the model within the group, from 1; tied candidates share the smaller place.
  public let modelPlaces: [Int]
  /// Place by the reference method within the group, from 1.
  public let referencePlaces: [Int]
  /// Pearson's correlation of the enthalpies, each less the mean of its group.
  ///
  /// `nil` with fewer than three candidates beyond one per group plus one, where it is ±1 whatever the
  /// methods say, and where a method gives all candidates one enthalpy.
  public let pearson: Double?
  /// Spearman's correlation: Pearson's of the ranks within groups, tied candidates at their mean rank.
  public let spearman: Double?
  /// Kendall's τ_b = (C − D) / √((P − T_model)(P − T_reference)) over the pairs P within groups.
  ///
  /// C and D count pairs in the same and in the opposite order, T the pairs that a method ties.
  public let kendall: Double?
  /// The number of pairs within groups, P.
  public let pairs: Int
  /// Pairs that the two methods put in opposite order, D; a tie is no order.
  public let discordantPairs: Int
  /// The mean of model minus reference in eV per atom; `nil` without candidates.
  public let meanOffset: Double?
  /// The root mean square of model minus reference in eV per atom, after the mean of each group is taken
  /// away; over candidates that are not alone in their group, `nil` where there is none.
  public let rootMeanSquareError: Double?
  /// The mean absolute value of the same differences, eV per atom.
  public let meanAbsoluteError: Double?

  /// Compares two methods.
  ///
  /// - Parameters:
  ///   - model: Enthalpies of the potential in eV per atom.
  ///   - reference: Those of the reference method for the same candidates, in the same order.
  ///   - groups: Candidates with equal numbers are compared; one group where `nil`.
  /// - Complexity: O(N²)
  public init(model: [Double], reference: [Double], groups: [Int]? = nil) {
    let groups = CandidateGroups(groups ?? model.map { _ in 0 })
    precondition(
      model.count == reference.count && model.count == groups.count, "one enthalpy per candidate")
    modelDifferences = Self.differences(model, groups)
    referenceDifferences = Self.differences(reference, groups)
    modelPlaces = Self.places(model, groups)
    referencePlaces = Self.places(reference, groups)
    pearson = groups.pearson(model, reference, least: 1e-9)
    spearman = groups.spearman(model, reference, tieWidths: (Self.tieWidth, Self.tieWidth))

    var (pairs, concordant, discordant, modelTies, referenceTies) = (0, 0, 0, 0, 0)
    for a in model.indices {
      for b in groups.peers(of: a) where b > a {
        pairs += 1
        let order = (Self.order(model[a], model[b]), Self.order(reference[a], reference[b]))
        if order.0 == 0 { modelTies += 1 }
        if order.1 == 0 { referenceTies += 1 }
        if order.0 * order.1 > 0 { concordant += 1 }
        if order.0 * order.1 < 0 { discordant += 1 }
      }
    }
    self.pairs = pairs
    discordantPairs = discordant
    // A product of integers would be too large for pools of many thousands.
    let denominator = Double(pairs - modelTies) * Double(pairs - referenceTies)
    kendall =
      model.count - groups.members.count >= 2 && denominator > 0
      ? Double(concordant - discordant) / denominator.squareRoot() : nil

    let errors = zip(model, reference).map { $0 - $1 }
    meanOffset = errors.isEmpty ? nil : Self.mean(errors)
    let centred = groups.centred(errors)
    let compared = centred.indices.filter { groups.peers(of: $0).count > 1 }
    rootMeanSquareError =
      compared.isEmpty
      ? nil : Self.mean(compared.map { centred[$0] * centred[$0] }).squareRoot()
    meanAbsoluteError = compared.isEmpty ? nil : Self.mean(compared.map { abs(centred[$0]) })
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// −1, 0 or 1 as the first is lower, tied or higher.
  private static func order(_ a: Double, _ b: Double) -> Int {
    abs(a - b) <= tieWidth ? 0 : (a < b ? -1 : 1)
  }

  private static func differences(_ values: [Double], _ groups: CandidateGroups) -> [Double] {
    let lowest = groups.members.map { members in members.map { values[$0] }.min() ?? 0 }
    return values.indices.map { values[$0] - lowest[groups.group[$0]] }
  }

  private static func places(_ values: [Double], _ groups: CandidateGroups) -> [Int] {
    values.indices.map { a in 1 + groups.peers(of: a).count { order(values[$0], values[a]) < 0 } }
  }
}
