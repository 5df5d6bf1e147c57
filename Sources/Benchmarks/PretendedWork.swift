import Coordinator
import Crystal
import Evolution
import NumericalCore

/// Invents results at once, so that what is left of a campaign's processor time is the schedule's own.
///
/// Results look like those of a search: structures with real fingerprints, stops that become rare as
/// the potential learns, energies that seldom repeat.
final class PretendedWork: WorkExecutor {
  /// About the size of a trained potential with its active set.
  private static let potentialSize = 100_000

  /// Processor seconds spent on inventing.
  private(set) var seconds = 0.0

  func hold(version: Int, potential: [UInt8]) {}

  func execute(_ order: WorkOrder) throws -> WorkResult {
    let start = Stopwatch.processorSeconds()
    defer { seconds += Stopwatch.processorSeconds() - start }
    return try result(of: order)
  }

  private func result(of order: WorkOrder) throws -> WorkResult {
    switch order {
    case .generate(let breeding, let stream):
      var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(stream))
      return .generated(try drawn(breeding.composition, &random))
    case .explore(let breeding, let stream, let version):
      var random = RandomStream(seed: 2, purpose: .test, slot: UInt64(stream))
      let structure = try drawn(breeding.composition, &random)
      guard random.integer(below: 2 + 4 * version) == 0 else {
        return .relaxation(report(structure))
      }
      return .relaxation(
        RelaxationReport(
          ending: .stopped(grade: 20, lastReliable: structure),
          extrapolative: [ExtrapolativeStructure(structure: structure, grade: 5)],
          evaluations: 10))
    case .resume(let structure, _), .refresh(let structure, _):
      return .relaxation(report(structure))
    case .select(let pool, _, let limit):
      return .selected(Array(pool.indices.prefix(min(8, limit))))
    case .label(let structure, _): return .labelled(evaluation(of: structure))
    case .refit, .refitForMelts: return .trained([UInt8](repeating: 0, count: Self.potentialSize))
    case .rerank(let structure): return .reranked(report(structure))
    case .scatter(let composition, _, let stream):
      var random = RandomStream(seed: 3, purpose: .test, slot: UInt64(stream))
      return .generated(try drawn(composition, &random))
    case .melt(let progress, _, _, _): return .melted(MeltReport(progress, .finished))
    }
  }

  private func drawn(
    _ composition: Composition, _ random: inout RandomStream
  ) throws -> Structure {
    let edges = Vector3(random.uniform(4, 6), random.uniform(4, 6), random.uniform(5, 9))
    return try Structure(
      lattice: Lattice(Matrix3(diagonal: edges)), species: composition.species,
      fractionalPositions: composition.species.map { _ in random.fractionalPoint() })
  }

  private func evaluation(of structure: Structure) -> Evaluation {
    // A made-up energy that the structure alone decides.
    let energy = -structure.volume.truncatingRemainder(dividingBy: 1)
    return Evaluation(
      energy: energy * Double(structure.atomCount), forces: structure.positions.map { _ in .zero },
      virial: .zero, of: structure)
  }

  private func report(_ structure: Structure) -> RelaxationReport {
    let evaluation = evaluation(of: structure)
    return RelaxationReport(
      ending: .relaxed(
        RelaxedCandidate(
          structure: structure, evaluation: evaluation,
          enthalpyPerAtom: evaluation.energy / Double(structure.atomCount), hasConverged: true,
          pointGroupOrder: 1, fingerprint: StructureFingerprint(structure),
          grade: 1)),
      evaluations: 40)
  }
}
