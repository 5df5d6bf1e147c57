import Coordinator
import Crystal
import Evolution
import NumericalCore
import Testing

/// Runs the toy campaign on a transport and gives its digest, log and state.
private struct ToyRun {
  let digest: String
  let log: MemoryLog
  let state: CampaignState

  static func settings(seed: UInt64 = 1, window: Int = 8) throws -> ScheduleSettings {
    let compositions = try [
      Composition(formula: "TiO2").repeated(2), Composition(formula: "TiO2").repeated(4),
    ]
    var search = PopulationSettings(size: 16, compositions: compositions)
    search.operators = VariationKind.ratios([
      .random: 0.2, .heredity: 0.4, .permutation: 0.1, .softMutation: 0.2, .latticeMutation: 0.1,
    ])
    var settings = ScheduleSettings(
      seed: seed, initialStructures: 12, candidates: 60,
      population: 16, window: window, labelDelay: 8, refitDelay: 8, batch: 8, maxLabels: 90,
      rerankTop: 6, search: search)
    settings.verify = 2
    return settings
  }

  init(
    _ transport: any WorkTransport, settings: ScheduleSettings? = nil, log: MemoryLog = MemoryLog(),
    commitsOnArrival: Bool = false,
    readInputs: @escaping (CampaignState) -> [CampaignInput] = { _ in [] }
  ) throws {
    let schedule = Schedule(
      try settings ?? Self.settings(), commitsOnArrival: commitsOnArrival)
    let runner = CampaignRunner(schedule, transport: transport, log: log)
    runner.readInputs = readInputs
    #expect(try runner.run() == .finished)
    state = runner.schedule.state
    digest = runner.digest.hexadecimal(with: state)
    self.log = log
  }
}

/// The toy, with a list of what it was asked.
private final class RecordingExecutor: WorkExecutor {
  private let toy = ToyExecutor()
  private(set) var orders: [WorkOrder] = []

  func hold(version: Int, potential: [UInt8]) { toy.hold(version: version, potential: potential) }

  func execute(_ order: WorkOrder) throws -> WorkResult {
    orders.append(order)
    return try toy.execute(order)
  }
}

@Suite("Schedule")
struct ScheduleTests {
  private let toy = ToyExecutor()

  @Test("However many sizes a cell has, each begins with all volumes", arguments: 1...13)
  func volumes(sizes: Int) throws {
    let silicon = try Composition(formula: "Si")
    let space = CompositionSpace.listed((1...sizes).map { silicon.repeated($0) })
    let count = BreedingOrder.initialVolumes.count
    var volumes: [Int: Set<Double>] = [:]
    for number in 0..<(count * sizes) {
      let order = BreedingOrder.initial(number, in: space, seed: 1)
      volumes[order.composition.atomCount, default: []].insert(
        order.targetVolumePerAtom / VolumeEstimate.fromRadii(order.composition))
    }
    #expect(volumes.keys.sorted() == Array(1...sizes))
    for found in volumes.values {
      #expect(found.count == count)
      #expect((found.max() ?? 0) > 3 * (found.min() ?? 0))
    }
    // A few structures of each have not all the same, either.
    let first = (0..<(3 * sizes)).map { BreedingOrder.initial($0, in: space, seed: 1) }
    for orders in Dictionary(grouping: first, by: \.composition.atomCount).values {
      #expect(Set(orders.map(\.targetVolumePerAtom)).count == 3)
    }
  }

