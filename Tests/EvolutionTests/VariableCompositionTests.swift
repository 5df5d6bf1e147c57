import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Variable composition")
struct VariableCompositionTests {
  static let symbols = ["Mg", "Al", "Cu", "Ti"]

  static func space(_ count: Int, _ atoms: ClosedRange<Int> = 1...8) throws -> CompositionSpace {
    .variable(elements: try symbols.prefix(count).map(ClassicalModels.element), atoms: atoms)
  }

  /// An individual with given atoms on a rattled bcc lattice; numbers tell basins apart.
  static func individual(
    _ id: Int, _ counts: [Int], enthalpy: Double, basin: Int? = nil, version: Int = 0
  ) throws -> Individual {
    let elements = try symbols.prefix(counts.count).map(ClassicalModels.element)
    let species = zip(elements, counts).flatMap { Array(repeating: $0, count: $1) }
    let cell = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(3, 3, 3 * Double(species.count)))),
      species: species,
      fractionalPositions: species.indices.map {
        Vector3(0, 0.5 * Double($0 % 2), Double($0) / Double(species.count))
      })
    let structure = TestStructures.rattled(cell, by: 0.3, seed: UInt64(basin ?? id))
    return Individual(
      id: id, structure: structure, enthalpyPerAtom: enthalpy,
      fingerprint: StructureFingerprint(structure), kind: .random, potentialVersion: version)
  }

  static func population(_ size: Int, _ space: CompositionSpace) -> Population {
    var settings = PopulationSettings(size: size, space: space)
    settings.antiseedHeight = 0
    return Population(settings: settings)
  }

  @Test("First come the pure elements, then cells spread evenly over the simplex", arguments: 2...4)
  func draws(elements: Int) throws {
    let space = try Self.space(elements)
    var random = RandomStream(seed: 3, purpose: .test)
    for number in 0..<2 * elements {
      let composition = space.drawn(number: number, &random)
      #expect(composition.elements == [space.elements[number % elements]])
    }
    var sums = Array(repeating: 0.0, count: elements)
    var atoms = 0.0
    var corner = 0.0
    let count = 20_000
    for _ in 0..<count {
      let composition = space.drawn(number: 1000, &random)
      #expect(space.canonical(composition) == composition)
      atoms += Double(composition.atomCount)
      for (place, element) in space.elements.enumerated() {
        let share =
          composition.elements.firstIndex(of: element).map { Double(composition.counts[$0]) } ?? 0
        sums[place] += share / Double(composition.atomCount)
        if place == 0, share > 0.5 * Double(composition.atomCount) { corner += 1 }
      }
    }
    for sum in sums {
      #expect((sum / Double(count)).isClose(to: 1 / Double(elements), relative: 0, absolute: 0.01))
    }
    // N with a chance ∝ N from 1 to 8: ⟨N⟩ = 204/36.
    #expect((atoms / Double(count)).isClose(to: 204.0 / 36, relative: 0, absolute: 0.05))
    // The part of a simplex with more than half of one element is 2^−(n−1) of it; rounding to whole
    // atoms moves the border.
    var volume = 1.0
    for _ in 1..<elements { volume /= 2 }
    #expect((corner / Double(count)).isClose(to: volume, relative: 0.25, absolute: 0))
  }

  @Test("Every order stays within elements and bounds; operators give every kind of new cell")
  func orders() throws {
    let space = try Self.space(3, 2...6)
    var settings = PopulationSettings(size: 8, space: space)
    settings.isAdaptive = false
    settings.operators = VariationKind.operators.map { _ in 1 }
    var population = Population(settings: settings)
    let cells = [
      [2, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 0], [2, 1, 0], [0, 2, 2], [1, 1, 1], [2, 2, 2],
    ]
    for (id, counts) in cells.enumerated() {
      _ = population.insert(
        try Self.individual(id, counts, enthalpy: -Double(counts.count { $0 > 0 })))
    }
    let known = population.members().map { $0.structure.composition() }
    var news: [VariationKind: Int] = [:]
    for slot in 0..<3000 as Range<UInt64> {
      var random = RandomStream(seed: 2, purpose: .selection, slot: slot)
      let order = population.orderNext(random: &random)
      #expect(space.canonical(order.composition) == order.composition, "slot \(slot)")
      let parents = order.parents.map { $0.structure.composition() }
      switch order.kind {
      case .transmutation:
        #expect(parents[0].atomCount == order.composition.atomCount)
        #expect(space.canonical(parents[0]) != order.composition)
      case .addRemove: #expect(parents[0].atomCount != order.composition.atomCount)
      case .supercell: #expect(2 * parents[0].atomCount == order.composition.atomCount)
      case .permutation, .strainSwap: #expect(parents[0].elements.count > 1)
      default: break
      }
      if !known.contains(where: { space.canonical($0) == order.composition }) {
        news[order.kind, default: 0] += 1
      }
    }
    for kind in [VariationKind.random, .heredity, .transmutation, .addRemove] {
      #expect(news[kind, default: 0] > 20, "\(kind)")
    }
  }

  @Test("Fitness is the distance above the hull of enthalpies, and a new phase changes all of them")
  func ranking() throws {
    var population = Self.population(6, try Self.space(2))
    let first: [(Int, [Int], Double)] = [
      (0, [2, 0], -1), (1, [0, 2], -3), (2, [1, 1], -2.5), (3, [3, 1], -1.9),
    ]
    for (id, counts, enthalpy) in first {
      _ = population.insert(try Self.individual(id, counts, enthalpy: enthalpy))
    }
    // Mg –1, Al –3, MgAl –2.5: half a volt below the line; Mg3Al at −1.9 lies below Mg + MgAl (−1.75).
    func heights() -> [Int: Double] {
      Dictionary(
        uniqueKeysWithValues: population.members().map {
          ($0.id, population.distanceAboveHull(of: $0) ?? .nan)
        })
    }
    #expect(heights().values.allSatisfy { abs($0) < 1e-12 })
    #expect(population.hull?.phases.map(\.id) == [1, 2, 3, 0])
    // A deep compound lifts its neighbors off the hull: at Mg3Al it lies at (−1 − 4)/2.
    let deep = population.insert(try Self.individual(4, [2, 2], enthalpy: -4))
    #expect(deep == .added(rank: 2, evicted: nil))
    let after = heights()
    #expect(population.hull?.phases.map(\.id) == [1, 4, 0])
    #expect(after[2]?.isClose(to: 1.5, .roundoff) == true)
    #expect(after[3]?.isClose(to: 0.6, .roundoff) == true)
    #expect(population.members().map(\.id) == [0, 1, 4, 3, 2])
    #expect(population.best(9).map(\.id) == [0, 1, 4, 3, 2])
    // A high enthalpy near the hull is fitter than a low one far above it.
    _ = population.insert(try Self.individual(5, [2, 0], enthalpy: -0.9))
    #expect(population.members().map(\.id) == [0, 1, 4, 5, 3, 2])
    let evicted = population.insert(try Self.individual(6, [0, 3], enthalpy: -2.5))
    #expect(evicted == .added(rank: 4, evicted: 2))
    let copy = try Population(canonicalBytes: population.canonicalBytes)
    #expect(copy == population)
  }

  @Test("Equal fingerprints of different ratios are different basins")
  func duplicates() throws {
    var population = Self.population(6, try Self.space(2))
    _ = population.insert(try Self.individual(1, [2, 0], enthalpy: -1, basin: 1))
    let other = population.insert(try Self.individual(2, [0, 2], enthalpy: -1, basin: 1))
    #expect(other == .added(rank: 1, evicted: nil))
    let same = population.insert(try Self.individual(3, [2, 0], enthalpy: -1.001, basin: 1))
    #expect(same == .duplicate(of: 1))
    // The lower one stands for the phase now.
    #expect(population.hull?.phases.map(\.id) == [2, 3])
  }

  @Test("A list of cells with several ratios is ranked by its hull too, without pure elements")
  func listed() throws {
    let (mg, al) = (try ClassicalModels.element("Mg"), try ClassicalModels.element("Al"))
    let space = CompositionSpace.listed(
      try [Composition([mg, al], [1, 2]), Composition([mg, al], [2, 1])])
    var population = Self.population(4, space)
    _ = population.insert(try Self.individual(1, [1, 2], enthalpy: -9))
    _ = population.insert(try Self.individual(2, [2, 1], enthalpy: -1))
    _ = population.insert(try Self.individual(3, [1, 2], enthalpy: -8))
    #expect(population.members().map(\.id) == [1, 2, 3])
    #expect(population.hull?.energyPerAtom(at: [1, 1])?.isClose(to: -5, .roundoff) == true)
    #expect(population.hull?.energyPerAtom(at: [1, 0]) == nil)
    // Several sizes of one ratio have no hull.
    let one = Self.population(
      4, .listed(try [Composition([mg, al], [1, 2]), Composition([mg, al], [2, 4])]))
    #expect(one.hull == nil)
  }

  @Test("After a refit the hull is that of the new version alone")
  func refresh() throws {
    var population = Self.population(4, try Self.space(2))
    for (id, counts, enthalpy) in [
      (0, [2, 0], -1.0), (1, [0, 2], -1), (2, [1, 1], -2), (3, [1, 2], -1),
    ] {
      _ = population.insert(try Self.individual(id, counts, enthalpy: enthalpy))
    }
    #expect(population.hull?.phases.map(\.id) == [1, 2, 0])
    let asked = population.beginRefresh(version: 1)
    #expect(asked.map(\.id) == [0, 1, 2, 3])
    for individual in asked {
      // The compound was overestimated.
      _ = population.refresh(
        individual.refreshed(
          enthalpyPerAtom: individual.id == 2 ? -0.9 : individual.id == 3 ? -1.5 : -1,
          potentialVersion: 1))
    }
    #expect(population.hull?.phases.map(\.id) == [1, 3, 0])
    #expect(population.members().map(\.id) == [0, 1, 3, 2])
    let again = try Population(canonicalBytes: population.canonicalBytes)
    #expect(again == population)
  }

  @Test("The hull that grows by commits is the hull of all that was committed")
  func growth() throws {
    let space = try Self.space(3, 1...4)
    var population = Self.population(20, space)
    var random = RandomStream(seed: 8, purpose: .test)
    var all = ConvexHull(elementCount: 3)
    for id in 0..<400 {
      let composition = space.drawn(number: id, &random)
      let counts = space.elements.map { element in
        composition.elements.firstIndex(of: element).map { composition.counts[$0] } ?? 0
      }
      let enthalpy = random.normal()
      _ = population.insert(try Self.individual(id, counts, enthalpy: enthalpy))
      all.add(ConvexHull.Phase(id: id, counts: counts, energyPerAtom: enthalpy))
    }
    #expect(population.hull == all)
    let members = population.members()
    let heights = members.map { population.distanceAboveHull(of: $0) ?? .nan }
    #expect(zip(heights, heights.dropFirst()).allSatisfy { $0 <= $1 + 0.5 })
    #expect(heights.allSatisfy { $0 > -1e-9 })
    #expect(Set(members.map { $0.structure.composition() }).count > 8)
  }
}
