import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Population")
struct PopulationTests {
  /// Rattled rutile cells: every number is another basin, equal numbers are the same.
  static func individual(
    _ id: Int, basin: Int, enthalpy: Double, version: Int = 0, kind: VariationKind = .random
  ) throws -> Individual {
    let structure = TestStructures.rattled(try Prototypes.rutile(), by: 0.3, seed: UInt64(basin))
    return Individual(
      id: id, structure: structure, enthalpyPerAtom: enthalpy,
      fingerprint: StructureFingerprint(structure), kind: kind, potentialVersion: version)
  }

  static func settings(_ size: Int) throws -> PopulationSettings {
    var settings = PopulationSettings(
      size: size, compositions: [try Composition(formula: "TiO2").repeated(2)])
    settings.isAdaptive = true
    return settings
  }

  @Test("Members are ranked by fitness, worse ones are replaced or refused")
  func ranking() throws {
    var population = Population(settings: try Self.settings(4))
    for (id, enthalpy) in [-1.0, -3, -2, -4].enumerated() {
      let individual = try Self.individual(id, basin: id, enthalpy: enthalpy)
      let rank = [0, 0, 1, 0][id]
      let insertion = population.insert(individual)
      #expect(insertion == .added(rank: rank, evicted: nil))
    }
    #expect(population.members().map(\.id) == [3, 1, 2, 0])
    let refused = population.insert(try Self.individual(10, basin: 10, enthalpy: 5))
    #expect(refused == .tooHigh)
    let better = population.insert(try Self.individual(11, basin: 11, enthalpy: -3.5))
    #expect(better == .added(rank: 1, evicted: 0))
    #expect(population.members().map(\.id) == [3, 11, 1, 2])
    #expect(population.commitCount == 6)
    // Evicted and refused basins stay in the list of distinct structures.
    #expect(population.best(10).map(\.id) == [3, 11, 1, 2, 0, 10])
    #expect(population.best(2).map(\.id) == [3, 11])
  }

  @Test("A duplicate is counted, and the lower of the two stands for the basin")
  func duplicates() throws {
    var population = Population(settings: try Self.settings(4))
    _ = population.insert(try Self.individual(1, basin: 1, enthalpy: -1))
    _ = population.insert(try Self.individual(2, basin: 2, enthalpy: -2))
    let again = population.insert(try Self.individual(3, basin: 1, enthalpy: -1.002))
    #expect(again == .duplicate(of: 1))
    #expect(population.count == 2)
    #expect(population.index.basins.map(\.visits) == [2, 1])
    #expect(population.index.basins[0].representative.id == 3)
    #expect(population.index.basins[0].id == 1)
    // The same fingerprint at another energy is another structure: fingerprints are two-body only.
    let homometric = population.insert(try Self.individual(4, basin: 1, enthalpy: -1.5))
    #expect(homometric == .added(rank: 1, evicted: nil))
    // A supercell of a known basin is a duplicate although its cell holds more atoms.
    let large = try Self.individual(2, basin: 2, enthalpy: -2).structure.supercell(1, 1, 2)
    let doubled = population.insert(
      Individual(
        id: 6, structure: large, enthalpyPerAtom: -2, fingerprint: StructureFingerprint(large),
        kind: .heredity))
    #expect(doubled == .duplicate(of: 2))
  }

  @Test("The screened search for duplicates finds what a comparison with all basins finds")
  func screening() throws {
    var population = Population(settings: try Self.settings(8))
    let rutile = try Prototypes.rutile()
    // Small rattles: many pairs lie near the tolerance.
    let individuals = (0..<120).map { id in
      let structure = TestStructures.rattled(
        rutile, by: 0.03 * Double(id % 12), seed: UInt64(id / 3))
      return Individual(
        id: id, structure: structure, enthalpyPerAtom: 0,
        fingerprint: StructureFingerprint(structure), kind: .random)
    }
    var known: [Individual] = []
    var duplicates = 0
    let rule = population.settings.duplicates
    for individual in individuals {
      let twin = known.filter {
        rule.areDuplicates($0.identity, individual.identity, enthalpyDifference: 0)
      }.min {
        let (a, b) = (
          individual.fingerprint.distance(to: $0.fingerprint),
          individual.fingerprint.distance(to: $1.fingerprint)
        )
        return (a, $0.id) < (b, $1.id)
      }
      let insertion = population.insert(individual)
      if let twin {
        #expect(insertion == .duplicate(of: twin.id))
        duplicates += 1
      } else {
        known.append(individual)
        if case .duplicate = insertion { Issue.record("\(individual.id) is no duplicate") }
      }
    }
    #expect(duplicates > 20 && known.count > 20)
  }

