import Crystal
import Evolution

// The lowest minima decide the answer, and an extrapolation grade does not vouch for them: a potential of few
// parameters may be sure of a structure and wrong by tenths of an eV. So they are labelled whatever their
// grade: once per population the best that have no label yet, and again at the end until all of them have.
extension CampaignState {
  /// The best distinct candidates whose minima have no label, at most as many as are to be verified.
  ///
  /// Where the reference method gives none, or one that is not trained on, the next best takes the place:
  /// minima that exist in the potential alone must not end the verification.
  private var unverified: [Individual] {
    population.best(.max).lazy.map(\.representative)
      .filter { !isKnown($0, hopelessMinima) }.prefix(settings.verify)
      .filter { !isKnown($0, verifiedMinima) }
  }

  /// A refit may move a candidate into another basin, and a later visit may put another candidate into its
  /// place: what counts is the minimum, not the candidate.
  private func isKnown(_ individual: Individual, _ minima: [MatchingCell]) -> Bool {
    guard let cell = individual.identity.cell else { return false }
    return minima.contains {
      $0.matches(cell, tolerance: settings.search.duplicates.matching)
    }
  }

  /// Whether labels of minima may be asked for.
  ///
  /// - Parameter forced: Whether nothing else is left to do.
  /// - Returns: Whether it is time and nothing under way forbids it; there may be none to ask for.
  func verificationIsDue(forced: Bool) -> Bool {
    settings.verify > 0 && version > 0 && (forced ? labelsLeft : labelsToExplore) > 0
      && openLabels == 0 && !isSelecting && !refitUnderWay && !isRefreshing
      && (forced || commitsSinceVerification >= settings.population)
  }

  /// Queues labels of the best minima that have none.
  ///
  /// - Parameter forced: Whether nothing else is left to do: then the last labels are for them.
  mutating func queueVerification(forced: Bool) {
    commitsSinceVerification = 0
    for individual in unverified.prefix(forced ? labelsLeft : labelsToExplore) {
      if let cell = individual.identity.cell { verifiedMinima.append(cell) }
      queueLabel(of: individual.structure, origin: .minimum(individual.id))
    }
  }

  /// Notes that a label cannot be trained on, where it was of a minimum.
  mutating func giveUpMinimum(of label: LabelRecord) {
    if case .minimum = label.origin, let cell = MatchingCell(label.structure) {
      hopelessMinima.append(cell)
    }
  }
}
