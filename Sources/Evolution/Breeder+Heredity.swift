import Crystal
import NumericalCore

/// One atom offered to a heredity child.
private struct Offer {
  /// Its place in the child's composition; `nil` for an element that the child does not hold.
  let species: Int?
  let fractional: Vector3
  let quality: Double
}

extension Breeder {
  /// Joins a slab [x, x + h] of one parent to the complement of the other.
  ///
  /// Fractional coordinates are kept, in the lattice w L₁ + (1 − w) L₂: Glass, Oganov & Hansen, Comput.
  /// Phys. Commun. 175, 713 (2006); Lyakhov, Oganov & Valle, ibid. 181, 1623 (2010).
  func heredity(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    let elements = order.composition.elements
    guard order.parents.allSatisfy({ $0.structure.periodicity == .full }) else {
      return .rejected(.notApplicable)
    }
    let wholes = order.parents.map { CutParent($0, elements) }
    let atoms = Double(order.composition.atomCount)
    // Places of surplus atoms serve for missing ones where the child has another ratio.
    let mayTransmute = !order.parents.allSatisfy {
      order.composition.hasRatio(of: $0.structure.composition())
    }
    let periods = max(1, Int((atoms / Double(settings.atomsPerSlabPair)).rounded(.down)))
    var reason = RejectionReason.minimumDistances
    for _ in 0..<settings.attempts {
      let first = wholes[0].fitted(to: order.composition.atomCount, &random)
      var axes = [0, 1, 2]
      random.shuffle(&axes)
      let turned = wholes[1].fitted(to: order.composition.atomCount, &random).withAxes(axes)
      let axis = random.integer(below: 3)
      let share = random.uniform(0.25, 0.75)
      let slabs = random.integer(below: periods) + 1
      let a = first.cut(
        axis: axis, share: share, periods: slabs, keepsSlab: true, bias: settings.siteEnergyBias,
        &random)
      let b = turned.cut(
        axis: axis, share: share, periods: slabs, keepsSlab: false, bias: settings.siteEnergyBias,
        &random)
      let kept = (a.isKept.count { $0 }, b.isKept.count { $0 })
      let smallest = settings.smallestParentShare * Double(kept.0 + kept.1)
      guard Double(kept.0) >= smallest, Double(kept.1) >= smallest, kept.0 > 0, kept.1 > 0 else {
        continue
      }
      let mixed =
        share * CellShape.standardOrientation(first.vectors) + (1 - share)
        * CellShape.standardOrientation(turned.vectors)
      let volume =
        (share * first.volumePerAtom + (1 - share) * turned.volumePerAtom)
        * Double(order.composition.atomCount)
      guard let lattice = try? Lattice(mixed).scaled(toVolume: volume) else {
        reason = .cellShape
        continue
      }
      let offers = offers(first, a) + self.offers(turned, b)
      var draft = Draft(
        lattice: lattice, composition: order.composition, species: [], positions: [])
      guard draft.fill(from: offers, mayTransmute: mayTransmute, settings, &random) else {
        reason = .minimumDistances
        continue
      }
      let axisName = ["a", "b", "c"][axis]
      let percent = Int((100 * share).rounded())
      let outcome = draft.finished(
        settings,
        "heredity, \(percent) % of \(first.id) along \(axisName), rest of \(turned.id)")
      guard case .rejected(let why) = outcome else { return outcome }
      reason = why
    }
    return .rejected(reason)
  }

  private func offers(
    _ parent: CutParent, _ cut: (fractional: [Vector3], isKept: [Bool])
  ) -> [(offer: Offer, isKept: Bool)] {
    parent.species.indices.map { index in
      let offer = Offer(
        species: parent.species[index], fractional: cut.fractional[index],
        quality: parent.qualities?[index] ?? 0)
      return (offer, cut.isKept[index])
    }
  }
}

extension Draft {
  /// How often a random place is tried for a missing atom.
  private static let placeTries = 60
  /// Rounds of pushing atoms apart at the seams.
  private static let separationRounds = 12

  /// Repairs the composition: surplus atoms go, the worst first; missing ones come from the discarded
  /// parts, the best first, then at random places.
  fileprivate mutating func fill(
    from all: [(offer: Offer, isKept: Bool)], mayTransmute: Bool, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> Bool {
    let distances = distances(settings)
    // A shuffle before the stable sort leaves atoms of equal quality in random order.
    var shuffled = all
    random.shuffle(&shuffled)
    let ranked = shuffled.enumerated().sorted {
      ($1.element.offer.quality, $0.offset) < ($0.element.offer.quality, $1.offset)
    }.map(\.element)
    var missing = composition.counts
    var surplus: [Offer] = []
    for (offer, isKept) in ranked where isKept {
      if let species = offer.species, missing[species] > 0 {
        add(species, lattice.cartesian(offer.fractional))
        missing[species] -= 1
      } else if mayTransmute {
        surplus.append(offer)
      }
    }
    for offer in surplus {
      guard let species = random.index(weights: missing.map(Double.init)) else { break }
      add(species, lattice.cartesian(offer.fractional))
      missing[species] -= 1
    }
    // The seams may have put atoms on top of each other; new atoms come after the push.
    guard distances.separate(&positions, species, rounds: Self.separationRounds) else {
      return false
    }
    for (offer, isKept) in ranked where !isKept {
      guard let species = offer.species, missing[species] > 0 else { continue }
      let place = lattice.cartesian(offer.fractional)
      guard isFree(place, species, distances) else { continue }
      add(species, place)
      missing[species] -= 1
    }
    for (element, count) in missing.enumerated() {
      for _ in 0..<count {
        var isPlaced = false
        for _ in 0..<Self.placeTries {
          let place = lattice.cartesian(random.fractionalPoint())
          guard isFree(place, element, distances) else { continue }
          add(element, place)
          isPlaced = true
          break
        }
        guard isPlaced else { return false }
      }
    }
    return true
  }

  private mutating func add(_ element: Int, _ position: Vector3) {
    species.append(element)
    positions.append(position)
  }

  private func isFree(_ place: Vector3, _ element: Int, _ distances: DistanceGuard) -> Bool {
    guard distances.allowsImages(of: element) else { return false }
    return zip(positions, species).allSatisfy { distances.allows($0, $1, place, element) }
  }
}
