import Crystal
import NumericalCore

extension MomentTensorPotential {
  /// The number of rows that the design matrix of a structure has: energy, 3N forces, six components
  /// of the strain derivative.
  public static func designRowCount(atomCount: Int) -> Int { 7 + 3 * atomCount }

  /// Fills the leading rows of a matrix with the derivatives of energy, forces and ∂E/∂ε with respect to
  /// the parameters.
  ///
  /// Row 0 is the energy; row 1 + 3i + c the force on atom i in direction c; the six rows after the
  /// forces are ∂E/∂ε (not divided by the volume): xx, yy, zz, yz, xz, xy. Columns are the parameters in
  /// their flat order, or only the last C + S, which the energy is linear in: their part of the matrix
  /// times their values **is** energy, forces and ∂E/∂ε. Everything is analytic.
  ///
  /// - Parameters:
  ///   - structure: N atoms.
  ///   - includingRadial: Whether the radial coefficients have columns, before the others.
  ///   - matrix: At least `designRowCount(atomCount:)` rows and exactly `parameterCount` or
  ///     `linearParameterCount` columns; further rows stay as they are.
  /// - Throws: As `evaluation(of:)`.
  public func designMatrix(
    of structure: Structure, includingRadial: Bool, into matrix: inout Matrix
  ) throws(PotentialError) {
    let count = structure.atomCount
    let rowCount = Self.designRowCount(atomCount: count)
    let columns = includingRadial ? parameterCount : linearParameterCount
    precondition(matrix.rows >= rowCount, "the design matrix needs \(rowCount) rows")
    precondition(matrix.columns == columns, "the design matrix needs \(columns) columns")
    let species = try speciesIndices(of: structure)
    let radialColumns = includingRadial ? radialParameterCount : 0
    var design = DesignAccumulator(
      structure, potential: self, includingRadial: includingRadial, columns: columns)
    matrix.elements.withUnsafeMutableBufferPointer { buffer in
      guard let elements = buffer.baseAddress else { return }
      for place in 0..<rowCount * columns { elements[place] = 0 }
      for index in species { elements[radialColumns + index] += 1 }
      forEachBlock(of: structure, species, forTraining: true) { block in
        design.add(block, to: elements)
      }
    }
    let used = matrix.elements.prefix(rowCount * columns)
    guard used.allSatisfy(\.isFinite) else { throw .notFinite(Self.reason(structure)) }
  }
}

/// Sums the blocks of a structure's design matrix.
///
/// For one atom, ∂B_α/∂r = Σ_b (∂B_α/∂M_b)(∂M_b/∂r): a matrix product of the Jacobian of the product
/// graph (a row for each α) with the gradients of the moments (a row for each direction of each
/// neighboring atom, images summed, and for each strain). The derivative of ∂V/∂M with respect to a
/// radial coefficient is one more row of the Jacobian; what a coefficient changes in ∂M/∂r is added
/// directly.
private struct DesignAccumulator {
  private let potential: MomentTensorPotential
  private let seeds: [Double]
  private let includingRadial: Bool
  private let columns: Int
  private let atomCount: Int
  // Rows of the Jacobian: S basis functions, then the coefficients of the central species.
  private let scalarCount: Int
  private let radialCount: Int
  private let slotCount: Int
  // For each lane, gradients of moments: six strains, then three directions of each atom met.
  private var gradients: [Double] = []
  private var gradientRows = 0
  private var jacobians: [Double]
  private var products: [Double] = []
  // Which atoms a lane has met, and the number that each has there.
  private var met: [[Int32]] = Array(repeating: [], count: laneCount)
  private var numberOf: [Int32]

  private var jacobianRows: Int { scalarCount + radialCount }

  init(
    _ structure: Structure, potential: MomentTensorPotential, includingRadial: Bool, columns: Int
  ) {
    self.potential = potential
    self.includingRadial = includingRadial
    seeds = potential.seeds()
    self.columns = columns
    atomCount = structure.atomCount
    scalarCount = potential.scalarCount
    radialCount =
      includingRadial
      ? potential.speciesCount * potential.radialFunctionCount * potential.radialBasis.size : 0
    slotCount = potential.basis.monomials.slotCount
    jacobians = [Double](
      repeating: 0, count: laneCount * slotCount * (scalarCount + radialCount))
    numberOf = [Int32](repeating: -1, count: laneCount * structure.atomCount)
  }

