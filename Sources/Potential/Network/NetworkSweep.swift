import Crystal
import NumericalCore

/// One sweep over blocks of atoms, from neighbors to the derivatives of the energy.
///
/// A class, so that an evaluation borrows all programs at once.
final class NetworkSweep: Sendable {
  struct Species: Sendable {
    let program: SymmetryProgram
    let kernel: NetworkKernel
    let shift: Double
  }

  let cutoff: Double
  let speciesCount: Int
  private let repulsion: RepulsionTable?
  let species: [Species]
  let largestStride: Int
  let largestCount: Int
  let networkDemand: Int
  let gradientDemand: Int
  private let pairStride: Int

  /// Pairs of so many neighbors are kept between sums and derivatives: 32 MB at most with three shells.
  private static let mostKept = 448

  convenience init(
    _ networks: [NeuralNetworkPotential.AtomicNetwork], elements: [ChemicalElement],
    repulsion: RepulsionTable?, cutoff: Double
  ) {
    self.init(
      networks.map { network in
        Species(
          program: SymmetryProgram(network.functions, elements: elements),
          kernel: NetworkKernel(
            network.network.folding(centers: network.centers, scales: network.scales)),
          shift: network.shift)
      }, repulsion: repulsion, cutoff: cutoff)
  }

  private init(_ species: [Species], repulsion: RepulsionTable?, cutoff: Double) {
    self.repulsion = repulsion
    self.cutoff = cutoff
    self.species = species
    speciesCount = species.count
    largestStride = species.map(\.program.slotStride).max() ?? 0
    largestCount = species.map(\.program.count).max() ?? 0
    pairStride = species.map(\.program.pairStride).max() ?? 0
    networkDemand = species.map(\.kernel.laneDemand).max() ?? 0
    gradientDemand = species.map(\.kernel.gradientDemand).max() ?? 0
  }

  /// The same functions with other networks.
  ///
  /// - Parameter networks: One for each species, of the functions themselves.
  /// - Returns: The sweep.
  func with(_ networks: [NeuralNetwork]) -> NetworkSweep {
    NetworkSweep(
      zip(species, networks).map {
        Species(program: $0.program, kernel: NetworkKernel($1), shift: $0.shift)
      }, repulsion: repulsion, cutoff: cutoff)
  }

  /// Evaluates the structures in a workspace's table.
  ///
  /// - Parameters:
  ///   - workspace: Receives site energies, derivatives and strain derivatives.
  ///   - structureOf: The number of the structure that every atom belongs to, ascending.
  ///   - isFollowing: Whether the table's lists are those of the run before.
  ///   - observe: Called with the atoms of every block and the values of their functions.
  func evaluate(
    _ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool = false,
    observe: (_ species: Int, _ atoms: UnsafeBufferPointer<Int32>, _ values: LanePointer) -> Void =
      { _, _, _ in }
  ) {
    if !isFollowing { workspace.schedule.make(for: workspace.table) }
    let capacity = workspace.schedule.slotCapacity
    workspace.memory.prepare(
      atomCount: workspace.table.atomCount, structureCount: 1 + Int(structureOf.last ?? 0),
      laneDemand: NetworkNeighbors.demand(capacity: capacity) + capacity * largestStride
        + 2 * largestCount + networkDemand + pairCapacity(slots: capacity) * pairStride,
      slots: 2 * capacity, speciesCount: 2 * speciesCount)
    run(
      workspace.table, workspace.schedule, &workspace.memory, capacity: capacity, structureOf,
      observe)
  }

  private func pairCapacity(slots: Int) -> Int {
    slots <= Self.mostKept ? slots * (slots + 1) / 2 : 0
  }

  private func run(
    _ table: borrowing NeighborTable, _ schedule: borrowing BlockSchedule,
    _ memory: inout EvaluationMemory, capacity: Int, _ structureOf: [Int32],
    _ observe: (Int, UnsafeBufferPointer<Int32>, LanePointer) -> Void
  ) {
    table.withPointers { table in
      schedule.withPointers { order, blocks in
        memory.withPointers { memory in
          var neighbors = NetworkNeighbors(
            capacity: capacity, speciesCount: speciesCount, memory)
          let (nearEnds, closeEnds) = (neighbors.nearEnds, neighbors.closeEnds)
          let values = neighbors.rest
          let own = SymmetryKernel.Memory(
            values: values, adjoints: values + largestCount, angular: values + 2 * largestCount,
            pairs: values + 2 * largestCount + capacity * largestStride + networkDemand,
            pairCapacity: pairCapacity(slots: capacity))
          let scratch = own.angular + capacity * largestStride
          for block in blocks {
            let lanes = BlockLanes(block, order, isWhole: true)
            let species = species[block.species]
            neighbors.fill(
              lanes, from: table, cutoff: cutoff, angularCutoff: species.program.angularCutoff)
            let (near, close) = (neighbors.near, neighbors.close)
            SymmetryKernel.with(species.program) { kernel in
              kernel.values(near, nearEnds, close, closeEnds, own)
              observe(
                block.species,
                UnsafeBufferPointer(start: lanes.atoms, count: lanes.atomCount), own.values)
              var energies = species.kernel.evaluate(
                own.values, gradient: own.adjoints, scratch)
              kernel.derivatives(near, nearEnds, close, closeEnds, own)
              if let repulsion {
                for s in 0..<speciesCount {
                  repulsion.addGradients(
                    near, SymmetryKernel.range(of: s, nearEnds),
                    pair: block.species * speciesCount + s, to: &energies)
                }
              }
              var scatter = ForceScatter()
              scatter.addGradients(near, to: memory.derivatives)
              scatter.addGradients(close, to: memory.derivatives)
              for lane in 0..<lanes.atomCount {
                let atom = Int(lanes.atoms[lane])
                memory.siteEnergies[atom] = energies[lane] + species.shift
                for c in 0..<3 { memory.derivatives[4 * atom + c] -= scatter.central[c][lane] }
                let strain = memory.strains + 6 * Int(structureOf[atom])
                for c in 0..<6 { strain[c] += scatter.strain[c][lane] }
              }
            }
          }
        }
      }
    }
  }
}
