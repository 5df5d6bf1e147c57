import Crystal
import NumericalCore

/// The displacements that a derivative is taken along: of every atom, and of the cell.
struct AtomicMotion: Sendable {
  /// Four numbers for each atom; the last is of nobody, and zero.
  var displacements: [Double]
  /// How the cell is strained: xx, yy, zz, yz, xz, xy.
  var strain: InlineArray<6, Double>

  init(atomCount: Int) {
    displacements = [Double](repeating: 0, count: 4 * (atomCount + 1))
    strain = .init(repeating: 0)
  }
}

extension NetworkSweep {
  /// Adds the derivatives with respect to all weights and biases of e E + Ė, with Ė the change of a structure's energy along
  /// a motion.
  ///
  /// - Parameters:
  ///   - workspace: Neighbors and blocks of the one structure that it was evaluated with last.
  ///   - inputs: The values of all functions of its blocks, as `evaluate` told them.
  ///   - energyWeight: e.
  ///   - motion: The motion.
  ///   - gradients: Of each species one vector for each parameter; are added to.
  func addGradient(
    _ workspace: inout EvaluationWorkspace, inputs: [Lanes], energyWeight: Double,
    motion: AtomicMotion, to gradients: inout [[Lanes]]
  ) {
    let capacity = workspace.schedule.slotCapacity
    workspace.memory.prepare(
      atomCount: workspace.table.atomCount, structureCount: 1,
      laneDemand: NetworkNeighbors.demand(capacity: capacity) + capacity * largestStride
        + largestCount + gradientDemand,
      slots: 2 * capacity, speciesCount: 2 * speciesCount)
    workspace.table.withPointers { table in
      workspace.schedule.withPointers { order, blocks in
        workspace.memory.withPointers { memory in
          inputs.withUnsafeBufferPointer { inputs in
            motion.displacements.withUnsafeBufferPointer { displacements in
              guard let first = inputs.baseAddress, let moves = displacements.baseAddress else {
                return
              }
              let moving = PointedMotion(displacements: moves, strain: motion.strain)
              var neighbors = NetworkNeighbors(
                capacity: capacity, speciesCount: speciesCount, memory)
              var values = UnsafeMutablePointer(mutating: first)
              for block in blocks {
                let species = species[block.species]
                let lanes = BlockLanes(block, order, isWhole: true)
                neighbors.fill(
                  lanes, from: table, cutoff: cutoff,
                  angularCutoff: species.program.angularCutoff)
                addGradient(
                  lanes, species, neighbors, angularDemand: capacity * largestStride,
                  values: values, energyWeight: energyWeight, moving,
                  to: &gradients[block.species])
                values += species.program.count
              }
            }
          }
        }
      }
    }
  }

  /// A motion while a sweep runs.
  private struct PointedMotion {
    let displacements: UnsafePointer<Double>
    let strain: InlineArray<6, Double>
  }

  private func addGradient(
    _ lanes: BlockLanes, _ species: Species, _ neighbors: NetworkNeighbors, angularDemand: Int,
    values: LanePointer, energyWeight: Double, _ motion: PointedMotion, to gradient: inout [Lanes]
  ) {
    let angular = neighbors.rest
    let changes = angular + angularDemand
    let scratch = changes + largestCount
    move(neighbors.near, lanes, motion)
    move(neighbors.close, lanes, motion)
    SymmetryKernel.with(species.program) { kernel in
      let own = SymmetryKernel.Memory(
        values: values, adjoints: changes, angular: angular, pairs: scratch, pairCapacity: 0)
      kernel.tangents(
        neighbors.near, neighbors.nearEnds, neighbors.close, neighbors.closeEnds, own,
        into: changes)
    }
    var weight = Lanes.zero
    for lane in 0..<lanes.atomCount { weight[lane] = energyWeight }
    gradient.withUnsafeMutableBufferPointer { gradient in
      guard let target = gradient.baseAddress else { return }
      species.kernel.addGradient(values, changes, energyWeight: weight, to: target, scratch)
    }
  }

  /// Writes how neighbors move relative to their central atoms where their derivatives are otherwise.
  private func move(_ slots: NeighborSlots, _ lanes: BlockLanes, _ motion: PointedMotion) {
    var centers = InlineArray<3, Lanes>(repeating: .zero)
    for lane in 0..<lanes.atomCount {
      let center = motion.displacements + 4 &* Int(lanes.atoms[lane])
      for c in 0..<3 { centers[c][lane] = center[c] }
    }
    let strain = motion.strain
    let (xx, yy, zz) = (
      Lanes(repeating: strain[0]), Lanes(repeating: strain[1]), Lanes(repeating: strain[2])
    )
    let (yz, xz, xy) = (
      Lanes(repeating: strain[3]), Lanes(repeating: strain[4]), Lanes(repeating: strain[5])
    )
    var u = slots.geometry
    var target = slots.derivatives
    var neighbors = slots.neighbors
    for _ in 0..<slots.count {
      let numbers = UnsafeMutableRawPointer(target).assumingMemoryBound(to: Double.self)
      for lane in 0..<laneCount {
        let moves = motion.displacements + 4 &* Int(neighbors[lane])
        numbers[lane] = moves[0]
        numbers[laneCount &+ lane] = moves[1]
        numbers[2 &* laneCount &+ lane] = moves[2]
      }
      let (x, y, z) = (u[0], u[1], u[2])
      target[0] =
        (target[0] - centers[0]).accumulating(xx, x).accumulating(xy, y).accumulating(xz, z)
      target[1] =
        (target[1] - centers[1]).accumulating(xy, x).accumulating(yy, y).accumulating(yz, z)
      target[2] =
        (target[2] - centers[2]).accumulating(xz, x).accumulating(yz, y).accumulating(zz, z)
      u += NeighborSlots.geometryStride
      target += NeighborSlots.derivativeStride
      neighbors += laneCount
    }
  }
}
