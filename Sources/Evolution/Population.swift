import Crystal
import NumericalCore

/// What became of an individual that was offered to the population.
public enum Insertion: Sendable, Hashable {
  /// It is a member now, at this rank (0 is the best) and in the place of another, if one had to go.
  case added(rank: Int, evicted: Int?)
  /// It lies in the basin that this individual found first.
  case duplicate(of: Int)
  /// It is a new basin, but every member that may go is fitter.
  case tooHigh
  /// A newer potential exists: it must be refreshed and offered again. Nothing was counted.
  case outdated
  /// It waits until the population's view switches to its version.
  case waiting
}

/// The population of a steady-state search: a pure value, changed only by commits in slot order.
///
/// Members are distinct basins of a `DuplicateIndex`, ranked by enthalpy plus antiseeds; where cells may
/// have several ratios, by the distance above the convex hull plus antiseeds. All enthalpies
/// in a ranking come from one version of the potential: after a refit, `beginRefresh` names the
/// individuals to be treated again, and the view switches at once when the last has come back.
public struct Population: Sendable, Hashable {
  /// The campaign's settings.
  public let settings: PopulationSettings
  /// All basins visited so far.
  public internal(set) var index: DuplicateIndex
  /// The antiseeds.
  public internal(set) var antiseeds: AntiseedRecords
  /// The operators' ratios.
  public internal(set) var operators: OperatorRatios
  /// The version of the potential that all members' enthalpies come from.
  public internal(set) var potentialVersion: Int
  /// The version that the members are being refreshed to.
  public internal(set) var pendingVersion: Int?
  /// How many children were committed, whatever became of them.
  public internal(set) var commitCount: Int
  /// How many orders were given.
  public internal(set) var orderCount: Int

  /// The volume at which random structures start, over the estimate from covalent radii, until there are
  /// members to tell; within `volumeRatios`.
  public var volumeRatio = 1.0 {
    didSet {
      volumeRatio = min(
        max(volumeRatio, Self.volumeRatios.lowerBound), Self.volumeRatios.upperBound)
    }
  }
  /// What structures from labels may say.
  static let volumeRatios = 0.1...10.0

  /// What came of random structures.
  var recipes = RecipeRecords()
  /// What enthalpies are measured from.
  var reference: EnthalpyReference
  /// Basins that breed, best first.
  var ranking: [Member] = []
  /// Basins that are not replaced by fitter ones, as of the last boundary.
  var survivors: [Int] = []
  var awaited: [Int] = []
  var staged: [Individual] = []
  var failed: [Int] = []
  var waiting: [Individual] = []

  struct Member: Sendable, Hashable {
    let basin: Int
    /// Enthalpy plus antiseeds in eV per atom.
    var fitness: Double
    /// The distances from all antiseeds.
    var distances: [Double]
    /// Their sum here, in units of their height.
    var density: Double
  }

  /// Creates an empty population.
  ///
  /// - Parameters:
  ///   - settings: The campaign's settings.
  ///   - potentialVersion: The version of the first potential.
  public init(settings: PopulationSettings, potentialVersion: Int = 0) {
    self.settings = settings
    reference = EnthalpyReference(settings.space)
    antiseeds = AntiseedRecords(height: settings.antiseedHeight, width: settings.antiseedWidth)
    index = DuplicateIndex(rule: settings.duplicates)
    operators = OperatorRatios(
      settings.operators, isAdaptive: settings.isAdaptive, window: max(100, 2 * settings.size))
    self.potentialVersion = potentialVersion
    commitCount = 0
    orderCount = 0
  }

  /// How many individuals breed now.
  public var count: Int { ranking.count }

  /// The members, best fitness first.
  ///
  /// - Complexity: O(N)
  public func members() -> [Individual] {
    ranking.map { index.basins[$0.basin].representative }
  }

  /// The members' fitness (enthalpy plus antiseeds, eV per atom) in the order of `members()`.
  ///
  /// - Complexity: O(N)
  public func fitnesses() -> [Double] { ranking.map(\.fitness) }

  /// The best distinct structures found so far, by enthalpy or distance above the hull, whether they
  /// still breed or not; where packings are limited, more of a kind only if nothing else is left.
  ///
  /// - Parameters:
  ///   - count: The most structures.
  ///   - isWanted: Which of them count, by their representatives.
  /// - Returns: The best first.
  /// - Complexity: O(n log n) in the number of basins, and a list of bonds for each that is looked at where packings
  ///   are limited.
  public func best(
    _ count: Int, where isWanted: (Individual) -> Bool = { _ in true }
  ) -> [Basin] {
    bestIndices(count, where: isWanted).map { index.basins[$0] }
  }

