import Crystal
import Dataset
import Dynamics
import MPIBindings
import NumericalCore
import Potential

/// What has to be computed to judge a potential by a pool, spread over the ranks.
///
/// Every rank calls every method with the same arguments; results are on rank 0, elsewhere `nil`. They have the
/// same bits for any number of ranks.
public struct PoolWork {
  /// The pool.
  public let entries: [PoolStructure]
  /// Up to which ΔE structures count as low, in eV per atom.
  public let window: Double
  /// The pressure of the enthalpies in eV/Å³.
  public let pressure: Double
  let communicator: Communicator

  /// Prepares the work.
  ///
  /// - Parameters:
  ///   - entries: The pool, with the energies of the reference method at the same pressure.
  ///   - window: Up to which ΔE structures count as low, in eV per atom.
  ///   - pressure: In eV/Å³.
  ///   - communicator: The ranks.
  public init(
    _ entries: [PoolStructure], window: Double, pressure: Double = 0, communicator: Communicator
  ) {
    self.entries = entries
    self.window = window
    self.pressure = pressure
    self.communicator = communicator
  }

  /// Compares energies in the geometry of the pool.
  ///
  /// - Throws: `CampaignError.failed` where the potential treats no structure at all; `MPIError`.
  public func comparison(with potential: any InteratomicPotential) throws -> PoolComparison? {
    let outcomes = try ParallelMap(communicator).results(of: entries.count) { index in
      ItemOutcome { try Energy(of: potential, entries[index].structure, pressure: pressure) }
    }
    guard let outcomes else { return nil }
    let (comparison, failures) = compared(outcomes) { $0.perAtom }
    guard let comparison else {
      throw CampaignError.failed(
        "the potential treats none of the pool's \(entries.count) structures; structure "
          + "\(failures.first?.number ?? 1): \(failures.first?.reason ?? "")")
    }
    return comparison
  }

  /// Relaxes the pool and compares the energies at the minima.
  ///
  /// - Parameters:
  ///   - potential: What relaxes.
  ///   - settings: When a relaxation ends; the pressure of the work takes the place of theirs.
  /// - Returns: On rank 0 the comparison; elsewhere `nil`.
  /// - Throws: `MPIError`.
  public func relaxed(
    with potential: any InteratomicPotential, settings: RelaxationSettings = RelaxationSettings()
  ) throws -> RelaxedPool? {
    var settings = settings
    settings.pressure = pressure
    let outcomes = try ParallelMap(communicator).results(of: entries.count) { index in
      ItemOutcome { try Minimum(of: potential, from: entries[index].structure, settings) }
    }
    guard let outcomes else { return nil }
    let (comparison, failures) = compared(outcomes) { $0.perAtom }
    func numbers(_ isMeant: (Minimum) -> Bool) -> [Int] {
      zip(entries, outcomes).compactMap { entry, outcome in
        outcome.value.flatMap { isMeant($0) ? entry.number : nil }
      }
    }
    let (kept, _) = compared(outcomes, where: { $0.change != .other }, \.perAtom)
    return RelaxedPool(
      comparison: comparison, failures: failures, kept: kept,
      unconverged: numbers { !$0.hasConverged }, moved: numbers { $0.change == .other },
      unmatched: numbers { $0.change == .unknown })
  }

  /// Grades the structures of a comparison.
  ///
  /// - Parameters:
  ///   - grader: The potential with its active set.
  ///   - comparison: The pool in its own geometry, on rank 0.
  /// - Returns: On rank 0 the grades; elsewhere `nil`.
  /// - Throws: `MPIError`.
  public func grades(
    by grader: ExtrapolationGrader, of comparison: PoolComparison?
  ) throws -> GradedPool? {
    let outcomes = try ParallelMap(communicator).results(of: entries.count) { index in
      ItemOutcome { Number(value: try grader.grade(of: entries[index].structure)) }
    }
    guard let outcomes, let comparison else { return nil }
    // A structure that has an energy but no finite derivatives is infinitely far outside.
    let grades = comparison.entries.map { outcomes[$0.number - 1].value?.value ?? .infinity }
    return GradedPool(
      grades, threshold: grader.activeSet.options.swapThreshold, of: comparison)
  }

  /// Compares the structures that have a result; there is nothing to compare where none has.
  private func compared<Value>(
    _ outcomes: [ItemOutcome<Value>], where isCompared: (Value) -> Bool = { _ in true },
    _ energyPerAtom: (Value) -> Double
  ) -> (PoolComparison?, [PoolComparison.Failure]) {
    var kept: [PoolStructure] = []
    var energies: [Double] = []
    var failures: [PoolComparison.Failure] = []
    for (entry, outcome) in zip(entries, outcomes) {
      switch outcome {
      case .done(let value):
        guard isCompared(value) else { continue }
        kept.append(entry)
        energies.append(energyPerAtom(value))
      case .failed(let reason): failures.append(.init(number: entry.number, reason: reason))
      }
    }
    let comparison =
      kept.isEmpty
      ? nil : PoolComparison(kept, modelPerAtom: energies, failures: failures, window: window)
    return (comparison, failures)
  }
}

/// The energy of a structure as it is.
private struct Energy: Sendable, ByteCodable {
  let perAtom: Double

  init(
    of potential: any InteratomicPotential, _ structure: Structure, pressure: Double
  ) throws {
    let energy = try potential.evaluation(of: structure).energy
    perAtom = PoolStructure.enthalpyPerAtom(energy, of: structure, pressure: pressure)
  }

  func encode(to encoder: inout ByteEncoder) { encoder.encode(perAtom) }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) { perAtom = try decoder.decode() }
}

/// A number that travels.
private struct Number: Sendable, ByteCodable {
  let value: Double

  init(value: Double) { self.value = value }

  func encode(to encoder: inout ByteEncoder) { encoder.encode(value) }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) { value = try decoder.decode() }
}

/// What a structure of the pool relaxes to.
private struct Minimum: Sendable, ByteCodable {
  enum Change: Int {
    case same
    case other
    case unknown
  }

  let perAtom: Double
  let hasConverged: Bool
  let change: Change

  /// Relaxes.
  ///
  /// - Throws: Where the relaxation ends neither at a minimum nor at the limit of steps.
  init(
    of potential: any InteratomicPotential, from start: Structure, _ settings: RelaxationSettings
  ) throws {
    let result = Relaxation.run(start, with: potential, settings: settings)
    switch result.outcome {
    case .converged, .stepLimit: break
    default: throw CampaignError.failed(result.outcome.description)
    }
    perAtom = result.enthalpyPerAtom
    hasConverged = result.hasConverged
    change =
      start.periodicity == .full
      ? (start.matches(result.structure) ? .same : .other) : .unknown
  }

  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(perAtom)
    encoder.encode(hasConverged)
    encoder.encode(change.rawValue)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    perAtom = try decoder.decode()
    hasConverged = try decoder.decode(Bool.self)
    guard let change = Change(rawValue: try decoder.decode()) else {
      throw .invalid("what became of a relaxed structure")
    }
    self.change = change
  }
}
