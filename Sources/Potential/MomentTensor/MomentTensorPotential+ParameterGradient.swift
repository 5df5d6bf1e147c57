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
    let species = try speciesIndices(of: structure)
    let seeds = seeds()
    forEachBlock(of: structure, species, forTraining: true) { block in
      forward(block)
      backward(block, seeds: seeds)
      radialSums(block)
      let first = block.species * speciesCount * radialFunctionCount * radialBasis.size
      forEachRadialCoefficient { neighbor, function, index, place in
        let gradient = radialGradient(block, neighbor, function, index)
        for lane in 0..<block.atomCount {
          result[Int(block.atoms[lane]), first + place] = gradient[lane]
        }
      }
      for lane in 0..<block.atomCount {
        let atom = Int(block.atoms[lane])
        result[atom, radialParameterCount + block.species] = 1
        for (scalar, value) in basis.program.scalarValues.enumerated() {
          result[atom, radialParameterCount + speciesCount + scalar] =
            block.values[Int(value)][lane]
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
    let sites = try siteGradients(of: structure)
    var sum = [Double](repeating: 0, count: parameterCount)
    for atom in 0..<sites.rows {
      for (place, value) in sites.row(atom).enumerated() { sum[place] += value }
    }
    return sum
  }

  // MARK: pieces shared with the design matrix

  /// Calls a closure for every radial coefficient of one central species, in order.
  func forEachRadialCoefficient(
    _ body: (_ neighbor: Int, _ function: Int, _ index: Int, _ place: Int) -> Void
  ) {
    var place = 0
    for neighbor in 0..<speciesCount {
      for function in 0..<radialFunctionCount {
        for index in 0..<radialBasis.size {
          body(neighbor, function, index, place)
          place += 1
        }
      }
    }
  }

  /// Computes N_{s,i,m} = Σ_{j of species s} φ_i(r_j) u_jᵐ: the derivative of moment (μ, m) with respect
  /// to coefficient (s, μ, i), whatever μ is.
  func radialSums(_ block: MomentBlock) {
    let (monomials, size) = (basis.monomials.count, radialBasis.size)
    for place in 0..<speciesCount * size * monomials { block.sums[place] = .zero }
    var group = 0
    for first in stride(from: 0, to: block.slotCount, by: chunkSlots) {
      MomentKernel.monomials(basis.monomials, block.u(chunk: first / chunkSlots), block.rows)
      var slot = first
      while slot < first + chunkSlots {
        while slot >= Int(block.groupEnds[group]) { group += 1 }
        let end = min(first + chunkSlots, Int(block.groupEnds[group]))
        for index in 0..<size {
          let sums = block.sums + (group * size + index) * monomials
          let phi = block.phi + index * block.layout.slotCapacity
          for m in 0..<monomials {
            let row = block.rows + m &* chunkSlots
            var sum = sums[m]
            for s in slot..<end { sum.addProduct(phi[s], row[s &- first]) }
            sums[m] = sum
          }
        }
        slot = end
      }
    }
  }

  /// ∂V/∂c of each lane for a radial coefficient of the block's central species.
  func radialGradient(
    _ block: MomentBlock, _ neighbor: Int, _ function: Int, _ index: Int
  ) -> Lanes {
    let entries = basis.monomials.entries.span
    let sums = block.sums + (neighbor * radialBasis.size + index) * entries.count
    var gradient = Lanes.zero
    for m in 0..<entries.count where function < Int(entries[unchecked: m].radialCount) {
      let slot = Int(entries[unchecked: m].firstSlot) + function
      gradient.addProduct(block.adjoints[slot], sums[m])
    }
    return gradient
  }
}