  @Test("The search starts from the volumes of the lowest initial structures")
  func startingVolume() throws {
    let recording = RecordingExecutor()
    let run = try ToyRun(InProcessTransport(executor: recording))
    let volumes = recording.orders.compactMap { order -> Double? in
      if case .generate(let order, _) = order { order.targetVolumePerAtom } else { nil }
    }
    #expect(Set(volumes).count == BreedingOrder.initialVolumes.count)
    // What the first training saw: labels of initial structures alone.
    let initial = run.state.labels.filter { if case .initial = $0.origin { true } else { false } }
      .compactMap(\.labelled).sorted { energyPerAtom($0) < energyPerAtom($1) }
    let ratios = initial.prefix(max(3, initial.count / BreedingOrder.initialVolumes.count)).map {
      $0.structure.volumePerAtom / VolumeEstimate.fromRadii($0.structure.composition())
    }
    #expect(ratios.count >= 3)
    #expect(run.state.population.volumeRatio == VolumeEstimate.median(ratios))
    #expect(run.state.population.volumeRatio != 1)
  }

  private func energyPerAtom(_ labelled: LabelledStructure) -> Double {
    labelled.evaluation.energy / Double(labelled.structure.atomCount)
  }

  @Test("The best minima are labelled: before re-ranking all of them have their labels")
  func verification() throws {
    let run = try ToyRun(InProcessTransport(executor: toy))
    let verified = run.state.labels.compactMap { label -> Int? in
      if case .minimum(let candidate) = label.origin { candidate } else { nil }
    }
    #expect(Set(verified).count >= 4)
    #expect(run.state.labels.count < 90)
    let structures = run.state.labels.compactMap { label -> Structure? in
      if case .minimum = label.origin { label.structure } else { nil }
    }
    for basin in run.state.population.best(2) {
      #expect(structures.contains { $0.matches(basin.representative.structure) })
    }
    // No minimum is labelled often, whichever candidate stands for it.
    for one in structures { #expect(structures.count { $0.matches(one) } <= 3) }
    // Where the reference method gives no label of a minimum, the next best gets one.
    func minima(_ isWanted: (LabelRecord) -> Bool) -> Set<Int> {
      Set(
        run.state.labels.filter(isWanted).compactMap { label in
          if case .minimum(let candidate) = label.origin { candidate } else { nil }
        })
    }
    let failed = minima { if case .failed = $0.status { true } else { false } }
    let labelled = minima { $0.labelled != nil }
    #expect(!failed.isEmpty)
    let best = run.state.population.best(2 + failed.count).map(\.representative.id)
    #expect(best.filter(labelled.contains).count >= 2)
    var settings = try ToyRun.settings()
    settings.verify = 0
    let without = try ToyRun(InProcessTransport(executor: toy), settings: settings)
    #expect(
      without.state.labels.allSatisfy {
        if case .minimum = $0.origin { false } else { true }
      })
  }

  @Test("At the end a minimum is labelled again where the newest potential contradicts its label")
  func contradiction() throws {
    var (repeated, compared) = (0, 0)
    for seed in 1...6 as ClosedRange<UInt64> {
      let run = try ToyRun(
        InProcessTransport(executor: toy), settings: ToyRun.settings(seed: seed))
      #expect(run.state.labelsLeft > 0)
      let minima = run.state.labels.filter { label in
        if case .minimum = label.origin { true } else { false }
      }
      for (place, one) in minima.enumerated() {
        let before = minima[..<place].filter { $0.structure.matches(one.structure) }
        if !before.isEmpty { repeated += 1 }
        // It has moved: the label of the very same structure would say the same.
        #expect(!before.contains { $0.structure == one.structure })
      }
      for best in run.state.population.best(2).map(\.representative) {
        let labels = minima.filter { $0.structure.matches(best.structure) }
        #expect((1...3).contains(labels.count))
        // A minimum that lies still would get the same label again.
        guard labels.count < 3, let labelled = labels.last?.labelled,
          !labelled.structure.matches(
            best.structure, tolerance: MatchingTolerance(displacement: 0.015, strain: 0.003))
        else { continue }
        compared += 1
        #expect(abs(best.enthalpyPerAtom - energyPerAtom(labelled)) <= 0.01)
      }
    }
    #expect(repeated >= 2 && compared >= 2)
  }

