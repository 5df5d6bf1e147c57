import Crystal
import NumericalCore

extension Breeder {
  /// Atoms may lie this far in Å from where a parent's symmetry puts them.
  private static let symmetryTolerance = 0.1
  /// The share of mutations that keep all of the parent's symmetry; the others keep a part of it.
  private static let wholeGroupShare = 0.6
  /// Largest standard deviation of the strain components.
  private static let largestSymmetricStrain = 0.15
  /// How often a place is drawn for an orbit.
  private static let placesPerOrbit = 20

  /// Draws some orbits of a symmetric parent anew, within its space group or a part of it.
  ///
  /// The lattice is strained as the group allows; orbits of equal size may change their elements; the
  /// others stay. Since the child is symmetric, it relaxes in a space of few coordinates, in which good
  /// structures lie densely: what random symmetric structures win by, but near a good parent.
  mutating func symmetricMutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition),
      let structure = parent.structure(),
      let symmetry = symmetries.symmetry(of: structure, tolerance: Self.symmetryTolerance)
    else { return .rejected(.notApplicable) }
    var reason = RejectionReason.minimumDistances
    for _ in 0..<settings.attempts {
      var operations = symmetry.operations
      if operations.count > 2, random.uniform() > Self.wholeGroupShare {
        let generators = (0..<(1 + random.integer(below: 2))).map { _ in
          1 + random.integer(below: operations.count - 1)
        }
        operations = SymmetrySubgroup.generated(by: generators, in: operations)
          .map { symmetry.operations[$0] }
      }
      guard
        let orbits = SiteOrbits(structure, operations, tolerance: 2 * Self.symmetryTolerance)
      else { return .rejected(.notApplicable) }
      var child = parent
      guard let changes = child.mutate(orbits, settings, &random) else { continue }
      let outcome = child.finished(
        settings,
        "\(changes) of \(orbits.orbits.count) orbits of \(order.parents[0].id) drawn anew, "
          + (operations.count == symmetry.operations.count ? "" : "part of ")
          + "space group \(symmetry.spaceGroupNumber) kept")
      guard case .rejected(let why) = outcome else { return outcome }
      reason = why
    }
    return .rejected(reason)
  }

  /// Strain, as a factor of the identity, for the mutation.
  fileprivate static func strain(_ random: inout RandomStream) -> Matrix3 {
    let deviation = random.uniform(0, largestSymmetricStrain)
    let (xx, yy, zz) = (random.normal(), random.normal(), random.normal())
    let (xy, xz, yz) = (random.normal() / 2, random.normal() / 2, random.normal() / 2)
    return deviation * Matrix3(rows: Vector3(xx, xy, xz), Vector3(xy, yy, yz), Vector3(xz, yz, zz))
  }

  fileprivate static var placesForAnOrbit: Int { placesPerOrbit }
}

extension Draft {
  /// The draft as a structure, `nil` where a position is not finite.
  func structure() -> Structure? {
    try? Structure(
      lattice: lattice, species: species.map { composition.elements[$0] }, positions: positions)
  }

  /// Strains the lattice and draws orbits anew.
  ///
  /// - Returns: How many orbits were changed; `nil` where no place was found.
  fileprivate mutating func mutate(
    _ parent: SiteOrbits, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> Int? {
    var orbits = parent
    guard let strained = try? lattice.strained(by: Breeder.strain(&random)),
      let symmetric = orbits.symmetrized(strained),
      let scaled = try? symmetric.scaled(toVolume: lattice.volume)
    else { return nil }
    lattice = scaled
    var changed = Set<Int>()
    if let swapped = swapElements(orbits, &random) { changed.formUnion(swapped) }
    let movable = orbits.orbits.indices.filter(orbits.canMove)
    var drawn: [Int] = []
    if !movable.isEmpty {
      var rest = movable
      random.shuffle(&rest)
      // Few or many: 1 … n with a chance that falls as 1/k.
      let weights = (1...rest.count).map { 1 / Double($0) }
      drawn = Array(rest.prefix(1 + (random.index(weights: weights) ?? 0)))
      changed.formUnion(drawn)
    }
    let distances = DistanceGuard(
      lattice: lattice.niggliReduced(), elements: composition.elements,
      minimum: settings.minimumDistances)
    var placedPositions: [Vector3] = []
    var placedSpecies: [Int] = []
    func fits(_ orbit: Int, _ candidate: SiteOrbits) -> [Vector3]? {
      let element = species[candidate.orbits[orbit].members[0]]
      guard distances.allowsImages(of: element) else { return nil }
      let points = candidate.positions(of: orbit).map(lattice.cartesian)
      // All atoms of an orbit have the same surroundings: the first stands for them.
      for (other, kind) in zip(placedPositions, placedSpecies)
      where !distances.allows(other, kind, points[0], element) { return nil }
      for other in points.dropFirst()
      where !distances.allows(points[0], element, other, element) { return nil }
      return points
    }
    for orbit in orbits.orbits.indices where !drawn.contains(orbit) {
      guard let points = fits(orbit, orbits) else { return nil }
      placedPositions += points
      placedSpecies += points.map { _ in species[orbits.orbits[orbit].members[0]] }
    }
    for orbit in drawn {
      var isPlaced = false
      for _ in 0..<Breeder.placesForAnOrbit {
        var candidate = orbits
        let anywhere = random.fractionalPoint() - Vector3(0.5, 0.5, 0.5)
        candidate.move(orbit, by: candidate.allowed(2 * anywhere, of: orbit))
        guard let points = fits(orbit, candidate) else { continue }
        orbits = candidate
        placedPositions += points
        placedSpecies += points.map { _ in species[orbits.orbits[orbit].members[0]] }
        isPlaced = true
        break
      }
      guard isPlaced else { return nil }
    }
    for orbit in orbits.orbits.indices {
      for (atom, point) in zip(orbits.orbits[orbit].members, orbits.positions(of: orbit)) {
        positions[atom] = lattice.cartesian(point)
      }
    }
    return changed.isEmpty ? nil : changed.count
  }

  /// Lets two orbits of equal size and unlike elements change their elements, in a part of the calls.
  ///
  /// - Returns: The two orbits, `nil` where nothing was changed.
  private mutating func swapElements(
    _ orbits: SiteOrbits, _ random: inout RandomStream
  ) -> [Int]? {
    guard composition.elements.count > 1, random.uniform() < 0.3 else { return nil }
    var pairs: [[Int]] = []
    for (i, a) in orbits.orbits.enumerated() {
      for (j, b) in orbits.orbits.enumerated().prefix(i)
      where a.members.count == b.members.count && species[a.members[0]] != species[b.members[0]] {
        pairs.append([j, i])
      }
    }
    guard !pairs.isEmpty else { return nil }
    let pair = pairs[random.integer(below: pairs.count)]
    let (first, second) = (orbits.orbits[pair[0]].members, orbits.orbits[pair[1]].members)
    let (a, b) = (species[first[0]], species[second[0]])
    for atom in first { species[atom] = b }
    for atom in second { species[atom] = a }
    return pair
  }
}
