import Crystal
import Evolution
import NumericalCore

/// A result that does not belong to the item it came with.
public struct ScheduleError: Error, CustomStringConvertible {
  /// What does not fit.
  public let description: String
}

extension CampaignState {
  /// Takes in the result of the next slot.
  ///
  /// - Parameters:
  ///   - item: What the slot held.
  ///   - result: What came of it; `nil` for items that commit at once.
  /// - Throws: `ScheduleError` where item and result do not belong together.
  public mutating func commit(_ item: SlotItem, result: WorkResult?) throws(ScheduleError) {
    try apply(item, result)
    closeSlot()
  }

  /// Counts a slot as committed.
  mutating func closeSlot() {
    nextCommit += 1
    commitsSinceSelection += 1
    commitsSinceVerification += 1
    if phase == .reranking, rerankQueue.isEmpty, openWork == 0 {
      phase = .finished
    }
  }

  /// Lets a result act on the state.
  mutating func apply(_ item: SlotItem, _ result: WorkResult?) throws(ScheduleError) {
    switch (item, result) {
    case (.idle, nil), (.labelRequest, nil), (.refitRequest, nil):
      break
    case (.labelArrival(let label), let result?):
      openWork -= 1
      try commitLabel(label, result)
    case (.refitArrival(let version), let result?):
      openWork -= 1
      try commitRefit(version, result)
    case (.work(let purpose, let order), let result?):
      openWork -= 1
      try commitWork(purpose, order, result)
    default:
      throw mismatch(item, result)
    }
  }

  private func mismatch(_ item: SlotItem, _ result: WorkResult?) -> ScheduleError {
    ScheduleError(
      description: "slot \(nextCommit): the result \(result.map(name) ?? "none") does not belong "
        + "to \(String(describing: item).prefix(60))")
  }

  private func name(_ result: WorkResult) -> String {
    String(String(describing: result).prefix { $0 != "(" })
  }

  private mutating func commitWork(
    _ purpose: WorkPurpose, _ order: WorkOrder, _ result: WorkResult
  ) throws(ScheduleError) {
    switch (purpose, result) {
    case (.initialStructure(let number), .generated(let structure)):
      openInitial -= 1
      initialDone += 1
      let starts = settings.melts?.starts ?? 0
      queueLabel(
        of: structure, origin: number < starts ? .start(number) : .initial(number - starts))
    case (.initialStructure, .notGenerated):
      openInitial -= 1
    case (.candidate(let id), .relaxation(let report)),
      (.continuation(let id), .relaxation(let report)):
      commitRelaxation(id, report, version: order.requiredVersion ?? 0)
    case (.refresh(let id), .relaxation(let report)):
      commitRefresh(id, report, version: order.requiredVersion ?? 0)
    case (.melt(let run), .melted(let report)):
      guard melts.indices.contains(run) else { throw mismatch(.work(purpose, order), result) }
      commitMelt(run, report, version: order.requiredVersion ?? 0)
    case (.selection, .selected(let places)):
      try commitSelection(places)
    case (.rerank(let id), .reranked(let report)):
      commitRerank(id, report)
    default:
      throw mismatch(.work(purpose, order), result)
    }
  }

  // MARK: Labels and potentials

  mutating func queueLabel(of structure: Structure, origin: LabelRecord.Origin) {
    let id = labels.count
    labels.append(LabelRecord(id: id, structure: structure, origin: origin))
    labelQueue.append(id)
    openLabels += 1
  }

  private mutating func commitSelection(_ places: [Int]) throws(ScheduleError) {
    isSelecting = false
    for place in places {
      guard poolUnderSelection.indices.contains(place) else {
        throw ScheduleError(
          description: "selection names place \(place) of \(poolUnderSelection.count)")
      }
      let entry = poolUnderSelection[place]
      guard !isLabelled(entry.structure) else { continue }
      queueLabel(of: entry.structure, origin: entry.source.origin(grade: entry.grade))
    }
    poolUnderSelection = []
  }

