import Evolution

// The lowest minima decide the answer, and an extrapolation grade does not vouch for them: a potential of few
// parameters may be sure of a structure and wrong by tenths of an eV. So they are labelled whatever their
// grade: once per population the best that have no label yet, and again at the end until all of them have.
extension CampaignState {
  /// The best distinct candidates whose minima were not labelled, at most as many as are to be verified.
  private var unverified: [Individual] {
    population.best(settings.verify).map(\.representative).filter { !verified.contains($0.id) }
  }

  /// Whether labels of minima are to be asked for.
  ///
  /// - Parameter forced: Whether nothing else is left to do.
  /// - Returns: Whether there is a minimum to label and nothing under way that forbids it.
  func verificationIsDue(forced: Bool) -> Bool {
    guard settings.verify > 0, version > 0, labelsLeft > 0, openLabels == 0, !isSelecting,
      !refitUnderWay, !isRefreshing, forced || commitsSinceVerification >= settings.population
    else { return false }
    return !unverified.isEmpty
  }

  /// Queues labels of the best minima that have none.
  mutating func queueVerification() {
    commitsSinceVerification = 0
    for individual in unverified.prefix(labelsLeft) {
      verified.insert(individual.id)
      queueLabel(of: individual.structure, origin: .minimum(individual.id))
    }
  }
}
