import Crystal
import NumericalCore

/// Operators that strain a parent, displace it by a standing wave or swap its atoms, two at a time:
/// D. C. Lonie & E. Zurek, Comput. Phys. Commun. 182, 372 (2011), where strain and ripple are
/// "stripple", strain and swap "permustrain".
extension Breeder {
  /// Displaces the parent by a standing wave.
  func ripple(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard order.composition.atomCount > 1 else { return .rejected(.notApplicable) }
    return moved(order, settings, &random, isStrained: false, rounds: 20) { child, random in
      child.ripple(settings, &random)
    }
  }

  /// Strains the parent and displaces it by a standing wave.
  func strainRipple(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard order.composition.atomCount > 1 else { return .rejected(.notApplicable) }
    return moved(order, settings, &random, isStrained: true, rounds: 20) { child, random in
      child.ripple(settings, &random)
    }
  }

  /// Strains the parent and swaps unlike atoms.
  func strainSwap(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard order.composition.elements.count > 1 else { return .rejected(.notApplicable) }
    return moved(order, settings, &random, isStrained: true, rounds: 20) { child, random in
      child.swapUnlike(settings, &random)
    }
  }

  /// Doubles the parent's cell along a random axis.
  ///
  /// The copies are displaced by opposite random vectors, as by vibrations at the zone's boundary:
  /// what both copies do alike, the parent could have done.
  func supercell(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let half = order.composition.halved(),
      let parent = Draft(order.parents[0].structure, half)
    else { return .rejected(.notApplicable) }
    return retried(settings) {
      let axis = random.integer(below: 3)
      let shift = parent.lattice.vectors[axis]
      var vectors = parent.lattice.vectors
      vectors[axis] = 2 * shift
      guard let lattice = try? Lattice(vectors) else { return .rejected(.cellShape) }
      let deviation = random.uniform(0.2, 1) * settings.supercellDisplacement
      var positions: [Vector3] = []
      for position in parent.positions {
        let move = deviation * Vector3(random.normal(), random.normal(), random.normal())
        positions += [position + move, position + shift - move]
      }
      var child = Draft(
        lattice: lattice.niggliReduced(), composition: order.composition,
        species: parent.species.flatMap { [$0, $0] }, positions: positions)
      guard child.separate(settings, rounds: 12) else { return .rejected(.minimumDistances) }
      return child.finished(
        settings, "cell of \(order.parents[0].id) doubled along \(["a", "b", "c"][axis])")
    }
  }
}

extension Composition {
  /// Half of every count; `nil` where one is odd.
  fileprivate func halved() -> Composition? {
    guard counts.allSatisfy({ $0 % 2 == 0 }) else { return nil }
    // Half of an even positive count is positive.
    return try? Composition(elements, counts.map { $0 / 2 })
  }
}
