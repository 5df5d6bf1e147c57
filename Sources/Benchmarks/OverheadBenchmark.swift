import Coordinator
import Crystal
import Dynamics
import Evolution
import NumericalCore
import Potential
import StructureFormats

/// `Benchmarks overhead POT`: what the engine adds to its relaxations, part by part.
enum OverheadBenchmark: Benchmark {
  static let syntax = Syntax(
    "overhead", "share of the engine's own work in the time of a worker, and rank 0 per commit",
    reason: "with fast potentials a relaxation takes milliseconds: making children, fingerprints, "
      + "symmetry and the search for duplicates must stay small beside it, and rank 0 must decide "
      + "faster than all workers relax.",
    arguments: ["POT"],
    options: RandomStructures.options + [
      .init(
        "training", "FILE",
        "what the potential was trained on: relaxations are graded at every step, as in a campaign"),
      .init(
        "campaign", "DIR",
        "a finished campaign with POT: its log tells what its relaxations took, races and "
          + "continuations with them; without it, one relaxation of each random structure counts"),
      .init("commits", "M", "candidates that rank 0 decides on; default 2000"),
      .init("rank-composition", "FORMULA", "atoms of the cells on rank 0; default Mg8Si4O16"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let potential = try PotentialFile(path: arguments.argument("POT")).potential
    let grader = try grader(potential, arguments)
    let (starts, source) = try RandomStructures.starts(arguments)
    let settings = RelaxationSettings(
      stages: [.coarse, .tight], minimumDistances: source.minimumDistances)
    var relaxed: [Structure] = []
    let relaxing = Stopwatch.seconds {
      for start in starts {
        let result = Relaxation.run(start, with: potential, settings: settings) { step in
          // A grade that cannot be computed costs time, too.
          _ = try? grader?.grade(of: step.structure)
          return .continue
        }
        if result.hasConverged { relaxed.append(result.structure.reduced()) }
      }
    }
    guard relaxed.count > 1 else { throw BenchmarkFailure("hardly any relaxation converged") }
    let relaxation = 1e6 * relaxing / Double(starts.count)
    let campaign = try arguments.option("campaign").map {
      try CampaignCost($0, composition: source.composition)
    }
    let known = knownStructures(relaxed, source.composition)
    let match = matching(relaxed)
    let draws = campaign?.draws ?? CampaignSettings.Search.usualDraws
    let breeding = children(of: relaxed, source, draws: draws)
    let ratios = OperatorRatios(
      VariationKind.defaultRatios(in: .listed([source.composition])))
    // Of the operators that are measured here: those that change the composition are not.
    let shares = breeding.map { campaign?.share(of: $0.kind) ?? ratios.ratio(of: $0.kind) }
    let measured = shares.reduce(0, +)
    guard measured > 0 else {
      throw BenchmarkFailure("overhead: none of the operators of --campaign is measured here")
    }
    let bred =
      zip(shares, breeding).map { $0 * $1.part.microseconds }.reduce(0, +) / measured
    let analyses = campaign?.analysesPerCandidate ?? 1
    let onWorker = analyses * known.map(\.microseconds).reduce(0, +) + bred
    // A worker's time for a candidate contains the engine's own work; what is compared with known
    // structures is compared on rank 0.
    let relaxations = campaign.map { $0.microsecondsPerCandidate - onWorker } ?? relaxation
    guard relaxations > 0 else {
      throw BenchmarkFailure(
        "overhead: --campaign took less for a candidate than breeding and analysis take here; "
          + "measure both on one machine")
    }
    let own = onWorker + analyses * match.microseconds
    let commit = try rankZero(arguments)
    var quantities: [Report.Quantity] = [
      .init("share", "engine's own work over the relaxations", .number(own / relaxations)),
      .init("own_microseconds", "µs of own work per candidate", .number(own)),
      .init(
        "relaxations_microseconds", "µs of relaxations per candidate", .number(relaxations)),
      .init("relaxation_microseconds", "µs per relaxation (mean)", .number(relaxation)),
      .init(
        "breeding_microseconds",
        campaign == nil
          ? "µs per candidate for breeding, at the default ratios"
          : "µs per candidate for breeding, by the campaign's operators",
        .number(bred)),
    ]
    for part in known + [match] + breeding.map(\.part) {
      quantities.append(
        .init(part.name + "_microseconds", "µs: " + part.name, .number(part.microseconds)))
    }
    quantities += [
      .init("commit_microseconds", "µs of rank 0 per commit", .number(commit)),
      .init("relaxed", "relaxed structures", .integer(relaxed.count)),
      .init("composition", "cell", .text(source.composition.formula)),
    ]
    return Report(quantities)
  }

  private static func grader(
    _ potential: any InteratomicPotential, _ arguments: Arguments
  ) throws -> ExtrapolationGrader? {
    guard let path = arguments.option("training") else { return nil }
    guard let potential = potential as? MomentTensorPotential else {
      throw WrongCommandLine("overhead: --training: POT is no moment tensor potential")
    }
    let records = try StructureFile.read(path, elements: potential.elements)
    return try ExtrapolationGrader(potential, trainedOn: records.map(\.structure))
  }

  /// What the log of a finished campaign says of its candidates.
  private struct CampaignCost {
    /// Time of the workers for relaxations, with all that belongs to them.
    let microsecondsPerCandidate: Double
    /// Relaxed structures that were analysed, refreshes and continuations among them.
    let analysesPerCandidate: Double
    /// Children of an order, of which one is relaxed.
    let draws: Int
    private let kinds: [VariationKind: Int]

    init(_ path: String, composition: Composition) throws {
      let folder = CampaignFolder(path: path)
      let (settings, runner) = try folder.replayed()
      let state = runner.schedule.state
      guard settings.potential.kind != .reference else {
        throw WrongCommandLine(
          "overhead: --campaign: '\(path)' relaxes with its reference method; name one whose "
            + "potential learns")
      }
      guard state.counts.bred > 0 else {
        throw WrongCommandLine("overhead: --campaign: '\(path)' has no candidates yet")
      }
      guard settings.space.canonical(composition) != nil else {
        throw WrongCommandLine(
          "overhead: --campaign: '\(path)' has no cells of \(composition.formula); name one with "
            + "--composition")
      }
      let count = Double(state.counts.bred)
      microsecondsPerCandidate = 1e6 * runner.workTimes.spent(on: .relaxation).seconds / count
      var analyses = 0
      try folder.open().log.forEachStoredSlot { slot in
        if case .relaxation(let report)? = try slot.decodedResult(),
          case .relaxed = report.ending
        {
          analyses += 1
        }
      }
      analysesPerCandidate = Double(analyses) / count
      draws = settings.search.draws
      kinds = Dictionary(grouping: state.candidates, by: \.kind).mapValues(\.count)
    }

    /// The share of the candidates that an operator made.
    func share(of kind: VariationKind) -> Double {
      Double(kinds[kind] ?? 0) / Double(kinds.values.reduce(0, +))
    }
  }

  private struct Part {
    let name: String
    let microseconds: Double
  }

  private static func part(_ name: String, of count: Int, _ body: () -> Void) -> Part {
    let sample = Stopwatch.sample(runs: 7, body)
    return Part(name: name, microseconds: 1e6 * sample.median / Double(count))
  }

  // What a worker must know of every relaxed structure.
  private static func knownStructures(
    _ structures: [Structure], _ composition: Composition
  ) -> [Part] {
    let settings = StructureFingerprint.Settings(
      volumePerAtom: VolumeEstimate.fromRadii(composition))
    let fingerprint = part("fingerprint", of: structures.count) {
      for structure in structures { _ = StructureFingerprint(structure, settings: settings) }
    }
    let symmetry = part("symmetry", of: structures.count) {
      for structure in structures { _ = MatchingCell(structure)?.pointGroupOrder() }
    }
    return [fingerprint, symmetry]
  }

  // The exact comparison with a known structure, which rank 0 makes.
  private static func matching(_ structures: [Structure]) -> Part {
    var random = RandomStream(seed: 3, purpose: .test)
    let again = structures.map { structure in
      structure.replacing(positions: structure.positions.map { $0 + 0.02 * random.unitVector() })
    }
    var matches = 0
    return part("match", of: structures.count) {
      for (one, other) in zip(structures, again) where one.matches(other) { matches += 1 }
    }
  }

  // What each operator takes for a candidate: of most of them several children are bred of one order,
  // and one is relaxed.
  private static func children(
    of parents: [Structure], _ source: RandomStructures, draws: Int
  ) -> [(kind: VariationKind, part: Part)] {
    let settings = BreedingSettings(minimumDistances: source.minimumDistances)
    let volume = VolumeEstimate.fromRadii(source.composition)
    var breeder = Breeder()
    return VariationKind.operators.filter { !$0.changesCell }.map { kind in
      let bred = part(kind.rawValue, of: parents.count) {
        for (number, parent) in parents.enumerated() {
          let partner = parents[(number + 1) % parents.count]
          let order = BreedingOrder(
            kind: kind, composition: source.composition,
            parents: [parent, partner].prefix(kind.parentCount).enumerated().map {
              Parent(id: $0.offset + 1, structure: $0.element)
            }, targetVolumePerAtom: volume)
          for draw in 0..<(kind.isDrawn ? draws : 1) {
            var random = RandomStream(
              seed: 4, purpose: .test, slot: UInt64(number), attempt: UInt32(draw))
            _ = breeder.breed(order.rotated(by: draw), settings: settings, random: &random)
          }
        }
      }
      return (kind, bred)
    }
  }

  // Decisions, duplicates, ranking and the journal, as `schedule` measures them, for large cells.
  private static func rankZero(_ arguments: Arguments) throws -> Double {
    let candidates = try arguments.integer("commits", in: 100...1_000_000, default: 2000)
    let cell = try arguments.composition("rank-composition", default: "Mg8Si4O16")
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    let population = 60
    let settings = ScheduleSettings(
      seed: 1, initialStructures: 20, candidates: candidates,
      population: population, window: 8, labelDelay: 8, refitDelay: 8, batch: 8, maxLabels: 40,
      rerankTop: 2, search: PopulationSettings(size: population, compositions: [cell]))
    let work = PretendedWork()
    let runner = CampaignRunner(
      Schedule(settings),
      transport: SimulatedTransport(workers: 4, seed: 1, executor: work),
      log: try DatabaseLog(path: scratch.path + "/overhead.db", access: .create))
    let seconds = try Stopwatch.seconds { _ = try runner.run() }
    return 1e6 * (seconds - work.seconds) / Double(runner.schedule.state.nextCommit)
  }
}
