import Coordinator
import Crystal
import Dynamics
import Evolution
import NumericalCore

/// Answers orders at once with results that depend on the order alone: a landscape that looks
/// random but is a pure function of structure and version.
///
/// Potentials of low versions extrapolate often.
final class ToyExecutor: WorkExecutor {
  private final class Memory { var results: [[UInt8]: WorkResult] = [:] }

  private let memory: Memory
  private(set) var held: Set<Int> = []

  private let salt: [UInt8]

  /// A toy; those of other seeds answer the same orders otherwise.
  init(seed: UInt8? = nil) {
    memory = Memory()
    salt = seed.map { [$0] } ?? []
  }

  private init(sharing other: ToyExecutor) {
    memory = other.memory
    salt = other.salt
  }

  /// A fresh worker: it holds no potential, but need not think twice about the same order.
  static func sharing(_ other: ToyExecutor) -> ToyExecutor {
    ToyExecutor(sharing: other)
  }

  func hold(version: Int, potential: [UInt8]) { held.insert(version) }

  func execute(_ order: WorkOrder) throws -> WorkResult {
    if let version = order.requiredVersion, !held.contains(version) {
      throw ToyError(description: "version \(version) was not published")
    }
    let key = SHA256.hash(order.canonicalBytes + salt)
    if let known = memory.results[key] { return known }
    let result = try answer(order, key: key)
    memory.results[key] = result
    return result
  }

  private func answer(_ order: WorkOrder, key: [UInt8]) throws -> WorkResult {
    let seed = key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var random = RandomStream(seed: seed, purpose: .test)
    switch order {
    case .generate(let breeding, _):
      if random.uniform() < 0.1 { return .notGenerated("toy") }
      return .generated(try structure(breeding.composition, &random))
    case .explore(let breeding, _, let version):
      if random.uniform() < 0.08 { return .relaxation(rejected()) }
      return .relaxation(
        try relaxation(from: try structure(breeding.composition, &random), version, &random))
    case .resume(let start, let version):
      return .relaxation(try relaxation(from: start, version, &random))
    case .refresh(let start, let version):
      if random.uniform() < 0.02 {
        return .relaxation(
          RelaxationReport(ending: .stopped(grade: 12, lastReliable: start), evaluations: 1))
      }
      let moved = try settled(start, version)
      return .relaxation(
        RelaxationReport(ending: .relaxed(try rest(moved, version)), evaluations: 1))
    case .select(let pool, _, let limit):
      return .selected(Array(pool.indices.filter { $0 % 3 != 1 }.prefix(min(limit, 12))))
    case .label(let structure, _):
      if random.uniform() < 0.4 { return .labelFailed("toy failure") }
      // Now and then far from what a potential says.
      let energy = Self.level(of: structure) - 0.005 + 0.006 * random.normal()
      return .labelled(
        Evaluation(
          energy: energy * Double(structure.atomCount),
          forces: structure.positions.map { _ in .zero }, virial: .zero, of: structure))
    case .refit(let labelled, let version, _), .refitForMelts(let labelled, let version, _):
      return .trained(labelled.canonicalBytes(with: version))
    case .scatter(let composition, _, _): return .generated(try structure(composition, &random))
    case .melt(let progress, _, _, let version):
      return .melted(try melt(progress, version, &random))
    case .rerank(let start):
      return .reranked(RelaxationReport(ending: .relaxed(try rest(start, 0)), evaluations: 7))
    }
  }

