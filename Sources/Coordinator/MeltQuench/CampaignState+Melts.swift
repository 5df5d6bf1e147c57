import Crystal
import Evolution
import NumericalCore
import Potential

// Melts are moved piece by piece, each piece the work of a slot. One that extrapolates waits for the next potential;
// the search begins when all of them are over.
extension CampaignState {
  /// Whether a melt is not over.
  var isMelting: Bool { melts.contains { !$0.isOver } }

  /// Whether atoms can be moved: with a trained potential, or with the reference method.
  private var canMelt: Bool { version > 0 || settings.melts?.usesReference == true }

  /// Whether the first potential has to wait for the frames of the reference method.
  var awaitsFrames: Bool { isMelting && settings.melts?.usesReference == true }

  /// Labels that starts and melts may still ask for.
  var labelsToMelt: Int {
    guard let melts = settings.melts else { return 0 }
    let spent = labels.count { label in
      switch label.origin {
      case .start, .melt: true
      case .initial, .candidate, .minimum, .frame: false
      }
    }
    return max(0, melts.maximumLabels - spent)
  }

  /// So often in a row a melt may fail before it is given up.
  private static let mostFailures = 10

  // MARK: Issue

  /// The order for a disordered structure of the initial training set, by its number.
  func scatteringOrder(_ number: Int) -> WorkOrder {
    guard let melts = settings.melts else { preconditionFailure("starts belong to melts") }
    let start = melts.start(number, in: settings.search.space, seed: settings.seed)
    return .scatter(start.composition, volumePerAtom: start.volumePerAtom, stream: number)
  }

  /// The next piece of the first melt that can go on.
  mutating func nextMelt() -> SlotItem? {
    guard canMelt else { return nil }
    let place = melts.firstIndex { melt in
      switch melt.status {
      case .ready: true
      case .waiting(let version): version < self.version
      case .inFlight, .finished, .ended: false
      }
    }
    guard let place, let schedule = settings.melts else { return nil }
    let progress = melts[place].progress ?? firstProgress(of: place, schedule)
    melts[place].progress = progress
    melts[place].status = .inFlight
    return .work(
      .melt(place),
      .melt(
        progress, run: place, attempt: melts[place].failuresInRow > 0 ? melts[place].failures : 0,
        version: schedule.usesReference ? 0 : version))
  }

  private func firstProgress(of run: Int, _ schedule: MeltSchedule) -> MeltProgress {
    let composition = schedule.composition(run, in: settings.search.space, seed: settings.seed)
    if schedule.volumePerAtom == nil, let start = knownStart(composition, run) {
      return .starting(start)
    }
    return .scattering(
      composition,
      volumePerAtom: schedule.volumePerAtom
        ?? population.volumeRatio * VolumeEstimate.fromRadii(composition))
  }

  /// A disordered structure that the potential was trained on: the lowest ones take turns.
  private func knownStart(_ composition: Composition, _ run: Int) -> Structure? {
    let cap = settings.training.forceCap ?? .infinity
    let pressure = settings.training.pressure
    let starts = labels.filter { label in
      guard case .start = label.origin, let known = label.labelled else { return false }
      return known.structure.composition() == composition
        && known.evaluation.largestForce() <= cap
    }
    let enthalpies = starts.map { $0.labelled?.enthalpyPerAtom(at: pressure) ?? .infinity }
    let order = starts.indices.sorted { (enthalpies[$0], $0) < (enthalpies[$1], $1) }
    return order.isEmpty ? nil : starts[order[run % order.count]].structure
  }

  /// What is learnt from the melts once they are over: some samples are labelled whatever their grade, the
  /// potential of the search sees all labels, chooses among the samples what it does not know, and learns that,
  /// too.
  ///
  /// - Returns: `nil` where nothing is left to learn: the search may begin.
  mutating func nextLesson(slot: Int) -> SlotItem? {
    if movesMelts, !hasSampled {
      hasSampled = true
      labelSamples()
      if let item = nextLabelRequest(slot: slot) { return item }
    }
    if canRelax, !meltSamples.isEmpty, labelsToExplore > 0 {
      pool += meltSamples
      meltSamples = []
      return selection()
    }
    if refitIsDue(forced: true) { return refitRequest(slot: slot) }
    learnsFromMelts = false
    // What had no label left is not to take those of the search.
    meltSamples = []
    pool = []
    return nil
  }

