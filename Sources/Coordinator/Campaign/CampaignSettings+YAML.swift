import Evolution
import Settings

extension CampaignSettings {
  /// The campaign as a file with every default written out; reading it gives equal settings.
  public func yaml() -> String {
    let head = [SettingsNode.Entry("title", .text(title))] + target.entries
    let rest: [SettingsNode.Entry] = [
      .init("pressure", .number(pressure)),
      .init("seed", .init(.scalar("\(seed)", isPlain: true))),
      .init("potential", potential.node),
      .init("training", training.node),
      .init("reference", reference.node),
      .init("initial_training", initialTraining.node),
      .init("active_learning", activeLearning.node),
      .init("minimum_distances", distances.node),
      .init("search", search.node),
      .init("relaxation", relaxation.node),
      .init("rerank", .mapping([.init("top", .integer(rerank.top))] + rerank.convergence.entries)),
    ]
    return SettingsNode.mapping(head + rest).yaml()
  }
}

extension CampaignSettings.PotentialChoice {
  fileprivate var node: SettingsNode {
    guard kind == .mtp else { return .mapping([.init("kind", .text(kind.rawValue))]) }
    var entries: [SettingsNode.Entry] = [
      .init("kind", .text(kind.rawValue)), .init("level", .integer(level)),
      .init("cutoff", .number(cutoff)), .init("radial_basis", .integer(radialBasis)),
    ]
    if let minimumDistance { entries.append(.init("minimum_distance", .number(minimumDistance))) }
    entries.append(
      .init(
        "repulsion",
        repulsion.map {
          .mapping([.init("inner", .number($0.inner)), .init("outer", .number($0.outer))])
        } ?? .text("none")))
    return .mapping(entries)
  }
}

extension CampaignSettings.Training {
  fileprivate var node: SettingsNode {
    .mapping([
      .init(
        "weights",
        .list([.number(weights.energy), .number(weights.force), .number(weights.stress)])),
      .init("scaling", .text(weights.scaling.rawValue)), .init("force_cap", .number(forceCap)),
      .init("energy_window", .number(energyWindow)), .init("robust_force", .number(robustForce)),
      .init("robust_energy", robustEnergy.map { .number($0) } ?? .text("none")),
    ])
  }
}

extension CampaignSettings.InitialTraining {
  fileprivate var node: SettingsNode {
    var entries: [SettingsNode.Entry] = [.init("random_structures", .integer(randomStructures))]
    if let meltQuench { entries.append(.init("melt_quench", meltQuench.node)) }
    return .mapping(entries)
  }
}

extension CampaignSettings.ActiveLearning {
  fileprivate var node: SettingsNode {
    .mapping([
      .init("mode", .text(mode.rawValue)), .init("select", .number(select)),
      .init("break", .number(breaking)), .init("batch", .integer(batch)),
      .init("level", .integer(level)), .init("verify", .integer(verify)),
      .init("max_labels", .integer(maximumLabels)),
    ])
  }
}

extension CampaignSettings.DistanceLimits {
  fileprivate var node: SettingsNode {
    .mapping(
      [.init("default", .number(fraction))]
        + pairs.map { .init("\($0.first)-\($0.second)", .number($0.distance)) })
  }
}

extension CampaignSettings.Search {
  fileprivate var node: SettingsNode {
    .mapping([
      .init("candidates", .integer(candidates)), .init("population", .integer(population)),
      .init("window", .integer(window)),
      .init(
        "delays",
        .mapping([.init("label", .integer(delays.label)), .init("refit", .integer(delays.refit))])),
      .init(
        "space_groups",
        spaceGroups.count == 230 ? .text("all") : .list(spaceGroups.map { .integer($0) })),
      .init("operators", .mapping(operators.map { .init($0.kind.rawValue, .number($0.ratio)) })),
      .init("topologies", topologies.node), .init("draws", .integer(draws)),
      .init("soft_mutation", .mapping([.init("hessian", .text(hessian.rawValue))])),
      .init("adaptive", .flag(adaptive)),
      .init(
        "antiseeds",
        .mapping([
          .init("height", .number(antiseeds.height)), .init("width", .number(antiseeds.width)),
        ])),
      .init("niche", .number(niche)),
      .init("packings", packings.map { .integer($0) } ?? .text("none")),
    ])
  }
}

extension TopologySettings {
  fileprivate var node: SettingsNode {
    guard isUsed else { return .text("none") }
    return .mapping([
      .init("exclude", .list(excluded.map { .text($0) })), .init("strain", .number(strain)),
      .init("displacement", .number(displacement)),
    ])
  }
}

extension CampaignSettings.Convergence {
  fileprivate var entries: [SettingsNode.Entry] {
    [.init("force", .number(force)), .init("stress", .number(stress))]
  }
}

extension CampaignSettings.Relaxations {
  fileprivate var node: SettingsNode {
    .mapping(
      [.init("coarse", .mapping(coarse.entries))] + tight.entries + [
        .init("steps", .integer(steps))
      ])
  }
}
