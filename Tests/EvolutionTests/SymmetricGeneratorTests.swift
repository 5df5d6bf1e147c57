import Crystal
import Evolution
import NumericalCore
import Testing

@Suite("Random symmetric structures")
struct SymmetricGeneratorTests {
  @Test("Every group gives structures with at least its symmetry", arguments: 1...230)
  func requestedGroup(group: Int) throws {
    let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    var breeder = Breeder()
    let formula = try Composition(formula: "TiO2")
    var fitting: [Composition] = []
    for units in [1, 2, 3, 4, 6, 8, 12, 16, 24, 48] where fitting.count < 2 {
      let composition = formula.repeated(units)
      if breeder.canHold(composition, group: group) { fitting.append(composition) }
    }
    let spaceGroup = try #require(SpaceGroup(number: group))
    let order = spaceGroup.operations.count / spaceGroup.centeringCount
    var made = 0
    for composition in fitting {
      for seed in 0..<2 as Range<UInt64> {
        var stream = RandomStream(seed: seed, purpose: .test, slot: UInt64(group))
        guard
          let structure = breeder.randomStructure(
            group: group, composition: composition, volumePerAtom: 14, settings: settings,
            random: &stream)
        else { continue }
        made += 1
        #expect(structure.species == composition.species)
        #expect(settings.minimumDistances.firstViolation(in: structure) == nil)
        let symmetry = try structure.symmetry(tolerance: 1e-4)
        // The points drawn may be special for a supergroup, which has more operations, some of them
        // perhaps translations.
        let found = symmetry.operations.count
        let label: Comment = "group \(group), \(composition.formula), seed \(seed)"
        #expect(found >= order && found % order == 0, label)
        if found == order { #expect(symmetry.spaceGroupNumber == group, label) }
      }
    }
    #expect(made > 0, "group \(group) never succeeded with \(fitting.map(\.formula))")
  }

  @Test(
    "All feasible groups hold 28 atoms at the usual volume, distances kept",
    arguments: ["Mg4Al8O16", "Mg8Si4O16"])
  func feasibleGroups(formula: String) throws {
    let composition = try Composition(formula: formula)
    let settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    var breeder = Breeder()
    let groups = breeder.feasibleGroups(for: composition)
    #expect(groups.count == 210)
    var failures = 0
    for group in groups {
      for seed in 0..<5 as Range<UInt64> {
        var stream = RandomStream(seed: seed, purpose: .test, slot: UInt64(group))
        guard
          let structure = breeder.randomStructure(
            group: group, composition: composition,
            volumePerAtom: VolumeEstimate.fromRadii(composition), settings: settings,
            random: &stream)
        else {
          failures += 1
          continue
        }
        #expect(structure.species == composition.species, "group \(group), seed \(seed)")
        #expect(structure.positions.allSatisfy { $0.isFinite }, "group \(group), seed \(seed)")
        let violation = settings.minimumDistances.firstViolation(in: structure)
        #expect(violation == nil, "group \(group), seed \(seed)")
      }
    }
    #expect(failures <= groups.count * 5 / 100, "\(failures) failures")
  }

  @Test("A search draws hard groups as often as easy ones")
  func evenDraw() throws {
    let composition = try Composition(formula: "Mg4Al8O16")
    var settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    settings.subcellShare = 0
    // Two groups with few ways to place these atoms, and two with many.
    settings.spaceGroups = [167, 217, 1, 62]
    var breeder = Breeder()
    let order = BreedingOrder(
      kind: .random, composition: composition,
      targetVolumePerAtom: VolumeEstimate.fromRadii(composition))
    var drawn: [String: Int] = [:]
    let draws = 400
    for seed in 0..<UInt64(draws) {
      var stream = RandomStream(seed: seed, purpose: .test)
      let outcome = breeder.breed(order, settings: settings, random: &stream)
      guard case .offspring(_, let description, _) = outcome else { continue }
      drawn[description, default: 0] += 1
    }
    #expect(drawn.count == 4 && drawn.values.reduce(0, +) == draws, "\(drawn)")
    // Quarters; five standard deviations are 43, failed tries of the hard ones take a few more.
    #expect(drawn.values.allSatisfy { (50...150).contains($0) }, "\(drawn)")
  }

  @Test("Infeasible groups are known at once and skipped")
  func infeasible() throws {
    var settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: []), spaceGroups: [19, 212])
    var breeder = Breeder()
    let three = try Composition(formula: "TiO2")
    // P2₁2₁2₁ has only the general position of multiplicity 4.
    let cases = [
      (three, 19, false), (three.repeated(4), 19, true),
      // Two Ti and four O fit fixed positions of Pn-3m (those of cuprite).
      (three, 224, false), (three.repeated(2), 224, true),
    ]
    for (composition, group, expected) in cases {
      let found = breeder.canHold(composition, group: group)
      #expect(found == expected, "\(composition.formula) in \(group)")
    }
    var stream = RandomStream(seed: 1, purpose: .test)
    let order = BreedingOrder(kind: .random, composition: three, targetVolumePerAtom: 10)
    let refused = breeder.breed(order, settings: settings, random: &stream)
    #expect(refused == .rejected(.noFeasibleSpaceGroup))
    settings.spaceGroups = [19, 136]
    let six = BreedingOrder(
      kind: .random, composition: three.repeated(2), targetVolumePerAtom: 12)
    for seed in 0..<50 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .test)
      let outcome = breeder.breed(six, settings: settings, random: &stream)
      guard case .offspring(_, let description, _) = outcome else { continue }
      #expect(description.hasSuffix("136"))
    }
  }

  @Test("Nearly every order for 6, 12 or 48 atoms succeeds", arguments: [2, 4, 16])
  func success(units: Int) throws {
    let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    var breeder = Breeder()
    let composition = try Composition(formula: "TiO2").repeated(units)
    let order = BreedingOrder(kind: .random, composition: composition, targetVolumePerAtom: 10.5)
    let count = 300
    var successes = 0
    for seed in 0..<UInt64(count) {
      var stream = RandomStream(seed: seed, purpose: .test)
      if breeder.breed(order, settings: settings, random: &stream).structure != nil {
        successes += 1
      }
    }
    #expect(successes >= count * 99 / 100)
  }
}