  mutating func add(_ block: MomentBlock, to matrix: UnsafeMutablePointer<Double>) {
    potential.forward(block)
    numberAtoms(block)
    prepareMemory(block)
    momentGradients(block)
    jacobian(block)
    if includingRadial {
      potential.backward(block, seeds: seeds)
      potential.radialSums(block)
      jacobianOfCoefficients(block)
    }
    addEnergies(block, to: matrix)
    multiply(block, addingTo: matrix)
    if includingRadial { addDirectParts(block, to: matrix) }
    forgetAtoms(block)
  }

  // MARK: atoms met

  private mutating func numberAtoms(_ block: MomentBlock) {
    for lane in 0..<block.atomCount {
      number(block.atoms[lane], lane)
      for slot in 0..<block.slotCount {
        let neighbor = block.neighbors[slot * laneCount + lane]
        if neighbor < atomCount { number(neighbor, lane) }
      }
    }
  }

  private mutating func number(_ atom: Int32, _ lane: Int) {
    let place = lane * atomCount + Int(atom)
    guard numberOf[place] < 0 else { return }
    numberOf[place] = Int32(met[lane].count)
    met[lane].append(atom)
  }

  private mutating func forgetAtoms(_ block: MomentBlock) {
    for lane in 0..<block.atomCount {
      for atom in met[lane] { numberOf[lane * atomCount + Int(atom)] = -1 }
      met[lane].removeAll(keepingCapacity: true)
    }
  }

  private mutating func prepareMemory(_ block: MomentBlock) {
    let rows = 6 + 3 * (met.map(\.count).max() ?? 0)
    if rows > gradientRows {
      gradientRows = rows
      gradients = [Double](repeating: 0, count: laneCount * rows * slotCount)
      products = [Double](repeating: 0, count: rows * jacobianRows)
    } else {
      gradients.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }
  }

  // MARK: gradients of moments

  // Row (direction of an atom) or (strain), column b: ∂M_b/∂(that coordinate).
  private mutating func momentGradients(_ block: MomentBlock) {
    let table = potential.basis.monomials
    let (entries, derivatives) = (table.entries.span, table.derivatives.span)
    let totals = block.totals  // six strains, then the three directions of the central atom
    for place in 0..<9 * slotCount { totals[place] = .zero }
    let spacing = block.layout.slotCapacity
    let laneStride = gradientRows * slotCount
    gradients.withUnsafeMutableBufferPointer { buffer in
      guard let first = buffer.baseAddress else { return }
      for slot in 0..<block.slotCount {
        let (chunk, s) = (slot / chunkSlots, slot % chunkSlots)
        let u = block.u(chunk: chunk)
        if s == 0 { MomentKernel.monomials(table, u, block.rows) }
        let (x, y, z) = (u[s], u[chunkSlots + s], u[2 * chunkSlots + s])
        let (r, inverse) = (block.r[slot], block.inverse[slot])
        var targets = SIMD8<Int>(repeating: -1)
        for lane in 0..<block.atomCount {
          let neighbor = block.neighbors[slot * laneCount + lane]
          guard neighbor < atomCount else { continue }
          let number = Int(numberOf[lane * atomCount + Int(neighbor)])
          targets[lane] = lane * laneStride + (6 + 3 * number) * slotCount
        }
        for m in 0..<entries.count {
          let entry = entries[unchecked: m]
          let d = derivatives[unchecked: m]
          let row = block.rows + s
          let value = row[m * chunkSlots]
          let px = row[Int(d.monomial.x) * chunkSlots] * d.factor.x
          let py = row[Int(d.monomial.y) * chunkSlots] * d.factor.y
          let pz = row[Int(d.monomial.z) * chunkSlots] * d.factor.z
          // The tangential part of ∇uᵐ; u · ∇uᵐ is the degree times uᵐ.
          let along = value * (d.factor.x + d.factor.y + d.factor.z)
          let (tx, ty, tz) = (px - x * along, py - y * along, pz - z * along)
          for mu in 0..<Int(entry.radialCount) {
            let b = Int(entry.firstSlot) + mu
            let tangential = block.f[mu * spacing + slot] * inverse
            let radial = block.df[mu * spacing + slot] * value
            let gx = (tx * tangential).addingProduct(radial, x)
            let gy = (ty * tangential).addingProduct(radial, y)
            let gz = (tz * tangential).addingProduct(radial, z)
            let total = totals + b
            total[0].addProduct(gx, x * r)
            total[slotCount].addProduct(gy, y * r)
            total[2 * slotCount].addProduct(gz, z * r)
            total[3 * slotCount].addProduct(gy, z * r)
            total[4 * slotCount].addProduct(gx, z * r)
            total[5 * slotCount].addProduct(gx, y * r)
            total[6 * slotCount] -= gx
            total[7 * slotCount] -= gy
            total[8 * slotCount] -= gz
            for lane in 0..<laneCount where targets[lane] >= 0 {
              let target = first + targets[lane] + b
              target[0] += gx[lane]
              target[slotCount] += gy[lane]
              target[2 * slotCount] += gz[lane]
            }
          }
        }
      }
      for lane in 0..<block.atomCount {
        // The central atom is the first that was met: rows 6, 7, 8.
        let target = first + lane * laneStride
        for place in 0..<9 * slotCount { target[place] += totals[place][lane] }
      }
    }
  }