  @Test("Antiseeds push a basin down that is found again and again, but not out of the best list")
  func antiseeds() throws {
    var settings = try Self.settings(6)
    settings.antiseedHeight = 0.5
    var population = Population(settings: settings)
    for id in 0..<6 {
      _ = population.insert(try Self.individual(id, basin: id, enthalpy: -1 - 0.1 * Double(id)))
    }
    #expect(population.members().first?.id == 5)
    for visit in 0..<30 {
      let found = population.insert(try Self.individual(100 + visit, basin: 5, enthalpy: -1.5))
      #expect(found == .duplicate(of: 5))
    }
    #expect(population.antiseeds.gaussianHeight > 0)
    #expect(population.members().last?.id == 5)
    #expect(population.members().last?.enthalpyPerAtom == -1.5)
    #expect(population.best(1).first?.id == 5)
    #expect(population.best(1).first?.visits == 31)
    // It may rank last, but as a survivor it is not the one that goes.
    let better = population.insert(try Self.individual(200, basin: 200, enthalpy: -1.45))
    if case .added(_, let evicted) = better { #expect(evicted != nil && evicted != 5) }
    #expect(population.members().contains { $0.id == 5 })
  }

  @Test("Operators whose children do well are used more, none falls below its floor")
  func adaptiveRatios() {
    let kinds = VariationKind.operators
    var ratios = OperatorRatios(kinds.map { _ in 1 }, window: 20 * kinds.count)
    for round in 0..<100 * kinds.count {
      let kind = kinds[round % kinds.count]
      ratios.record(kind, credit: kind == .softMutation ? 0.8 : (kind == .heredity ? 0.1 : 0))
      if round % 20 == 19 { ratios.adapt() }
    }
    #expect(ratios.ratios.reduce(0, +).isClose(to: 1, .roundoff))
    #expect(ratios.ratio(of: .softMutation) > 0.3)
    #expect(ratios.ratio(of: .heredity) < 0.2)
    // Floors lie at 0.1 and 0.4, but never above what an operator began with.
    #expect(ratios.ratio(of: .random) >= 1 / 14 - 1e-12)
    #expect(ratios.ratio(of: .guidedRandom) >= 1 / 14 - 1e-12)
    var three = OperatorRatios(
      VariationKind.ratios([.random: 0.2, .guidedRandom: 0.5, .heredity: 0.3]))
    for _ in 0..<100 {
      three.record(.heredity, credit: 1)
      three.record(.random, credit: 0)
      three.record(.guidedRandom, credit: 0)
      three.adapt()
    }
    #expect(three.ratio(of: .random).isClose(to: 0.1, relative: 0, absolute: 0.02))
    #expect(three.ratio(of: .guidedRandom).isClose(to: 0.4, relative: 0, absolute: 0.02))
    for kind in kinds { #expect(ratios.ratio(of: kind) >= 0.03 - 1e-12) }
    let two = VariationKind.ratios([.random: 0.5, .heredity: 0.5])
    var fixed = OperatorRatios(two, isAdaptive: false)
    fixed.record(.heredity, credit: 1)
    fixed.adapt()
    #expect(fixed.ratios == two)
    var switchedOff = OperatorRatios(two)
    switchedOff.record(.heredity, credit: 1)
    switchedOff.record(.random, credit: 0)
    switchedOff.adapt()
    #expect(switchedOff.ratio(of: .softMutation) == 0)
    #expect(switchedOff.ratio(of: .heredity) > 0.5)
  }

  @Test(
    "The first candidates are random or topological, then operators and parents follow the ranking")
  func orders() throws {
    var population = Population(settings: try Self.settings(10))
    var first: [VariationKind: Int] = [:]
    for slot in 0..<10 as Range<UInt64> {
      var stream = RandomStream(seed: 1, purpose: .selection, slot: slot)
      let order = population.orderNext(random: &stream)
      first[order.kind, default: 0] += 1
      #expect(order.targetVolumePerAtom == VolumeEstimate.fromRadii(order.composition))
    }
    #expect((first[.random] ?? 0) + (first[.topological] ?? 0) == 10 && first.count == 2)
    for id in 0..<10 {
      _ = population.insert(try Self.individual(id, basin: id, enthalpy: Double(id)))
    }
    var uses = Array(repeating: 0, count: 10)
    var kinds: [VariationKind: Int] = [:]
    for slot in 10..<2010 as Range<UInt64> {
      var stream = RandomStream(seed: 1, purpose: .selection, slot: slot)
      let order = population.orderNext(random: &stream)
      kinds[order.kind, default: 0] += 1
      #expect(order.parents.count == order.kind.parentCount)
      #expect(Set(order.parents.map(\.id)).count == order.parents.count)
      #expect(order.composition.atomCount == 6)
      for parent in order.parents { uses[parent.id] += 1 }
      if order.kind == .softMutation {
        let basin = try #require(
          population.index.basins.first { $0.id == order.parents[0].id })
        #expect(order.modeIndex == (basin.softMutations - 1) / 2)
        #expect(order.modeIsReversed == (basin.softMutations % 2 == 0))
      }
    }
    // Seven of ten may become parents, with linearly falling chances.
    #expect(uses[7...].allSatisfy { $0 == 0 })
    #expect(uses[0] > 2 * uses[5] && uses[6] > 0)
    // Of 2000, five standard deviations of the binomial distribution. TiO2 times 2 alone can neither
    // change nor double: the others share what is left.
    let never: [VariationKind] = [.supercell, .transmutation, .addRemove]
    let total = VariationKind.operators.filter { !never.contains($0) }
      .reduce(0) { $0 + $1.defaultRatio }
    for kind in VariationKind.operators {
      let share = never.contains(kind) ? 0 : kind.defaultRatio / total
      let deviation = (2000 * share * (1 - share)).squareRoot()
      #expect(abs(Double(kinds[kind] ?? 0) - 2000 * share) <= 5 * deviation, "\(kind)")
    }
    // The target volume follows the best of the population now.
    let volume = try Prototypes.rutile().volumePerAtom
    let target = try population.targetVolumePerAtom(for: Composition(formula: "TiO2").repeated(2))
    #expect(target.isClose(to: volume, .roundoff))
  }

  @Test("After a refit the view switches at once, when the last member has come back")
  func refresh() throws {
    var population = Population(settings: try Self.settings(4))
    for id in 0..<4 {
      _ = population.insert(try Self.individual(id, basin: id, enthalpy: Double(id)))
    }
    _ = population.insert(try Self.individual(4, basin: 4, enthalpy: 9))
    let asked = population.beginRefresh(version: 1)
    #expect(asked.map(\.id) == [0, 1, 2, 3, 4])
    // Children of the old version must be refreshed first, those of the new one wait.
    let old = population.insert(try Self.individual(5, basin: 5, enthalpy: -9))
    #expect(old == .outdated)
    let new = population.insert(try Self.individual(6, basin: 6, enthalpy: 2.5, version: 1))
    #expect(new == .waiting)
    let newEnthalpies = [3.0, 2, 1, 0, -5]
    for individual in asked.dropLast() {
      let hasSwitched = population.refresh(
        individual.refreshed(
          enthalpyPerAtom: newEnthalpies[individual.id], potentialVersion: 1))
      #expect(!hasSwitched)
      #expect(population.members().map(\.id) == [0, 1, 2, 3])
      #expect(population.potentialVersion == 0)
    }
    let hasSwitched = population.refresh(
      asked[4].refreshed(enthalpyPerAtom: -5, potentialVersion: 1))
    #expect(hasSwitched)
    #expect(population.potentialVersion == 1 && population.pendingVersion == nil)
    // The waiting child came in and evicted what is now the worst.
    #expect(population.members().map(\.id) == [3, 2, 1, 6])
    #expect(population.best(2).map(\.id) == [4, 3])
    #expect(population.members().allSatisfy { $0.potentialVersion == 1 })
  }

  @Test("A refresh drops what failed and merges what became one basin")
  func refreshMerges() throws {
    var population = Population(settings: try Self.settings(4))
    for id in 0..<4 {
      _ = population.insert(try Self.individual(id, basin: id, enthalpy: Double(id)))
    }
    let asked = population.beginRefresh(version: 1)
    _ = population.refreshFailed(id: 0)
    _ = population.refresh(asked[1].refreshed(enthalpyPerAtom: 1, potentialVersion: 1))
    let twin = asked[1].structure
    _ = population.refresh(
      asked[2].refreshed(
        enthalpyPerAtom: 1.001, potentialVersion: 1,
        structure: (twin, StructureFingerprint(twin), 1)))
    let hasSwitched = population.refresh(
      asked[3].refreshed(enthalpyPerAtom: 3, potentialVersion: 1))
    #expect(hasSwitched)
    #expect(population.members().map(\.id) == [1, 3])
    #expect(population.best(9).map(\.id) == [1, 3])
    #expect(population.index.basins[1].visits == 2)
    #expect(population.index.basins[0].isDiscarded && population.index.basins[2].isDiscarded)
  }

  @Test("The whole state survives its bytes and goes on alike")
  func bytes() throws {
    var population = Population(settings: try Self.settings(8))
    population.volumeRatio = 1.7
    for id in 0..<30 {
      var stream = RandomStream(seed: 3, purpose: .selection, slot: UInt64(id))
      _ = population.orderNext(random: &stream)
      _ = population.insert(
        try Self.individual(id, basin: id % 17, enthalpy: stream.normal(), kind: .heredity))
      if id % 5 == 0 { population.recordFailure(of: .permutation) }
    }
    let asked = population.beginRefresh(version: 1)
    _ = population.refresh(asked[0].refreshed(enthalpyPerAtom: 0.5, potentialVersion: 1))
    _ = population.refreshFailed(id: asked[1].id)
    _ = population.insert(try Self.individual(90, basin: 90, enthalpy: 0, version: 1))
    var copy = try Population(canonicalBytes: population.canonicalBytes)
    #expect(copy == population)
    for individual in asked.dropFirst(2) {
      let refreshed = individual.refreshed(enthalpyPerAtom: -1, potentialVersion: 1)
      _ = population.refresh(refreshed)
      _ = copy.refresh(refreshed)
    }
    #expect(copy == population && population.potentialVersion == 1)
    #expect(copy.canonicalBytes == population.canonicalBytes)
    #expect(throws: ByteCodingError.self) {
      try Population(canonicalBytes: population.canonicalBytes.dropLast())
    }
  }

