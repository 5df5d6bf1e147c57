import Crystal
import Foundation
import NumericalCore

/// Random structures with a given space group, made by placing atoms on Wyckoff positions.
///
/// The composition counts atoms of the primitive cell; positions are drawn in the conventional cell
/// and the structure is written in the primitive one. The tables of a group and the ways in which it
/// can hold a composition are derived once and kept; what is kept never changes what is drawn.
struct SymmetricGenerator {
  private var tables: [Int: WyckoffTable] = [:]
  private var choices: [ChoiceKey: OrbitChoice?] = [:]

  private struct ChoiceKey: Hashable {
    let group: Int
    let counts: [Int]
  }

  /// The retry ladder: coordinates, then positions, then lattice, then (by the caller) group.
  private enum Ladder {
    static let pointsPerOrbit = 12
    static let coordinateTries = 3
    static let positionTries = 4
    static let latticeTries = 4
    static let groups = 60
    static let groupsPerVolume = 15
    static let volumeGrowth = 1.1
  }

  /// The positions of a group.
  mutating func table(of group: Int) -> WyckoffTable {
    if let known = tables[group] { return known }
    guard let spaceGroup = SpaceGroup(number: group) else {
      preconditionFailure("space groups run from 1 to 230")
    }
    let derived = WyckoffTable(spaceGroup)
    tables[group] = derived
    return derived
  }

  /// Whether a group can hold the counts in its primitive cell.
  mutating func canHold(_ counts: [Int], in group: Int) -> Bool {
    choice(counts, group) != nil
  }

  private mutating func choice(_ counts: [Int], _ group: Int) -> OrbitChoice? {
    let key = ChoiceKey(group: group, counts: counts)
    if let known = choices[key] { return known }
    let found = OrbitChoice(counts: counts, in: table(of: group))
    choices[key] = .some(found)
    return found
  }