  // MARK: Jacobian of the product graph

  private mutating func jacobian(_ block: MomentBlock) {
    let program = potential.basis.program
    let stride = jacobianRows * slotCount
    for value in 0..<program.valueCount { block.adjointTangents[value] = .zero }
    for scalar in 0..<scalarCount {
      program.gradient(of: scalar, block.values, block.adjointTangents)
      store(block.adjointTangents, row: scalar, stride: stride)
    }
  }

  private mutating func store(_ values: LanePointer, row: Int, stride: Int) {
    let slots = slotCount
    jacobians.withUnsafeMutableBufferPointer { buffer in
      guard let first = buffer.baseAddress else { return }
      for lane in 0..<laneCount {
        let target = first + (lane * stride + row * slots)
        for slot in 0..<slots { target[slot] = values[slot][lane] }
      }
    }
  }

  // ∂(∂V/∂M_b)/∂c for every radial coefficient of the central species.
  private mutating func jacobianOfCoefficients(_ block: MomentBlock) {
    let program = potential.basis.program
    let table = potential.basis.monomials
    let size = potential.radialBasis.size
    let stride = jacobianRows * slotCount
    potential.forEachRadialCoefficient { neighbor, function, index, place in
      for slot in 0..<slotCount { block.tangents[slot] = .zero }
      let sums = block.sums + (neighbor * size + index) * table.count
      let entries = table.entries.span
      for m in 0..<entries.count where function < Int(entries[unchecked: m].radialCount) {
        block.tangents[Int(entries[unchecked: m].firstSlot) + function] = sums[m]
      }
      program.forwardTangent(block.values, block.tangents)
      program.backwardTangent(
        block.values, block.tangents, block.adjoints, block.adjointTangents)
      store(block.adjointTangents, row: scalarCount + place, stride: stride)
    }
  }

  // MARK: sums into the matrix

  private func addEnergies(_ block: MomentBlock, to matrix: UnsafeMutablePointer<Double>) {
    let linear = columns - scalarCount
    for (scalar, value) in potential.basis.program.scalarValues.enumerated() {
      let values = block.values[Int(value)]
      for lane in 0..<block.atomCount { matrix[linear + scalar] += values[lane] }
    }
    guard includingRadial else { return }
    potential.forEachRadialCoefficient { neighbor, function, index, place in
      let gradient = potential.radialGradient(block, neighbor, function, index)
      for lane in 0..<block.atomCount {
        matrix[block.species * radialCount + place] += gradient[lane]
      }
    }
  }

  // The row of the matrix that row n of a lane's gradients belongs to, and the sign there.
  private func destination(_ row: Int, _ lane: Int) -> (row: Int, sign: Double) {
    if row < 6 { return (1 + 3 * atomCount + row, 1) }
    let (number, direction) = ((row - 6) / 3, (row - 6) % 3)
    return (1 + 3 * Int(met[lane][number]) + direction, -1)
  }

