import Crystal

/// What evaluations need, kept from one to the next.
struct EvaluationWorkspace: Sendable, Emptyable {
  /// The neighbors of the structures to evaluate.
  var table = NeighborTable()
  /// Which atoms share a block.
  var schedule = BlockSchedule()
  /// Memory and results.
  var memory = EvaluationMemory()
}

/// Memory of an evaluation, and what it found.
struct EvaluationMemory: Sendable {
  /// Energy of every atom's neighborhood in eV, without the shift.
  private(set) var siteEnergies: [Double] = []
  /// ∂E/∂r of every atom in eV/Å, four numbers each; the last is of nobody.
  private(set) var derivatives: [Double] = []
  /// ∂E/∂ε of every structure in eV: xx, yy, zz, yz, xz, xy.
  private(set) var strains: [Double] = []
  private var lanes: [Lanes] = []
  private var neighbors: [Int32] = []
  private var groupEnds: [Int] = []

  /// The memory while a sweep runs.
  struct Pointers {
    let lanes: LanePointer
    let neighbors: UnsafeMutablePointer<Int32>
    let groupEnds: UnsafeMutablePointer<Int>
    let siteEnergies: UnsafeMutablePointer<Double>
    let derivatives: UnsafeMutablePointer<Double>
    let strains: UnsafeMutablePointer<Double>
  }

  /// Makes room and clears the results.
  mutating func prepare(
    atomCount: Int, structureCount: Int, laneDemand: Int, slots: Int, speciesCount: Int
  ) {
    Self.clear(&siteEnergies, atomCount)
    Self.clear(&derivatives, 4 * (atomCount + 1))
    Self.clear(&strains, 6 * structureCount)
    let laneDemand = laneDemand + alignmentReserve
    if lanes.count < laneDemand {
      lanes = [Lanes](repeating: .zero, count: laneDemand + laneDemand / 4)
    }
    if neighbors.count < slots * laneCount {
      neighbors = [Int32](repeating: 0, count: 2 * slots * laneCount)
    }
    if groupEnds.count < speciesCount { groupEnds = [Int](repeating: 0, count: speciesCount) }
  }

  private static func clear(_ numbers: inout [Double], _ count: Int) {
    if numbers.count < count {
      numbers = [Double](repeating: 0, count: count + count / 4)
      return
    }
    numbers.withUnsafeMutableBufferPointer { $0[..<count].update(repeating: 0) }
  }

  /// Lends all memory.
  mutating func withPointers(_ body: (Pointers) -> Void) {
    siteEnergies.withUnsafeMutableBufferPointer { energies in
      derivatives.withUnsafeMutableBufferPointer { derivatives in
        strains.withUnsafeMutableBufferPointer { strains in
          guard let energies = energies.baseAddress, let derivatives = derivatives.baseAddress,
            let strains = strains.baseAddress
          else { return }
          Self.lend(&lanes, &neighbors, &groupEnds) { lanes, neighbors, ends in
            body(
              Pointers(
                lanes: lanes, neighbors: neighbors, groupEnds: ends, siteEnergies: energies,
                derivatives: derivatives, strains: strains))
          }
        }
      }
    }
  }

  private static func lend(
    _ lanes: inout [Lanes], _ neighbors: inout [Int32], _ groupEnds: inout [Int],
    _ body: (LanePointer, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int>) -> Void
  ) {
    lanes.withUnsafeMutableBufferPointer { lanes in
      neighbors.withUnsafeMutableBufferPointer { neighbors in
        groupEnds.withUnsafeMutableBufferPointer { ends in
          guard let lanes = lanes.baseAddress, let neighbors = neighbors.baseAddress,
            let ends = ends.baseAddress
          else { return }
          body(lanes.alignedToCacheLine, neighbors, ends)
        }
      }
    }
  }
}