  /// A melt takes some ten pieces; potentials of low versions stop it often, and now and then it fails.
  private func melt(
    _ progress: MeltProgress, _ version: Int, _ random: inout RandomStream
  ) throws -> MeltReport {
    if random.uniform() < 0.2 {
      var report = MeltReport(progress, .failed("toy explosion"))
      if version > 0, case .moving(let state) = progress, random.uniform() < 0.5 {
        report.hole = state.dynamics.structure
      }
      return report
    }
    let moved: Structure
    switch progress {
    case .scattering(let composition, _): moved = try structure(composition, &random)
    case .starting(let start): moved = start
    case .moving(let state):
      let positions = state.dynamics.structure.positions
      moved = state.dynamics.structure.replacing(
        positions: positions.map { $0 + 0.1 * random.unitVector() })
    }
    let settings = MeltQuenchSettings(seed: random.next64())
    var report = MeltReport(.moving(MeltQuenchState(moved, settings: settings)), .underWay)
    report.evaluations = 5
    if version == 0 {
      report.frames = [
        try LabelledStructure(
          moved,
          Evaluation(
            energy: 0, forces: moved.positions.map { _ in .zero }, virial: .zero, of: moved))
      ]
    } else if random.uniform() < 1 / (1 + 0.5 * Double(version)) {
      report.ending = .stopped(grade: 11)
      report.extrapolative = [
        ExtrapolativeStructure(structure: moved, grade: random.uniform(3, 12))
      ]
      return report
    }
    if version > 0 { report.samples = [moved] }
    if random.uniform() < 0.1 { report.ending = .finished }
    return report
  }

  private func rejected() -> RelaxationReport {
    RelaxationReport(ending: .rejected("toy"), evaluations: 0)
  }

  private func relaxation(
    from start: Structure, _ version: Int, _ random: inout RandomStream
  ) throws -> RelaxationReport {
    let extrapolative = [ExtrapolativeStructure(structure: start, grade: random.uniform(3, 9))]
    if random.uniform() < 0.05 {
      return RelaxationReport(ending: .failed("toy collapse"), evaluations: 3)
    }
    if random.uniform() < 1 / (1 + Double(version)) {
      return RelaxationReport(
        ending: .stopped(grade: 11, lastReliable: start), extrapolative: extrapolative,
        evaluations: 5)
    }
    let end = try settled(start, version)
    return RelaxationReport(ending: .relaxed(try rest(end, version)), evaluations: 20)
  }

  /// Where a structure comes to rest: every version puts the last atom elsewhere within 0.12 Å.
  private func settled(_ structure: Structure, _ version: Int) throws -> Structure {
    var positions = structure.positions
    let z = positions[positions.count - 1].z
    positions[positions.count - 1].z = (z / 0.2).rounded(.down) * 0.2 + 0.02 * Double(version % 7)
    return structure.replacing(positions: positions)
  }

  private func rest(_ structure: Structure, _ version: Int) throws -> RelaxedCandidate {
    var random = RandomStream(
      seed: UInt64(structure.positions[0].x.bitPattern), purpose: .test, slot: UInt64(version))
    let enthalpy = Self.level(of: structure) - random.uniform(0, 0.01)
    return RelaxedCandidate(
      structure: structure,
      evaluation: Evaluation(
        energy: enthalpy * Double(structure.atomCount),
        forces: structure.positions.map { _ in .zero }, virial: .zero, of: structure),
      enthalpyPerAtom: enthalpy, hasConverged: true, pointGroupOrder: 1,
      fingerprint: StructureFingerprint(structure), grade: 1)
  }

  /// In eV per atom; few distinct ones, so that duplicates occur.
  private static func level(of structure: Structure) -> Double {
    Double(structure.atomCount % 7)
  }

  /// A random structure; now and then its cell holds the crystal twice.
  private func structure(
    _ composition: Composition, _ random: inout RandomStream
  ) throws -> Structure {
    if composition.counts.allSatisfy({ $0 % 2 == 0 }), random.uniform() < 0.3 {
      let half = try Composition(composition.elements, composition.counts.map { $0 / 2 })
      return try structure(half, &random).supercell(1, 1, 2)
    }
    let edge = 4 + Double(random.integer(below: 6))
    let lattice = try Lattice(Matrix3(diagonal: Vector3(edge, edge, edge + 1)))
    return try Structure(
      lattice: lattice, species: composition.species,
      fractionalPositions: composition.species.map { _ in random.fractionalPoint() })
  }
}

struct ToyError: Error, CustomStringConvertible { let description: String }

extension [LabelledStructure] {
  fileprivate func canonicalBytes(with version: Int) -> [UInt8] {
    var encoder = ByteEncoder()
    encoder.encode(version)
    encoder.encode(count)
    return encoder.bytes
  }
}