  private mutating func multiply(
    _ block: MomentBlock, addingTo matrix: UnsafeMutablePointer<Double>
  ) {
    let (width, slots) = (jacobianRows, slotCount)
    let (gradientStride, jacobianStride) = (gradientRows * slots, width * slots)
    for lane in 0..<block.atomCount {
      let rows = 6 + 3 * met[lane].count
      products.withUnsafeMutableBufferPointer { result in
        gradients.withUnsafeBufferPointer { left in
          jacobians.withUnsafeBufferPointer { right in
            guard let c = result.baseAddress, let a = left.baseAddress, let b = right.baseAddress
            else { return }
            LinearAlgebra.multiplyTransposed(
              m: rows, n: width, k: slots, a: a + lane * gradientStride, lda: slots,
              b: b + lane * jacobianStride, ldb: slots, c: c, ldc: width)
          }
        }
      }
      products.withUnsafeBufferPointer { result in
        guard let c = result.baseAddress else { return }
        for row in 0..<rows {
          let (target, sign) = destination(row, lane)
          let source = c + row * width
          let linear = matrix + (target * columns + columns - scalarCount)
          for column in 0..<scalarCount { linear[column] += sign * source[column] }
          let radial = matrix + (target * columns + block.species * radialCount)
          for column in 0..<radialCount { radial[column] += sign * source[scalarCount + column] }
        }
      }
    }
  }

  // What a coefficient changes in the gradients of the moments themselves: for a neighbor of species s,
  // ∂/∂r [φ_i Σ_m G_{μ,m} uᵐ].
  private func addDirectParts(_ block: MomentBlock, to matrix: UnsafeMutablePointer<Double>) {
    let table = potential.basis.monomials
    let (functions, size) = (potential.radialFunctionCount, potential.radialBasis.size)
    let (entries, derivatives) = (table.entries.span, table.derivatives.span)
    let spacing = block.layout.slotCapacity
    let totals = block.totals
    for place in 0..<9 * radialCount { totals[place] = .zero }
    let firstColumn = block.species * radialCount
    var group = 0
    for slot in 0..<block.slotCount {
      while slot >= Int(block.groupEnds[group]) { group += 1 }
      let s = slot % chunkSlots
      let u = block.u(chunk: slot / chunkSlots)
      if s == 0 { MomentKernel.monomials(table, u, block.rows) }
      let (x, y, z) = (u[s], u[chunkSlots + s], u[2 * chunkSlots + s])
      let (r, inverse) = (block.r[slot], block.inverse[slot])
      let row = block.rows + s
      for mu in 0..<functions {
        var (value, px, py, pz) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        for m in 0..<entries.count where mu < Int(entries[unchecked: m].radialCount) {
          let g = block.adjoints[Int(entries[unchecked: m].firstSlot) + mu]
          let d = derivatives[unchecked: m]
          value.addProduct(g, row[m * chunkSlots])
          px.addProduct(g * d.factor.x, row[Int(d.monomial.x) * chunkSlots])
          py.addProduct(g * d.factor.y, row[Int(d.monomial.y) * chunkSlots])
          pz.addProduct(g * d.factor.z, row[Int(d.monomial.z) * chunkSlots])
        }
        let along = (px * x).addingProduct(py, y).addingProduct(pz, z)
        let tx = (px - x * along) * inverse
        let ty = (py - y * along) * inverse
        let tz = (pz - z * along) * inverse
        for i in 0..<size {
          let (phi, slope) = (block.phi[i * spacing + slot], block.slope[i * spacing + slot])
          let radial = slope * value
          let gx = (tx * phi).addingProduct(radial, x)
          let gy = (ty * phi).addingProduct(radial, y)
          let gz = (tz * phi).addingProduct(radial, z)
          let column = (group * functions + mu) * size + i
          let total = totals + column
          total[0].addProduct(gx, x * r)
          total[radialCount].addProduct(gy, y * r)
          total[2 * radialCount].addProduct(gz, z * r)
          total[3 * radialCount].addProduct(gy, z * r)
          total[4 * radialCount].addProduct(gx, z * r)
          total[5 * radialCount].addProduct(gx, y * r)
          total[6 * radialCount] -= gx
          total[7 * radialCount] -= gy
          total[8 * radialCount] -= gz
          for lane in 0..<block.atomCount {
            let neighbor = Int(block.neighbors[slot * laneCount + lane])
            guard neighbor < atomCount else { continue }
            let target = matrix + ((1 + 3 * neighbor) * columns + firstColumn + column)
            target[0] -= gx[lane]
            target[columns] -= gy[lane]
            target[2 * columns] -= gz[lane]
          }
        }
      }
    }
    for lane in 0..<block.atomCount {
      for row in 0..<9 {
        let (target, sign) = destination(row, lane)
        for column in 0..<radialCount {
          matrix[target * columns + firstColumn + column] +=
            sign * totals[row * radialCount + column][lane]
        }
      }
    }
  }
}
