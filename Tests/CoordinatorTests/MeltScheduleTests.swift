import Coordinator
import Crystal
import Dynamics
import Evolution
import NumericalCore
import Testing

@Suite("Schedule of melts")
struct MeltScheduleTests {
  private func settings(
    seed: UInt64, method: CampaignSettings.MeltQuench.Method, runs: Int = 2, limit: Int = 60
  ) throws -> ScheduleSettings {
    let text = """
      composition: TiO2
      formula_units: [2, 4]
      seed: \(seed)
      reference: {kind: lennard-jones, pairs: [\
      {elements: [Ti, Ti], epsilon: 0.1, sigma: 2, cutoff: 4}, \
      {elements: [Ti, O], epsilon: 0.1, sigma: 2, cutoff: 4}, \
      {elements: [O, O], epsilon: 0.1, sigma: 2, cutoff: 4}]}
      initial_training:
        random_structures: 4
        melt_quench: {method: \(method.rawValue), runs: \(runs), atoms: 24, max_labels: \(limit)}
      active_learning: {max_labels: 90}
      search: {candidates: 40, population: 10, window: 6}
      rerank: {top: 4}

      """
    return try CampaignSettings(.init(text: text, path: "melts.yaml")).schedule()
  }

  private struct Run {
    let digest: String
    let log: MemoryLog
    let state: CampaignState

    init(
      _ settings: ScheduleSettings, _ transport: any WorkTransport, log: MemoryLog = MemoryLog()
    ) throws {
      let runner = CampaignRunner(Schedule(settings), transport: transport, log: log)
      #expect(try runner.run() == .finished)
      state = runner.schedule.state
      digest = runner.digest.hexadecimal(with: state)
      self.log = log
    }
  }

  @Test(
    "Melts come before candidates; labels of the melts stay within their limit", arguments: 1...20)
  func order(seed: UInt64) throws {
    let settings = try settings(seed: seed, method: .potential)
    // Orders of melts do not know the campaign's seed.
    let toy = ToyExecutor(seed: UInt8(seed))
    let run = try Run(settings, InProcessTransport(executor: toy))
    var (isSearching, hasMelted, refitsForMelts) = (false, false, 0)
    var (samples, offered): (Set<Structure>, Set<Structure>) = ([], [])
    try run.log.forEachStoredSlot { slot in
      if case .melted(let report)? = try slot.decodedResult() { samples.formUnion(report.samples) }
      switch try SlotItem(canonicalBytes: slot.item) {
      case .work(.selection, .select(let pool, _, _)) where !isSearching: offered.formUnion(pool)
      case .work(.melt, .melt(_, _, _, let version)):
        #expect(!isSearching && version > 0)
        hasMelted = true
      case .work(.candidate, .explore(_, _, let version)):
        isSearching = true
        // The potential of the search is never one that moved melts.
        #expect(version > refitsForMelts)
      case .refitArrival(let version) where !isSearching: refitsForMelts = version - 1
      default: break
      }
    }
    #expect(hasMelted && isSearching)
    let melts = run.state.labels.filter { label in
      switch label.origin {
      case .start, .melt: true
      case .initial, .candidate, .minimum, .frame: false
      }
    }
    #expect(melts.count <= 60)
    // Before the first candidate all samples are offered to the potential of the search while labels are left.
    #expect(samples.isSubset(of: offered) || melts.count == 60)
    // The potential of the search learns of melts, and not of the starts.
    for label in run.state.trainingLabels {
      if case .start = run.state.labels[label].origin { Issue.record("label \(label) is a start") }
    }
    #expect(melts.count { if case .start = $0.origin { true } else { false } } >= 11)
    #expect(run.state.melts.count == 2)
    for melt in run.state.melts { #expect(melt.isOver && melt.evaluations > 0) }
    #expect(run.state.counts.meltEvaluations == run.state.melts.reduce(0) { $0 + $1.evaluations })
    #expect(run.state.labelsSpent <= 90)
  }

  @Test("Frames of the reference method are learnt from, and no limit of labels counts them")
  func reference() throws {
    let settings = try settings(seed: 3, method: .reference, limit: 0)
    let run = try Run(settings, InProcessTransport(executor: ToyExecutor()))
    let frames = run.state.labels.filter { if case .frame = $0.origin { true } else { false } }
    #expect(frames.count > 4)
    #expect(run.state.counts.frames == frames.count)
    #expect(run.state.labelsSpent == run.state.labels.count - frames.count)
    // The first training has all of them.
    var firstRefit: Int?
    var seen = 0
    try run.log.forEachStoredSlot { slot in
      if case .melted(let report)? = try slot.decodedResult() { seen += report.frames.count }
      if case .refitRequest(version: 1) = try SlotItem(canonicalBytes: slot.item) {
        firstRefit = seen
      }
    }
    #expect(firstRefit == frames.count)
  }

  @Test("A melt without labels left is given up, and the search begins all the same")
  func limit() throws {
    var givenUp = 0
    let settings = try settings(seed: 5, method: .potential, runs: 1, limit: 13)
    for seed in UInt8(1)...12 {
      let run = try Run(settings, InProcessTransport(executor: ToyExecutor(seed: seed)))
      #expect(run.state.counts.bred == 40)
      guard case .ended(let reason) = try #require(run.state.melts.first).status else { continue }
      givenUp += reason.contains("no more labels") ? 1 : 0
    }
    // The toy stops most melts several times, and there is one label for all of them.
    #expect(givenUp >= 6)
  }

  @Test("One digest for any order of arrival, and after any interruption")
  func digest() throws {
    let toy = ToyExecutor()
    for method in [CampaignSettings.MeltQuench.Method.potential, .reference] {
      let settings = try settings(seed: 7, method: method)
      let whole = try Run(settings, InProcessTransport(executor: toy))
      for workers in [1, 2, 5, 9] {
        let transport = SimulatedTransport(
          workers: workers, seed: UInt64(workers), executor: ToyExecutor.sharing(toy))
        #expect(try Run(settings, transport).digest == whole.digest, "\(workers) workers")
      }
      for length in stride(from: 3, to: whole.log.slots.count, by: 29) {
        let log = MemoryLog(slots: Array(whole.log.slots.prefix(length)))
        let resumed = try Run(
          settings, InProcessTransport(executor: ToyExecutor.sharing(toy)), log: log)
        #expect(resumed.digest == whole.digest, "resumed after \(length) slots")
      }
    }
  }
}
