/// How good a potential is for structure prediction: a pool of structures, each with its energy by the potential and
/// by the reference method.
///
/// After C. Hong et al., Phys. Rev. B 102, 224104 (2020), doi:10.1103/PhysRevB.102.224104: what counts is the
/// order of metastable structures and the differences ΔE of their energies, the low ones most.
///
/// A structure's ΔE is its energy above that of the *ground state of its ratio of elements by the reference
/// method*; the potential's ΔE is above the potential's energy of that same structure, and may be negative. The
/// error of the ground state then is in every ΔE. `Errors.fromMean` is free of it: there the mean difference of the
/// two methods, over the structures of the ratio below the window, is taken away instead. Energies are in eV per
/// atom; they may be enthalpies.
public struct PoolStatistics: Sendable, Hashable {
  /// Errors over some structures in eV per atom; `nil` where there is none to count.
  public struct Errors: Sendable, Hashable {
    /// The number of structures.
    public let count: Int
    /// Root mean square error of ΔE.
    ///
    /// Ground states, whose error is 0 by definition, do not count.
    public let fromGroundState: Double?
    /// Root mean square error after the mean difference of each ratio of elements below the window is taken away.
    ///
    /// A structure that is the only one of its ratio there does not count.
    public let fromMean: Double?
    /// Root mean square difference of the energies as they are.
    public let absolute: Double?
  }

  /// Structures whose reference ΔE lies in a range.
  public struct Window: Sendable, Hashable {
    /// ΔE ≥ this, eV per atom.
    public let lowerBound: Double
    /// ΔE < this, eV per atom.
    public let upperBound: Double
    /// The errors there.
    public let errors: Errors
  }

  /// The structures of one ratio of elements.
  public struct Group: Sendable, Hashable {
    /// The formula.
    public let name: String
    /// The places of the structures in the pool.
    public let members: [Int]
    /// The lowest by the reference method.
    public let groundState: Int
    /// The five lowest by the reference method, lowest first.
    public let lowestByReference: [Int]
    /// The five lowest by the potential, lowest first.
    public let lowestByModel: [Int]
    /// Pearson's coefficient within the group.
    public let pearson: Double?
    /// Spearman's coefficient within the group.
    public let spearman: Double?
    /// The errors below the window.
    public let errors: Errors
  }

  /// How wide the ranges of `windows` are, in eV per atom.
  public static let windowWidth = 0.1
  /// How many structures `Group.lowestByReference` and `Group.lowestByModel` hold at most.
  public static let lowestCount = 5

  /// Up to which ΔE structures count as low, eV per atom.
  public let window: Double
  /// ΔE of the reference method, eV per atom, by structure.
  public let referenceDifferences: [Double]
  /// ΔE of the potential, eV per atom, by structure.
  public let modelDifferences: [Double]
  /// Model less reference after the mean difference is taken away, eV per atom, by structure.
  public let errorsFromMean: [Double]
  /// Order and correlations over the whole pool, within ratios of elements.
  public let ranking: RankingStatistics
  /// The errors below the window.
  public let low: Errors
  /// The errors of all.
  public let all: Errors
  /// The errors in ranges of 0.1 eV per atom; those without a structure are left out.
  public let windows: [Window]
  /// The ratios of elements, by name.
  public let groups: [Group]

  /// Compares two methods.
  ///
  /// - Parameters:
  ///   - model: Energies of the potential in eV per atom, by structure; at least one.
  ///   - reference: Those of the reference method, in the same order.
  ///   - formulas: The ratio of elements of each structure, in the same order.
  ///   - window: Up to which ΔE structures count as low, in eV per atom.
  /// - Complexity: O(N²)
  public init(model: [Double], reference: [Double], formulas: [String], window: Double = 0.2) {
    precondition(
      model.count == reference.count && model.count == formulas.count, "one energy per structure")
    precondition(!model.isEmpty && window > 0, "there is something to compare")
    self.window = window
    let names = Set(formulas).sorted()
    var numbers: [String: Int] = [:]
    for (number, name) in names.enumerated() { numbers[name] = number }
    let candidates = CandidateGroups(formulas.map { numbers[$0] ?? 0 })

    // The lowest by one method; the other decides between equals, so that the order of the pool does not.
    func lowest(_ members: [Int], by values: [Double], then others: [Double]) -> [Int] {
      let order = members.sorted {
        (values[$0], others[$0], $0) < (values[$1], others[$1], $1)
      }
      return Array(order.prefix(Self.lowestCount))
    }
    let byReference = candidates.members.map { lowest($0, by: reference, then: model) }
    let groundStates = byReference.map { $0[0] }
    func differences(_ values: [Double]) -> [Double] {
      values.indices.map { values[$0] - values[groundStates[candidates.group[$0]]] }
    }
    let referenceDifferences = differences(reference)
    let modelDifferences = differences(model)
    self.referenceDifferences = referenceDifferences
    self.modelDifferences = modelDifferences

    let raw = zip(model, reference).map { $0 - $1 }
    let lowMembers = candidates.members.map { $0.filter { referenceDifferences[$0] < window } }
    let offsets = lowMembers.map { CandidateGroups.mean(raw, of: $0) }
    let errorsFromMean = raw.indices.map { raw[$0] - offsets[candidates.group[$0]] }
    self.errorsFromMean = errorsFromMean

    func errors(_ members: [Int]) -> Errors {
      func rootMeanSquare(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        return (values.map { $0 * $0 }.reduce(0, +) / Double(values.count)).squareRoot()
      }
      let others = members.filter { groundStates[candidates.group[$0]] != $0 }
      let compared = members.filter {
        lowMembers[candidates.group[$0]].count > 1 || referenceDifferences[$0] >= window
      }
      return Errors(
        count: members.count,
        fromGroundState: rootMeanSquare(
          others.map { modelDifferences[$0] - referenceDifferences[$0] }),
        fromMean: rootMeanSquare(compared.map { errorsFromMean[$0] }),
        absolute: rootMeanSquare(members.map { raw[$0] }))
    }
    all = errors(Array(model.indices))
    low = errors(model.indices.filter { referenceDifferences[$0] < window })
    windows = Self.ranges(of: referenceDifferences).map { range in
      Window(
        lowerBound: Double(range.number) * Self.windowWidth,
        upperBound: Double(range.number + 1) * Self.windowWidth, errors: errors(range.members))
    }
    ranking = RankingStatistics(model: model, reference: reference, groups: candidates.group)
    groups = names.indices.map { number in
      let members = candidates.members[number]
      let own = RankingStatistics(
        model: members.map { model[$0] }, reference: members.map { reference[$0] })
      return Group(
        name: names[number], members: members, groundState: groundStates[number],
        lowestByReference: byReference[number],
        lowestByModel: lowest(members, by: model, then: reference), pearson: own.pearson,
        spearman: own.spearman, errors: errors(lowMembers[number]))
    }
  }

  // The structures by tenths of an eV, lowest first.
  private static func ranges(of differences: [Double]) -> [(number: Int, members: [Int])] {
    // A difference that is a tenth but for rounding belongs above.
    let numbers = differences.map {
      Int(min(($0 / windowWidth + 1e-9).rounded(.down), 1e9))
    }
    let groups = CandidateGroups(numbers)
    return groups.members.map { (numbers[$0[0]], $0) }
  }
}
