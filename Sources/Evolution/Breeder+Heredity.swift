import Crystal
import Foundation
import NumericalCore

/// One atom offered to a heredity child.
private struct Offer {
  let species: Int
  let fractional: Vector3
  let quality: Double
  let isFromFirst: Bool
}

/// A parent prepared for cutting.
private struct CutParent {
  let vectors: Matrix3
  let fractional: [Vector3]
  let species: [Int]
  let qualities: [Double]?
  let isEnergy: Bool
  let id: Int

  init?(_ parent: Parent, _ elements: [ChemicalElement]) {
    let lattice = parent.structure.lattice.niggliReduced()
    vectors = lattice.vectors
    var species: [Int] = []
    for element in parent.structure.species {
      guard let index = elements.firstIndex(of: element) else { return nil }
      species.append(index)
    }
    self.species = species
    fractional = parent.structure.positions.map(lattice.fractional)
    qualities = parent.measure.qualities
    if case .siteEnergies = parent.measure { isEnergy = true } else { isEnergy = false }
    id = parent.id
  }

  private init(
    _ vectors: Matrix3, _ fractional: [Vector3], _ species: [Int], _ qualities: [Double]?,
    _ isEnergy: Bool, _ id: Int
  ) {
    self.vectors = vectors
    self.fractional = fractional
    self.species = species
    self.qualities = qualities
    self.isEnergy = isEnergy
    self.id = id
  }

  /// The same crystal with its axes named in another order.
  func withAxes(_ order: [Int]) -> CutParent {
    CutParent(
      Matrix3(rows: vectors[order[0]], vectors[order[1]], vectors[order[2]]),
      fractional.map { Vector3($0[order[0]], $0[order[1]], $0[order[2]]) }, species, qualities,
      isEnergy, id)
  }

  var volumePerAtom: Double { abs(vectors.determinant) / Double(species.count) }

  /// The atoms shifted at random and whether each lies in the slab [0, share) of its period.
  ///
  /// Of a few shifts, the one that brings better atoms is likelier.
  func cut(
    axis: Int, share: Double, periods: Int, keepsSlab: Bool, bias: Double,
    _ random: inout RandomStream
  ) -> (fractional: [Vector3], isKept: [Bool]) {
    let trials = qualities == nil ? 1 : 6
    var best: [([Vector3], [Bool])] = []
    var means: [Double] = []
    for _ in 0..<trials {
      let shift = random.fractionalPoint()
      let moved = fractional.map { ($0 + shift).map { $0 - $0.rounded(.down) } }
      let isKept = moved.map { f in
        let phase = f[axis] * Double(periods)
        return (phase - phase.rounded(.down) < share) == keepsSlab
      }
      var sum = 0.0
      var count = 0
      if let qualities {
        for (kept, quality) in zip(isKept, qualities) where kept {
          sum += quality
          count += 1
        }
      }
      best.append((moved, isKept))
      means.append(count > 0 ? sum / Double(count) : -.infinity)
    }
    let top = means.max() ?? 0
    // p ∝ exp(−⟨E⟩/bias) for site energies; for orders, which have no scale of their own, the
    // spread of the trials takes the place of the bias.
    let finite = means.filter(\.isFinite)
    let spread = max(1e-9, top - (finite.min() ?? top))
    let scale = isEnergy ? bias : 0.5 * spread
    let weights = means.map { $0.isFinite ? exp(($0 - top) / scale) : 0 }
    return best[random.index(weights: weights) ?? 0]
  }
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
    guard let first = CutParent(order.parents[0], elements),
      let second = CutParent(order.parents[1], elements)
    else { return .rejected(.notApplicable) }
    let atoms = Double(max(first.species.count, second.species.count))
    let periods = max(1, Int((atoms / Double(settings.atomsPerSlabPair)).rounded(.down)))
    var reason = RejectionReason.minimumDistances
    for _ in 0..<settings.attempts {
      var axes = [0, 1, 2]
      random.shuffle(&axes)
      let turned = second.withAxes(axes)
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
      let offers = offers(first, a, fromFirst: true) + self.offers(turned, b, fromFirst: false)
      var draft = Draft(
        lattice: lattice, composition: order.composition, species: [], positions: [])
      guard draft.fill(from: offers, settings, &random) else {
        reason = .minimumDistances
        continue
      }
      let axisName = ["a", "b", "c"][axis]
      let percent = Int((100 * share).rounded())
      let outcome = draft.finished(
        settings,
        "heredity, \(percent) % of \(first.id) along \(axisName), rest of \(second.id)")
      guard case .rejected(let why) = outcome else { return outcome }
      reason = why
    }
    return .rejected(reason)
  }

  private func offers(
    _ parent: CutParent, _ cut: (fractional: [Vector3], isKept: [Bool]), fromFirst: Bool
  ) -> [(offer: Offer, isKept: Bool)] {
    parent.species.indices.map { index in
      let offer = Offer(
        species: parent.species[index], fractional: cut.fractional[index],
        quality: parent.qualities?[index] ?? 0, isFromFirst: fromFirst)
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
    from all: [(offer: Offer, isKept: Bool)], _ settings: BreedingSettings,
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
    for (offer, isKept) in ranked where isKept && missing[offer.species] > 0 {
      add(offer.species, lattice.cartesian(offer.fractional))
      missing[offer.species] -= 1
    }
    // The seams may have put atoms on top of each other; new atoms come after the push.
    guard distances.separate(&positions, species, rounds: Self.separationRounds) else {
      return false
    }
    for (offer, isKept) in ranked where !isKept && missing[offer.species] > 0 {
      let place = lattice.cartesian(offer.fractional)
      guard isFree(place, offer.species, distances) else { continue }
      add(offer.species, place)
      missing[offer.species] -= 1
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
