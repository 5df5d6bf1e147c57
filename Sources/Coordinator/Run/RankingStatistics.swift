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
    let groups = groups ?? model.map { _ in 0 }
    precondition(
      model.count == reference.count && model.count == groups.count, "one enthalpy per candidate")
    let peers = groups.indices.map { a in groups.indices.filter { groups[$0] == groups[a] } }
    modelDifferences = Self.differences(model, peers)
    referenceDifferences = Self.differences(reference, peers)
    modelPlaces = Self.places(model, peers)
    referencePlaces = Self.places(reference, peers)

    let freedom = model.count - Set(groups).count
    let isDefined = freedom >= 2
    pearson = isDefined ? Self.correlation(model, reference, peers, least: 1e-9) : nil
    spearman =
      isDefined
      ? Self.correlation(Self.ranks(model, peers), Self.ranks(reference, peers), peers, least: 0.01)
      : nil

    var (pairs, concordant, discordant, modelTies, referenceTies) = (0, 0, 0, 0, 0)
    for a in groups.indices {
      for b in peers[a] where b > a {
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
    let denominator = Double((pairs - modelTies) * (pairs - referenceTies))
    kendall =
      isDefined && denominator > 0
      ? Double(concordant - discordant) / denominator.squareRoot() : nil

    let errors = zip(model, reference).map { $0 - $1 }
    meanOffset = errors.isEmpty ? nil : Self.mean(errors)
    let compared = Self.centred(errors, peers).indices.filter { peers[$0].count > 1 }
    let centred = Self.centred(errors, peers)
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

  private static func differences(_ values: [Double], _ peers: [[Int]]) -> [Double] {
    values.indices.map { a in values[a] - (peers[a].map { values[$0] }.min() ?? values[a]) }
  }

  private static func places(_ values: [Double], _ peers: [[Int]]) -> [Int] {
    values.indices.map { a in 1 + peers[a].count { order(values[$0], values[a]) < 0 } }
  }

  /// Ranks from 1, half a step up for every other candidate that is tied.
  private static func ranks(_ values: [Double], _ peers: [[Int]]) -> [Double] {
    values.indices.map { a in
      1
        + peers[a].reduce(0) { sum, b in
          guard b != a else { return sum }
          let order = order(values[b], values[a])
          return sum + (order < 0 ? 1 : (order == 0 ? 0.5 : 0))
        }
    }
  }

  /// Values less the mean of their group.
  private static func centred(_ values: [Double], _ peers: [[Int]]) -> [Double] {
    values.indices.map { a in values[a] - mean(peers[a].map { values[$0] }) }
  }

  /// `nil` where one of the two spreads by no more than `least`.
  private static func correlation(
    _ one: [Double], _ other: [Double], _ peers: [[Int]], least: Double
  ) -> Double? {
    let (a, b) = (centred(one, peers), centred(other, peers))
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { $0 * $1 }.reduce(0, +) }
    let limit = least * least * Double(one.count)
    guard product(a, a) > limit, product(b, b) > limit else { return nil }
    let value = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    // Roundoff may lead a little beyond.
    return max(-1, min(1, value))
  }
}