  private mutating func commitLabel(_ id: Int, _ result: WorkResult) throws(ScheduleError) {
    switch result {
    case .labelled(let evaluation):
      let atoms = labels[id].unit.structure.atomCount
      guard evaluation.forces.count == atoms else {
        // Only a log of another build holds such a label.
        throw ScheduleError(
          description: "slot \(nextCommit): label \(id) has forces on \(evaluation.forces.count) "
            + "atoms, its cell \(atoms); continue with the build that began the campaign")
      }
      guard let labelled = labels[id].labelled(by: evaluation) else {
        // A number that is not finite is a failure of the reference method, not of the campaign.
        labels[id].status = .failed("energy, force or stress is not finite")
        counts.failedLabels += 1
        openLabels -= 1
        return
      }
      labels[id].status = .labelled(labelled)
      trainingLabels.append(id)
      counts.labels += 1
      openLabels -= 1
      if evaluation.largestForce() > settings.training.forceCap ?? .infinity {
        endHopelessCandidate(of: labels[id])
      }
    case .labelFailed(let reason):
      // R8: two tries, then the structure may only be chosen again by a later version.
      if labels[id].tries < 2, !reason.hasPrefix(Self.deterministicFailure) {
        labels[id].status = .queued
        labelQueue.append(id)
      } else {
        labels[id].status = .failed(reason)
        counts.failedLabels += 1
        openLabels -= 1
      }
    default:
      throw mismatch(.labelArrival(label: id), result)
    }
  }

  // A label beyond the force cap is not trained on: a candidate that would go on from this very
  // structure would stop there again.
  private mutating func endHopelessCandidate(of label: LabelRecord) {
    guard case .candidate(let id, _) = label.origin,
      case .stopped(label.structure, _) = self[candidate: id].status
    else { return }
    waiting.removeAll { $0 == id }
    self[candidate: id].status = .failed("forces beyond the cap where it would go on")
    counts.failed += 1
    recordFailure(of: id)
  }

  /// How the reason of a failed label begins when a second try would fail in the same way.
  public static let deterministicFailure = "refused: "

  private mutating func commitRefit(_ newVersion: Int, _ result: WorkResult) throws(ScheduleError) {
    refitUnderWay = false
    switch result {
    case .trained:
      if newVersion > 1 { counts.refits += 1 } else { estimateVolume() }
      version = newVersion
      movesMelts = refitIsForMelts
      refreshQueue += population.beginRefresh(version: newVersion).map(\.id)
    case .trainingFailed(let reason):
      // Without it the search cannot begin.
      if version == 0 || movesMelts && !isMelting {
        phase = .failed("the first training failed: \(reason)")
      }
    default:
      throw mismatch(.refitArrival(version: newVersion), result)
    }
  }

  /// Random structures of the search start from the volumes of the lowest initial structures: the estimate
  /// from radii is wrong by a factor of up to 2.4, and too dense structures cost labels that teach nothing.
  private mutating func estimateVolume() {
    guard settings.search.space.hasOneRatio else { return }
    let cap = settings.training.forceCap ?? .infinity
    let known = trainingSet().filter { $0.evaluation.largestForce() <= cap }
    let enthalpies = known.map { $0.enthalpyPerAtom(at: settings.training.pressure) }
    let order = known.indices.sorted { (enthalpies[$0], $0) < (enthalpies[$1], $1) }
    // About as many as have one volume; three at least, so that one odd structure does not decide.
    let count = max(3, known.count / BreedingOrder.initialVolumes.count)
    let ratios = order.prefix(count).map { place in
      let structure = known[place].structure
      return structure.volumePerAtom / VolumeEstimate.fromRadii(structure.composition())
    }
    if let median = VolumeEstimate.median(ratios) { population.volumeRatio = median }
  }

  // MARK: Candidates

  private mutating func commitRelaxation(_ id: Int, _ report: RelaxationReport, version: Int) {
    account(report, for: id)
    switch report.ending {
    case .rejected(let reason):
      self[candidate: id].status = .rejected(reason)
      counts.bred -= 1
      counts.rejected += 1
      recordFailure(of: id)
    case .failed(let reason):
      self[candidate: id].status = .failed(reason)
      counts.failed += 1
      recordFailure(of: id)
    case .stopped(_, let structure):
      stop(id, at: structure, version: version)
    case .relaxed(let relaxed):
      self[candidate: id].status = .relaxed(relaxed, version: version)
      enter(individual(id, relaxed, version: version))
    }
  }