  func bestIndices(
    _ count: Int, where isWanted: (Individual) -> Bool = { _ in true }
  ) -> [Int] {
    let all = index.bestIndices(.max, version: potentialVersion) { reference.height(of: $0) }
    return withinPackings(all, count: count) { isWanted(index.basins[$0].representative) }
  }

  /// The convex hull of the enthalpies found so far, phases named by their individuals' numbers; `nil`
  /// where all cells have one ratio of elements.
  public var hull: ConvexHull? { reference.hull }

  /// How far an individual lies above the convex hull, in eV per atom; `nil` where all cells have one
  /// ratio of elements.
  public func distanceAboveHull(of individual: Individual) -> Double? {
    hull == nil ? nil : reference.height(of: individual)
  }

  /// A basin's enthalpy above the reference, in eV per atom.
  func height(of basin: Int) -> Double { reference.height(of: index.basins[basin].representative) }

  /// The volume per atom in Å³ that random structures of a composition start from: the median of the
  /// best, or the first estimate while there are few.
  public func targetVolumePerAtom(for composition: Composition) -> Double {
    let wanted = max(1, Int((settings.volumeFraction * Double(ranking.count)).rounded()))
    let lowest = byHeight().prefix(wanted)
    let hasOneRatio = hull == nil
    // Where ratios vary, volumes are compared in units of what the radii say.
    let volumes = lowest.map { basin in
      let individual = index.basins[basin].representative
      let unit = hasOneRatio ? 1 : VolumeEstimate.fromRadii(individual.composition)
      return individual.structure.volumePerAtom / unit
    }
    // Limited packings may never become so many.
    let isKnown =
      ranking.count >= min(8, settings.size)
      || settings.packings != nil && commitCount >= settings.size
    if isKnown, let median = VolumeEstimate.median(volumes) {
      return hasOneRatio ? median : median * VolumeEstimate.fromRadii(composition)
    }
    return settings.initialVolumePerAtom
      ?? volumeRatio * VolumeEstimate.fromRadii(composition)
  }

  /// The members' basins, the lowest first.
  func byHeight() -> [Int] {
    ranking.map { (basin: $0.basin, height: height(of: $0.basin)) }
      .sorted { ($0.height, $0.basin) < ($1.height, $1.basin) }.map(\.basin)
  }

  /// The population's diversity, the collective quasi-entropy −⟨(1 − D) ln(1 − D)⟩ over all pairs.
  ///
  /// Oganov & Valle, J. Chem. Phys. 130, 104504 (2009).
  ///
  /// - Complexity: O(N²) fingerprint distances.
  public func quasiEntropy() -> Double {
    let members = members()
    var sum = 0.0
    var pairs = 0
    for (position, a) in members.enumerated() {
      for b in members.prefix(position) where a.isComparable(to: b) {
        let similarity = 1 - a.fingerprint.distance(to: b.fingerprint)
        if similarity > 0 { sum -= similarity * logarithm(similarity) }
        pairs += 1
      }
    }
    return pairs > 0 ? sum / Double(pairs) : 0
  }
}

extension Population {
  /// Commits a relaxed child or seed.
  ///
  /// - Returns: What became of it. Nothing is counted for `outdated`; a `waiting` individual is counted
  ///   when the view switches.
  /// - Complexity: O(basins) fingerprint distances.
  public mutating func insert(_ individual: Individual) -> Insertion {
    let newest = pendingVersion ?? potentialVersion
    guard individual.potentialVersion >= newest else { return .outdated }
    if pendingVersion != nil {
      waiting.append(individual)
      return .waiting
    }
    precondition(
      individual.potentialVersion == potentialVersion, "beginRefresh comes before a new version")
    return admit(individual)
  }

  /// Commits a child that came to nothing: rejected at breeding, exploded, collapsed or unreliable.
  ///
  /// - Parameters:
  ///   - kind: The child's operator.
  ///   - recipe: How it was made, where that is known.
  public mutating func recordFailure(of kind: VariationKind, recipe: RandomRecipe? = nil) {
    if let recipe { recipes.record(recipe, basin: nil) }
    recordCredit(0, of: kind)
    countCommit()
  }

  /// What an operator earns by a child: 1 for a new best, falling linearly with the rank to 1/N for the
  /// last place, 0 for a duplicate and one too high; `nil` where that is not decided yet.
  public func credit(of insertion: Insertion) -> Double? {
    switch insertion {
    case .added(let rank, _): 1 - Double(rank) / Double(settings.size)
    case .duplicate, .tooHigh: 0
    case .outdated, .waiting: nil
    }
  }

  // The first children fill an empty population: every one of them enters, which earns nothing.
  private mutating func recordCredit(_ credit: Double, of kind: VariationKind) {
    if commitCount >= settings.size { operators.record(kind, credit: credit) }
  }

