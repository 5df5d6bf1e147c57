import Crystal
import NumericalCore

/// Operators that change what a cell holds.
extension Breeder {
  /// How often a random place is tried for an added atom.
  private static let placeTries = 60
  /// Of so many allowed places the one with most room is taken.
  private static let comparedPlaces = 4

  /// Turns some atoms into other elements, adds some or takes some away, whatever the order's
  /// composition asks for; the volume follows the atoms' tabulated sizes.
  func compositionChange(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    let parent = order.parents[0]
    let sameSize = parent.structure.atomCount == order.composition.atomCount
    guard parent.structure.periodicity == .full, sameSize == (order.kind == .transmutation),
      !order.composition.hasCounts(of: parent.structure.composition())
    else { return .rejected(.notApplicable) }
    return retried(settings) {
      guard let (draft, change) = changed(parent, order.composition, settings, &random) else {
        return .rejected(.minimumDistances)
      }
      var child = draft
      guard child.separate(settings, rounds: 20) else { return .rejected(.minimumDistances) }
      return child.finished(settings, "\(change) of \(parent.id)")
    }
  }

  private func changed(
    _ parent: Parent, _ composition: Composition, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> (draft: Draft, change: String)? {
    let structure = parent.structure
    let old = structure.composition()
    let room = VolumeEstimate.total(composition) / VolumeEstimate.total(old)
    guard let lattice = try? structure.lattice.scaled(toVolume: room * structure.volume) else {
      return nil
    }
    var missing = composition.elements.map { composition.count(of: $0) - old.count(of: $0) }
    var places = structure.species.map { composition.elements.firstIndex(of: $0) }
    var surplus: [Int] = []
    for element in old.elements {
      let extra = old.count(of: element) - composition.count(of: element)
      guard extra > 0 else { continue }
      var atoms = structure.species.indices.filter { structure.species[$0] == element }
      random.shuffle(&atoms)
      surplus += atoms.prefix(extra)
    }
    random.shuffle(&surplus)
    let turned = min(surplus.count, missing.reduce(0) { $0 + max(0, $1) })
    for (number, atom) in surplus.enumerated() {
      guard number < turned,
        let new = random.index(weights: missing.map { Double(max(0, $0)) })
      else {
        places[atom] = nil
        continue
      }
      places[atom] = new
      missing[new] -= 1
    }
    let kept = places.indices.filter { places[$0] != nil }
    let fractional = structure.fractionalPositions()
    var child = Draft(
      lattice: lattice.niggliReduced(), composition: composition,
      species: kept.compactMap { places[$0] },
      positions: kept.map { lattice.cartesian(fractional[$0]) })
    let added = missing.map { max(0, $0) }
    guard add(added, to: &child, settings, &random) else { return nil }
    var parts: [String] = []
    if turned > 0 { parts.append("\(turned) atoms transmuted") }
    if surplus.count > turned { parts.append("\(surplus.count - turned) atoms removed") }
    let addedCount = added.reduce(0, +)
    if addedCount > 0 { parts.append("\(addedCount) atoms added") }
    return (child, parts.joined(separator: ", "))
  }

  /// Puts new atoms where there is room.
  private func add(
    _ missing: [Int], to child: inout Draft, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> Bool {
    let distances = child.distances(settings)
    for (species, count) in missing.enumerated() {
      for _ in 0..<count {
        guard distances.allowsImages(of: species) else { return false }
        var best: (place: Vector3, room: Double)?
        var found = 0
        for _ in 0..<Self.placeTries where found < Self.comparedPlaces {
          let place = child.lattice.cartesian(random.fractionalPoint())
          let room = distances.room(at: place, species, among: child.positions, child.species)
          guard room >= 1 else { continue }
          found += 1
          if room > best?.room ?? 0 { best = (place, room) }
        }
        guard let best else { return false }
        child.species.append(species)
        child.positions.append(best.place)
      }
    }
    return true
  }
}
