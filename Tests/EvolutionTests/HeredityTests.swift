import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Heredity")
struct HeredityTests {
  private let settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))

  private func child(
    _ parents: [Parent], _ composition: Composition, seed: UInt64
  ) -> Structure? {
    var breeder = Breeder()
    var random = RandomStream(seed: seed, purpose: .breeding)
    let order = BreedingOrder(
      kind: .heredity, composition: composition, parents: parents, targetVolumePerAtom: 14)
    return breeder.breed(order, settings: settings, random: &random).structure
  }

  /// How many pairs of atoms lie at one distance, each atom's neighbors counted.
  private func pairs(_ structure: Structure, at distance: Double) -> Int {
    let list = NeighborList(structure, cutoff: distance + 0.1)
    return list.displacements.count { abs($0.length - distance) < 1e-6 }
  }

  @Test(
    "Slabs and repairs prefer the better atoms of a parent, by site energy and by order",
    arguments: [true, false])
  func bias(byEnergy: Bool) throws {
    // A simple cubic crystal whose upper half is rattled; the other parent is rattled everywhere.
    let edge = 2.9
    let copper = try ClassicalModels.element("Cu")
    let cube = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(edge, edge, edge))), species: [copper],
      positions: [.zero])
    let perfect = cube.supercell(4, 4, 4)
    let rattled = TestStructures.rattled(perfect, by: 0.3, seed: 1)
    let isGood = perfect.positions.map { $0.z < 1.9 * edge }
    let half = perfect.replacing(
      positions: perfect.positions.indices.map {
        isGood[$0] ? perfect.positions[$0] : rattled.positions[$0]
      })
    let measure: AtomMeasure =
      byEnergy ? .siteEnergies(isGood.map { $0 ? -4 : -3 }) : .order(isGood.map { $0 ? 2 : 1 })
    let composition = half.composition()
    func found(_ measure: AtomMeasure) -> Int {
      (0..<60).reduce(0) { sum, seed in
        let parents = [
          Parent(id: 1, structure: half, measure: measure),
          Parent(id: 2, structure: TestStructures.rattled(perfect, by: 0.3, seed: 2)),
        ]
        return sum
          + (child(parents, composition, seed: UInt64(seed)).map { pairs($0, at: edge) } ?? 0)
      }
    }
    let (biased, blind) = (found(measure), found(.none))
    #expect(blind > 500, "\(blind)")
    #expect(Double(biased) > 1.2 * Double(blind), "\(biased) with, \(blind) without")
  }

  @Test("Site energies of different elements do not decide which slab is taken")
  func elementsApart() throws {
    // Ti at −40 eV and O at −10 eV: only deviations from an element's mean may count. Equal energies
    // within each element must then give what no energies at all would, shift by shift.
    let anatase = try Prototypes.anatase()
    let titanium = try ClassicalModels.element("Ti")
    let other = Parent(id: 2, structure: try Prototypes.alphaLeadDioxideType())
    let composition = try Composition(formula: "TiO2").repeated(4)
    func made(_ shift: Double, _ seed: UInt64) -> Structure? {
      let energies = anatase.species.map { $0 == titanium ? -40 + shift : -10 }
      return child(
        [Parent(id: 1, structure: anatase, measure: .siteEnergies(energies)), other], composition,
        seed: seed)
    }
    for seed in 0..<40 as Range<UInt64> {
      #expect(made(0, seed) == made(30, seed), "seed \(seed)")
    }
  }

  @Test("Parents with other numbers of formula units give children of either size")
  func otherSizes() throws {
    let edge = 2.9
    let copper = try ClassicalModels.element("Cu")
    let cube = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(edge, edge, edge))), species: [copper],
      positions: [.zero])
    let parents = [(1, 1, 1), (2, 2, 2), (4, 4, 4)].enumerated().map { id, times in
      Parent(id: id, structure: cube.supercell(times.0, times.1, times.2))
    }
    let unit = try Composition(formula: "Cu")
    for (a, b) in [(0, 1), (1, 0), (0, 2), (2, 0), (2, 1)] {
      for units in [1, 8, 64] {
        var made = 0
        var kept = 0
        for seed in 0..<20 as Range<UInt64> {
          guard let child = child([parents[a], parents[b]], unit.repeated(units), seed: seed) else {
            continue
          }
          made += 1
          #expect(child.species == unit.repeated(units).species)
          kept += pairs(child, at: edge)
        }
        #expect(made >= 18, "\(a), \(b) to \(units): \(made)")
        // Cells are repeated along their axes, or a part is cut out: blown up or squeezed, no distance
        // would survive. Of six neighbors of an atom a third keeps its place away from the seams.
        if units == 64 { #expect(kept > 2 * 64 * made, "\(a), \(b): \(kept)") }
      }
    }
  }

  @Test("Large cells are cut into several slabs")
  func severalSlabs() throws {
    // Bcc iron whose atoms are all displaced by what depends on the parent: an atom's neighbors tell
    // whose it is. More slabs make more seams, and fewer atoms with all neighbors of one parent.
    let cell = try Prototypes.caesiumChloride("Fe", "Fe", a: 2.9)
    let large = cell.supercell(3, 3, 6)
    let parents = [
      Parent(id: 1, structure: large),
      Parent(id: 2, structure: TestStructures.rattled(large, by: 0.3, seed: 5)),
    ]
    func intact(_ atomsPerSlabPair: Int) -> Int {
      var several = settings
      several.atomsPerSlabPair = atomsPerSlabPair
      var breeder = Breeder()
      var sum = 0
      for seed in 0..<60 as Range<UInt64> {
        var random = RandomStream(seed: seed, purpose: .breeding)
        let order = BreedingOrder(
          kind: .heredity, composition: large.composition(), parents: parents,
          targetVolumePerAtom: 12)
        guard
          let child = breeder.breed(order, settings: several, random: &random).structure
        else { continue }
        sum += pairs(child, at: 2.9 * 3.0.squareRoot() / 2)
      }
      return sum
    }
    let (one, many) = (intact(1000), intact(20))
    #expect(one > 1000 && Double(many) < 0.9 * Double(one), "\(one) with one slab, \(many)")
  }

  @Test("Parents of different ratios give children between them, on the parents' sites")
  func alloys() throws {
    let elements = try ["Mg", "Al"].map(ClassicalModels.element)
    let cell = try Prototypes.caesiumChloride("Mg", "Al", a: 3.2).supercell(3, 3, 3)
    let parents = try elements.enumerated().map { id, element in
      Parent(
        id: id,
        structure: try Structure(
          lattice: cell.lattice, species: cell.species.map { _ in element },
          positions: cell.positions))
    }
    let distance = 3.2 * 3.0.squareRoot() / 2
    var (onSites, made) = (0, 0)
    for counts in [[18, 36], [27, 27], [36, 18]] {
      let composition = try Composition(elements, counts)
      for seed in 0..<15 as Range<UInt64> {
        let child = try #require(self.child(parents, composition, seed: seed))
        #expect(child.species == composition.species)
        made += 1
        onSites += pairs(child, at: distance)
      }
    }
    // Of eight neighbors of each of 54 atoms; random places would have none.
    #expect(onSites > 20 * made, "\(onSites)")
  }
}
