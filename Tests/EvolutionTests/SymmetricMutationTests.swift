import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Mutations that keep symmetry")
struct SymmetricMutationTests {
  private static let composition = try? Composition(formula: "MgAl2O4").repeated(2)

  /// Random symmetric structures of many groups.
  private static func parents() throws -> [Structure] {
    let composition = try #require(composition)
    var breeder = Breeder()
    return [2, 11, 12, 14, 15, 62, 63, 64, 74, 129, 136, 141, 166, 194, 225, 227].compactMap {
      group in
      var random = RandomStream(seed: UInt64(group), purpose: .test)
      return breeder.randomStructure(
        group: group, composition: composition, volumePerAtom: 10,
        settings: OperatorTests.settings(),
        random: &random)
    }
  }

  @Test("Orbits hold every atom once, and the operations make them from their first atom")
  func orbits() throws {
    for structure in try Self.parents() {
      let symmetry = try structure.symmetry(tolerance: 0.01)
      let orbits = try #require(SiteOrbits(structure, symmetry.operations, tolerance: 0.1))
      let members = orbits.orbits.flatMap(\.members)
      #expect(members.sorted() == Array(0..<structure.atomCount))
      let fractional = structure.fractionalPositions()
      for (index, orbit) in orbits.orbits.enumerated() {
        // Orbit and stabilizer: their sizes make the group's order.
        #expect(orbit.members.count * orbit.stabilizer.count == symmetry.operations.count)
        for (atom, point) in zip(orbit.members, orbits.positions(of: index)) {
          let difference = (point - fractional[atom]).map { $0 - $0.rounded() }
          #expect((difference * structure.lattice.vectors).length < 1e-4)
          #expect(structure.species[atom] == structure.species[orbit.members[0]])
        }
      }
      let lattice = try #require(orbits.symmetrized(structure.lattice))
      for (a, b) in [
        (lattice.lengths, structure.lattice.lengths), (lattice.angles, structure.lattice.angles),
      ] {
        #expect((a - b).length < 1e-4)
      }
    }
  }

  @Test("Generated subgroups are closed and their order divides the group's")
  func subgroups() throws {
    var random = RandomStream(seed: 3, purpose: .test)
    for structure in try Self.parents() {
      let operations = try structure.symmetry(tolerance: 0.01).operations
      for _ in 0..<20 {
        let generators = (0..<2).map { _ in random.integer(below: operations.count) }
        let members = SymmetrySubgroup.generated(by: generators, in: operations)
        #expect(operations.count % members.count == 0)
        #expect(members.first == 0 && generators.allSatisfy(members.contains))
        #expect(SymmetrySubgroup.generated(by: members, in: operations) == members)
      }
    }
  }

  @Test("Children keep the whole group, or say that they keep a part of it")
  func symmetry() throws {
    let composition = try #require(Self.composition)
    let settings = OperatorTests.settings()
    var breeder = Breeder()
    var (whole, parts, moved) = (0, 0, 0)
    for (number, parent) in try Self.parents().enumerated() {
      let group = try parent.primitive(tolerance: 0.01).symmetry(tolerance: 0.01)
      for seed in 0..<40 {
        var random = RandomStream(seed: UInt64(1000 * number + seed), purpose: .breeding)
        let order = BreedingOrder(
          kind: .symmetricMutation, composition: composition,
          parents: [Parent(id: 7, structure: parent)], targetVolumePerAtom: 10)
        guard
          case .offspring(let child, let description, _) = breeder.breed(
            order, settings: settings, random: &random)
        else { continue }
        #expect(child.composition() == parent.composition())
        #expect(settings.minimumDistances.firstViolation(in: child) == nil)
        #expect(abs(child.volumePerAtom / parent.volumePerAtom - 1) < 1e-6)
        let found = try child.primitive(tolerance: 0.01).symmetry(tolerance: 0.01)
        if description.contains("part of") {
          parts += 1
        } else {
          whole += 1
          #expect(found.operations.count >= group.operations.count, "\(description)")
        }
        if child != parent { moved += 1 }
      }
    }
    #expect(whole > 200 && parts > 80 && moved == whole + parts, "\(whole) \(parts) \(moved)")
  }
}
