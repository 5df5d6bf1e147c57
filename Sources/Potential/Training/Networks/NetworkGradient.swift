import Crystal
import NumericalCore

/// What a structure, or several, say about networks: the derivatives of the loss, and the errors.
public struct NetworkGradient: Sendable {
  /// ∂/∂p Σ of weighted squared errors, of all parameters of all networks.
  public internal(set) var values: [Double]
  /// Σ of weighted squared errors.
  public internal(set) var loss = 0.0
  /// Errors.
  public internal(set) var errors = ResidualSums()

  mutating func merge(_ other: NetworkGradient) {
    for i in values.indices { values[i] += other.values[i] }
    loss += other.loss
    errors.merge(other.errors)
  }
}

extension NetworkGradient: ByteCodable {
  /// Appends all numbers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(values)
    encoder.encode(loss)
    encoder.encode(errors)
  }

  /// Reads all numbers.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    values = try decoder.decode([Double].self)
    loss = try decoder.decode()
    errors = try decoder.decode(ResidualSums.self)
  }
}

/// The structures of a training with all that does not change while networks learn.
///
/// Neighbors are found once. Functions and their derivatives are computed anew for every gradient: that takes less time
/// than reading them, some 50 kB for each atom, from memory.
public final class NetworkTrainingData {
  private struct Prepared {
    let table: NeighborTable
    let schedule: BlockSchedule
  }

  /// The structures with their weights.
  public let problem: TrainingProblem
  let functions: [[SymmetryFunction]]
  private let cutoff: Double
  private var prepared: [Int: Prepared] = [:]
  private var programs: NetworkSweep?
  private var workspace = EvaluationWorkspace()
  private var inputs: [Lanes] = []
  private var sums: [[Lanes]] = []

  /// Prepares a training.
  ///
  /// - Parameters:
  ///   - problem: The structures.
  ///   - functions: The symmetry functions of each species.
  public init(_ problem: TrainingProblem, functions: [[SymmetryFunction]]) {
    self.problem = problem
    self.functions = functions
    cutoff = functions.joined().map(\.cutoff).max() ?? 0
  }

  /// A sweep for networks of the functions themselves.
  func sweep(_ networks: [NeuralNetwork]) throws(PotentialError) -> NetworkSweep {
    if let programs { return programs.with(networks) }
    var atomic: [NeuralNetworkPotential.AtomicNetwork] = []
    for (functions, network) in zip(functions, networks) {
      atomic.append(
        try .init(
          functions: functions, centers: [Double](repeating: 0, count: functions.count),
          scales: [Double](repeating: 1, count: functions.count), network: network))
    }
    // Labels come without the repulsion.
    let sweep = NetworkSweep(
      atomic, elements: problem.elements, repulsion: nil, cutoff: cutoff)
    programs = sweep
    return sweep
  }

  private func load(_ index: Int) throws(PotentialError) {
    if let known = prepared[index] {
      workspace.table = known.table
      workspace.schedule = known.schedule
      return
    }
    let structure = problem.structures[index].structure
    workspace.table = NeighborTable()
    workspace.table.reset(cutoff: cutoff, speciesCount: problem.elements.count)
    workspace.table.add(
      structure, species: try structure.speciesIndices(among: problem.elements))
    workspace.schedule.make(for: workspace.table)
    prepared[index] = Prepared(table: workspace.table, schedule: workspace.schedule)
  }

  /// Means and correlations of the functions of each species, over the structures.
  func moments(of members: [Int], by sweep: NetworkSweep) throws(PotentialError) -> [InputMoments] {
    var moments = [InputMoments](repeating: InputMoments(), count: functions.count)
    for index in members {
      try load(index)
      var rows = [[Double]](repeating: [], count: functions.count)
      evaluate(index, by: sweep) { species, atoms, values in
        for lane in atoms.indices {
          for k in 0..<functions[species].count { rows[species].append(values[k][lane]) }
        }
      }
      for species in functions.indices where !rows[species].isEmpty {
        let columns = functions[species].count
        moments[species].add(
          Matrix(
            rows: rows[species].count / columns, columns: columns, elements: rows[species]))
      }
    }
    return moments
  }

