import Crystal
import NumericalCore

/// What came of random structures, by the recipes that they were made from.
///
/// The minima that a compound's good structures share lie within reach of random structures of a few
/// space groups, seldom those that the minima have themselves: groups with few special positions scatter
/// the atoms, groups with many crowd them on axes and planes. (Crystals prefer the former, too: A. J. C.
/// Wilson, Acta Cryst. A 49, 795 (1993).) Which groups those are differs between compounds, so it is
/// learned. A recipe is as likely to succeed as all are on the mean, times one factor each for its number
/// of copies, for how many positions its group has, and for the group itself. The factors are estimated
/// one after another, (successes + κ) / (expected successes + κ), the posterior mean of a Poisson rate with
/// a gamma prior of mean 1: a group that was never drawn counts like others of its kind.
package struct RecipeRecords: Sendable, Hashable {
  private struct Draw: Sendable, Hashable {
    let recipe: RandomRecipe
    /// Where it ended; `nil` where it failed.
    let basin: Int?
  }

  private var draws: [Draw] = []
  /// The factors, renewed now and then; a function of the draws and of what was known of them then.
  private var factors = Factors()
  private var fittedDraws = 0

  private struct Factors: Sendable, Hashable {
    /// By the number of copies; 1 where none is known.
    var copies: [Int: Double] = [:]
    /// By the number of the group's kind.
    var kind = Array(repeating: 1.0, count: GroupKind.count)
    /// By the group's number.
    var group = Array(repeating: 1.0, count: 231)

    /// The rate of a group with a factor for its copies, in units of the mean.
    func rate(_ spaceGroup: Int, copies: Double) -> Double {
      let kind = GroupKind.all[spaceGroup]
      return kind.usualFactor * copies * self.kind[kind.number] * group[spaceGroup]
    }
  }

  /// κ, in successes, for copies and kinds, and for groups.
  private static let prior = 0.3
  private static let groupPrior = 0.2
  /// This share of the distinct structures counts as success, the best with 1, falling linearly.
  private static let goodShare = 0.1
  /// Fewer draws tell nothing.
  package static let leastDraws = 8
  /// The factors are renewed when the draws have grown by this share.
  private static let renewal = 0.05

  /// Whether there is anything to go by.
  package var isInformed: Bool { draws.count >= Self.leastDraws }

  /// Creates empty records.
  package init() {}

  /// Notes what came of a recipe.
  ///
  /// - Parameters:
  ///   - recipe: The recipe.
  ///   - basin: The basin that the structure relaxed to; `nil` where it failed.
  package mutating func record(_ recipe: RandomRecipe, basin: Int?) {
    draws.append(Draw(recipe: recipe, basin: basin))
  }

  /// Renews the factors if enough was recorded since the last time.
  ///
  /// - Parameter height: The enthalpy of a basin over what basins are measured from, in eV per atom.
  package mutating func renew(height: (Int) -> Double) {
    let due = fittedDraws + max(4, Int(Self.renewal * Double(fittedDraws)))
    guard isInformed, fittedDraws == 0 || draws.count >= due else { return }
    fittedDraws = draws.count
    factors = Self.fit(draws, successes(height))
  }

  /// Draws recipes with chances that grow with the square of their rates, so that the few good ones are
  /// not lost among hundreds.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - choices: Every number of copies that is possible, with its usual share.
  ///   - groups: The space groups that are allowed.
  ///   - random: The stream to draw from.
  /// - Returns: Different recipes.
  package func draw(
    _ count: Int, copies choices: [(copies: Int, share: Double)], groups: [Int],
    _ random: inout RandomStream
  ) -> [RandomRecipe] {
    var weights: [Double] = []
    weights.reserveCapacity(choices.count * groups.count)
    for choice in choices {
      let copies = factors.copies[choice.copies] ?? 1
      for group in groups {
        let rate = factors.rate(group, copies: copies)
        weights.append(choice.share * rate * rate)
      }
    }
    var drawn: [RandomRecipe] = []
    while drawn.count < count, let pick = random.index(weights: weights) {
      let (choice, group) = pick.quotientAndRemainder(dividingBy: groups.count)
      drawn.append(RandomRecipe(spaceGroup: groups[group], copies: choices[choice].copies))
      weights[pick] = 0
    }
    return drawn
  }

  /// What every draw is worth.
  ///
  /// Draws that share a basin share its worth, so that a recipe that finds the same structure again and
  /// again earns no more than once.
  private func successes(_ height: (Int) -> Double) -> [Double] {
    var visits: [Int: Int] = [:]
    for draw in draws {
      if let basin = draw.basin { visits[basin, default: 0] += 1 }
    }
    let heights = visits.keys.map { (height: height($0), basin: $0) }
      .sorted { ($0.height, $0.basin) < ($1.height, $1.basin) }
    let good = max(1, Self.goodShare * Double(heights.count))
    var worth: [Int: Double] = [:]
    for (rank, entry) in heights.enumerated() where Double(rank) < good {
      worth[entry.basin] = (1 - Double(rank) / good) / Double(visits[entry.basin] ?? 1)
    }
    return draws.map { draw in draw.basin.flatMap { worth[$0] } ?? 0 }
  }

  private static func fit(_ draws: [Draw], _ successes: [Double]) -> Factors {
    let usual = draws.map { GroupKind.all[$0.recipe.spaceGroup].usualFactor }
    let mean = successes.reduce(0, +) / usual.reduce(0, +)
    var expected = usual.map { mean * $0 }
    func factors(by key: (Draw) -> Int, prior: Double = prior) -> [Int: Double] {
      var sums: [Int: (found: Double, expected: Double)] = [:]
      for (place, draw) in draws.enumerated() {
        sums[key(draw), default: (0, 0)].found += successes[place]
        sums[key(draw), default: (0, 0)].expected += expected[place]
      }
      let found = sums.mapValues { ($0.found + prior) / ($0.expected + prior) }
      for (place, draw) in draws.enumerated() { expected[place] *= found[key(draw)] ?? 1 }
      return found
    }
    var fitted = Factors()
    fitted.copies = factors { $0.recipe.copies }
    for (kind, factor) in factors(by: { GroupKind.all[$0.recipe.spaceGroup].number }) {
      fitted.kind[kind] = factor
    }
    for (group, factor) in factors(by: { $0.recipe.spaceGroup }, prior: groupPrior) {
      fitted.group[group] = factor
    }
    return fitted
  }
}

