import Coordinator
import Crystal
import Dynamics
import Evolution
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings
import Testing

@Suite("Children that race for a relaxation")
struct ScreeningTests {
  private static let campaign = """
    composition: Si
    formula_units: [4]
    potential: {kind: reference}
    reference:
      kind: stillinger-weber
      parameters:
        - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4,
           q: 0, a: 1.8, lambda: 21, gamma: 1.2}
    search: {candidates: 40, population: 10, DRAWS}
    """

  private static func executor(
    draws: Int
  ) throws -> (CampaignExecutor, CampaignRules, any InteratomicPotential) {
    let text = campaign.replacingOccurrences(of: "DRAWS", with: "draws: \(draws)")
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "screening-\(UUID().uuidString).yaml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let settings = try CampaignSettings(path: file.path)
    let reference = settings.reference.settings
    let rules = CampaignRules(settings)
    return (
      CampaignExecutor(
        rules: rules, engine: try reference.engine(), reference: try reference.potential()),
      rules, try reference.potential()
    )
  }

  @Test("The better half of the children race for ten steps, the lowest is relaxed, all count")
  func race() throws {
    let (single, rules, potential) = try Self.executor(draws: 1)
    let (racing, _, _) = try Self.executor(draws: 4)
    let settings = rules.relaxation(stages: rules.searchStages)
    var (changed, overtaken) = (0, 0)
    for stream in 0..<30 {
      let order = BreedingOrder(
        kind: .random, composition: try Composition(formula: "Si4"), targetVolumePerAtom: 20)
      // What the four draws are, by their own streams.
      var breeder = Breeder()
      var children: [(structure: Structure, energy: Double)] = []
      for draw in 0..<4 {
        var random = RandomStream(
          seed: rules.seed, purpose: .breeding, slot: UInt64(stream), attempt: UInt32(draw))
        guard
          case .offspring(let child, _, _) = breeder.breed(
            order, settings: rules.breeding, random: &random)
        else { continue }
        children.append((child, try potential.evaluation(of: child).energy))
      }
      children.sort { $0.energy < $1.energy }
      let racers = children.prefix((children.count + 1) / 2).map { child in
        Relaxation.run(child.structure, with: potential, settings: settings) { step in
          step.index == 10 ? .stop(grade: 0) : .continue
        }
      }
      let enthalpies = racers.map(\.enthalpyPerAtom)
      let best = try #require(enthalpies.indices.min { enthalpies[$0] < enthalpies[$1] })
      let work = WorkOrder.explore(order, stream: stream, version: 0)
      guard case .relaxation(let report) = try racing.execute(work),
        case .relaxation(let plain) = try single.execute(work),
        case .relaxation(let expected) = try single.execute(
          .resume(children[best].structure, version: 0))
      else {
        Issue.record("no relaxation of stream \(stream)")
        continue
      }
      #expect(report.ending == expected.ending, "stream \(stream)")
      let losers = racers.map(\.evaluations).reduce(0, +) - racers[best].evaluations
      #expect(
        report.evaluations
          == expected.evaluations + losers + children.count - racers.count, "stream \(stream)")
      if report.ending != plain.ending { changed += 1 }
      if best > 0 { overtaken += 1 }
    }
    #expect(changed > 10)
    #expect(overtaken > 5)
  }

  @Test("Soft mutations are not drawn twice: another stream gives no other child")
  func determinate() {
    #expect(!VariationKind.softMutation.isDrawn)
    #expect(VariationKind.heredity.isDrawn && VariationKind.random.isDrawn)
  }
}
