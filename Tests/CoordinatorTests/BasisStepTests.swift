import Coordinator
import Crystal
import NumericalCore
import Potential
import ReferenceEngines
import TestSupport
import Testing

/// A potential whose energy jumps with the cell while its forces and stresses know nothing of it, as plane
/// waves do that come in and go out with the volume.
struct SteppedPotential: InteratomicPotential {
  /// How the energy steps.
  enum Landscape: String, CaseIterable, CustomTestStringConvertible {
    /// Up with every step of the volume.
    case up
    /// Down with every step, as more and more plane waves do.
    case down
    /// Up and down at random.
    case teeth

    var testDescription: String { rawValue }
  }

  /// The height of a step in eV per atom.
  static let height = 1e-3

  let smooth: any InteratomicPotential
  let landscape: Landscape
  /// The width of a step in Å³ per atom.
  let width: Double

  var elements: [ChemicalElement] { smooth.elements }

  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    var evaluation = try smooth.evaluation(of: structure)
    let step = (structure.volumePerAtom / width).rounded(.down)
    var stream = RandomStream(seed: 17, purpose: .test, slot: UInt64(step))
    let level =
      switch landscape {
      case .up: step
      case .down: -step
      case .teeth: stream.uniform() < 0.5 ? 0.0 : 1
      }
    evaluation.energy += Self.height * level * Double(structure.atomCount)
    return evaluation
  }
}

/// The same method as an engine that is none of the program's own.
struct SteppedEngine: ReferenceEngine {
  let potential: SteppedPotential

  var summary: String { "steps" }
  var settingsBytes: [UInt8] { [] }
  var version: String { "1" }
  var dependsOnHistory: Bool { false }

  func label(_ structure: Structure) -> LabelOutcome {
    do { return .labelled(try potential.evaluation(of: structure)) } catch {
      return .failed(reason: error.description)
    }
  }
}

@Suite("Re-ranking with a basis that changes with the cell")
struct BasisStepTests {
  @Test(
    "Energies that step with the volume do not keep a relaxation from its tolerances",
    arguments: SteppedPotential.Landscape.allCases, [0.02, 0.3])
  func steps(landscape: SteppedPotential.Landscape, width: Double) throws {
    let place = try Workplace()
    let settings = try CampaignSettings(path: place.campaign)
    let smooth = try settings.reference.settings.potential()
    let stepped = SteppedPotential(smooth: smooth, landscape: landscape, width: width)
    let executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: SteppedEngine(potential: stepped), reference: stepped)
    let plain = CampaignExecutor(
      rules: CampaignRules(settings), engine: try EmbeddedReference(settings.reference.settings),
      reference: smooth)
    for seed in UInt64(1)...6 {
      // So little that the campaign's minimum distances, which are wide, hold.
      let start = try TestStructures.rattled(
        TestStructures.strained(Prototypes.rutile(), by: 0.01, seed: seed), by: 0.02, seed: seed)
      guard case .reranked(let report) = try executor.execute(.rerank(start)),
        case .reranked(let without) = try plain.execute(.rerank(start))
      else {
        Issue.record("no report")
        continue
      }
      guard case .relaxed(let relaxed) = report.ending, case .relaxed(let expected) = without.ending
      else {
        Issue.record("seed \(seed): \(report.ending), without steps \(without.ending)")
        continue
      }
      #expect(relaxed.hasConverged, "seed \(seed)")
      #expect(relaxed.evaluation.largestForce() <= settings.rerank.convergence.force)
      #expect(relaxed.structure.matches(expected.structure))
      // The energy belongs to the cell that it ends at: a fresh calculation gives it again.
      let again = try stepped.evaluation(of: relaxed.structure)
      let pressure = settings.pressureElectronvoltsPerCubicAngstrom
      let enthalpy = again.energy + pressure * relaxed.structure.volume
      let difference = enthalpy / Double(relaxed.structure.atomCount) - relaxed.enthalpyPerAtom
      #expect(abs(difference) < 1e-8, "seed \(seed): \(difference)")
      #expect(
        report.evaluations <= 4 * without.evaluations + 40,
        "seed \(seed): \(report.evaluations) evaluations, \(without.evaluations) without steps")
    }
  }

  @Test("A candidate in a larger cell is re-ranked in its smallest")
  func smallestCell() throws {
    let place = try Workplace()
    let settings = try CampaignSettings(path: place.campaign)
    let executor = CampaignExecutor(
      rules: CampaignRules(settings), engine: try EmbeddedReference(settings.reference.settings),
      reference: try settings.reference.settings.potential())
    func relaxed(_ start: Structure) throws -> RelaxedCandidate? {
      guard case .reranked(let report) = try executor.execute(.rerank(start)),
        case .relaxed(let relaxed) = report.ending
      else { return nil }
      return relaxed
    }
    let rutile = try Prototypes.rutile()
    let known = try #require(try relaxed(rutile))
    let larger = TestStructures.rattled(rutile.supercell(1, 2, 1), by: 0.002, seed: 1)
    let found = try #require(try relaxed(larger))
    #expect(found.structure.atomCount == rutile.atomCount)
    #expect(abs(found.enthalpyPerAtom - known.enthalpyPerAtom) < 1e-4)
  }
}
