import Crystal
import Foundation
import NumericalCore

/// Keeps the readable files of a campaign's folder up to date.
///
/// They are views: losing one costs nothing, a resume writes them again.
final class CampaignViews {
  private let folder: CampaignFolder
  private let settings: CampaignSettings
  /// How many times a population's worth of candidates was committed.
  private var boundaries = 0

  init(folder: CampaignFolder, settings: CampaignSettings) {
    self.folder = folder
    self.settings = settings
  }

  /// Writes what a commit read from the journal has changed, where the file is missing.
  func restore(_ commit: Schedule.Commit, _ state: CampaignState) throws {
    boundaries = state.population.commitCount / state.population.settings.size
    guard case (.refitArrival(let version), .trained(let bytes)?) = (commit.item, commit.result),
      !FileManager.default.fileExists(atPath: folder.potential(version: version))
    else { return }
    try folder.write(TrainedVersion(canonicalBytes: bytes), version: version)
  }

  /// Writes what a commit has changed.
  func update(
    _ commit: Schedule.Commit, _ completion: Completion?, _ state: CampaignState
  ) throws {
    try logPopulation(commit, state)
    guard case (.refitArrival(let version), .trained(let bytes)?) = (commit.item, commit.result)
    else { return }
    let trained = try TrainedVersion(canonicalBytes: bytes)
    try folder.write(trained, version: version)
    try folder.writeTrainingSet(of: state, elements: settings.target.elements)
    try folder.log(
      .object([
        .init("event", .text("potential")),
        .init("time", .number(Date().timeIntervalSince1970)),
        .init("slot", .integer(commit.slot)),
        .init("version", .integer(version)),
        .init("labels", .integer(state.counts.labels)),
        .init("trained_on", .integer(trained.trainedOn)),
        .init("loss", .number(trained.loss)),
        .init("energy_rmse_mev_per_atom", .number(1000 * trained.errors.energyPerAtom)),
        .init("force_rmse_ev_per_angstrom", .number(trained.errors.force)),
        .init("stress_rmse_gpa", .number(trained.errors.stress)),
        .init("training_seconds", .optional(completion?.seconds)),
      ]))
  }

  // Once per population, where ratios and antiseeds change.
  private func logPopulation(_ commit: Schedule.Commit, _ state: CampaignState) throws {
    let population = state.population
    let passed = population.commitCount / population.settings.size
    guard passed > boundaries else { return }
    boundaries = passed
    try folder.log(
      .object([
        .init("event", .text("population")),
        .init("time", .number(Date().timeIntervalSince1970)),
        .init("slot", .integer(commit.slot)),
        .init("candidates", .integer(state.counts.bred)),
        .init("members", .integer(population.count)),
        .init(
          "best_ev_per_atom",
          .optional(population.best(1).first?.representative.enthalpyPerAtom)),
        .init("quasi_entropy", .number(population.quasiEntropy())),
        .init("antiseed_height_ev", .number(population.antiseeds.gaussianHeight)),
        .init("antiseed_width", .number(population.antiseeds.gaussianWidth)),
        .init("operators", CampaignSummary(state).operators),
      ]))
  }

  /// Writes everything that the state holds, at the end of a run.
  func finish(_ state: CampaignState) throws {
    let table = ResultTable(of: state, top: settings.rerank.top)
    try folder.writeBest(table)
    if !state.trainingLabels.isEmpty {
      try folder.writeTrainingSet(of: state, elements: settings.target.elements)
    }
    try AtomicFile.write(
      JSONValue.object([
        .init("summary", CampaignSummary(state).json), .init("best", table.json),
        .init("comparison", RerankComparison.ofLearned(state)?.json ?? .null),
      ]).text() + "\n", to: folder.path + "/result.json")
    try folder.log(
      .object([
        .init("event", .text("end")), .init("time", .number(Date().timeIntervalSince1970)),
        .init("summary", CampaignSummary(state).json),
      ]))
  }
}
