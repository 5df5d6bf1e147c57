import Coordinator
import Crystal
import Foundation
import NumericalCore
import Settings
import StructureFormats

/// Runs the parts of a study of disordered training sets, in a folder that keeps what is finished.
struct DisorderStudy {
  let document: CampaignDocument
  let settings: CampaignSettings
  let goal: KnownStructure
  let program: StudyProgram

  private static let strains = 12

  // MARK: Parts

  /// Metastable structures, found by a search with the reference itself.
  func pool(seed: Int, candidates: Int) throws -> DisorderFindings.Pool {
    try program.stored("pool") {
      var search = document
      search["potential"] = .mapping([.init("kind", .text("reference"))])
      search["initial_training"] = nil
      search["active_learning"] = nil
      search["search"] = .mapping(
        document.entries(of: ["search"], without: ["candidates"]) + [
          .init("candidates", .integer(candidates))
        ])
      search["rerank"] = .mapping([.init("top", .integer(0))])
      let trial = trial(search, seed: seed, "pool-search", ranked: 0)
      let outcome = try trial.run(goal)
      let exported = path("pool-structures")
      try removeFolder(exported)
      try program.run(
        ["export", trial.directory, "--format", "extxyz", "--top", "10000", "--output", exported])
      try writeReference()
      try program.run(
        ["evaluate", referencePath, exported + "/candidates.extxyz", "--output", poolPath],
        ranks: program.workers)
      return DisorderFindings.Pool(
        structures: try StructureFile.read(poolPath).count, candidates: candidates, seed: seed,
        evaluations: outcome.counts.evaluations)
    }
  }

  /// The campaign without its search.
  func melted(seed: Int) throws -> DisorderFindings.Melted {
    try program.stored("melts-\(seed)") {
      let trial = trial(meltsAlone, seed: seed, "melts-\(seed)-campaign", ranked: 0)
      let outcome = try trial.run(goal)
      return DisorderFindings.Melted(
        seed: seed, labels: outcome.counts.labels, starts: outcome.counts.initialLabels,
        temperature: outcome.counts.melts?.first?.liquidDownTo ?? 0, seconds: outcome.seconds,
        judgement: try judged(try program.newestPotential(of: trial.directory), "melts-\(seed)"))
    }
  }

  /// The same way with the reference's own dynamics, whose frames are all labels.
  func referenceMelt(seed: Int) throws -> DisorderFindings.ReferenceMelt {
    try program.stored("frames") {
      let plan = path("frames-plan.yaml")
      try AtomicFile.write(referencePlan(seed: seed), to: plan)
      let clock = ContinuousClock()
      let start = clock.now
      try runDynamics(plan, in: framesFolder)
      let stages = try program.decoded(
        DynamicsSummary.self, framesFolder + "/summary.json"
      ).stages
      return DisorderFindings.ReferenceMelt(
        frames: try StructureFile.read(framesFolder + "/frames.extxyz").count,
        evaluations: stages.reduce(0) { $0 + ($1.steps ?? 0) },
        temperature: stages.last?.liquidDownTo ?? 0, seconds: seconds(clock.now - start))
    }
  }

  private var framesFolder: String { path("frames-dynamics") }

  /// Runs a plan; one that was interrupted goes on.
  private func runDynamics(_ plan: String, in run: String) throws {
    let isBegun = FileManager.default.fileExists(atPath: run + "/plan.yaml")
    try program.run(["dynamics", plan, "--directory", run] + (isBegun ? ["--resume"] : []))
  }

  /// A potential of evenly chosen frames of the reference's dynamics.
  func framed(_ count: Int) throws -> DisorderFindings.Framed {
    try program.stored("frames-\(count)") {
      let all = try StructureFile.read(framesFolder + "/frames.extxyz")
      let chosen = StudyProgram.evenly(all, count)
      let set = path("frames-\(count).extxyz")
      try StructureFile.write(chosen, to: set, format: .extxyz)
      let potential = path("frames-\(count).mtp")
      let clock = ContinuousClock()
      let start = clock.now
      try program.run(
        ["train", "mtp", set, "--output", potential] + basisWords + trainingWords,
        ranks: program.workers)
      return DisorderFindings.Framed(
        frames: chosen.count, seconds: seconds(clock.now - start),
        judgement: try judged(potential, "frames-\(count)"))
    }
  }

