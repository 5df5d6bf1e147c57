import Crystal

// Packings of the same molecules, chains or layers: structures of less than three-dimensional bonds with one
// signature. Signatures are found where they are asked for: structures change with every version of the potential.
extension Population {
  /// What a basin packs; `nil` for a framework.
  private func packing(_ basin: Int) -> NetSignature? {
    let structure = index.basins[basin].representative.structure
    return BondNetwork(structure).dimension < 3 ? NetSignature(structure) : nil
  }

  /// The first wanted basins of a list in its order, no more of one packing than are allowed unless nothing else is
  /// left.
  func withinPackings(
    _ basins: [Int], count: Int, where isWanted: (Int) -> Bool
  ) -> [Int] {
    guard let limit = settings.packings else {
      var kept: [Int] = []
      for basin in basins where kept.count < count && isWanted(basin) { kept.append(basin) }
      return kept
    }
    var counts: [NetSignature: Int] = [:]
    var kept: [Int] = []
    var surplus: [(place: Int, basin: Int)] = []
    for basin in basins where kept.count < count && isWanted(basin) {
      if let packing = packing(basin) {
        counts[packing, default: 0] += 1
        if counts[packing, default: 0] > limit {
          surplus.append((kept.count, basin))
          continue
        }
      }
      kept.append(basin)
    }
    // Back to where they were in the list, the last first.
    for (place, basin) in surplus.prefix(count - kept.count).reversed() {
      kept.insert(basin, at: place)
    }
    return kept
  }

  /// The places of the members that pack what a basin packs, where there are as many as are allowed.
  func fullPackings(of basin: Int) -> [Int]? {
    guard let limit = settings.packings, let packing = packing(basin) else { return nil }
    let kin = ranking.indices.filter {
      ranking[$0].basin != basin && self.packing(ranking[$0].basin) == packing
    }
    return kin.count >= limit ? kin : nil
  }

  /// Lets go of members that became one packing too many.
  mutating func limitPackings() {
    guard let limit = settings.packings else { return }
    var counts: [NetSignature: Int] = [:]
    var leaving: Set<Int> = []
    for member in ranking {
      guard let packing = packing(member.basin) else { continue }
      counts[packing, default: 0] += 1
      if counts[packing, default: 0] > limit { leaving.insert(member.basin) }
    }
    ranking.removeAll { leaving.contains($0.basin) }
  }
}