  @Test("An individual that failed a refresh and came back is refreshed where it lives now")
  func comeback() throws {
    var population = Population(settings: try Self.settings(4))
    for id in 1...3 {
      _ = population.insert(try Self.individual(id, basin: id, enthalpy: Double(id)))
    }
    _ = population.beginRefresh(version: 1)
    for id in 2...3 {
      let individual = try Self.individual(id, basin: id, enthalpy: Double(id))
      _ = population.refresh(
        individual.refreshed(enthalpyPerAtom: Double(id), potentialVersion: 1))
    }
    let wasLast = population.refreshFailed(id: 1)
    #expect(wasLast)
    #expect(population.members().map(\.id) == [2, 3])
    let back = try Self.individual(1, basin: 1, enthalpy: 1)
      .refreshed(enthalpyPerAtom: 1.5, potentialVersion: 1)
    _ = population.insert(back)
    #expect(population.members().map(\.id) == [1, 2, 3])
    let asked = population.beginRefresh(version: 2)
    for individual in asked {
      _ = population.refresh(
        individual.refreshed(
          enthalpyPerAtom: individual.id == 1 ? 9 : individual.enthalpyPerAtom,
          potentialVersion: 2))
    }
    let first = try #require(population.members().first { $0.id == 1 })
    #expect(first.potentialVersion == 2 && first.enthalpyPerAtom == 9)
    #expect(population.members().last?.id == 1)
  }
}