  /// The whole campaign.
  func searched(seed: Int) throws -> DisorderFindings.Searched {
    try program.stored("search-\(seed)") {
      let trial = trial(
        document, seed: seed, "search-\(seed)-campaign", ranked: settings.rerank.top)
      let outcome = try trial.run(goal)
      guard let best = outcome.best.first else {
        throw BenchmarkFailure("seed \(seed): no candidate was found")
      }
      return DisorderFindings.Searched(
        seed: seed, labels: outcome.counts.labels, place: outcome.hit?.place,
        energy: outcome.hit?.enthalpyEvPerAtom,
        best: "\(best.spaceGroupSymbol) (\(best.spaceGroup))", bestEnergy: best.enthalpyEvPerAtom,
        timesFound: outcome.hit?.timesFound, candidates: outcome.counts.candidates,
        seconds: outcome.seconds, digest: outcome.digest,
        judgement: try judged(try program.newestPotential(of: trial.directory), "search-\(seed)"))
    }
  }

  /// What relaxations and strains of half of the candidates teach about the other half.
  func retrained(seed: Int) throws -> DisorderFindings.Retrained {
    try program.stored("retrained-\(seed)") {
      let campaign = path("search-\(seed)-campaign")
      let output = path("retrained-\(seed).rerank.json")
      try program.run(
        [
          "rerank", campaign, "--top", "\(2 * Self.strains)", "--retrain", "\(Self.strains)",
          "--json",
        ], ranks: program.workers, printing: output)
      let result = try program.decoded(RerankOutput.self, output).retraining
      return DisorderFindings.Retrained(
        seed: seed, taught: result.trainingCandidates.count, tested: result.testCandidates.count,
        structures: result.newStructures, errorBefore: result.before.rmseMevPerAtom,
        errorAfter: result.after.rmseMevPerAtom, pearsonBefore: result.before.pearson,
        pearsonAfter: result.after.pearson,
        judgement: try judged(campaign + "/retrained.mtp", "retrained-\(seed)"))
    }
  }

  /// Melts and quenches with the potential of the melts; amorphous frames are labelled and added.
  func secondRound(seed: Int, frames count: Int) throws -> DisorderFindings.SecondRound {
    try program.stored("second-\(seed)") {
      let campaign = path("melts-\(seed)-campaign")
      let potential = try program.newestPotential(of: campaign)
      let plan = path("second-\(seed)-plan.yaml")
      // Atoms of the first melt: scattered ones are forgotten.
      guard let known = try labelled(campaign + "/training.cfg").last else {
        throw BenchmarkFailure("\(campaign): the training set is empty")
      }
      let start = path("second-\(seed)-start.extxyz")
      try StructureFile.write(
        [StructureRecord(structure: known.structure)], to: start, format: .extxyz)
      try AtomicFile.write(secondPlan(potential, from: start, seed: seed), to: plan)
      let run = path("second-\(seed)-dynamics")
      try runDynamics(plan, in: run)
      let frames = try StructureFile.read(run + "/frames.extxyz")
      let amorphous = frames.filter { record in
        record.features.contains { $0.key == "stage" && $0.value == "anneal" }
      }
      let chosen = path("second-\(seed)-amorphous.extxyz")
      try StructureFile.write(StudyProgram.evenly(amorphous, count), to: chosen, format: .extxyz)
      let labelled = path("second-\(seed)-labelled.extxyz")
      try program.run(
        ["evaluate", referencePath, chosen, "--output", labelled], ranks: program.workers)
      let better = path("second-\(seed).mtp")
      // The weights of a melt's training set: its starts are forgotten there, too.
      try program.run(
        ["train", "mtp", campaign + "/training.cfg", labelled, "--output", better]
          + ["--start", potential, "--elements", elementNames] + trainingWords,
        ranks: program.workers)
      return DisorderFindings.SecondRound(
        seed: seed, temperature: try temperature(of: run), frames: min(count, amorphous.count),
        judgement: try judged(better, "second-\(seed)"))
    }
  }

