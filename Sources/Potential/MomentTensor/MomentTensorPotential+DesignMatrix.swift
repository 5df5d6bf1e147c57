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
  /// times their values **is** energy, forces and ∂E/∂ε, a repulsion excepted. Everything is analytic.
  ///
  /// The tables of the basis are compiled by every call; a training does that once.
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
    let rowCount = Self.designRowCount(atomCount: structure.atomCount)
    let columns = includingRadial ? parameterCount : linearParameterCount
    precondition(matrix.rows >= rowCount, "the design matrix needs \(rowCount) rows")
    precondition(matrix.columns == columns, "the design matrix needs \(columns) columns")
    var batch = SiteBatch()
    batch.append(
      structure, index: 0, species: try speciesIndices(of: structure), speciesCount: speciesCount,
      cutoff: radialBasis.cutoff)
    batch.makeBlocks()
    let design = DesignProgram(basis, speciesCount: speciesCount, radialSize: radialBasis.size)
    let rows = DesignRows()
    rows.compute(
      batch, self, includingRadial ? [.linear, .radial] : .linear,
      by: DesignKernel(design, radialBasis: radialBasis))
    let radial = includingRadial ? design.radialOrder(after: design.columns.width) : []
    let scalars = design.scalarOrder
    matrix.elements.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for row in 0..<rowCount {
        let target = base + row * columns
        rows.copy(row: row, columns: radial, weight: 1, to: target)
        for s in 0..<speciesCount {
          target[radial.count + s] = row == 0 ? Double(batch.members[0].speciesCounts[s]) : 0
        }
        rows.copy(
          row: row, columns: scalars, weight: 1, to: target + radial.count + speciesCount)
      }
    }
    guard matrix.elements.prefix(rowCount * columns).allSatisfy(\.isFinite) else {
      throw .notFinite(Self.reason(structure))
    }
  }
}
