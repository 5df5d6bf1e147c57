import Evolution
import Potential
import ReferenceEngines
import Settings

extension CampaignSettings {
  /// The same campaign, short and with a built-in reference method in the place of its own.
  ///
  /// - Parameter candidates: How many candidates to breed.
  /// - Returns: Settings that need no external engine.
  public func rehearsal(candidates: Int) -> CampaignSettings {
    let stand = ReferenceSettings.rehearsalParameters(for: target.elements)
    var copy = with(
      title: "Rehearsal of: \(title)",
      reference: Reference(settings: ReferenceSettings(.buckingham(stand)), node: stand.node))
    copy.search.candidates = candidates
    return copy
  }

  /// The same campaign with another seed.
  public func seeded(_ seed: UInt64) -> CampaignSettings { with(seed: seed) }

  /// The same campaign with topological structures, at their usual ratio.
  ///
  /// - Parameter excluded: Names of templates to leave out, known to `TopologyLibrary`.
  /// - Returns: A campaign of which nothing else differs.
  public func withNets(except excluded: [String]) -> CampaignSettings {
    var copy = self
    copy.search.topologies = TopologySettings(excluded: excluded)
    let share = VariationKind.topological.defaultRatio
    copy.search.operators = search.operators.filter { $0.kind != .topological }.map {
      .init(kind: $0.kind, ratio: (1 - share) * $0.ratio)
    }
    let place = VariationKind.operators.firstIndex(of: .topological) ?? 0
    copy.search.operators.insert(.init(kind: .topological, ratio: share), at: place)
    return copy
  }

  private func with(
    title: String? = nil, seed: UInt64? = nil, reference: Reference? = nil
  ) -> CampaignSettings {
    CampaignSettings(
      title: title ?? self.title, target: target, pressure: pressure, seed: seed ?? self.seed,
      potential: potential, training: training,
      reference: reference ?? self.reference, initialTraining: initialTraining,
      activeLearning: activeLearning, distances: distances, search: search,
      relaxation: relaxation, rerank: rerank)
  }
}

extension BuckinghamPotential.Parameters {
  /// The block as a campaign file would give it.
  fileprivate var node: SettingsNode {
    .mapping([
      .init("kind", .text("buckingham")), .init("cutoff", .number(cutoff)),
      .init("smoothing", .number(smoothing)),
      .init("charges", .mapping(charges.map { .init($0.element.symbol, .number($0.charge)) })),
      .init("pairs", .list(pairs.map(Self.node))),
    ])
  }

  private static func node(_ pair: BuckinghamPotential.Pair) -> SettingsNode {
    .mapping([
      .init("elements", .list([.text(pair.first.symbol), .text(pair.second.symbol)])),
      .init("A", .number(pair.amplitude)), .init("rho", .number(pair.decayLength)),
      .init("C", .number(pair.dispersion)), .init("wall", .number(pair.wall)),
    ])
  }
}
