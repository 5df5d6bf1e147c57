import Crystal
import NumericalCore

extension Breeder {
  /// Swaps U[1, n] pairs of unlike atoms; a swap that would leave the species as they were does not
  /// count.
  func permutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition),
      order.composition.elements.count > 1
    else { return .rejected(.notApplicable) }
    let rarest = order.composition.counts.min() ?? 1
    let most = max(1, Int((settings.largestSwapShare * Double(rarest)).rounded()))
    var reason = RejectionReason.unchanged
    for _ in 0..<settings.attempts {
      var child = parent
      let swaps = random.integer(below: most) + 1
      for _ in 0..<swaps {
        let i = random.integer(below: child.species.count)
        let unlike = child.species.indices.filter { child.species[$0] != child.species[i] }
        child.species.swapAt(i, unlike[random.integer(below: unlike.count)])
      }
      guard child.species != parent.species else { continue }
      // A larger atom on a smaller one's place may need a little room.
      let distances = child.distances(settings)
      guard distances.separate(&child.positions, child.species, rounds: 12) else {
        reason = .minimumDistances
        continue
      }
      let pairs = swaps == 1 ? "1 pair" : "\(swaps) pairs"
      let outcome = child.finished(settings, "\(pairs) of atoms of \(order.parents[0].id) swapped")
      guard case .rejected(let why) = outcome else { return outcome }
      reason = why
    }
    return .rejected(reason)
  }

  /// Lattice mutation (Glass, Oganov & Hansen 2006): a′ = (1 + ε) a with ε symmetric, ε_ii and ε_ij/2
  /// off the diagonal from N(0, σ), |ε| ≤ 1, rescaled to the parent's volume; then a weak soft
  /// mutation, since a strain alone often relaxes back.
  func latticeMutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition) else {
      return .rejected(.notApplicable)
    }
    var reason = RejectionReason.cellShape
    for _ in 0..<settings.attempts {
      let deviation = random.uniform(settings.smallestStrain, settings.largestStrain)
      func component(_ random: inout RandomStream) -> Double {
        while true {
          let value = deviation * random.normal()
          if abs(value) <= 1 { return value }
        }
      }
      let (xx, yy, zz) = (component(&random), component(&random), component(&random))
      let (xy, xz, yz) = (
        component(&random) / 2, component(&random) / 2, component(&random) / 2
      )
      let strain = Matrix3(rows: Vector3(xx, xy, xz), Vector3(xy, yy, yz), Vector3(xz, yz, zz))
      guard (Matrix3.identity + strain).determinant > 0.05,
        let strained = try? parent.lattice.strained(by: strain),
        let rescaled = try? strained.scaled(toVolume: parent.lattice.volume),
        case let reduced = rescaled.niggliReduced(),
        CellShape.violation(of: reduced, settings) == nil
      else {
        reason = .cellShape
        continue
      }
      var child = parent
      child.positions = parent.positions.map {
        rescaled.cartesian(parent.lattice.fractional($0))
      }
      child.lattice = reduced
      let distances = child.distances(settings)
      guard distances.separate(&child.positions, child.species, rounds: 20) else {
        reason = .minimumDistances
        continue
      }
      let limit = settings.weakDisplacement * child.meanRadius
      let mode = random.integer(below: 3)
      if let moved = softened(
        child, mode: mode, sign: 1, limit, smallestShare: 0.1, settings, &random)
      {
        child = moved
      }
      let outcome = child.finished(
        settings, "strain of \(deviation.rounded(digits: 2)) on \(order.parents[0].id)")
      guard case .rejected(let why) = outcome else { return outcome }
      reason = why
    }
    return .rejected(reason)
  }

  /// Displaces the parent along a soft mode of its bond-strength model.
  ///
  /// Lyakhov, Oganov & Valle, Comput. Phys. Commun. 181, 1623 (2010).
  func softMutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition),
      parent.species.count > 1
    else { return .rejected(.notApplicable) }
    let sign = order.modeIsReversed ? -1.0 : 1.0
    let limit = settings.softDisplacement * parent.meanRadius
    guard
      let child = softened(
        parent, mode: order.modeIndex, sign: sign, limit, smallestShare: 0.1, settings, &random)
    else { return .rejected(.minimumDistances) }
    return child.finished(
      settings,
      "\(order.parents[0].id) along soft mode \(order.modeIndex + 1)"
        + (order.modeIsReversed ? ", backwards" : ""))
  }

  /// Displaces along a mode, as far as the limit in Å and the minimum distances allow.
  ///
  /// - Returns: `nil` where not even the smallest share of the limit is allowed and pushing the atoms
  ///   apart after a quarter of it fails too.
  private func softened(
    _ draft: Draft, mode: Int, sign: Double, _ limit: Double, smallestShare: Double,
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> Draft? {
    guard let modes = SoftModes(draft) else { return nil }
    let direction = modes.displacement(mode, &random)
    let distances = draft.distances(settings)
    let steps = 16
    func moved(by share: Double) -> Draft {
      var moved = draft
      for (index, vector) in direction.enumerated() {
        moved.positions[index] += sign * share * limit * vector
      }
      return moved
    }
    for step in stride(from: steps, through: 1, by: -1) {
      let share = Double(step) / Double(steps)
      guard share >= smallestShare else { break }
      let child = moved(by: share)
      if distances.allowsAll(child.positions, child.species) { return child }
    }
    var child = moved(by: 0.25)
    let isSeparated = distances.separate(&child.positions, child.species, rounds: 12)
    return isSeparated ? child : nil
  }
}

extension Double {
  /// The number rounded to a few decimal digits, for messages.
  func rounded(digits: Int) -> Double {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    return (self * scale).rounded() / scale
  }
}
