import Crystal

/// Watches the extrapolation grade along one relaxation with the two thresholds of active learning
/// (ALGORITHMS §2): below γ_select the relaxation goes on, below γ_break it goes on and the geometry is
/// remembered, from γ_break on it stops.
package struct GradeWatch {
  package let selectThreshold: Double
  package let breakThreshold: Double
  /// The last geometry below γ_break: where a stopped relaxation goes on after a refit (R6).
  package private(set) var lastReliable: ExtrapolativeStructure?
  private var mostExtrapolative: ExtrapolativeStructure?
  private var breaking: ExtrapolativeStructure?

  package init(selectThreshold: Double, breakThreshold: Double) {
    precondition(selectThreshold < breakThreshold, "γ_select lies below γ_break")
    self.selectThreshold = selectThreshold
    self.breakThreshold = breakThreshold
  }

  /// The grade that stopped the relaxation, if one did.
  package var stoppingGrade: Double? { breaking?.grade }

  /// Takes in the next geometry.
  ///
  /// - Returns: Whether the relaxation may go on.
  package mutating func observe(_ structure: Structure, grade: Double) -> Bool {
    let entry = ExtrapolativeStructure(structure: structure, grade: grade)
    // A grade that is not a number is beyond every threshold.
    guard grade < breakThreshold else {
      breaking = entry
      return false
    }
    lastReliable = entry
    if grade >= selectThreshold, grade > mostExtrapolative?.grade ?? 0 { mostExtrapolative = entry }
    return true
  }

  /// What the relaxation hands back for labelling: the last reliable geometry, the one of largest grade
  /// below γ_break, and the breaking one where it keeps the minimum distances; three at most.
  package func harvest(breakingIsAllowed: (Structure) -> Bool) -> [ExtrapolativeStructure] {
    var result: [ExtrapolativeStructure] = []
    if let breaking {
      if let lastReliable, lastReliable.grade >= selectThreshold { result.append(lastReliable) }
      if let mostExtrapolative, mostExtrapolative != lastReliable {
        result.append(mostExtrapolative)
      }
      if breakingIsAllowed(breaking.structure) { result.append(breaking) }
    } else if let mostExtrapolative {
      result.append(mostExtrapolative)
    }
    return result
  }
}