  @Test("The last labels are kept for the minima that the search ends with")
  func reserve() throws {
    var settings = try ToyRun.settings()
    settings.maxLabels = 40
    settings.verify = 6
    let run = try ToyRun(InProcessTransport(executor: toy), settings: settings)
    let labels = run.state.labels
    #expect(labels.count > 34 && labels.count <= 40)
    for label in labels[34...] {
      guard case .minimum = label.origin else {
        Issue.record("\(label.origin) among the last labels")
        continue
      }
    }
    // Without the limit there are more labels: it was met.
    settings.maxLabels = 90
    let free = try ToyRun(InProcessTransport(executor: toy), settings: settings)
    #expect(free.state.labels.count > 40)
  }

  @Test("Candidates come back to structures that are labelled, which are not labelled again")
  func repeats() throws {
    let executor = RecordingExecutor()
    let run = try ToyRun(InProcessTransport(executor: executor))
    let labelled = run.state.labels.filter { label in
      if case .minimum = label.origin { false } else { label.labelled != nil }
    }.map(\.structure)
    #expect(Set(labelled).count == labelled.count)
    // The toy's relaxations extrapolate where they begin.
    let begun = executor.orders.compactMap { order in
      if case .resume(let structure, _) = order { structure } else { nil }
    }
    #expect(begun.count(where: labelled.contains) > 5)
  }

  @Test("The reference method gets crystals without repetition")
  func units() throws {
    let executor = RecordingExecutor()
    let run = try ToyRun(InProcessTransport(executor: executor))
    var asked: Set<Structure> = []
    for case .label(let structure, _) in executor.orders { asked.insert(structure) }
    var shortened = 0
    for label in run.state.labels {
      guard let labelled = label.labelled else { continue }
      #expect(asked.contains(label.unit.structure))
      #expect(labelled.structure == label.unit.whole)
      #expect(labelled.structure.matches(label.structure))
      #expect(labelled.structure.atomCount == label.structure.atomCount)
      if label.unit.count > 1 {
        shortened += 1
      } else {
        #expect(label.unit.structure == label.structure)
      }
    }
    #expect(shortened >= 2 && shortened < run.state.labels.count / 2)
  }

  @Test("Of the packings of the same layers, chains or molecules only so many are re-ranked")
  func packings() throws {
    func counts(_ limit: Int?) throws -> (all: Int, most: Int) {
      var settings = try ToyRun.settings()
      settings.rerankTop = 20
      settings.search.packings = limit
      let state = try ToyRun(InProcessTransport(executor: toy), settings: settings).state
      var counts: [NetSignature: Int] = [:]
      for entry in state.reranked {
        let structure = try #require(entry.relaxed).structure
        guard BondNetwork(structure).dimension < 3 else { continue }
        counts[NetSignature(structure), default: 0] += 1
      }
      return (state.reranked.count, counts.values.max() ?? 0)
    }
    let free = try counts(nil)
    #expect(free.most > 1)
    let limited = try counts(1)
    #expect(limited.most == 1)
    // Others take their places.
    #expect(limited.all == free.all)
  }

  @Test("The toy campaign exercises every kind of slot")
  func coverage() throws {
    let run = try ToyRun(InProcessTransport(executor: toy))
    let counts = run.state.counts
    #expect(counts.refits >= 3)
    #expect(counts.continued >= 10)
    #expect(counts.rejected >= 1)
    #expect(counts.failed >= 1)
    #expect(counts.failedLabels >= 1)
    #expect(counts.refreshes >= 10)
    #expect(counts.idle >= 1)
    #expect(counts.bred == 60)
    #expect(run.state.labels.count <= 90)
    #expect(!run.state.reranked.isEmpty)
    #expect(run.state.candidates.prefix(10).allSatisfy { $0.kind.parentCount == 0 })
  }

