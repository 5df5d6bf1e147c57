import Crystal
import Dataset
import NumericalCore
import Potential

/// The environments of a pool among those of a training set.
public struct PoolEnvironments: Sendable {
  /// A map for each element that the training set holds, in the order of the potential.
  public let maps: [EnvironmentMap]
  /// Elements of the pool that the training set does not hold, with their numbers of environments in the pool.
  public let unknown: [(element: ChemicalElement, count: Int)]
}

extension PoolWork {
  /// Maps the environments of a training set and of the pool, by element.
  ///
  /// - Parameters:
  ///   - potential: Its basis functions describe the environments.
  ///   - training: The structures of the training set.
  /// - Returns: On rank 0 the maps; elsewhere `nil`.
  /// - Throws: `CampaignError.failed` where the potential cannot treat a structure of the training set;
  ///   `LinearAlgebraError`; `MPIError`. Structures of the pool that it cannot treat are left out.
  public func environments(
    of potential: MomentTensorPotential, training: [Structure]
  ) throws -> PoolEnvironments? {
    // All ranks compute both before one of them returns.
    let (known, pool) = (
      try rows(of: training, potential), try rows(of: entries.map(\.structure), potential)
    )
    guard let known, let pool else { return nil }
    for (index, outcome) in known.enumerated() {
      if case .failed(let reason) = outcome {
        throw CampaignError.failed("training set: structure \(index + 1): \(reason)")
      }
    }
    var maps: [EnvironmentMap] = []
    var unknown: [(element: ChemicalElement, count: Int)] = []
    for (species, element) in potential.elements.enumerated() {
      let trainingRows = try rows(ofSpecies: species, known, training, potential)
      let poolRows = try rows(ofSpecies: species, pool, entries.map(\.structure), potential)
      if trainingRows.rows > 0 {
        maps.append(try EnvironmentMap(of: element, training: trainingRows, pool: poolRows))
      } else if poolRows.rows > 0 {
        unknown.append((element, poolRows.rows))
      }
    }
    return PoolEnvironments(maps: maps, unknown: unknown)
  }

  private func rows(
    of structures: [Structure], _ potential: MomentTensorPotential
  ) throws -> [ItemOutcome<Matrix>]? {
    try ParallelMap(communicator).results(of: structures.count) { index in
      ItemOutcome { try potential.basisValues(of: structures[index]) }
    }
  }

  private func rows(
    ofSpecies species: Int, _ outcomes: [ItemOutcome<Matrix>], _ structures: [Structure],
    _ potential: MomentTensorPotential
  ) throws -> Matrix {
    var elements: [Double] = []
    var count = 0
    for (structure, outcome) in zip(structures, outcomes) {
      guard let matrix = outcome.value else { continue }
      for (atom, own) in try potential.speciesIndices(of: structure).enumerated()
      where own == species {
        elements += matrix.row(atom)
        count += 1
      }
    }
    return Matrix(rows: count, columns: potential.scalarCount, elements: elements)
  }
}
