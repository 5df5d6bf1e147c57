import Crystal
import Evolution
import NumericalCore

extension CampaignState {
  /// Decides what the next slot holds: a pure function of the state (R1), by the priorities of R3.
  public mutating func issue() -> SlotItem {
    let slot = nextIssue
    nextIssue += 1
    let item = nextItem(slot: slot)
    switch item {
    case .work: openWork += 1
    case .idle: counts.idle += 1
    case .labelRequest, .labelArrival, .refitRequest, .refitArrival: break
    }
    return item
  }

  private mutating func nextItem(slot: Int) -> SlotItem {
    if let arrival = dueArrival(slot: slot) { return arrival }
    guard phase == .searching else { return nextRerank() }
    if let item = nextContinuation() { return item }
    if let item = nextRefresh() { return item }
    if let item = nextLabelRequest(slot: slot) { return item }
    if verificationIsDue(forced: false) {
      queueVerification(forced: false)
      if let item = nextLabelRequest(slot: slot) { return item }
    }
    if selectionIsDue(forced: false) { return selection() }
    if refitIsDue(forced: false) { return refitRequest(slot: slot) }
    if let item = nextInitialStructure() { return item }
    if isMelting { return nextMelt() ?? (isWaiting ? .idle : closingMelt(slot: slot)) }
    if learnsFromMelts {
      if isWaiting { return .idle }
      if let item = nextLesson(slot: slot) { return item }
    }
    if nothingCanBeLearnt { giveUpWaitingCandidates() }
    if let item = nextSeed() { return item }
    if let item = nextCandidate(slot: slot) { return item }
    return isWaiting ? .idle : closingItem(slot: slot)
  }

  /// Nothing useful is left as long as something under way may still bring work.
  private var isWaiting: Bool { openWork > 0 || !arrivals.isEmpty }

  private mutating func dueArrival(slot: Int) -> SlotItem? {
    guard let first = arrivals.indices.filter({ arrivals[$0].due <= slot }).first else {
      return nil
    }
    switch arrivals.remove(at: first).what {
    case .label(let label):
      openWork += 1
      return .labelArrival(label: label)
    case .refit(let version):
      openWork += 1
      return .refitArrival(version: version)
    }
  }

  private mutating func nextContinuation() -> SlotItem? {
    guard let record = resumable, case .stopped(let structure, _) = record.status else {
      return nil
    }
    self[candidate: record.id].status = .inFlight
    waiting.removeAll { $0 == record.id }
    self[candidate: record.id].continuations += 1
    counts.continued += 1
    return .work(
      .continuation(candidate: record.id), .resume(structure, version: version))
  }

  private mutating func nextRefresh() -> SlotItem? {
    guard !refreshQueue.isEmpty else { return nil }
    let id = refreshQueue.removeFirst()
    guard case .relaxed(let relaxed, _) = self[candidate: id].status else {
      preconditionFailure("candidate \(id) is to be refreshed but is not relaxed")
    }
    counts.refreshes += 1
    return .work(.refresh(candidate: id), .refresh(relaxed.structure, version: version))
  }

  mutating func nextLabelRequest(slot: Int) -> SlotItem? {
    guard !labelQueue.isEmpty else { return nil }
    let label = labelQueue.removeFirst()
    labels[label].status = .requested
    labels[label].tries += 1
    arrivals.append((slot + settings.labelDelay, .label(label)))
    return .labelRequest(label: label)
  }

  // R6: the pool is selected when a batch of candidates has stopped, or once per population. An active
  // set knows nothing of labels that came after it, so there is one selection per version.
  private func selectionIsDue(forced: Bool) -> Bool {
    version > 0 && !isSelecting && labelsToExplore > 0 && !refitUnderWay && !isRefreshing
      && openLabels == 0 && freshLabels == 0 && poolIsRipe(forced: forced)
  }