  @Test("The digest does not depend on workers, times and order of arrival")
  func orderIndependence() throws {
    let expected = try ToyRun(InProcessTransport(executor: toy)).digest
    for trial in 0..<1000 {
      let workers = 1 + trial % 64
      let transport = SimulatedTransport(workers: workers, seed: UInt64(trial), executor: toy)
      #expect(try ToyRun(transport).digest == expected, "\(workers) workers, seed \(trial)")
    }
  }

  @Test("Breeding from uncommitted state is caught by the digest")
  func plantedFault() throws {
    let expected = try ToyRun(InProcessTransport(executor: toy), commitsOnArrival: true).digest
    var differing = 0
    for trial in 0..<20 {
      let transport = SimulatedTransport(workers: 8, seed: UInt64(trial), executor: toy)
      if try ToyRun(transport, commitsOnArrival: true).digest != expected { differing += 1 }
    }
    #expect(differing >= 15)
  }

  @Test("A campaign cut after any commit continues to the same digest")
  func cuts() throws {
    let whole = try ToyRun(InProcessTransport(executor: toy))
    for cut in 0..<whole.log.slots.count {
      let log = MemoryLog(slots: Array(whole.log.slots.prefix(cut)))
      let transport = SimulatedTransport(
        workers: 1 + cut % 7, seed: UInt64(cut), executor: ToyExecutor.sharing(toy))
      let run = try ToyRun(transport, log: log)
      #expect(run.digest == whole.digest, "cut after \(cut) commits")
      #expect(log.slots == whole.log.slots)
    }
  }

  @Test("A log that another campaign wrote is refused, with the first slot that differs")
  func foreignLog() throws {
    let whole = try ToyRun(InProcessTransport(executor: toy))
    let runner = CampaignRunner(
      Schedule(try ToyRun.settings(seed: 2)), transport: InProcessTransport(executor: toy),
      log: MemoryLog(slots: whole.log.slots))
    let error = #expect(throws: ReplayError.self) { try runner.run() }
    let slot = try #require(error).slot
    #expect(slot > 0 && slot < whole.log.slots.count)
  }

  @Test("Inputs act at fixed commits and are replayed from the log")
  func inputs() throws {
    let seed = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(4, 4, 3))),
      species: Composition(formula: "TiO2").species,
      fractionalPositions: [.zero, Vector3(0.3, 0.3, 0), Vector3(0.7, 0.7, 0)])
    func offer(_ state: CampaignState) -> [CampaignInput] {
      guard state.nextCommit == 48 else { return [] }
      return [
        CampaignInput(name: "seeds/rutile.vasp", content: .seed(seed)),
        CampaignInput(name: "limits.yaml", content: .candidates(70)),
      ]
    }
    let whole = try ToyRun(InProcessTransport(executor: toy), readInputs: offer)
    #expect(whole.state.counts.bred == 70)
    #expect(whole.state.candidates.contains { $0.kind == .seed })
    #expect(whole.log.inputs.map(\.position) == [48, 48])
    let log = MemoryLog(slots: Array(whole.log.slots.prefix(60)), inputs: whole.log.inputs)
    let run = try ToyRun(
      SimulatedTransport(workers: 5, seed: 3, executor: toy), log: log)
    #expect(run.digest == whole.digest)
  }

  @Test("Another window is another campaign", arguments: [1, 2, 16])
  func windows(window: Int) throws {
    let settings = try ToyRun.settings(window: window)
    let one = try ToyRun(InProcessTransport(executor: toy), settings: settings)
    let many = try ToyRun(
      SimulatedTransport(workers: 16, seed: 9, executor: toy), settings: settings)
    #expect(one.digest == many.digest)
  }

  @Test("Every slot of the log survives its bytes")
  func bytes() throws {
    let whole = try ToyRun(InProcessTransport(executor: toy))
    for slot in whole.log.slots {
      #expect(try SlotItem(canonicalBytes: slot.item).canonicalBytes == slot.item)
      let result = try slot.decodedResult()
      #expect((result?.canonicalBytes ?? []) == slot.result)
    }
  }
}
