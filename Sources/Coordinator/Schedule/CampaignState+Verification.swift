import Crystal
import Evolution

// The lowest minima decide the answer, and an extrapolation grade does not vouch for them: a potential of few
// parameters may be sure of a structure and wrong by tenths of an eV. So they are labelled whatever their
// grade: once per population the best that have no label yet, and again at the end until all of them have. A refit
// may then open a hole beside a minimum that it has learnt: at the end labels follow it there.
extension CampaignState {
  /// The label of a minimum.
  struct VerifiedMinimum: Sendable {
    /// The minimum, as it was labelled.
    let cell: MatchingCell
    /// The label's number.
    let label: Int
  }

  /// So many labels one minimum gets at most.
  private static let labelsPerMinimum = 3

  /// What is to be labelled of the best distinct candidates, as many as are verified.
  ///
  /// Where the reference method gives none, or one that is not trained on, the next best takes the place:
  /// minima that exist in the potential alone must not end the verification.
  ///
  /// - Parameter forced: Whether the search is over: then a label must also agree with what the newest potential
  ///   says of its minimum.
  /// - Returns: Those whose minima have no label, or one that the potential contradicts.
  private func unverified(forced: Bool) -> [Individual] {
    population.best(.max).lazy.map(\.representative)
      .filter { individual in
        !hopelessMinima.contains { isMinimum($0, of: individual) }
      }
      .prefix(settings.verify).filter { individual in
        let known = verifiedMinima.filter { isMinimum($0.cell, of: individual) }
        guard let last = known.last else { return true }
        return forced && known.count < Self.labelsPerMinimum && contradicts(last.label, individual)
      }
  }

  /// A refit may move a candidate into another basin, and a later visit may put another candidate into its
  /// place: what counts is the minimum, not the candidate.
  private func isMinimum(_ minimum: MatchingCell, of individual: Individual) -> Bool {
    individual.identity.cell.map {
      minimum.matches($0, tolerance: settings.search.duplicates.matching)
    } ?? false
  }

  private func contradicts(_ label: Int, _ individual: Individual) -> Bool {
    guard let labelled = labels[label].labelled else { return false }
    let enthalpy = labelled.evaluation.energy + settings.pressure * labelled.structure.volume
    let difference = individual.enthalpyPerAtom - enthalpy / Double(labelled.structure.atomCount)
    return abs(difference) > settings.verifyTolerance
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

  /// Queues labels of the best minima that have none, or at the end one that the potential contradicts.
  ///
  /// - Parameter forced: Whether nothing else is left to do: then the last labels are for them.
  mutating func queueVerification(forced: Bool) {
    commitsSinceVerification = 0
    for individual in unverified(forced: forced).prefix(forced ? labelsLeft : labelsToExplore) {
      if let cell = individual.identity.cell {
        verifiedMinima.append(VerifiedMinimum(cell: cell, label: labels.count))
      }
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