  private mutating func account(_ report: RelaxationReport, for id: Int) {
    self[candidate: id].evaluations += report.evaluations
    if let recipe = report.recipe { self[candidate: id].recipe = recipe }
    counts.evaluations += report.evaluations
    guard labelsToExplore > 0 else { return }
    pool += report.extrapolative.filter { !isLabelled($0.structure) }.map {
      PoolEntry(structure: $0.structure, grade: $0.grade, source: .candidate(id))
    }
  }

  /// Whether this very structure has a label or awaits one: a second one would teach nothing.
  ///
  /// A candidate meets one again where its label was too high to be trained on.
  func isLabelled(_ structure: Structure) -> Bool {
    labels.contains { label in
      if case .failed = label.status { return false }
      return label.structure == structure
    }
  }

  private mutating func stop(_ id: Int, at structure: Structure, version: Int) {
    counts.stopped += 1
    stopsSinceSelection += 1
    self[candidate: id].stops += 1
    guard self[candidate: id].continuations < settings.maxContinuations else {
      self[candidate: id].status = .unreliable
      counts.unreliable += 1
      recordFailure(of: id)
      return
    }
    self[candidate: id].status = .stopped(resumeFrom: structure, version: version)
    waiting.insert(id, at: waiting.firstIndex { $0 > id } ?? waiting.endIndex)
  }

  mutating func recordFailure(of id: Int) {
    population.recordFailure(of: self[candidate: id].kind, recipe: self[candidate: id].recipe)
  }

  private func individual(_ id: Int, _ relaxed: RelaxedCandidate, version: Int) -> Individual {
    Individual(
      id: id, structure: relaxed.structure, enthalpyPerAtom: relaxed.enthalpyPerAtom,
      fingerprint: relaxed.fingerprint, kind: self[candidate: id].kind,
      parents: self[candidate: id].parents, recipe: self[candidate: id].recipe,
      pointGroupOrder: relaxed.pointGroupOrder, potentialVersion: version, measure: relaxed.measure)
  }

  private mutating func enter(_ individual: Individual) {
    let insertion = population.insert(individual)
    self[candidate: individual.id].credit = population.credit(of: insertion)
    if case .outdated = insertion {
      outdated.append(individual.id)
      refreshQueue.append(individual.id)
    }
  }

  private mutating func commitRefresh(_ id: Int, _ report: RelaxationReport, version: Int) {
    account(report, for: id)
    let isNewcomer = outdated.contains(id)
    outdated.removeAll { $0 == id }
    if case .relaxed(let relaxed) = report.ending {
      self[candidate: id].status = .relaxed(relaxed, version: version)
      let individual = individual(id, relaxed, version: version)
      if isNewcomer {
        enter(individual)
      } else {
        _ = population.refresh(individual)
      }
      return
    }
    if !isNewcomer { _ = population.refreshFailed(id: id) }
    switch report.ending {
    case .stopped(_, let structure):
      stop(id, at: structure, version: version)
    case .failed(let reason), .rejected(let reason):
      self[candidate: id].status = .failed(reason)
      counts.failed += 1
      if isNewcomer { recordFailure(of: id) }
    case .relaxed: break
    }
  }

  // MARK: Re-ranking

  mutating func commitRerank(_ id: Int, _ report: RelaxationReport) {
    counts.rerankEvaluations += report.evaluations
    guard case .relaxed(let model, _) = self[candidate: id].status else { return }
    let (relaxed, failure): (RelaxedCandidate?, String?) =
      switch report.ending {
      case .relaxed(let candidate): (candidate, nil)
      case .failed(let reason), .rejected(let reason): (nil, reason)
      case .stopped: (nil, "stopped")
      }
    reranked.append(
      RerankedCandidate(
        candidate: id, modelEnthalpyPerAtom: model.enthalpyPerAtom, relaxed: relaxed,
        failure: failure, evaluations: report.evaluations))
  }
}
