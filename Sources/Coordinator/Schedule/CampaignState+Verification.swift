import Crystal
import Evolution
import Potential

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
    let trained = trainedLabels
    let hopeless = verifiedMinima.filter { minimum in
      switch labels[minimum.label].status {
      case .queued, .requested: false
      case .labelled: !trained.contains(minimum.label)
      case .failed: true
      }
    }
    let best = population.best(settings.verify) { individual in
      !hopeless.contains { isMinimum($0, of: individual) }
    }
    return best.map(\.representative).filter { individual in
      let known = verifiedMinima.filter { isMinimum($0, of: individual) }
      guard let last = known.last else { return true }
      return forced && known.count < Self.labelsPerMinimum && contradicts(last, individual)
    }
  }

  /// The labels that are trained on.
  private var trainedLabels: Set<Int> {
    let exclusions = TrainingProblem.exclusions(of: trainingSet(), settings: settings.training)
    return Set(zip(trainingLabels, exclusions).filter { $0.1 == nil }.map(\.0))
  }

  /// A refit may move a candidate into another basin, and a later visit may put another candidate into its
  /// place: what counts is the minimum, not the candidate.
  private func isMinimum(_ minimum: VerifiedMinimum, of individual: Individual) -> Bool {
    individual.identity.cell.map {
      minimum.cell.matches($0, tolerance: settings.search.duplicates.matching)
    } ?? false
  }

  /// Whether the newest potential has moved a minimum and gives it another enthalpy than its label has.
  ///
  /// Where it lies still, another label would be the same.
  private func contradicts(_ minimum: VerifiedMinimum, _ individual: Individual) -> Bool {
    guard individual.potentialVersion == version, let labelled = labels[minimum.label].labelled
    else { return false }
    let matching = settings.search.duplicates.matching
    let place = MatchingTolerance(
      displacement: 0.1 * matching.displacement, strain: 0.1 * matching.strain)
    // The cells of the duplicates' tolerance would not do: atoms that nearly repeat are averaged in them.
    guard !labelled.structure.matches(individual.structure, tolerance: place) else { return false }
    let enthalpy = labelled.enthalpyPerAtom(at: settings.training.pressure)
    return abs(individual.enthalpyPerAtom - enthalpy) > settings.verifyTolerance
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
}
