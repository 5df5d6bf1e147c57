/// All that the rows of design matrices are computed with, for one basis and number of species.
///
/// A row has `columns.width` numbers for the basis functions, then for every central species and
/// neighbor species `radialFunctionCount` blocks of `radialWidth` numbers for the radial coefficients,
/// padded to multiples of 8.
package struct DesignProgram: Sendable {
  /// The product graph.
  package let program: BasisProgram
  /// The columns of the basis functions.
  package let columns: DesignColumns
  /// The changes of ∂V/∂M with each radial function.
  package let tangents: [TangentProgram]
  /// The coefficients of `tangents`.
  package let coefficients: [TangentProgram.Coefficient]
  /// The number of species.
  package let speciesCount: Int
  /// The number of radial functions.
  package let functionCount: Int
  /// The number of radial basis functions.
  package let radialSize: Int

  /// Compiles a basis.
  package init(
    _ basis: MomentTensorBasis, speciesCount: Int, radialSize: Int
  ) {
    program = BasisProgram(basis)
    columns = DesignColumns(program)
    var table = TangentProgram.CoefficientTable()
    var tangents: [TangentProgram] = []
    for mu in program.moments.largestDegrees.indices {
      tangents.append(TangentProgram(program, mu: mu, &table))
    }
    self.tangents = tangents
    coefficients = table.all
    self.speciesCount = speciesCount
    functionCount = basis.radialFunctionCount
    self.radialSize = radialSize
  }

  /// The number of columns of the radial coefficients of one function, a multiple of 8.
  package var radialWidth: Int {
    (radialSize + Octet.scalarCount - 1) / Octet.scalarCount * Octet.scalarCount
  }

  /// The number of radial columns of all pairs of species.
  package var radialWidthOfAll: Int { speciesCount * speciesCount * functionCount * radialWidth }
}
