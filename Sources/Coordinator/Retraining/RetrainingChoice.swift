import Evolution

/// Which re-ranked candidates train a potential and which test it.
package struct RetrainingChoice: Sendable {
  /// Those that train, by place of the reference method.
  let training: [RerankComparison.Candidate]
  /// Those that test, by place.
  let test: [RerankComparison.Candidate]
  /// Those that do neither, so that no test is among the candidates that are learnt; the campaign's own training
  /// set may hold its minimum, where the search has verified that.
  let duplicates: [RetrainingResult.Duplicate]

  /// Chooses among candidates.
  ///
  /// - Parameters:
  ///   - candidates: Those that both methods have relaxed.
  ///   - count: How many train.
  ///   - rule: When two minima are the same.
  /// - Throws: `CampaignError.wrongInput` where no distinct candidate would be left to test.
  init(
    among candidates: [RerankComparison.Candidate], training count: Int, _ rule: DuplicateRule
  ) throws(CampaignError) {
    let formulas = candidates.map { $0.model.composition().smallestFormula }
    let order = candidates.indices.sorted {
      (formulas[$0], candidates[$0].relaxed.enthalpyPerAtom, candidates[$0].number)
        < (formulas[$1], candidates[$1].relaxed.enthalpyPerAtom, candidates[$1].number)
    }
    var distinct: [(candidate: RerankComparison.Candidate, identity: StructureIdentity)] = []
    var duplicates: [RetrainingResult.Duplicate] = []
    for candidate in order.map({ candidates[$0] }) {
      let relaxed = candidate.relaxed
      let identity = StructureIdentity(relaxed.structure, fingerprint: relaxed.fingerprint)
      let other = distinct.first {
        rule.areDuplicates(
          $0.identity, identity,
          enthalpyDifference: $0.candidate.relaxed.enthalpyPerAtom - relaxed.enthalpyPerAtom)
      }
      if let other {
        duplicates.append(
          RetrainingResult.Duplicate(candidate: candidate.number, other: other.candidate.number))
      } else {
        distinct.append((candidate, identity))
      }
    }
    guard count < distinct.count else {
      throw Self.tooMany(count, of: distinct.count, "distinct candidates have a result")
    }
    let trains = Self.places(count, of: distinct.count)
    training = trains.map { distinct[$0].candidate }
    test = distinct.indices.filter { !trains.contains($0) }.map { distinct[$0].candidate }
    self.duplicates = duplicates
  }

  /// Evenly spread places from 0, the first one among them: place i where i · count mod total < count, which
  /// holds for exactly `count` of them.
  package static func places(_ count: Int, of total: Int) -> [Int] {
    (0..<total).filter { $0 * count % total < count }
  }

  /// The message where nothing would be left to test.
  static func tooMany(_ count: Int, of total: Int, _ what: String) -> CampaignError {
    .wrongInput(
      "rerank: --retrain: found \(count), but \(total) \(what), and one at least is to test the potential; "
        + (total > 1 ? "try --retrain \((total + 1) / 2), or a larger --top" : "try a larger --top")
    )
  }
}
