import Crystal
import NumericalCore

extension NeuralNetworkPotential: InteratomicPotential {
  /// Energy, forces and stress of a structure of any periodicity.
  ///
  /// - Throws: `PotentialError.unknownElement` where an element is unknown, `PotentialError.notFinite` where atoms
  ///   coincide.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    var workspace = workspaces.take()
    defer { workspaces.give(workspace) }
    let species = try structure.speciesIndices(among: elements)
    workspace.table.reset(cutoff: cutoff, speciesCount: elements.count)
    workspace.table.add(structure, species: species)
    sweep.evaluate(&workspace, structureOf: [Int32](repeating: 0, count: species.count))
    return try result(of: structure, species: species, workspace.memory)
  }

  /// Begins a series of evaluations that makes a neighbor list with a skin and uses it until an atom or
  /// the cell has moved too far.
  public func series() -> any EvaluationSeries { FollowingEvaluations(self) }

  /// The energy of every atom in eV, and the scaled functions that its network is told.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func environments(
    of structure: Structure
  ) throws(PotentialError) -> (energies: [Double], inputs: [[Double]]) {
    var workspace = workspaces.take()
    defer { workspaces.give(workspace) }
    let species = try structure.speciesIndices(among: elements)
    workspace.table.reset(cutoff: cutoff, speciesCount: elements.count)
    workspace.table.add(structure, species: species)
    var inputs = [[Double]](repeating: [], count: species.count)
    sweep.evaluate(&workspace, structureOf: [Int32](repeating: 0, count: species.count)) {
      number, atoms, values in
      let network = networks[number]
      for (lane, atom) in atoms.enumerated() {
        inputs[Int(atom)] = network.functions.indices.map {
          (values[$0][lane] - network.centers[$0]) * network.scales[$0]
        }
      }
    }
    return (Array(workspace.memory.siteEnergies[..<species.count]), inputs)
  }
}

extension NeuralNetworkPotential: FollowablePotential {
  var reach: Double { cutoff }

  func evaluate(
    _ workspace: inout EvaluationWorkspace, structureOf: [Int32], isFollowing: Bool
  ) {
    sweep.evaluate(&workspace, structureOf: structureOf, isFollowing: isFollowing)
  }

  func result(
    of structure: Structure, species: [Int], _ memory: EvaluationMemory
  ) throws(PotentialError) -> Evaluation {
    let energy = memory.siteEnergies[..<structure.atomCount].reduce(0, +)
    let forces = (0..<structure.atomCount).map { i in
      Vector3(
        -memory.derivatives[4 * i], -memory.derivatives[4 * i + 1], -memory.derivatives[4 * i + 2])
    }
    let w = memory.strains
    let virial = Matrix3(
      rows: Vector3(w[0], w[5], w[4]), Vector3(w[5], w[1], w[3]), Vector3(w[4], w[3], w[2]))
    let result = Evaluation(energy: energy, forces: forces, virial: virial, of: structure)
    guard result.isFinite() else {
      throw .notFinite(
        "a neural network of \(structure.atomCount) atoms; two of them probably coincide")
    }
    return result
  }
}
