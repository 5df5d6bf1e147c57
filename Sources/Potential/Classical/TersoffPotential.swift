import Crystal
import NumericalCore

/// Bonds weakened by their neighbors, for several elements.
///
/// J. Tersoff, Phys. Rev. B 39, 5566 (1989), doi:10.1103/PhysRevB.39.5566, equations 1 to 3: E = ½ Σ_i Σ_{j≠i} f_C(r_ij) [A_ij exp(−λ_ij r_ij) − b_ij B_ij exp(−μ_ij r_ij)],
/// b_ij = χ_ij (1 + β_iⁿ ζ_ijⁿ)^(−1/2n), ζ_ij = Σ_{k≠i,j} f_C(r_ik) g(θ_ijk),
/// g = 1 + c²/d² − c²/[d² + (h − cos θ)²]. Between unlike elements λ and μ are arithmetic means, A, B, R
/// and S geometric ones; the paper's ω is 1, as in all its parameters.
public struct TersoffPotential: InteratomicPotential, Hashable {
  /// The parameters it was made from.
  public let parameters: Parameters
  /// The elements, by atomic number.
  public let elements: [ChemicalElement]

  private let kernel: TersoffKernel

  /// Creates a potential.
  ///
  /// - Throws: `PotentialError.invalidParameters` where a number is out of its range, an element occurs
  ///   twice, or the χ of a pair is missing or occurs twice.
  public init(_ parameters: Parameters) throws(PotentialError) {
    try parameters.validate()
    self.parameters = parameters
    let sorted = parameters.elements.sorted { $0.element < $1.element }
    elements = sorted.map(\.element)
    kernel = TersoffKernel(sorted) { a, b in
      parameters.mixing.first { $0.joins(a, b) }?.chi ?? 1
    }
  }

  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of a structure, of any periodicity.
  ///
  /// - Throws: `PotentialError.unknownElement`; `.notFinite` where atoms coincide or the cell has collapsed.
  /// - Complexity: O(N n²) for n neighbors.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let types = try typeIndices(of: structure)
    try checkDensity(
      structure, reach: kernel.cutoff,
      most: AngularSums.largestNeighborCount * Double(structure.atomCount))
    let list = NeighborList(structure, cutoff: kernel.cutoff)
    var sums = AngularSums(atomCount: structure.atomCount)
    sums.add(list, rowCount: TersoffKernel.rowCount) { atom, site in
      for (n, place) in list.neighbors(of: atom).enumerated() {
        kernel.setPair(types[atom], types[Int(list.indices[place])], at: n, of: site)
      }
      return kernel.energy(of: site, center: types[atom])
    }
    return try sums.evaluation(of: structure)
  }
}