  private func poolIsRipe(forced: Bool) -> Bool {
    guard !pool.isEmpty else { return false }
    return forced || stopsSinceSelection >= settings.batch
      || commitsSinceSelection >= settings.population
  }

  /// Labels that no potential has been trained on yet.
  private var freshLabels: Int { trainingLabels.count - labelsAtLastRefit }

  mutating func selection() -> SlotItem {
    isSelecting = true
    poolUnderSelection = pool
    pool = []
    stopsSinceSelection = 0
    commitsSinceSelection = 0
    return .work(
      .selection,
      .select(
        poolUnderSelection.map(\.structure), version: version, limit: labelsToExplore))
  }

  // R5: at least max(8, 5 % of the set) new labels, or candidates that wait for them; one refit at a
  // time, and no new one before the whole population has moved to the last one.
  func refitIsDue(forced: Bool) -> Bool {
    guard !refitUnderWay, !isRefreshing, !isSelecting, openLabels == 0 else { return false }
    if movesMelts, !isMelting { return forced }
    guard freshLabels > 0 else { return false }
    guard version > 0 else {
      return openInitial == 0 && !awaitsFrames
        && (initialDone == settings.initialStructures || initialIsExhausted)
    }
    if labelsToExplore == 0 && !waiting.isEmpty { return true }
    return forced || freshLabels >= max(8, (trainingLabels.count + 19) / 20)
      || poolIsRipe(forced: false)
  }

  // The labels that are left are for the minima at the end: what they teach comes too late for candidates that
  // wait, and as many waiting ones as a population would keep new candidates from being bred.
  private var nothingCanBeLearnt: Bool {
    version > 0 && labelsToExplore == 0 && openLabels == 0 && !refitUnderWay
      && freshLabels == 0
  }

  mutating func refitRequest(slot: Int) -> SlotItem {
    refitUnderWay = true
    refitIsForMelts = isMelting
    if movesMelts, !isMelting { forgetStarts() }
    arrivals.append((slot + settings.refitDelay, .refit(version + 1)))
    labelsAtLastRefit = trainingLabels.count
    return .refitRequest(version: version + 1)
  }

  // Failed generations are repeated with other random numbers, four times as often as needed at most.
  private var initialIsExhausted: Bool { initialIssued >= 4 * settings.initialStructures }

  private mutating func nextInitialStructure() -> SlotItem? {
    let wanted = settings.initialStructures - initialDone - openInitial
    guard version == 0, settings.learns, wanted > 0, !initialIsExhausted else { return nil }
    let number = initialIssued
    initialIssued += 1
    openInitial += 1
    let starts = settings.melts?.starts ?? 0
    guard number >= starts else {
      return .work(.initialStructure(number), scatteringOrder(number))
    }
    return .work(
      .initialStructure(number),
      .generate(
        .initial(number - starts, in: settings.search.space, seed: settings.seed),
        stream: number - starts))
  }

  private mutating func nextSeed() -> SlotItem? {
    guard canRelax, !seedQueue.isEmpty else { return nil }
    let seed = seedQueue.removeFirst()
    return exploration(
      BreedingOrder(
        kind: .seed, composition: seed.composition(), parents: [Parent(id: 0, structure: seed)],
        targetVolumePerAtom: seed.volumePerAtom))
  }

  private mutating func nextCandidate(slot: Int) -> SlotItem? {
    // Candidates that extrapolate all wait for the same labels: breeding more of them before the
    // potential has learnt from the first would only fill the pool.
    guard canRelax, counts.bred < settings.candidates, counts.rejected < rejectionLimit,
      waiting.count < settings.population
    else { return nil }
    var random = RandomStream(seed: settings.seed, purpose: .selection, slot: UInt64(slot))
    return exploration(population.orderNext(random: &random))
  }

  /// Breedings without a structure after which a campaign stops trying.
  var rejectionLimit: Int { 20 * settings.candidates }