@Suite("Subcells")
struct SubcellTests {
  @Test(
    "Large cells of subcells keep composition and distances, and repeat where no atom is missing",
    arguments: ["Ti16O32", "Mg4Al8O16", "Na7Cl31", "Si53", "Y6Al10O24", "Ti31O63"])
  func subcells(formula: String) throws {
    let composition = try Composition(formula: formula)
    var settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    settings.subcellShare = 1
    var breeder = Breeder()
    let order = BreedingOrder(
      kind: .random, composition: composition,
      targetVolumePerAtom: VolumeEstimate.fromRadii(composition))
    let seeds = 60
    var made = 0
    var divided = 0
    for seed in 0..<UInt64(seeds) {
      var stream = RandomStream(seed: seed, purpose: .test)
      guard
        case .offspring(let structure, let description, _) = breeder.breed(
          order, settings: settings, random: &stream)
      else { continue }
      made += 1
      #expect(structure.species == composition.species, "seed \(seed)")
      #expect(structure.positions.allSatisfy { $0.isFinite }, "seed \(seed)")
      #expect(settings.minimumDistances.firstViolation(in: structure) == nil, "seed \(seed)")
      guard description.contains("subcells") else { continue }
      divided += 1
      if !description.contains("vacancies") {
        let primitive = try structure.primitive(tolerance: 1e-4)
        #expect(primitive.atomCount * 2 <= structure.atomCount, "seed \(seed): \(description)")
      }
    }
    #expect(made >= seeds * 98 / 100, "\(made)")
    #expect(divided >= seeds * 3 / 4, "\(divided)")
  }

  @Test("Small cells are never cut, large ones as often as asked for")
  func share() throws {
    let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    var breeder = Breeder()
    for (units, expected) in [(4, 0...0), (12, 20...70)] {
      let composition = try Composition(formula: "TiO2").repeated(units)
      let order = BreedingOrder(
        kind: .random, composition: composition, targetVolumePerAtom: 10.5)
      let divided = (0..<150 as Range<UInt64>).count { seed in
        var stream = RandomStream(seed: seed, purpose: .test)
        let outcome = breeder.breed(order, settings: settings, random: &stream)
        guard case .offspring(_, let description, _) = outcome else { return false }
        return description.contains("subcells")
      }
      #expect(expected.contains(divided), "\(units): \(divided)")
    }
  }
}