  // MARK: Files

  private var poolPath: String { path("pool.extxyz") }
  private var referencePath: String { path("reference.yaml") }
  private var elementNames: String {
    settings.space.elements.map(\.symbol).joined(separator: ",")
  }

  private func path(_ name: String) -> String { program.file(name) }

  private func removeFolder(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.removeItem(atPath: path)
    }
  }

  private func writeReference() throws {
    guard let reference = document["reference"] else { return }
    try AtomicFile.write(
      SettingsNode.mapping([.init("reference", reference)]).yaml(), to: referencePath)
  }

  private func labelled(_ path: String) throws -> [StructureRecord] {
    try StructureFile.read(path, elements: settings.space.elements)
  }

  private func temperature(of run: String) throws -> Double {
    let summary = try program.decoded(DynamicsSummary.self, run + "/summary.json")
    return summary.stages.last?.liquidDownTo ?? 0
  }

  // MARK: Campaigns

  private func trial(
    _ document: CampaignDocument, seed: Int, _ name: String, ranked: Int
  ) -> CampaignTrial {
    // What an interrupted study has left of it is done again.
    try? removeFolder(path(name))
    return CampaignTrial(
      campaign: document, seed: seed, program: program.path, ranks: program.ranks,
      rankedCount: ranked,
      labelStore: nil, directory: path(name))
  }

  private var meltsAlone: CampaignDocument {
    var melts = document
    melts["search"] = .mapping(
      document.entries(of: ["search"], without: ["candidates"]) + [
        .init("candidates", .integer(0))
      ])
    return melts
  }

  /// Keys of a campaign's melts that a plan of dynamics has elsewhere, or has not.
  private static let campaignKeys = [
    "method", "runs", "atoms", "level", "starts", "samples", "max_labels", "volume_per_atom",
    "time_step", "sample",
  ]

  private func campaignMelts() throws -> CampaignSettings.MeltQuench {
    guard let melts = settings.initialTraining.meltQuench else {
      throw WrongCommandLine("disorder: the campaign has no initial_training: {melt_quench: {…}}")
    }
    return melts
  }

  /// The way of the campaign's melts, with the defaults that a plan has not.
  private func way(_ extra: [SettingsNode.Entry]) throws -> SettingsNode {
    let melts = try campaignMelts()
    let own = document.entries(
      of: ["initial_training", "melt_quench"], without: Self.campaignKeys)
    let defaults: [SettingsNode.Entry] = [
      .init("volume_time", .number(melts.settings.longestVolumeTime / 1000)),
      .init("pressure", .number(settings.pressure)),
    ]
    let all = own + extra
    return .mapping(all + defaults.filter { entry in !all.contains { $0.key == entry.key } })
  }

  private func secondPlan(_ potential: String, from start: String, seed: Int) throws -> String {
    let melts = try campaignMelts()
    // Other velocities than the campaign's melt.
    return SettingsNode.mapping([
      .init("seed", .integer(1000 + seed)),
      .init("potential", .text(StudyProgram.absolute(potential))),
      .init("time_step", .number(melts.settings.timeStep)),
      .init("start", .mapping([.init("structure", .text(StudyProgram.absolute(start)))])),
      .init("melt_quench", try way([.init("sample", .number(200))])),
    ]).yaml()
  }

  private func referencePlan(seed: Int) throws -> String {
    let melts = try campaignMelts()
    guard let reference = document["reference"] else {
      throw WrongCommandLine("disorder: the campaign has no reference: block")
    }
    let unit = settings.space.initial(0, seed: 1).reduced
    let extra: [SettingsNode.Entry] = [
      .init("sample", .number(melts.settings.sampleInterval)),
      .init("press", .number(melts.settings.pressing)),
    ]
    let own = document.entries(of: ["initial_training", "melt_quench"])
    return SettingsNode.mapping([
      .init("seed", .integer(seed)), .init("reference", reference),
      .init("time_step", .number(melts.settings.timeStep)),
      .init(
        "start",
        .mapping([
          .init("composition", .text(unit.formula)), .init("atoms", .integer(melts.atoms)),
        ])),
      .init(
        "melt_quench",
        try way(
          extra.filter { entry in !own.contains { $0.key == entry.key && entry.key != "sample" } })),
    ]).yaml()
  }

  private var basisWords: [String] {
    let choice = settings.potential
    var words = [
      "--level", "\(choice.level)", "--cutoff", "\(choice.cutoff)",
      "--radial-basis", "\(choice.radialBasis)",
    ]
    if let repulsion = choice.repulsion {
      words += ["--repulsion", "\(repulsion.inner),\(repulsion.outer)"]
    }
    return words
  }

  private var trainingWords: [String] {
    let training = settings.training
    let weights = training.weights
    var words = ["--weights", "\(weights.energy),\(weights.force),\(weights.stress)"]
    func add(_ option: String, _ value: Double?) {
      if let value, value.isFinite { words += [option, "\(value)"] }
    }
    add("--force-cap", training.forceCap)
    add("--energy-window", training.energyWindow)
    add("--robust-force", training.robustForce)
    add("--robust-energy", training.robustEnergy)
    return words
  }

  // MARK: Judgement

  private func judged(_ potential: String, _ name: String) throws -> DisorderFindings.Judgement {
    let output = path(name + ".correlate.json")
    try program.run(
      ["correlate", potential, poolPath, "--relax", "model", "--json"], ranks: program.workers,
      printing: output)
    let found = try program.decoded(Correlated.self, output)
    let own = found.poolGeometry
    let composition = own.compositions.first
    let lowest = composition?.lowestByReference ?? []
    let byModel = composition?.lowestByModel ?? []
    return DisorderFindings.Judgement(
      pearson: own.pearson, spearman: own.spearman,
      error: own.belowWindow.rmseDifferenceMevPerAtom,
      errorFromMean: own.belowWindow.rmseFromMeanMevPerAtom, low: own.belowWindow.structures,
      sharedLowest: byModel.count(where: lowest.contains),
      hasGroundState: composition.map { byModel.first == $0.groundState } ?? false,
      relaxedPearson: found.relaxed.pearson,
      relaxedError: found.relaxed.belowWindow.rmseDifferenceMevPerAtom)
  }
}

// What polymorph prints, as far as the study reads it.

private struct Correlated: Decodable {
  struct Comparison: Decodable {
    struct Errors: Decodable {
      let structures: Int
      let rmseDifferenceMevPerAtom: Double
      let rmseFromMeanMevPerAtom: Double
    }

    struct Composition: Decodable {
      let groundState: Int
      let lowestByReference: [Int]
      let lowestByModel: [Int]
    }

    let pearson: Double
    let spearman: Double
    let belowWindow: Errors
    let compositions: [Composition]
  }

  let poolGeometry: Comparison
  let relaxed: Comparison
}

private struct RerankOutput: Decodable {
  struct Retraining: Decodable {
    struct Comparison: Decodable {
      let pearson: Double
      let rmseMevPerAtom: Double
    }

    let trainingCandidates: [Int]
    let testCandidates: [Int]
    let newStructures: Int
    let before: Comparison
    let after: Comparison
  }

  let retraining: Retraining
}

private struct DynamicsSummary: Decodable {
  struct Stage: Decodable {
    let liquidDownTo: Double?
    let steps: Int?
  }

  let stages: [Stage]
}
