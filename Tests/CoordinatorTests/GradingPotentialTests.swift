import Coordinator
import Crystal
import Evolution
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import TestSupport
import Testing

@Suite("A potential that is graded by one of fewer parameters")
struct GradingPotentialTests {
  private let labelled: [LabelledStructure]
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let settings = try Self.settings(in: folder, level: nil)
    let reference = try settings.reference.settings.potential()
    let breeding = CampaignRules(settings).breeding
    var breeder = Breeder()
    labelled = try (0..<40).compactMap { slot -> Structure? in
      var random = RandomStream(seed: 3, purpose: .test, slot: UInt64(slot))
      let order = BreedingOrder(
        kind: .random, composition: try Composition(formula: "Si4"), targetVolumePerAtom: 20)
      return breeder.breed(order, settings: breeding, random: &random).structure
    }.map { try LabelledStructure($0, reference.evaluation(of: $0)) }
  }

  private static func settings(
    in folder: TemporaryFolder, level: Int?
  ) throws -> CampaignSettings {
    try folder.write(
      "campaign.yaml",
      """
      composition: Si
      formula_units: [4]
      potential: {kind: mtp, level: 12, cutoff: 5.0}
      reference:
        kind: stillinger-weber
        parameters:
          - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4,
             q: 0, a: 1.8, lambda: 21, gamma: 1.2}
      active_learning: {\(level.map { "level: \($0), " } ?? "")select: 2, break: 4}
      search: {candidates: 40, population: 10}
      """)
    return try CampaignSettings(path: folder.path + "/campaign.yaml")
  }

  private func executor(level: Int?) throws -> CampaignExecutor {
    let settings = try Self.settings(in: folder, level: level)
    let reference = settings.reference.settings
    return CampaignExecutor(
      rules: CampaignRules(settings), engine: try reference.engine(),
      reference: try reference.potential())
  }

  /// Two versions, the second from the first.
  private func versions(level: Int?, _ executor: CampaignExecutor) throws -> [TrainedVersion] {
    var versions: [TrainedVersion] = []
    for (version, start) in [(1, nil), (2, 1)] {
      let known = version == 1 ? Array(labelled.prefix(25)) : labelled
      guard
        case .trained(let bytes) = try executor.execute(
          .refit(known, version: version, start: start))
      else {
        Issue.record("no training")
        return versions
      }
      try executor.hold(version: version, potential: bytes)
      let trained = try TrainedVersion(canonicalBytes: bytes)
      #expect(trained.canonicalBytes == bytes)
      versions.append(trained)
    }
    return versions
  }

  @Test("Energies are of one, grades of the other, through refits")
  func twoPotentials() throws {
    let executors = try [executor(level: nil), executor(level: 8)]
    let own = try versions(level: nil, executors[0])
    let other = try versions(level: 8, executors[1])
    try #require(own.count == 2 && other.count == 2)
    for (one, two) in zip(own, other) {
      #expect(one.potential == two.potential)
      #expect(one.grader.potential == one.potential)
      #expect(two.grader.potential.parameterCount < two.potential.parameterCount)
    }
    #expect(other[0].grader.potential != other[1].grader.potential)
    // The grade by few parameters decides whether a relaxation stops, and is lower as a rule.
    var (stopped, spared, lower) = (0, 0, 0)
    for (number, known) in labelled.enumerated() {
      let structure = try stretched(known.structure, by: number % 2 == 0 ? 1.15 : 0.75)
      let force = try other[1].potential.evaluation(of: structure).largestForce()
      guard force <= 20 else { continue }
      let grades = try [own[1], other[1]].map { try $0.grader.grade(of: structure) }
      lower += grades[1] < grades[0] ? 1 : 0
      guard case .relaxation(let report) = try executors[1].execute(.resume(structure, version: 2))
      else {
        Issue.record("no relaxation")
        continue
      }
      // Atoms that are too close end a relaxation before any grade does.
      if case .failed = report.ending { continue }
      if grades[1] >= 4 {
        guard case .stopped(grades[1], _) = report.ending, report.evaluations == 1 else {
          Issue.record("\(report.ending) at grade \(grades[1])")
          continue
        }
        stopped += 1
      } else {
        #expect(report.evaluations > 1)
        spared += grades[0] >= 4 ? 1 : 0
      }
    }
    #expect(stopped > 2 && spared > 10 && lower > 20)
  }

  /// A crystal that the training set does not hold.
  private func stretched(_ structure: Structure, by factor: Double) throws -> Structure {
    func stretched(_ vector: Vector3) -> Vector3 { Vector3(factor * vector.x, vector.y, vector.z) }
    let vectors = structure.lattice.vectors
    return try Structure(
      lattice: Lattice(
        Matrix3(
          rows: stretched(vectors.a), stretched(vectors.b), stretched(vectors.c))),
      species: structure.species, positions: structure.positions.map(stretched))
  }
}