  /// Makes a structure of a random group among those allowed, in bounded work.
  mutating func structure(
    of composition: Composition, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> BreedingOutcome {
    var groups = settings.spaceGroups
    var tried = 0
    var volume =
      volumePerAtom * random.uniform(1 - settings.volumeSpread, 1 + settings.volumeSpread)
    while !groups.isEmpty, tried < Ladder.groups {
      let pick = random.integer(below: groups.count)
      let group = groups[pick]
      guard canHold(composition.counts, in: group) else {
        groups.swapAt(pick, groups.count - 1)
        groups.removeLast()
        continue
      }
      if let made = structure(
        of: composition, group: group, volumePerAtom: volume, settings, &random)
      {
        return .offspring(made, description: "random structure, space group \(group)")
      }
      tried += 1
      if tried % Ladder.groupsPerVolume == 0 { volume *= Ladder.volumeGrowth }
    }
    return .rejected(tried == 0 ? .noFeasibleSpaceGroup : .minimumDistances)
  }

  /// Makes a structure of one group.
  ///
  /// - Returns: `nil` where the ladder's tries are used up or the group cannot hold the composition.
  mutating func structure(
    of composition: Composition, group: Int, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> Structure? {
    guard let choice = choice(composition.counts, group) else { return nil }
    let table = table(of: group)
    let basis = table.primitiveBasis()
    let atomCount = Double(composition.atomCount)
    let volume = volumePerAtom * atomCount * Double(table.cellsPerConventionalCell)
    for _ in 0..<Ladder.latticeTries {
      guard
        let conventional = RandomLattice.lattice(group: group, volume: volume, &random),
        // A flat cell is one more failed try.
        let primitive = try? Lattice(basis * conventional.vectors).niggliReduced(),
        CellShape.violation(of: primitive, settings) == nil
      else { continue }
      let distances = DistanceGuard(
        lattice: primitive, elements: composition.elements, minimum: settings.minimumDistances)
      guard composition.elements.indices.allSatisfy(distances.allowsImages) else { continue }
      var placement = Placement(
        table: table, conventional: conventional.vectors, distances: distances)
      for _ in 0..<Ladder.positionTries {
        let orbits = choice.draw(&random).enumerated().sorted {
          let (m, n) = (
            table.positions[$0.element.position].multiplicity,
            table.positions[$1.element.position].multiplicity
          )
          return (-m, $0.offset) < (-n, $1.offset)
        }.map(\.element)
        let hasFreedom = orbits.contains { table.positions[$0.position].dimension > 0 }
        for _ in 0..<(hasFreedom ? Ladder.coordinateTries : 1) {
          placement.clear()
          let isPlaced = orbits.allSatisfy { orbit in
            let tries = table.positions[orbit.position].dimension > 0 ? Ladder.pointsPerOrbit : 1
            for _ in 0..<tries {
              if placement.place(orbit.element, on: orbit.position, &random) { return true }
            }
            return false
          }
          guard isPlaced,
            let structure = placement.structure(composition.elements, in: primitive),
            !CellShape.hasVacuum(structure, thickerThan: settings.largestGap)
          else { continue }
          return structure
        }
      }
    }
    return nil
  }
}

/// Atoms being placed orbit by orbit.
private struct Placement {
  let table: WyckoffTable
  let conventional: Matrix3
  let distances: DistanceGuard
  private var positions: [Vector3] = []
  private var species: [Int] = []
  private var orbit: [Vector3] = []

  init(table: WyckoffTable, conventional: Matrix3, distances: DistanceGuard) {
    self.table = table
    self.conventional = conventional
    self.distances = distances
  }

  mutating func clear() {
    positions.removeAll(keepingCapacity: true)
    species.removeAll(keepingCapacity: true)
  }

  /// Places an orbit at a random point of a position, unless atoms come too close.
  ///
  /// What is there
  /// already has the full symmetry, so one atom of the new orbit stands for all of them.
  mutating func place(_ element: Int, on index: Int, _ random: inout RandomStream) -> Bool {
    let position = table.positions[index]
    var point = position.origin
    for direction in position.directions { point += random.uniform() * direction }
    let first = point * conventional
    for (other, otherSpecies) in zip(positions, species) {
      guard distances.allows(other, otherSpecies, first, element) else { return false }
    }
    orbit.removeAll(keepingCapacity: true)
    for operation in position.images {
      let image = table.image(operation, of: point) * conventional
      if !orbit.isEmpty {
        guard distances.allows(first, element, image, element) else { return false }
      }
      orbit.append(image)
    }
    positions += orbit
    for _ in orbit { species.append(element) }
    return true
  }

  func structure(_ elements: [ChemicalElement], in lattice: Lattice) -> Structure? {
    let order = species.indices.sorted { (species[$0], $0) < (species[$1], $1) }
    // Positions are finite and their number matches: only then could this fail.
    return try? Structure(
      lattice: lattice, species: order.map { elements[species[$0]] },
      positions: order.map { positions[$0] })
  }
}

/// Random lattices of the conventional cell of a space group.
enum RandomLattice {
  /// Largest ratio of two free lengths is e² ≈ 7; the rules on reduced cells cut further.
  private static let logarithmicSpread = 1.0

  /// Draws a lattice of the group's crystal system.
  ///
  /// - Returns: `nil` where the drawn angles make no cell.
  static func lattice(
    group: Int, volume: Double, _ random: inout RandomStream
  ) -> Lattice? {
    func length(_ random: inout RandomStream) -> Double {
      exp(random.uniform(-logarithmicSpread, logarithmicSpread) * 0.5)
    }
    func angle(_ random: inout RandomStream) -> Double {
      .pi / 2 + random.uniform(-.pi / 6, .pi / 6)
    }
    let right = Double.pi / 2
    var lengths = Vector3(1, 1, 1)
    var angles = Vector3(right, right, right)
    switch group {
    case ...2:
      lengths = Vector3(length(&random), length(&random), length(&random))
      angles = Vector3(angle(&random), angle(&random), angle(&random))
    case ...15:
      lengths = Vector3(length(&random), length(&random), length(&random))
      angles.y = angle(&random)
    case ...74:
      lengths = Vector3(length(&random), length(&random), length(&random))
    case ...142:
      lengths.z = exp(random.uniform(-logarithmicSpread, logarithmicSpread))
    case ...194:
      lengths.z = exp(random.uniform(-logarithmicSpread, logarithmicSpread))
      angles.z = 2 * .pi / 3
    default: break
    }
    // Angles that make no cell are one more failed try.
    return try? Lattice(lengths: lengths, angles: angles).scaled(toVolume: volume)
  }
}
