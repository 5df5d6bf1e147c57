import Crystal
import NumericalCore

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

/// One sweep over blocks of atoms: energy, forces and strain derivatives.
///
/// Holds a potential's flat programs. A class, so that an evaluation borrows them all at once.
final class EvaluationSweep: Sendable {
  private let layout: MomentLayout
  private let graph: ProductGraph
  private let parameters: MomentTensorPotential.CompiledParameters
  private let cutoff: Double
  private let speciesCount: Int
  private let radialCount: Int

  init(_ potential: MomentTensorPotential) {
    layout = potential.basis.layout
    graph = potential.basis.graph
    parameters = MomentTensorPotential.CompiledParameters(potential)
    cutoff = potential.radialBasis.cutoff
    speciesCount = potential.speciesCount
    radialCount = potential.radialFunctionCount
  }

  /// Evaluates the structures in a workspace's table.
  ///
  /// - Parameters:
  ///   - workspace: Receives site energies, derivatives and strain derivatives.
  ///   - structureOf: The number of the structure that every atom belongs to.
  ///   - isFollowing: Whether the table's lists are those of the run before.
  func run(
    _ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool = false
  ) {
    if !isFollowing { workspace.schedule.make(for: workspace.table) }
    let capacity = workspace.schedule.slotCapacity
    let demand = NeighborSlots.demand(
      slots: capacity, radialCount: radialCount, largestDegree: layout.largestDegree)
    workspace.memory.prepare(
      atomCount: workspace.table.atomCount, structureCount: 1 + Int(structureOf.last ?? 0),
      laneDemand: demand + 2 * graph.nodeCount, slots: capacity, speciesCount: speciesCount)
    run(
      workspace.table, workspace.schedule, &workspace.memory, structureOf, capacity: capacity,
      demand: demand)
  }

  private func run(
    _ table: borrowing NeighborTable, _ schedule: borrowing BlockSchedule,
    _ memory: inout EvaluationMemory, _ structureOf: [Int32], capacity: Int, demand: Int
  ) {
    table.withPointers { table in
      schedule.withPointers { order, blocks in
        memory.withPointers { memory in
          let slots = NeighborSlots(
            capacity: capacity, radialCount: radialCount, largestDegree: layout.largestDegree,
            lanes: memory.lanes, neighbors: memory.neighbors)
          let values = memory.lanes + demand
          for block in blocks {
            let lanes = BlockLanes(block, order)
            var filled = slots
            lanes.fill(&filled, from: table, cutoff: cutoff, memory.groupEnds)
            let energies = treat(
              block, lanes, filled, values: values, adjoints: values + graph.nodeCount, memory)
            collect(
              filled, lanes, energies, adjoints: values + graph.nodeCount, memory, structureOf)
          }
        }
      }
    }
  }

  // From vectors to the derivatives of the energy with respect to moments.
  @inline(__always)
  private func treat(
    _ block: EvaluationBlock, _ lanes: BlockLanes, _ slots: NeighborSlots, values: LanePointer,
    adjoints: LanePointer, _ memory: EvaluationMemory.Pointers
  ) -> Lanes {
    for place in 0..<layout.sumCount { values[place] = .zero }
    slots.forEachChunk { part, range in
      parameters.radial.normalize(part)
      var first = range.lowerBound
      for s in 0..<speciesCount where memory.groupEnds[s] > first {
        let end = min(memory.groupEnds[s], range.upperBound)
        parameters.radial.evaluate(
          part, first - range.lowerBound..<end - range.lowerBound,
          pair: block.species * speciesCount + s)
        first = end
        if first == range.upperBound { break }
      }
      MomentSums.add(layout, part, to: values)
    }
    if lanes.parts > 1 {
      for place in 0..<layout.sumCount {
        values[place] = values[place].summed(overParts: lanes.parts)
      }
    }
    layout.expand(values)
    graph.forward(values)
    let energies = graph.leaves.start(
      values, constants: parameters.leafConstants, coefficients: parameters.nodeCoefficients,
      adjoints)
    graph.backward(values, adjoints)
    layout.fold(adjoints)
    return energies
  }

  // From those to derivatives with respect to positions, added to atoms and structures.
  @inline(__always)
  private func collect(
    _ slots: NeighborSlots, _ lanes: BlockLanes, _ energies: Lanes, adjoints: LanePointer,
    _ memory: EvaluationMemory.Pointers, _ structureOf: [Int32]
  ) {
    var scatter = ForceScatter()
    slots.forEachChunk { part, _ in
      MomentGradient.compute(layout, part, adjoints)
      scatter.add(part, to: memory.derivatives)
    }
    for lane in 0..<laneCount {
      let place = lane % lanes.width
      guard place < lanes.atomCount else { continue }
      let atom = Int(lanes.atoms[place])
      if lane < lanes.width { memory.siteEnergies[atom] = energies[lane] }
      for c in 0..<3 { memory.derivatives[4 * atom + c] -= scatter.central[c][lane] }
      let strain = memory.strains + 6 * Int(structureOf[atom])
      for c in 0..<6 { strain[c] += scatter.strain[c][lane] }
    }
  }
}