  mutating func admit(_ individual: Individual) -> Insertion {
    let visit = index.visit(individual)
    if let recipe = individual.recipe { recipes.record(recipe, basin: visit.index) }
    // A lower hull changes the order of members.
    if reference.add(index.basins[visit.index].representative, index) { rank() }
    let insertion: Insertion
    switch visit {
    case .new(let basin):
      insertion = enter(basin, countVisit(to: basin, isNew: true))
    case .known(let basin, let hasImproved):
      _ = countVisit(to: basin, isNew: false)
      let place = ranking.firstIndex { $0.basin == basin }
      if hasImproved, let place { ranking[place] = member(basin) }
      rank()
      // It may pack something else now.
      if hasImproved { limitPackings() }
      if hasImproved && place == nil { _ = enter(basin, distances(of: basin)) }
      insertion = .duplicate(of: index.basins[basin].id)
    }
    recordCredit(credit(of: insertion) ?? 0, of: individual.kind)
    countCommit()
    return insertion
  }

  /// Takes a basin into the ranking, if there is room or a less fit member that may go.
  private mutating func enter(_ basin: Int, _ distances: [Double]) -> Insertion {
    let member = member(basin, distances)
    var evicted: Int?
    let rivals = rivals(of: basin)
    guard rivals.allSatisfy({ ranking[$0].fitness > member.fitness }) else { return .tooHigh }
    if let worst = rivals.last {
      evicted = index.basins[ranking[worst].basin].representative.id
      for place in rivals.reversed() { ranking.remove(at: place) }
    } else if ranking.count >= settings.size {
      guard let worst = ranking.lastIndex(where: { !survivors.contains($0.basin) }),
        ranking[worst].fitness > member.fitness
      else { return .tooHigh }
      evicted = index.basins[ranking[worst].basin].representative.id
      ranking.remove(at: worst)
    }
    ranking.append(member)
    rank()
    let place = ranking.firstIndex { $0.basin == basin } ?? 0
    return .added(rank: place, evicted: evicted)
  }

  /// The places of the members that a basin must beat to enter, and that go when it does.
  private func rivals(of basin: Int) -> [Int] {
    let niche = niche(of: basin)
    guard let kin = fullPackings(of: basin), let last = kin.last,
      !niche.contains(where: kin.contains)
    else { return niche }
    return (niche + [last]).sorted()
  }

  /// The places of the members that share a niche with a basin.
  private func niche(of basin: Int) -> [Int] {
    guard settings.nicheRadius > 0 else { return [] }
    return ranking.indices.filter {
      ranking[$0].basin != basin && distance(ranking[$0].basin, basin) < settings.nicheRadius
    }
  }

  /// A basin as a member, with its antiseeds.
  func member(_ basin: Int) -> Member { member(basin, distances(of: basin)) }

  private func distances(of basin: Int) -> [Double] {
    antiseeds.distances(from: index.basins[basin].representative.identity)
  }

  private func member(_ basin: Int, _ distances: [Double]) -> Member {
    let density = antiseeds.density(at: distances)
    return Member(
      basin: basin, fitness: height(of: basin) + antiseeds.gaussianHeight * density,
      distances: distances, density: density)
  }

  /// Lets the antiseed of a basin grow, at all members.
  ///
  /// - Returns: A new basin's distances from all antiseeds.
  private mutating func countVisit(to basin: Int, isNew: Bool) -> [Double] {
    let identity = index.basins[basin].representative.identity
    var distances = isNew ? antiseeds.distances(from: identity) : []
    guard let grown = antiseeds.countVisit(to: basin, identity, distances: &distances) else {
      return []
    }
    for place in ranking.indices {
      if grown.isNew {
        let own = index.basins[ranking[place].basin].representative.identity
        ranking[place].distances.append(antiseeds.distance(from: grown.center, to: own))
      }
      ranking[place].density += antiseeds.weight(ranking[place].distances[grown.center])
    }
    return distances
  }

  /// Sorts the members by fitness, ties by the order of discovery.
  mutating func rank() {
    for place in ranking.indices {
      let height = height(of: ranking[place].basin)
      ranking[place].fitness = height + antiseeds.gaussianHeight * ranking[place].density
    }
    ranking.sort { ($0.fitness, $0.basin) < ($1.fitness, $1.basin) }
  }

  private mutating func countCommit() {
    commitCount += 1
    if commitCount % settings.size == 0 { reachBoundary() }
  }

  /// What changes at fixed commit boundaries only: ratios, antiseeds, survivors.
  mutating func reachBoundary() {
    operators.adapt()
    rescaleAntiseeds()
    rank()
    chooseSurvivors()
  }
}
