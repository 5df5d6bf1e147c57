import Crystal
import NumericalCore

extension MomentTensorPotential: InteratomicPotential {
  /// Energy, forces and stress of a structure of any periodicity.
  ///
  /// - Throws: `PotentialError.unknownElement` where an element is unknown, `PotentialError.notFinite`
  ///   where atoms coincide.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let species = try speciesIndices(of: structure)
    let count = structure.atomCount
    let seeds = seeds()
    var energies = Lanes.zero
    var virials = StrainLanes()
    // x, y, z of every atom and of the nobody that fills empty lanes.
    var derivatives = [Double](repeating: 0, count: 3 * (count + 1))
    forEachBlock(of: structure, species, forTraining: false) { block in
      forward(block)
      energies += siteEnergies(block)
      backward(block, seeds: seeds)
      derivatives.withUnsafeMutableBufferPointer { buffer in
        guard let derivative = buffer.baseAddress else { return }
        addGradients(block, to: derivative, &virials)
      }
    }
    var energy = energies.fixedSum()
    for index in species { energy += parameters[radialParameterCount + index] }
    let forces = (0..<count).map { i in
      Vector3(-derivatives[3 * i], -derivatives[3 * i + 1], -derivatives[3 * i + 2])
    }
    let result = Evaluation(energy: energy, forces: forces, virial: virials.total, of: structure)
    guard result.isFinite() else { throw .notFinite(Self.reason(structure)) }
    return result
  }

  /// The energy of every atom's neighborhood in eV, the shift of its species included.
  ///
  /// - Throws: As `evaluation(of:)`.
  public func siteEnergies(of structure: Structure) throws(PotentialError) -> [Double] {
    let species = try speciesIndices(of: structure)
    var energies = species.map { parameters[radialParameterCount + $0] }
    forEachBlock(of: structure, species, forTraining: false) { block in
      forward(block)
      let sites = siteEnergies(block)
      for lane in 0..<block.atomCount { energies[Int(block.atoms[lane])] += sites[lane] }
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

/// Six components of ∂E/∂ε in lanes: xx, yy, zz, yz, xz, xy.
struct StrainLanes {
  private var xx = Lanes.zero
  private var yy = Lanes.zero
  private var zz = Lanes.zero
  private var yz = Lanes.zero
  private var xz = Lanes.zero
  private var xy = Lanes.zero

  /// Adds g ⊗ d.
  @inline(__always)
  mutating func add(_ gx: Lanes, _ gy: Lanes, _ gz: Lanes, _ dx: Lanes, _ dy: Lanes, _ dz: Lanes) {
    xx.addProduct(gx, dx)
    yy.addProduct(gy, dy)
    zz.addProduct(gz, dz)
    // Central forces of a rotation-invariant energy: the sum is symmetric.
    yz.addProduct(gy, dz)
    xz.addProduct(gx, dz)
    xy.addProduct(gx, dy)
  }

  /// The sum over lanes, in eV.
  var total: Matrix3 {
    let (a, b, c) = (yz.fixedSum(), xz.fixedSum(), xy.fixedSum())
    return Matrix3(
      rows: Vector3(xx.fixedSum(), c, b), Vector3(c, yy.fixedSum(), a),
      Vector3(b, a, zz.fixedSum()))
  }
}

extension SIMD8<Double> {
  /// The sum over lanes in a fixed order.
  func fixedSum() -> Double {
    ((self[0] + self[1]) + (self[2] + self[3])) + ((self[4] + self[5]) + (self[6] + self[7]))
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

  /// Σ_α ξ_α B_α of each lane.
  func siteEnergies(_ block: MomentBlock) -> Lanes {
    var energy = Lanes.zero
    let coefficients = parameters.span
    let scalars = basis.program.scalarValues.span
    let first = radialParameterCount + speciesCount
    for scalar in 0..<scalars.count {
      energy.addProduct(
        block.values[Int(scalars[unchecked: scalar])],
        Lanes(repeating: coefficients[first + scalar]))
    }
    return energy
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

  // Adds ∂V/∂r of the block's atoms to the derivatives of all atoms and of strain.
  private func addGradients(
    _ block: MomentBlock, to derivatives: UnsafeMutablePointer<Double>, _ virials: inout StrainLanes
  ) {
    var (centralX, centralY, centralZ) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for chunk in 0..<block.slotCount / chunkSlots {
      let first = chunk * chunkSlots
      let u = block.u(chunk: chunk)
      MomentKernel.monomials(basis.monomials, u, block.rows)
      MomentKernel.gradient(
        basis.monomials, block.rows, u: u, inverse: block.inverse + first, f: block.f + first,
        df: block.df + first, spacing: block.layout.slotCapacity, adjoints: block.adjoints,
        scratch: block.scratch, gradient: block.gradient)
      for s in 0..<chunkSlots {
        let r = block.r[first + s]
        let gx = block.gradient[s]
        let gy = block.gradient[chunkSlots + s]
        let gz = block.gradient[2 * chunkSlots + s]
        virials.add(
          gx, gy, gz, u[s] * r, u[chunkSlots + s] * r, u[2 * chunkSlots + s] * r)
        centralX -= gx
        centralY -= gy
        centralZ -= gz
        let neighbors = block.neighbors + (first + s) * laneCount
        for lane in 0..<laneCount {
          let target = derivatives + 3 &* Int(neighbors[lane])
          target[0] += gx[lane]
          target[1] += gy[lane]
          target[2] += gz[lane]
        }
      }
    }
    for lane in 0..<block.atomCount {
      let target = derivatives + 3 * Int(block.atoms[lane])
      target[0] += centralX[lane]
      target[1] += centralY[lane]
      target[2] += centralZ[lane]
    }
  }
}
