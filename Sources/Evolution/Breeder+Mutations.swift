import Crystal
import NumericalCore

extension Breeder {
  /// Starts over until a child is allowed or the attempts are used up.
  ///
  /// - Parameters:
  ///   - settings: The campaign's rules.
  ///   - attempt: Makes a child, or says why there is none.
  /// - Returns: The first child, or the last reason; a child like its parent is one only where there
  ///   was no other.
  func retried(
    _ settings: BreedingSettings, _ attempt: () -> BreedingOutcome
  ) -> BreedingOutcome {
    var reason = RejectionReason.unchanged
    for _ in 0..<settings.attempts {
      switch attempt() {
      case .offspring(let child, let description, _):
        return .offspring(child, description: description)
      case .rejected(.unchanged): break
      case .rejected(let why): reason = why
      }
    }
    return .rejected(reason)
  }

  /// Swaps U[1, n] pairs of unlike atoms; a swap that would leave the species as they were does not
  /// count.
  func permutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard order.composition.elements.count > 1 else { return .rejected(.notApplicable) }
    // A larger atom on a smaller one's place may need a little room, no more.
    return moved(order, settings, &random, isStrained: false, rounds: 12) { child, random in
      child.swapUnlike(settings, &random)
    }
  }

  /// Moves the atoms of a parent, strained before or not, and pushes apart what came too close.
  ///
  /// - Parameters:
  ///   - order: What to make, of one parent.
  ///   - settings: The campaign's rules.
  ///   - random: The candidate's own stream.
  ///   - isStrained: Whether the parent is strained first.
  ///   - rounds: How often atoms are pushed apart at most.
  ///   - move: Moves the atoms and says how, or `nil` where nothing has changed.
  /// - Returns: The child, or why there is none.
  func moved(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream,
    isStrained: Bool, rounds: Int, _ move: (inout Draft, inout RandomStream) -> String?
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition) else {
      return .rejected(.notApplicable)
    }
    return retried(settings) {
      var child = parent
      var words = ""
      if isStrained {
        guard let (strained, deviation) = parent.strained(settings, &random) else {
          return .rejected(.cellShape)
        }
        child = strained
        words = "strain of \(deviation.rounded(digits: 2)) and "
      }
      guard let what = move(&child, &random) else { return .rejected(.unchanged) }
      guard child.separate(settings, rounds: rounds) else { return .rejected(.minimumDistances) }
      return child.finished(settings, "\(words)\(what) on \(order.parents[0].id)")
    }
  }

  /// A strain followed by a weak soft mutation, since a strain alone often relaxes back.
  mutating func latticeMutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition) else {
      return .rejected(.notApplicable)
    }
    // Any soft direction serves for so weak a push, and those of the parent serve all its children.
    let modes = bondModes(ofParent: parent)
    return retried(settings) {
      guard let (strained, deviation) = parent.strained(settings, &random) else {
        return .rejected(.cellShape)
      }
      var child = strained
      guard child.separate(settings, rounds: 20) else { return .rejected(.minimumDistances) }
      let limit = settings.weakDisplacement * child.meanRadius
      let mode = random.integer(below: 3)
      if let modes,
        let moved = softened(child, modes, mode: mode, sign: 1, limit, settings, &random)
      {
        child = moved
      }
      return child.finished(
        settings, "strain of \(deviation.rounded(digits: 2)) on \(order.parents[0].id)")
    }
  }

  /// Displaces the parent along a soft mode: one that came with the parent, such as of the trained
  /// potential, or else one of its bond-strength model.
  ///
  /// Lyakhov, Oganov & Valle, Comput. Phys. Commun. 181, 1623 (2010).
  mutating func softMutation(
    _ order: BreedingOrder, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    guard let parent = Draft(order.parents[0].structure, order.composition),
      let modes = order.parents[0].modes ?? bondModes(ofParent: parent)
    else { return .rejected(.notApplicable) }
    let sign = order.modeIsReversed ? -1.0 : 1.0
    let limit = settings.softDisplacement * parent.meanRadius
    guard
      let child = softened(
        parent, modes, mode: order.modeIndex, sign: sign, limit, settings, &random)
    else { return .rejected(.minimumDistances) }
    return child.finished(
      settings,
      "\(order.parents[0].id) along soft mode \(order.modeIndex + 1)"
        + (order.parents[0].modes == nil ? "" : " of the potential")
        + (order.modeIsReversed ? ", backwards" : ""))
  }

  /// Displaces along a mode, as far as the limit in Å and the minimum distances allow.
  ///
  /// - Returns: `nil` where not even a tenth of the limit is allowed and pushing the atoms apart after
  ///   a quarter of it fails too.
  private func softened(
    _ draft: Draft, _ modes: VibrationalModes, mode: Int, sign: Double, _ limit: Double,
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> Draft? {
    guard let direction = modes.displacement(mode, &random) else { return nil }
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
      guard share >= 0.1 else { break }
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
