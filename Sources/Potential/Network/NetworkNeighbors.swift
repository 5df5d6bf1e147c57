import Crystal

/// The neighbors of a block within both cutoffs of an element's functions, measured.
struct NetworkNeighbors {
  /// Those of radial functions.
  private(set) var near: NeighborSlots
  /// Those of angular functions.
  private(set) var close: NeighborSlots
  /// Where the near ones of each species end.
  let nearEnds: UnsafeMutablePointer<Int>
  /// Where the close ones of each species end.
  let closeEnds: UnsafeMutablePointer<Int>
  /// What of the vectors of memory is left for others.
  let rest: LanePointer
  private let speciesCount: Int

  /// How many vectors of memory they need.
  ///
  /// - Parameter capacity: Slots within each cutoff.
  /// - Returns: The number of vectors.
  static func demand(capacity: Int) -> Int {
    2 * NeighborSlots.demand(slots: capacity, radialCount: 0, largestDegree: 0)
  }

  /// Divides memory.
  init(capacity: Int, speciesCount: Int, _ memory: EvaluationMemory.Pointers) {
    let half = Self.demand(capacity: capacity) / 2
    near = NeighborSlots(
      capacity: capacity, radialCount: 0, largestDegree: 0, lanes: memory.lanes,
      neighbors: memory.neighbors)
    close = NeighborSlots(
      capacity: capacity, radialCount: 0, largestDegree: 0, lanes: memory.lanes + half,
      neighbors: memory.neighbors + capacity * laneCount)
    nearEnds = memory.groupEnds
    closeEnds = memory.groupEnds + speciesCount
    rest = memory.lanes + 2 * half
    self.speciesCount = speciesCount
  }

  /// Takes the neighbors of a block.
  ///
  /// - Parameters:
  ///   - lanes: The block's atoms.
  ///   - table: The neighbors.
  ///   - cutoff: The largest cutoff in Å.
  ///   - angularCutoff: That of angular functions; 0 where there are none.
  mutating func fill(
    _ lanes: BlockLanes, from table: NeighborTable.Pointers, cutoff: Double, angularCutoff: Double
  ) {
    lanes.fill(&near, from: table, cutoff: cutoff, nearEnds)
    SymmetryKernel.measure(near)
    close.clear()
    for s in 0..<speciesCount { closeEnds[s] = 0 }
    guard angularCutoff > 0 else { return }
    lanes.fill(&close, from: table, cutoff: angularCutoff, closeEnds)
    SymmetryKernel.measure(close)
  }
}