  private mutating func exploration(_ order: BreedingOrder) -> SlotItem {
    let id = candidates.count + 1
    candidates.append(
      CandidateRecord(
        id: id, kind: order.kind, parents: order.parents.map(\.id).filter { $0 > 0 },
        status: .inFlight, ratio: population.operators.ratio(of: order.kind)))
    counts.bred += 1
    return .work(.candidate(id), .explore(order, stream: id, version: version))
  }

  // Nothing is under way: melts wait for what only this can bring.
  private mutating func closingMelt(slot: Int) -> SlotItem {
    if selectionIsDue(forced: true) { return selection() }
    if refitIsDue(forced: true) { return refitRequest(slot: slot) }
    if version == 0, melts.allSatisfy({ $0.status == .ready }) {
      phase = .failed("no structure of the initial training set could be labelled and learnt from")
      return .idle
    }
    endWaitingMelts()
    return nextItem(slot: slot)
  }

  // Nothing is under way: what is left waits for something that only this can bring.
  private mutating func closingItem(slot: Int) -> SlotItem {
    if !canRelax {
      phase = .failed(
        trainingLabels.isEmpty
          ? "no structure of the initial training set could be generated and labelled"
          : "the first training gave no potential")
      return .idle
    }
    if !waiting.isEmpty {
      if selectionIsDue(forced: true) { return selection() }
      if refitIsDue(forced: true) { return refitRequest(slot: slot) }
      giveUpWaitingCandidates()
      // Those that waited may have held up the breeding of others.
      if let item = nextCandidate(slot: slot) { return item }
    }
    if settings.verify > 0, refitIsDue(forced: true) { return refitRequest(slot: slot) }
    if verificationIsDue(forced: true) {
      queueVerification(forced: true)
      if let item = nextLabelRequest(slot: slot) { return item }
    }
    rerankQueue = population.best(settings.rerankTop).map(\.representative.id)
    guard !rerankQueue.isEmpty || settings.rerankTop == 0 || settings.candidates == 0 else {
      phase = .failed("no candidate came to rest in a region that the potential knows")
      return .idle
    }
    phase = .reranking
    return nextRerank()
  }

  private mutating func giveUpWaitingCandidates() {
    for id in waiting {
      self[candidate: id].status = .unreliable
      counts.unreliable += 1
      recordFailure(of: id)
    }
    waiting = []
  }

  private mutating func nextRerank() -> SlotItem {
    guard phase == .reranking else { return .idle }
    guard !rerankQueue.isEmpty else {
      if openWork == 0 { phase = .finished }
      return .idle
    }
    let id = rerankQueue.removeFirst()
    guard case .relaxed(let relaxed, _) = self[candidate: id].status else {
      preconditionFailure("candidate \(id) is to be re-ranked but is not relaxed")
    }
    return .work(.rerank(candidate: id), .rerank(relaxed.structure))
  }
}

extension BreedingOrder {
  /// Volumes of initial structures over the estimate from covalent radii.
  ///
  /// The estimate does not know how open a structure is: molybdenum has half of it, diamond 1.6 and
  /// graphite 2.4 times as much. A potential that has seen dense structures alone is wrong by tenths of
  /// an eV in open ones and hardly notices.
  package static let initialVolumes = [1.13, 1.81, 0.85, 1.43, 0.60, 2.30]

  /// The order for an initial structure of a campaign, by its number.
  package static func initial(
    _ number: Int, in space: CompositionSpace, seed: UInt64
  ) -> BreedingOrder {
    let composition = space.initial(number, seed: seed)
    // Compositions take turns, too: each gets the next volume when its turn comes again, so that all of
    // them have all volumes, whatever their number.
    let place = number % space.initialTurn + number / space.initialTurn
    let volume = initialVolumes[place % initialVolumes.count]
    return BreedingOrder(
      kind: .random, composition: composition,
      targetVolumePerAtom: volume * VolumeEstimate.fromRadii(composition))
  }
}
