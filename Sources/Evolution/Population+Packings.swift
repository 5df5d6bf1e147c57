import Crystal

// Packings of the same molecules, chains or layers: structures of less than three-dimensional bonds with one
// signature. Signatures are found where they are asked for: structures change with every version of the potential.
extension Population {
  /// What a basin packs; `nil` for a framework.
  private func packing(_ basin: Int) -> NetSignature? {
    let structure = index.basins[basin].representative.structure
    return BondNetwork(structure).dimension < 3 ? NetSignature(structure) : nil
  }

  /// The first basins of a list, no more of one packing than are allowed.
  func withinPackings(_ basins: [Int], count: Int) -> [Int] {
    guard let limit = settings.packings else { return Array(basins.prefix(count)) }
    var counts: [NetSignature: Int] = [:]
    var kept: [Int] = []
    for basin in basins where kept.count < count {
      if let packing = packing(basin) {
        counts[packing, default: 0] += 1
        if counts[packing, default: 0] > limit { continue }
      }
      kept.append(basin)
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
    guard settings.packings != nil else { return }
    let kept = withinPackings(ranking.map(\.basin), count: .max)
    ranking.removeAll { !kept.contains($0.basin) }
  }
}
