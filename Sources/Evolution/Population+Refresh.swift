import NumericalCore

extension Population {
  /// Starts the change to a new version of the potential.
  ///
  /// Until every named individual has come back through `refresh` or `refreshFailed`, parents are
  /// chosen by the old ranking and new individuals wait.
  ///
  /// - Parameter version: The new version, above all before it.
  /// - Returns: The individuals to be treated again, by number: the members, the best distinct
  ///   structures, and those that were waiting for a version that this one replaces.
  public mutating func beginRefresh(version: Int) -> [Individual] {
    precondition(version > (pendingVersion ?? potentialVersion), "versions only grow")
    pendingVersion = version
    staged = []
    failed = []
    var basins = ranking.map(\.basin)
    // All phases of the hull are among the best: a hull of the new version needs them.
    for basin in bestIndices(settings.bestCount + (hull?.phases.count ?? 0))
    where !basins.contains(basin) {
      basins.append(basin)
    }
    let individuals = (basins.map { index.basins[$0].representative } + waiting)
      .sorted { $0.id < $1.id }
    awaited = individuals.map(\.id)
    if awaited.isEmpty { switchView(to: version) }
    return individuals
  }

  /// Takes back an individual as the new potential sees it.
  ///
  /// - Returns: Whether it was the last one, so that the view has switched.
  public mutating func refresh(_ individual: Individual) -> Bool {
    guard let version = pendingVersion, individual.potentialVersion == version,
      let place = awaited.firstIndex(of: individual.id)
    else { return false }
    awaited.remove(at: place)
    staged.append(individual)
    if awaited.isEmpty { switchView(to: version) }
    return awaited.isEmpty
  }

  /// Notes that the new potential could not treat an individual.
  ///
  /// - Returns: Whether it was the last one, so that the view has switched.
  public mutating func refreshFailed(id: Int) -> Bool {
    guard let version = pendingVersion, let place = awaited.firstIndex(of: id) else { return false }
    awaited.remove(at: place)
    failed.append(id)
    if awaited.isEmpty { switchView(to: version) }
    return awaited.isEmpty
  }

  /// Replaces all enthalpies at once, drops what failed or became a duplicate, and admits what waited.
  private mutating func switchView(to version: Int) {
    potentialVersion = version
    pendingVersion = nil
    let updates = staged.sorted { $0.id < $1.id }
    let lost = failed
    var newcomers = waiting.filter { !lost.contains($0.id) }
    staged = []
    failed = []
    waiting = []
    for update in updates {
      if let position = newcomers.firstIndex(where: { $0.id == update.id }) {
        newcomers[position] = update
      } else if let basin = basin(ofRepresentative: update.id) {
        index.replace(basin, by: update)
      }
    }
    for id in lost {
      guard let basin = basin(ofRepresentative: id) else { continue }
      index.discard(basin)
      ranking.removeAll { $0.basin == basin }
    }
    reference.rebuild(index, version: version)
    ranking = ranking.map { member($0.basin) }
    rank()
    mergeDuplicates()
    limitPackings()
    // What was merged may have been the lower one of two that are nearly equal.
    reference.rebuild(index, version: version)
    refill()
    rescaleAntiseeds()
    rank()
    chooseSurvivors()
    for individual in newcomers.sorted(by: { $0.id < $1.id }) { _ = admit(individual) }
  }

  private func basin(ofRepresentative id: Int) -> Int? {
    // A basin that was discarded keeps its representative, who may have found another one since.
    index.basins.firstIndex { $0.representative.id == id && !$0.isDiscarded }
  }

  /// Of basins that relaxed into one, the fitter member stays and inherits the visits.
  private mutating func mergeDuplicates() {
    // With limited packings the best are not all that was refreshed.
    let reach = settings.packings == nil ? settings.bestCount : .max
    let all = index.bestIndices(reach, version: potentialVersion) { reference.height(of: $0) }
    let others = all.filter { basin in
      index.basins[basin].representative.potentialVersion == potentialVersion
        && !ranking.contains { $0.basin == basin }
    }
    var kept: [Int] = []
    for basin in ranking.map(\.basin) + others {
      if let twin = kept.first(where: { index.areDuplicates($0, basin) }) {
        index.addVisits(index.basins[basin].visits, to: twin)
        index.discard(basin)
        ranking.removeAll { $0.basin == basin }
      } else {
        kept.append(basin)
      }
    }
  }

  /// Fills places that became free with the best distinct structures of the new version.
  private mutating func refill() {
    guard ranking.count < settings.size else { return }
    for basin in bestIndices(settings.bestCount)
    where index.basins[basin].representative.potentialVersion == potentialVersion
      && !ranking.contains(where: { $0.basin == basin })
      && ranking.count < settings.size && fullPackings(of: basin) == nil
    {
      ranking.append(member(basin))
    }
    rank()
  }
}
