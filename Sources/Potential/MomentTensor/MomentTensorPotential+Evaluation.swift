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
    sweep.run(
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
      sweep.run(&workspace, structureOf: structureOf)
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
    sweep.run(
      &workspace, structureOf: [Int32](repeating: 0, count: species.count))
    let energies = species.enumerated().map {
      workspace.memory.siteEnergies[$0] + parameters[radialParameterCount + $1]
    }
    guard energies.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return energies
  }

  /// The basis functions of every atom's neighborhood: one row for each atom, S columns.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func basisValues(of structure: Structure) throws(PotentialError) -> Matrix {
    let species = try speciesIndices(of: structure)
    var values = Matrix(rows: structure.atomCount, columns: scalarCount)
    forEachBlock(of: structure, species, forTraining: false) { block in
      forward(block)
      for lane in 0..<block.atomCount {
        let row = Int(block.atoms[lane]) * scalarCount
        for (scalar, value) in basis.program.scalarValues.enumerated() {
          values.elements[row + scalar] = block.values[Int(value)][lane]
        }
      }
    }
    guard values.elements.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return values
  }

  static func reason(_ structure: Structure) -> String {
    "a moment tensor potential of \(structure.atomCount) atoms; two of them probably coincide"
  }
}

// MARK: one block

extension MomentTensorPotential {
  /// Runs a closure on every block of atoms, filled, with its radial functions computed.
  func forEachBlock(
    of structure: Structure, _ species: [Int], forTraining: Bool, _ body: (MomentBlock) -> Void
  ) {
    let list = NeighborList(structure, cutoff: radialBasis.cutoff)
    let order = BlockOrder(species: species, speciesCount: speciesCount, list: list)
    let layout = MomentBlockLayout(
      slotCapacity: order.slotCapacity, speciesCount: speciesCount,
      functionCount: radialFunctionCount, radialSize: radialBasis.size,
      monomialCount: basis.monomials.count, valueCount: basis.program.valueCount,
      forTraining: forTraining)
    var workspace = workspaces.take()
    workspace.withBlock(layout) { block in
      parameters.withUnsafeBufferPointer { parameters in
        guard let first = parameters.baseAddress else { return }
        for entry in order.blocks {
          block.fill(order, entry, list: list, species: species, cutoff: radialBasis.cutoff)
          let perSpecies = speciesCount * radialFunctionCount * radialBasis.size
          block.radialFunctions(radialBasis, first + entry.species * perSpecies)
          body(block)
        }
      }
    }
    workspaces.give(workspace)
  }

  /// Computes all values of the product graph.
  func forward(_ block: MomentBlock) {
    block.moments(basis.monomials)
    basis.program.forward(block.values)
  }

  /// For each value of the product graph the coefficient ξ of the basis functions that are this value.
  func seeds() -> [Double] {
    var seeds = [Double](repeating: 0, count: basis.program.valueCount)
    let first = radialParameterCount + speciesCount
    for (scalar, value) in basis.program.scalarValues.enumerated() {
      seeds[Int(value)] += parameters[first + scalar]
    }
    return seeds
  }

  /// Computes ∂V/∂(every value).
  func backward(_ block: MomentBlock, seeds: [Double]) {
    basis.program.backward(block.values, seeds: seeds.span, block.adjoints)
  }
}
