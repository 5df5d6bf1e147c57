import Crystal
import NumericalCore

/// One sweep over blocks of atoms, from neighbors to the derivatives of the energy with respect to
/// moments, and what is made of them.
///
/// Holds a potential's flat programs. A class, so that an evaluation borrows them all at once.
final class EvaluationSweep: Sendable {
  let layout: MomentLayout
  let graph: ProductGraph
  let radialBasis: RadialBasis
  let speciesCount: Int
  let radialCount: Int
  private let parameters: MomentTensorPotential.CompiledParameters
  private let repulsion: RepulsionTable?

  init(_ potential: MomentTensorPotential) {
    layout = potential.basis.layout
    graph = potential.basis.graph
    parameters = MomentTensorPotential.CompiledParameters(potential)
    radialBasis = potential.radialBasis
    speciesCount = potential.speciesCount
    radialCount = potential.radialFunctionCount
    repulsion = potential.repulsion.map { RepulsionTable($0, potential.elements) }
  }

  /// A block whose moments, products and adjoints are known.
  struct Block {
    /// The species of its central atoms.
    let species: Int
    /// Which atoms its lanes hold.
    let lanes: BlockLanes
    /// Their neighbors.
    let slots: NeighborSlots
    /// Where the slots of each neighbor species end.
    let groupEnds: UnsafeMutablePointer<Int>
    /// Moments and products.
    let values: LanePointer
    /// dV/d(value); those of moments with c ≥ 2 are folded onto the others.
    let adjoints: LanePointer
    /// Energies of the lanes' atoms without shift and repulsion, in eV.
    let energies: Lanes
    /// Memory that was asked for.
    let extra: LanePointer
  }

  /// Treats the structures in a workspace's table block by block.
  ///
  /// - Parameters:
  ///   - workspace: Its memory is prepared and used.
  ///   - structureCount: The number of structures.
  ///   - extraLanes: How many more vectors of memory are needed.
  ///   - isFollowing: Whether the table's lists are those of the run before.
  ///   - body: Called with every block.
  func forEachBlock(
    _ workspace: inout EvaluationWorkspace, structureCount: Int, extraLanes: Int = 0,
    isFollowing: Bool = false, _ body: (Block, EvaluationMemory.Pointers) -> Void
  ) {
    if !isFollowing { workspace.schedule.make(for: workspace.table) }
    let capacity = workspace.schedule.slotCapacity
    let demand = NeighborSlots.demand(
      slots: capacity, radialCount: radialCount, largestDegree: layout.largestDegree)
    workspace.memory.prepare(
      atomCount: workspace.table.atomCount, structureCount: structureCount,
      laneDemand: demand + graph.valueCount + graph.nodeCount + extraLanes, slots: capacity,
      speciesCount: speciesCount)
    run(
      workspace.table, workspace.schedule, &workspace.memory, capacity: capacity, demand: demand,
      body)
  }

  private func run(
    _ table: borrowing NeighborTable, _ schedule: borrowing BlockSchedule,
    _ memory: inout EvaluationMemory, capacity: Int, demand: Int,
    _ body: (Block, EvaluationMemory.Pointers) -> Void
  ) {
    table.withPointers { table in
      schedule.withPointers { order, blocks in
        memory.withPointers { memory in
          let empty = NeighborSlots(
            capacity: capacity, radialCount: radialCount, largestDegree: layout.largestDegree,
            lanes: memory.lanes, neighbors: memory.neighbors)
          let values = memory.lanes + demand
          for block in blocks {
            let lanes = BlockLanes(block, order)
            var slots = empty
            lanes.fill(&slots, from: table, cutoff: radialBasis.cutoff, memory.groupEnds)
            let adjoints = values + graph.valueCount
            let energies = differentiate(
              block.species, lanes, slots, values: values, adjoints: adjoints, memory.groupEnds)
            body(
              Block(
                species: block.species, lanes: lanes, slots: slots, groupEnds: memory.groupEnds,
                values: values, adjoints: adjoints, energies: energies,
                extra: adjoints + graph.nodeCount), memory)
          }
        }
      }
    }
  }

  // From vectors to the derivatives of the energy with respect to moments.
  @inline(__always)
  private func differentiate(
    _ species: Int, _ lanes: BlockLanes, _ slots: NeighborSlots, values: LanePointer,
    adjoints: LanePointer, _ groupEnds: UnsafeMutablePointer<Int>
  ) -> Lanes {
    for place in 0..<layout.sumCount { values[place] = .zero }
    slots.forEachChunk { part, range in
      parameters.radial.normalize(part)
      forEachGroup(range, groupEnds) { neighbor, slots in
        parameters.radial.evaluate(part, slots, pair: species * speciesCount + neighbor)
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

  /// Calls a closure with the slots of each neighbor species in a range, counted from its beginning.
  @inline(__always)
  func forEachGroup(
    _ range: Range<Int>, _ groupEnds: UnsafeMutablePointer<Int>,
    _ body: (_ species: Int, _ slots: Range<Int>) -> Void
  ) {
    var first = range.lowerBound
    for s in 0..<speciesCount where groupEnds[s] > first {
      let end = min(groupEnds[s], range.upperBound)
      body(s, first - range.lowerBound..<end - range.lowerBound)
      first = end
      if first == range.upperBound { break }
    }
  }
}

extension EvaluationSweep {
  /// Evaluates the structures in a workspace's table.
  ///
  /// - Parameters:
  ///   - workspace: Receives site energies, derivatives and strain derivatives.
  ///   - structureOf: The number of the structure that every atom belongs to, ascending.
  ///   - isFollowing: Whether the table's lists are those of the run before.
  func evaluate(
    _ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool = false
  ) {
    forEachBlock(
      &workspace, structureCount: 1 + Int(structureOf.last ?? 0), isFollowing: isFollowing
    ) { block, memory in
      var scatter = ForceScatter()
      var energies = block.energies
      var repulsive = Lanes.zero
      block.slots.forEachChunk { part, range in
        MomentGradient.compute(layout, part, block.adjoints)
        if let repulsion {
          forEachGroup(range, block.groupEnds) { neighbor, slots in
            repulsion.add(
              part, slots, pair: block.species * speciesCount + neighbor, to: &repulsive)
          }
        }
        scatter.add(part, to: memory.derivatives)
      }
      let lanes = block.lanes
      if repulsion != nil { energies += repulsive.summed(overParts: lanes.parts) }
      for lane in 0..<laneCount {
        let place = lane & (lanes.width - 1)
        guard place < lanes.atomCount else { continue }
        let atom = Int(lanes.atoms[place])
        if lane < lanes.width { memory.siteEnergies[atom] = energies[lane] }
        for c in 0..<3 { memory.derivatives[4 * atom + c] -= scatter.central[c][lane] }
        let strain = memory.strains + 6 * Int(structureOf[atom])
        for c in 0..<6 { strain[c] += scatter.strain[c][lane] }
      }
    }
  }
}