@Suite("Choices of Wyckoff positions")
struct OrbitChoiceTests {
  private static func table(_ group: Int) throws -> WyckoffTable {
    WyckoffTable(try #require(SpaceGroup(number: group)))
  }

  private static func choice(_ counts: [Int], _ table: WyckoffTable) -> OrbitChoice? {
    OrbitChoice(counts: counts, in: table, free: FreePositions(table, upTo: counts.max() ?? 0))
  }

  /// All ways to realise the counts up to a number, by brute force; each as pairs of element and position.
  private static func ways(
    _ counts: [Int], _ table: WyckoffTable, upTo largest: Int = .max
  ) -> [[[Int]]] {
    var found: [[[Int]]] = []
    func extend(_ element: Int, _ position: Int, _ left: Int, _ way: [[Int]]) {
      guard found.count < largest else { return }
      if left == 0 {
        if element + 1 == counts.count {
          found.append(way)
        } else {
          extend(element + 1, 0, counts[element + 1], way)
        }
        return
      }
      for index in position..<table.positions.count {
        let place = table.positions[index]
        let isFixed = place.dimension == 0
        guard place.multiplicity <= left, !(isFixed && way.contains { $0[1] == index }) else {
          continue
        }
        extend(
          element, isFixed ? index + 1 : index, left - place.multiplicity, way + [[element, index]])
      }
    }
    extend(0, 0, counts[0], [])
    return found
  }

  @Test(
    "Every way is drawn as often as its orbits say",
    arguments: [(136, [2, 4]), (2, [1, 2]), (225, [1, 2, 6]), (62, [4, 4]), (123, [1, 1, 2])])
  func frequencies(group: Int, counts: [Int]) throws {
    let table = try Self.table(group)
    guard let choice = Self.choice(counts, table) else {
      Issue.record("group \(group) cannot hold \(counts)")
      return
    }
    let ways = Self.ways(counts, table)
    #expect(ways.count > 3)
    var drawn: [[[Int]]: Int] = [:]
    var random = RandomStream(seed: 3, purpose: .test)
    let draws = 20_000
    for _ in 0..<draws {
      let way = choice.draw(&random).map { [$0.element, $0.position] }
        .sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
      drawn[way, default: 0] += 1
    }
    #expect(drawn.keys.allSatisfy(ways.contains))
    func weight(_ way: [[Int]]) -> Double {
      way.reduce(1) { $0 * OrbitChoice.weight(of: $1[1], in: table) }
    }
    let total = ways.reduce(0.0) { $0 + weight($1) }
    for way in ways {
      let expected = Double(draws) * weight(way) / total
      let found = Double(drawn[way] ?? 0)
      #expect(abs(found - expected) < 5 * expected.squareRoot() + 5, "\(way)")
    }
  }

  @Test("A group is feasible just where brute force finds a way", arguments: 1...230)
  func feasibility(group: Int) throws {
    let table = try Self.table(group)
    var random = RandomStream(seed: 5, purpose: .test, slot: UInt64(group))
    for _ in 0..<12 {
      let counts = (0..<1 + random.integer(below: 3)).map { _ in 1 + random.integer(below: 7) }
      let isFeasible = !Self.ways(counts, table, upTo: 1).isEmpty
      let isFound = Self.choice(counts, table) != nil
      #expect(isFound == isFeasible, "group \(group), \(counts)")
    }
  }

  @Test("Compositions of up to eight elements and 200 atoms are decided and drawn in every group")
  func largeCompositions() throws {
    var random = RandomStream(seed: 9, purpose: .test)
    for group in 1...230 {
      let table = try Self.table(group)
      for total in [9, 60, 200] {
        let elements = 1 + random.integer(below: 8)
        var counts = Array(repeating: 1, count: elements)
        for _ in elements..<total { counts[random.integer(below: elements)] += 1 }
        guard let choice = Self.choice(counts, table) else { continue }
        for _ in 0..<3 {
          var found = Array(repeating: 0, count: elements)
          var fixed: [Int] = []
          for (element, position) in choice.draw(&random) {
            found[element] += table.positions[position].multiplicity
            if table.positions[position].dimension == 0 { fixed.append(position) }
          }
          #expect(found == counts, "group \(group)")
          #expect(Set(fixed).count == fixed.count, "group \(group)")
        }
      }
    }
  }
}
