import Crystal
import NumericalCore

/// Pairs of atoms with u(r) = 4 ε [(σ/r)¹² − (σ/r)⁶], for several elements.
///
/// J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931), doi:10.1088/0959-5309/43/5/301. Every pair of elements has its own ε, σ and cutoff. With a force shift energy and force vanish at
/// the cutoff together (S. D. Stoddard and J. Ford, Phys. Rev. A 8, 1504 (1973),
/// doi:10.1103/PhysRevA.8.1504).
public struct LennardJonesPotential: InteratomicPotential, Hashable {
  /// The parameters it was made from.
  public let parameters: Parameters
  /// The elements of the pairs, by atomic number.
  public let elements: [ChemicalElement]

  private let table: [LennardJonesPair]
  private let largestCutoff: Double
  private let isUntruncated: Bool

  /// Creates a potential.
  ///
  /// - Throws: `PotentialError.invalidParameters` where a length is not positive, a number is not finite,
  ///   a pair is missing or occurs twice, or a shift has no cutoff.
  public init(_ parameters: Parameters) throws(PotentialError) {
    try parameters.validate()
    self.parameters = parameters
    elements = Set(parameters.pairs.flatMap { [$0.first, $0.second] }).sorted()
    var table: [LennardJonesPair] = []
    for a in elements {
      for b in elements {
        for pair in parameters.pairs where pair.joins(a, b) {
          table.append(LennardJonesPair(pair, parameters.truncation))
        }
      }
    }
    self.table = table
    largestCutoff = parameters.pairs.compactMap(\.cutoff).max() ?? 0
    isUntruncated = parameters.pairs.contains { $0.cutoff == nil }
  }

  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of a structure.
  ///
  /// - Throws: `PotentialError.unknownElement`; `.unsupportedPeriodicity` where a pair without cutoff would
  ///   have images; `.notFinite` where atoms coincide or the cell has collapsed.
  /// - Complexity: O(N) pairs in range.
  public func evaluation(of given: Structure) throws(PotentialError) -> Evaluation {
    let structure = given.compacted
    let types = try typeIndices(of: structure)
    guard !isUntruncated || structure.periodicity == .none else {
      throw .unsupportedPeriodicity(
        "a pair without cutoff needs a cluster; this structure repeats in "
          + "\(structure.periodicity.count) directions")
    }
    try checkDensity(structure, reach: largestCutoff, most: Self.largestPairCount)
    var energy = 0.0
    var virial = Matrix3.zero
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    let pairs = ImagePairs(structure, reach: largestCutoff)
    pairs.add(energy: &energy, forces: &forces, virial: &virial) { i, j, row, sums in
      table[types[i] * elements.count + types[j]].add(row, to: &sums)
    }
    let result = Evaluation(
      energy: energy, forces: forces, virial: virial.symmetrized, of: structure)
    guard result.isFinite() else {
      throw .notFinite("energy \(energy) eV; atoms coincide")
    }
    return result
  }

  /// About a second of work.
  private static let largestPairCount = 1e8
}
