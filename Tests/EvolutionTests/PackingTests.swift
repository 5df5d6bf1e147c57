import Crystal
import Evolution
import NumericalCore
import Testing

@Suite("Packings")
struct PackingTests {
  /// Sheets of graphite at a distance, or the framework of a simple cube of an edge, in Å.
  private enum Crystal {
    case sheets(distance: Double)
    case cube(edge: Double)
  }

  private static let carbon = ChemicalElement(symbol: "C") ?? .unnamed(0)

  private static func settings(_ limit: Int?) throws -> PopulationSettings {
    var settings = PopulationSettings(size: 8, compositions: [try Composition([carbon], [2])])
    settings.antiseedHeight = 0
    settings.packings = limit
    return settings
  }

  private static func individual(
    _ id: Int, _ crystal: Crystal, enthalpy: Double, version: Int = 0
  ) throws -> Individual {
    let structure: Structure
    switch crystal {
    case .sheets(let distance):
      structure = try Structure(
        lattice: Lattice(
          Matrix3(
            rows: Vector3(2.466, 0, 0), Vector3(-1.233, 2.135619, 0), Vector3(0, 0, distance))),
        species: [carbon, carbon],
        fractionalPositions: [.zero, Vector3(1.0 / 3, 2.0 / 3, 0)])
    case .cube(let edge):
      structure = try Structure(
        lattice: Lattice(Matrix3(diagonal: Vector3(edge, edge, 2 * edge))),
        species: [carbon, carbon], fractionalPositions: [.zero, Vector3(0, 0, 0.5)])
    }
    return Individual(
      id: id, structure: structure, enthalpyPerAtom: enthalpy,
      fingerprint: StructureFingerprint(structure), kind: .random, potentialVersion: version)
  }

  private static func sheets(_ individuals: [Individual]) -> [Int] {
    individuals.filter { BondNetwork($0.structure).dimension == 2 }.map(\.id)
  }

  /// Twelve distances of sheets and four cubes, which lie higher.
  private static func filled(_ limit: Int?) throws -> Population {
    var population = Population(settings: try settings(limit))
    for id in 0..<12 {
      // The lowest are not the first.
      let enthalpy = -9 + 0.001 * Double((5 * id) % 12)
      _ = population.insert(
        try individual(id, .sheets(distance: 3 + 0.5 * Double(id)), enthalpy: enthalpy))
    }
    for id in 12..<16 {
      _ = population.insert(
        try individual(id, .cube(edge: 1.3 + 0.1 * Double(id - 12)), enthalpy: -8))
    }
    return population
  }

  @Test("Without a limit sheets are all that breeds; with one, the lowest of them and others")
  func limit() throws {
    let free = try Self.filled(nil)
    #expect(Self.sheets(free.members()).count == 8)
    for limit in 1...3 {
      let population = try Self.filled(limit)
      let lowest = Array([0, 5, 10].prefix(limit))
      #expect(Self.sheets(population.members()) == lowest)
      #expect(population.members().count == limit + 4)
      let best = population.best(limit + 4).map(\.representative)
      #expect(Self.sheets(best) == lowest && best.count == limit + 4)
      // More of them only when nothing else is left; the lowest first.
      let more = population.best(limit + 6).map(\.representative)
      #expect(more.count == limit + 6 && Self.sheets(more).count == limit + 2)
      #expect(more.map(\.enthalpyPerAtom) == more.map(\.enthalpyPerAtom).sorted())
      let others = population.best(limit + 4) { $0.id != 0 }.map(\.representative)
      #expect(Self.sheets(others) == Array([5, 10, 3].prefix(limit)))
    }
  }

  @Test("What is one too many with a newer potential goes")
  func refresh() throws {
    var population = try Self.filled(2)
    for individual in population.beginRefresh(version: 1) {
      // The cubes come apart into sheets.
      let crystal: Crystal =
        individual.id < 12
        ? .sheets(distance: 3 + 0.5 * Double(individual.id))
        : .sheets(distance: 10 * Double(individual.id - 11))
      _ = population.refresh(
        try Self.individual(
          individual.id, crystal, enthalpy: -9 - 0.001 * Double(individual.id), version: 1))
    }
    #expect(Self.sheets(population.members()) == [15, 14])
  }
}
