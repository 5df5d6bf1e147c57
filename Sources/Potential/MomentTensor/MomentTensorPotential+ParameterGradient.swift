import Crystal
import NumericalCore

extension MomentTensorPotential {
  /// ∂V_i/∂θ of every atom: one row for each atom, one column for each parameter.
  ///
  /// The rows of a D-optimal selection of neighborhoods.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func siteGradients(of structure: Structure) throws(PotentialError) -> Matrix {
    var result = Matrix(rows: structure.atomCount, columns: parameterCount)
    let (columns, radial, species) = (parameterCount, radialParameterCount, speciesCount)
    let scalars = basis.graph.placeOfScalar
    try forEachRow(of: structure) { row in
      result.elements.withUnsafeMutableBufferPointer { elements in
        for lane in 0..<row.lanes.atomCount {
          let first = Int(row.lanes.atoms[lane]) * columns
          for place in 0..<row.radialCount {
            elements[first + row.firstRadial + place] = row.radial[place][lane]
          }
          elements[first + radial + row.species] = 1
          for (scalar, place) in scalars.enumerated() {
            elements[first + radial + species + scalar] = row.values[place][lane]
          }
        }
      }
    }
    guard result.elements.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return result
  }

  /// ∂E/∂θ in the order of the parameters.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func energyGradient(of structure: Structure) throws(PotentialError) -> [Double] {
    var sums = [Double](repeating: 0, count: parameterCount)
    let (radial, species) = (radialParameterCount, speciesCount)
    let scalars = basis.graph.placeOfScalar
    try forEachRow(of: structure) { row in
      let count = row.lanes.atomCount
      func total(_ lanes: Lanes) -> Double {
        var sum = 0.0
        for lane in 0..<count { sum += lanes[lane] }
        return sum
      }
      for place in 0..<row.radialCount { sums[row.firstRadial + place] += total(row.radial[place]) }
      sums[radial + row.species] += Double(count)
      for (scalar, place) in scalars.enumerated() {
        sums[radial + species + scalar] += total(row.values[place])
      }
    }
    guard sums.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return sums
  }

  /// The basis functions of every atom's neighborhood: one row for each atom, S columns.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func basisValues(of structure: Structure) throws(PotentialError) -> Matrix {
    var result = Matrix(rows: structure.atomCount, columns: scalarCount)
    let (columns, scalars) = (scalarCount, basis.graph.placeOfScalar)
    try forEachRow(of: structure) { row in
      for lane in 0..<row.lanes.atomCount {
        let first = Int(row.lanes.atoms[lane]) * columns
        for (scalar, place) in scalars.enumerated() {
          result.elements[first + scalar] = row.values[place][lane]
        }
      }
    }
    guard result.elements.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
    return result
  }

  /// The derivatives of some atoms' energies.
  private struct Rows {
    /// The species of the atoms.
    let species: Int
    /// Which atoms they are: one lane for each.
    let lanes: BlockLanes
    /// ∂V/∂c of the coefficients that belong to the species.
    let radial: LanePointer
    /// How many of those there are.
    let radialCount: Int
    /// The place of the first among all parameters.
    let firstRadial: Int
    /// Values, basis functions among them.
    let values: LanePointer
  }

  private func forEachRow(
    of structure: Structure, _ body: (Rows) -> Void
  ) throws(PotentialError) {
    var workspace = evaluationWorkspaces.take()
    defer { evaluationWorkspaces.give(workspace) }
    workspace.table.reset(cutoff: radialBasis.cutoff, speciesCount: speciesCount)
    workspace.table.add(structure, species: try speciesIndices(of: structure))
    let sweep = sweep
    let demand = RadialProjection.demand(
      radialBasis, radialCount: radialFunctionCount, speciesCount: speciesCount)
    sweep.forEachBlock(&workspace, structureCount: 1, extraLanes: demand) { block, _ in
      let projection = RadialProjection(
        radialBasis, radialCount: radialFunctionCount, speciesCount: speciesCount,
        memory: block.extra)
      projection.clear()
      block.slots.forEachChunk { part, range in
        projection.prepare(sweep.layout, part, block.adjoints)
        sweep.forEachGroup(range, block.groupEnds) { species, slots in
          projection.add(slots, species: species)
        }
      }
      if block.lanes.parts > 1 {
        for place in 0..<projection.count {
          projection.sums[place] = projection.sums[place].summed(overParts: block.lanes.parts)
        }
      }
      sweep.graph.computeLeaves(block.values)
      body(
        Rows(
          species: block.species, lanes: block.lanes, radial: projection.sums,
          radialCount: projection.count, firstRadial: block.species * projection.count,
          values: block.values))
    }
  }
}