  private func evaluate(
    _ index: Int, by sweep: NetworkSweep,
    observe: (Int, UnsafeBufferPointer<Int32>, LanePointer) -> Void
  ) {
    let atoms = problem.structures[index].structure.atomCount
    sweep.evaluate(
      &workspace, structureOf: [Int32](repeating: 0, count: atoms), isFollowing: true,
      observe: observe)
  }

  /// Answers a request: one gradient for each structure.
  ///
  /// - Throws: `PotentialError` where a structure cannot be treated.
  public func gradients(_ request: NetworkRequest) throws -> [NetworkGradient] {
    try request.members.indices.map(answer(to: request))
  }

  /// What answers a request piece by piece: its networks are prepared once.
  ///
  /// - Returns: The gradient of a member, by its place in the request; throws `PotentialError` where the structure cannot
  ///   be treated.
  /// - Throws: `PotentialError` where networks and functions do not fit together.
  public func answer(
    to request: NetworkRequest
  ) throws(PotentialError) -> (Int) throws -> NetworkGradient {
    let sweep = try sweep(request.networks)
    return { place in
      try self.gradient(
        of: request.members[place], by: sweep, isDifferentiated: request.isDifferentiated)
    }
  }

  /// The errors of a structure, and where that is asked for the derivatives of its loss.
  ///
  /// - Parameters:
  ///   - index: Which structure.
  ///   - sweep: Its networks.
  ///   - isDifferentiated: Whether derivatives are wanted; without, there are none.
  /// - Returns: Derivatives with respect to the parameters of the sweep's networks, species after species.
  /// - Throws: `PotentialError` where the structure cannot be treated.
  func gradient(
    of index: Int, by sweep: NetworkSweep, isDifferentiated: Bool = true
  ) throws(PotentialError) -> NetworkGradient {
    try load(index)
    inputs.removeAll(keepingCapacity: true)
    evaluate(index, by: sweep) { species, _, values in
      guard isDifferentiated else { return }
      inputs.append(
        contentsOf: UnsafeBufferPointer(start: values, count: functions[species].count))
    }
    let atoms = problem.structures[index].structure.atomCount
    let label = problem.learnedLabel(of: index)
    let weights = problem.rowWeights(of: index)
    let memory = workspace.memory
    let energyError =
      memory.siteEnergies[..<atoms].reduce(0, +) + problem.baselineEnergy(of: index) - label.energy
    var result = NetworkGradient(values: [])
    result.errors.energyPerAtom.add(energyError / Double(atoms))
    result.loss = weights.energy * weights.energy * energyError * energyError
    var motion = AtomicMotion(atomCount: atoms)
    let forceWeight = weights.force * weights.force
    for (atom, force) in label.forces.enumerated() {
      for c in 0..<3 {
        // The force is −∂E/∂r.
        let error = memory.derivatives[4 * atom + c] + force[c]
        result.errors.force.add(error)
        result.loss += forceWeight * error * error
        motion.displacements[4 * atom + c] = 2 * forceWeight * error
      }
    }
    if problem.hasVirial(index) {
      addStrain(index, label, weights.stress * weights.stress, to: &motion, &result)
    }
    guard isDifferentiated else { return result }
    if sums.isEmpty {
      sums = sweep.species.map { [Lanes](repeating: .zero, count: $0.kernel.parameterCount) }
    }
    for species in sums.indices {
      for place in sums[species].indices { sums[species][place] = .zero }
    }
    sweep.addGradient(
      &workspace, inputs: inputs, energyWeight: 2 * weights.energy * weights.energy * energyError,
      motion: motion, to: &sums)
    result.values.reserveCapacity(sums.reduce(0) { $0 + $1.count })
    for sum in sums { for vector in sum { result.values.append(vector.sum()) } }
    return result
  }

  private func addStrain(
    _ index: Int, _ label: Evaluation, _ weight: Double, to motion: inout AtomicMotion,
    _ result: inout NetworkGradient
  ) {
    let places = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    let unit =
      PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      / problem.structures[index].structure.volume
    for (c, (i, j)) in places.enumerated() {
      let error = workspace.memory.strains[c] - label.virial[i, j]
      let times = i == j ? 1 : 2
      result.errors.stress.add(unit * error, times: times)
      result.loss += Double(times) * weight * error * error
      motion.strain[c] = 2 * weight * error
    }
  }
}
