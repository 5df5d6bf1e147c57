import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Duplicates")
struct DuplicateTests {
  private static let settings = StructureFingerprint.Settings(volumePerAtom: 12)

  private func individual(_ id: Int, _ structure: Structure, _ enthalpy: Double = -1) -> Individual
  {
    Individual(
      id: id, structure: structure, enthalpyPerAtom: enthalpy,
      fingerprint: StructureFingerprint(structure, settings: Self.settings), kind: .random)
  }

  /// As another relaxation might leave it: strained by up to 1 %, displaced by 0.02 Å.
  private func residue(_ structure: Structure, _ random: inout RandomStream) throws -> Structure {
    func part(_ random: inout RandomStream) -> Double { random.uniform(-0.005, 0.005) }
    let (xy, xz, yz) = (part(&random), part(&random), part(&random))
    let strain = Matrix3(
      rows: Vector3(part(&random), xy, xz), Vector3(xy, part(&random), yz),
      Vector3(xz, yz, part(&random)))
    let strained = try structure.strained(by: strain)
    return strained.replacing(
      positions: strained.positions.map { $0 + 0.02 * random.unitVector() })
  }

  @Test(
    "Random symmetric structures are found again after a residual strain, their swaps are new",
    arguments: ["Si8", "Ti2O4", "Mg4Al8O16", "Mg8Si4O16", "LiAlCl4"])
  func index(formula: String) throws {
    let composition = try Composition(formula: formula)
    var breeder = Breeder()
    let settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    var index = Population(settings: PopulationSettings(size: 20, compositions: [composition]))
    var found = 0
    for number in 0..<60 as Range<UInt64> {
      var random = RandomStream(seed: 61, purpose: .test, slot: number)
      let order = BreedingOrder(
        kind: .random, composition: composition,
        targetVolumePerAtom: VolumeEstimate.fromRadii(composition))
      guard let structure = breeder.breed(order, settings: settings, random: &random).structure
      else { continue }
      let id = 10 * Int(number)
      // Enthalpies tell nothing apart here.
      if case .duplicate = index.insert(individual(id, structure)) { continue }
      found += 1
      let again = index.insert(individual(id + 1, try residue(structure, &random)))
      #expect(again == .duplicate(of: id), "number \(number)")
      let doubled = try residue(structure.supercell(1, 2, 1), &random).reduced()
      let large = index.insert(individual(id + 2, doubled))
      #expect(large == .duplicate(of: id), "number \(number)")
    }
    #expect(found > 20)
  }

  @Test("Forsterite, spinel and rutile are not their neighbors by one swap")
  func swaps() throws {
    for prototype in [
      try Prototypes.forsterite(), try Prototypes.ringwoodite(), try Prototypes.rutile(),
    ] {
      let one = individual(0, prototype)
      for i in prototype.species.indices {
        for j in 0..<i where prototype.species[i] != prototype.species[j] {
          var species = prototype.species
          species.swapAt(i, j)
          let swapped = individual(
            1,
            try Structure(
              lattice: prototype.lattice, species: species, positions: prototype.positions))
          #expect(
            !DuplicateRule().areDuplicates(
              one.identity, swapped.identity, enthalpyDifference: nil), "\(i) and \(j)")
        }
      }
    }
  }

  @Test("The index survives its bytes and goes on as before")
  func bytes() throws {
    let rutile = try Prototypes.rutile()
    var population = Population(
      settings: PopulationSettings(size: 8, compositions: [try Composition(formula: "Ti2O4")]))
    for id in 0..<40 {
      _ = population.insert(
        individual(
          id, TestStructures.rattled(rutile, by: 0.3, seed: UInt64(id % 30)), Double(id % 30)))
    }
    var copy = try Population(canonicalBytes: population.canonicalBytes)
    #expect(copy == population)
    let next = individual(50, TestStructures.rattled(rutile, by: 0.3, seed: 3), 3)
    #expect(copy.insert(next) == .duplicate(of: 3))
    #expect(population.insert(next) == .duplicate(of: 3))
    #expect(copy == population)
  }
}