  /// Scattered atoms have done their service once melts are known: some eV per atom above a glass and full of large
  /// forces they make the potential of the search worse, by half for Mg2SiO4.
  mutating func forgetStarts() {
    let others = trainingLabels.filter { label in
      if case .start = labels[label].origin { false } else { true }
    }
    if !others.isEmpty { trainingLabels = others }
  }

  private mutating func labelSamples() {
    for run in melts.indices {
      let samples = meltSamples.filter { $0.source == .melt(run) }
      let count = min(settings.melts?.samples ?? 0, samples.count, labelsToExplore)
      for number in 0..<count {
        let sample = samples[(2 * number + 1) * samples.count / (2 * count)]
        guard !isLabelled(sample.structure) else { continue }
        queueLabel(of: sample.structure, origin: sample.source.origin(grade: sample.grade))
      }
    }
  }

  /// Gives up melts that wait for a potential that will not come; with labels left they try another way.
  mutating func endWaitingMelts() {
    for place in melts.indices {
      guard case .waiting = melts[place].status else { continue }
      guard labelsToExplore > 0 else {
        melts[place].status = .ended("the potential extrapolates, and no more labels are allowed")
        continue
      }
      fail(place, "the potential extrapolates where nothing could be labelled")
    }
  }

  private mutating func fail(_ run: Int, _ reason: String) {
    melts[run].failures += 1
    melts[run].failuresInRow += 1
    melts[run].status = melts[run].failuresInRow < Self.mostFailures ? .ready : .ended(reason)
  }

  // MARK: Commit

  mutating func commitMelt(_ run: Int, _ report: MeltReport, version: Int) {
    melts[run].progress = report.progress
    melts[run].evaluations += report.evaluations
    counts.meltEvaluations += report.evaluations
    addFrames(report.frames, of: run)
    // Before quench and anneal all samples are of the liquid: of one that froze nothing is kept.
    if report.hasRestarted { meltSamples.removeAll { $0.source == .melt(run) } }
    meltSamples += report.samples.map {
      PoolEntry(structure: $0, grade: 0, source: .melt(run))
    }
    if labelsToExplore > 0 {
      pool += report.extrapolative.filter { !isLabelled($0.structure) }.map {
        PoolEntry(structure: $0.structure, grade: $0.grade, source: .melt(run))
      }
    }
    switch report.ending {
    case .underWay:
      melts[run].status = .ready
      melts[run].failuresInRow = 0
    case .finished:
      melts[run].status = .finished
      takeVolume(of: melts[run])
    case .stopped:
      melts[run].stops += 1
      counts.stopped += 1
      stopsSinceSelection += 1
      // Every stop costs a label, so that their number is bounded.
      melts[run].status = .waiting(version: version)
    case .failed(let reason):
      fail(run, reason)
      if let hole = report.hole, labelsToExplore > 0, !melts[run].isOver, !isLabelled(hole) {
        queueLabel(of: hole, origin: .melt(run, grade: 0))
        melts[run].status = .waiting(version: version)
      }
    }
  }

  private mutating func addFrames(_ frames: [LabelledStructure], of run: Int) {
    for frame in frames {
      trainingLabels.append(labels.count)
      labels.append(LabelRecord(id: labels.count, frame: frame, run: run))
      counts.frames += 1
    }
  }

  /// A glass knows better how much room atoms need than structures that were never relaxed.
  private mutating func takeVolume(of melt: MeltRecord) {
    guard settings.search.space.hasOneRatio, let state = melt.state,
      let volume = state.glassVolumePerAtom
    else { return }
    population.volumeRatio =
      volume / VolumeEstimate.fromRadii(state.dynamics.structure.composition())
  }
}