extension RecipeRecords: ByteCodable {
  /// Appends every draw and the factors.
  package func encode(to encoder: inout ByteEncoder) {
    encoder.encode(draws.map(\.recipe))
    encoder.encode(draws.map { $0.basin ?? -1 })
    encoder.encode(fittedDraws)
    let copies = factors.copies.keys.sorted()
    encoder.encode(copies)
    encoder.encode(copies.map { factors.copies[$0] ?? 1 })
    encoder.encode(factors.kind)
    encoder.encode(factors.group)
  }

  /// Reads every draw and the factors.
  package init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let recipes = try decoder.decode([RandomRecipe].self)
    let basins = try decoder.decode([Int].self)
    guard recipes.count == basins.count else { throw .invalid("\(basins.count) ends of recipes") }
    draws = zip(recipes, basins).map { Draw(recipe: $0, basin: $1 < 0 ? nil : $1) }
    fittedDraws = try decoder.decode()
    let copies = try decoder.decode([Int].self)
    let values = try decoder.decode([Double].self)
    factors.kind = try decoder.decode([Double].self)
    factors.group = try decoder.decode([Double].self)
    guard copies.count == values.count, Set(copies).count == copies.count,
      factors.kind.count == GroupKind.count, factors.group.count == 231
    else { throw .invalid("factors of recipes") }
    factors.copies = Dictionary(uniqueKeysWithValues: zip(copies, values))
  }
}

/// Space groups by the number of their Wyckoff positions.
struct GroupKind: Sendable {
  /// The number of the kind, from 0: those with the general position alone come first.
  let number: Int

  /// The largest number of positions of every kind but the last.
  private static let limits = [1, 3, 5, 8, 12]
  /// How many kinds there are.
  static let count = limits.count + 1

  /// How much likelier than the mean a group of this kind is to give good structures, before anything is
  /// known of a compound: rounded down from what random structures of TiO₂, MgAl₂O₄ and silicon gave.
  let usualFactor: Double
  private static let usualFactors = [3, 1.5, 1.5, 1.2, 1, 1]

  /// By the group's number; the first is not used.
  static let all: [GroupKind] = (0...230).map { group in
    let count = SpaceGroup(number: group).map { WyckoffTable($0).positions.count } ?? 1
    let number = limits.firstIndex { count <= $0 } ?? limits.count
    return GroupKind(number: number, usualFactor: usualFactors[number])
  }
}
