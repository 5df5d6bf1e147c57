import Crystal
import NumericalCore

extension MomentTensorPotential: InteratomicPotential {
  /// Energy, forces and stress of a structure of any periodicity.
  ///
  /// - Throws: `PotentialError.unknownElement` where an element is unknown, `PotentialError.notFinite`
  ///   where atoms coincide.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    var workspace = evaluationWorkspaces.take()
    defer { evaluationWorkspaces.give(workspace) }
    let species = try speciesIndices(of: structure)
    workspace.table.reset(cutoff: radialBasis.cutoff, speciesCount: speciesCount)
    workspace.table.add(structure, species: species)
    sweep.evaluate(
      &workspace, structureOf: [Int32](repeating: 0, count: species.count))
    return try evaluation(of: structure, species[...], workspace.memory, number: 0, firstAtom: 0)
  }

  /// Energies, forces and stresses of many structures at once: atoms of several structures share the
  /// lanes of vectors, so that small cells cost no more per atom than large ones.
  ///
  /// - Throws: As `evaluation(of:)`, for the first structure that cannot be treated.
  public func evaluations(of structures: [Structure]) throws(PotentialError) -> [Evaluation] {
    var results: [Evaluation] = []
    results.reserveCapacity(structures.count)
    var workspace = evaluationWorkspaces.take()
    defer { evaluationWorkspaces.give(workspace) }
    let sweep = sweep
    var first = 0
    while first < structures.count {
      // As many as fit into the processor's caches.
      var (last, atoms) = (first, 0)
      while last < structures.count, last == first || atoms + structures[last].atomCount <= 256 {
        atoms += structures[last].atomCount
        last += 1
      }
      workspace.table.reset(cutoff: radialBasis.cutoff, speciesCount: speciesCount)
      var species: [Int] = []
      var structureOf: [Int32] = []
      for (number, structure) in structures[first..<last].enumerated() {
        let own = try speciesIndices(of: structure)
        workspace.table.add(structure, species: own)
        species += own
        for _ in own { structureOf.append(Int32(number)) }
      }
      sweep.evaluate(&workspace, structureOf: structureOf)
      var firstAtom = 0
      for (number, structure) in structures[first..<last].enumerated() {
        results.append(
          try evaluation(
            of: structure, species[firstAtom..<firstAtom + structure.atomCount],
            workspace.memory, number: number, firstAtom: firstAtom))
        firstAtom += structure.atomCount
      }
      first = last
    }
    return results
  }

  // What a sweep found of one structure.
  func evaluation(
    of structure: Structure, _ species: ArraySlice<Int>, _ memory: EvaluationMemory, number: Int,
    firstAtom: Int
  ) throws(PotentialError) -> Evaluation {
    var energy = 0.0
    for i in 0..<structure.atomCount { energy += memory.siteEnergies[firstAtom + i] }
    for index in species { energy += parameters[radialParameterCount + index] }
    let forces = (firstAtom..<firstAtom + structure.atomCount).map { i in
      Vector3(
        -memory.derivatives[4 * i], -memory.derivatives[4 * i + 1],
        -memory.derivatives[4 * i + 2])
    }
    let w = memory.strains[6 * number..<6 * number + 6]
    let o = w.startIndex
    let virial = Matrix3(
      rows: Vector3(w[o], w[o + 5], w[o + 4]), Vector3(w[o + 5], w[o + 1], w[o + 3]),
      Vector3(w[o + 4], w[o + 3], w[o + 2]))
    let result = Evaluation(energy: energy, forces: forces, virial: virial, of: structure)
    guard result.isFinite() else { throw .notFinite(Self.reason(structure)) }
    return result
  }

  /// The energy of every atom's neighborhood in eV, the shift of its species included.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func siteEnergies(of structure: Structure) throws(PotentialError) -> [Double] {
    var workspace = evaluationWorkspaces.take()
    defer { evaluationWorkspaces.give(workspace) }
    let species = try speciesIndices(of: structure)
    workspace.table.reset(cutoff: radialBasis.cutoff, speciesCount: speciesCount)
    workspace.table.add(structure, species: species)
    sweep.evaluate(
      &workspace, structureOf: [Int32](repeating: 0, count: species.count))
    let energies = species.enumerated().map {
      workspace.memory.siteEnergies[$0] + parameters[radialParameterCount + $1]
    }
    guard energies.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return energies
  }

  static func reason(_ structure: Structure) -> String {
    "a moment tensor potential of \(structure.atomCount) atoms; two of them probably coincide"
  }
}
