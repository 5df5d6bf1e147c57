/// Candidates that are compared with each other: those with one ratio of elements.
///
/// Energies of different ratios differ by those of the elements, which no comparison of crystals is about. So
/// means are taken away, ranks are counted and pairs are made within groups.
public struct CandidateGroups: Sendable, Hashable {
  /// The candidates of each group, in ascending order; the groups by their smallest number.
  public let members: [[Int]]
  /// The place of each candidate's group in `members`.
  public let group: [Int]

  /// Creates groups.
  ///
  /// - Parameter numbers: One for each candidate; those with equal numbers are compared.
  public init(_ numbers: [Int]) {
    let distinct = Set(numbers).sorted()
    var members = distinct.map { _ in [Int]() }
    var places: [Int: Int] = [:]
    for (place, number) in distinct.enumerated() { places[number] = place }
    group = numbers.map { places[$0] ?? 0 }
    for (candidate, place) in group.enumerated() { members[place].append(candidate) }
    self.members = members
  }

  /// The number of candidates.
  public var count: Int { group.count }

  /// The candidates of one candidate's group, itself among them.
  func peers(of candidate: Int) -> [Int] { members[group[candidate]] }

  /// The mean of some values over some candidates.
  static func mean(_ values: [Double], of candidates: [Int]) -> Double {
    candidates.map { values[$0] }.reduce(0, +) / Double(candidates.count)
  }

  /// Values less the mean of their group.
  func centred(_ values: [Double]) -> [Double] {
    let means = members.map { Self.mean(values, of: $0) }
    return values.indices.map { values[$0] - means[group[$0]] }
  }

  /// Ranks within the group, from 1: half a step up for every other candidate that is tied.
  ///
  /// - Parameters:
  ///   - values: One for each candidate.
  ///   - tieWidth: Values that differ by no more than this are tied.
  /// - Returns: One rank for each candidate.
  /// - Complexity: O(N²)
  func ranks(_ values: [Double], tieWidth: Double) -> [Double] {
    values.indices.map { a in
      1
        + peers(of: a).reduce(0) { sum, b in
          guard b != a else { return sum }
          return sum
            + (abs(values[b] - values[a]) <= tieWidth ? 0.5 : (values[b] < values[a] ? 1 : 0))
        }
    }
  }

  /// Pearson's correlation of values less the means of their groups.
  ///
  /// - Parameters:
  ///   - one: One value for each candidate.
  ///   - other: Another one.
  ///   - least: A root mean square deviation that is no spread.
  /// - Returns: `nil` where one of the two has no spread, and with fewer than two candidates beyond one per
  ///   group, where it is ±1 whatever they are.
  public func pearson(_ one: [Double], _ other: [Double], least: Double = 0) -> Double? {
    precondition(one.count == count && other.count == count, "one value per candidate")
    guard count - members.count >= 2 else { return nil }
    let (a, b) = (centred(one), centred(other))
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { $0 * $1 }.reduce(0, +) }
    let limit = least * least * Double(count)
    guard product(a, a) > limit, product(b, b) > limit else { return nil }
    let value = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    // Roundoff may lead a little beyond.
    return max(-1, min(1, value))
  }

  /// Spearman's correlation: Pearson's of the ranks within groups, tied candidates at their mean rank.
  ///
  /// - Parameters:
  ///   - one: One value for each candidate.
  ///   - other: Another one.
  ///   - tieWidths: Values of each that differ by no more than this are tied.
  /// - Returns: `nil` as for `pearson(_:_:least:)`.
  /// - Complexity: O(N²)
  public func spearman(
    _ one: [Double], _ other: [Double], tieWidths: (Double, Double) = (0, 0)
  ) -> Double? {
    pearson(
      ranks(one, tieWidth: tieWidths.0), ranks(other, tieWidth: tieWidths.1), least: 0.01)
  }
}
