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
    let species = try speciesIndices(of: structure)
    workspace.table.reset(cutoff: cutoff, speciesCount: elements.count)
    workspace.table.add(structure, species: species)
    sweep.evaluate(&workspace, structureOf: [Int32](repeating: 0, count: species.count))
    let memory = workspace.memory
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

  /// The energy of every atom in eV, and the scaled functions that its network is told.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func environments(
    of structure: Structure
  ) throws(PotentialError) -> (energies: [Double], inputs: [[Double]]) {
    var workspace = workspaces.take()
    defer { workspaces.give(workspace) }
    let species = try speciesIndices(of: structure)
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

  private func speciesIndices(of structure: Structure) throws(PotentialError) -> [Int] {
    var indices: [Int] = []
    for element in structure.species {
      guard let index = elements.firstIndex(of: element) else {
        throw .unknownElement(element, known: elements)
      }
      indices.append(index)
    }
    return indices
  }
}
