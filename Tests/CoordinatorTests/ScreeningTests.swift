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
  /// With equal weights and the narrow window its potential of level 6 knows less, so that races meet what it does
  /// not know.
  private static let campaign = """
    composition: Si
    formula_units: [4]
    potential: {POTENTIAL}
    training: {force_cap: 20, energy_window: 5, robust_energy: none}
    reference:
      kind: stillinger-weber
      parameters:
        - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4,
           q: 0, a: 1.8, lambda: 21, gamma: 1.2}
    active_learning: {select: 2, break: 4}
    search: {candidates: 40, population: 10, DRAWS}
    """

  private static func executor(
    draws: Int, potential: String = "kind: reference"
  ) throws -> (CampaignExecutor, CampaignRules, any InteratomicPotential) {
    let text = campaign.replacingOccurrences(of: "DRAWS", with: "draws: \(draws)")
      .replacingOccurrences(of: "POTENTIAL", with: potential)
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

  private static func order() throws -> BreedingOrder {
    BreedingOrder(
      kind: .random, composition: try Composition(formula: "Si4"), targetVolumePerAtom: 20)
  }

  /// What the draws of a stream are, by their own streams.
  private static func children(
    _ draws: Int, stream: Int, _ rules: CampaignRules
  ) throws -> [Structure] {
    var breeder = Breeder()
    return try (0..<draws).compactMap { draw in
      var random = RandomStream(
        seed: rules.seed, purpose: .breeding, slot: UInt64(stream), attempt: UInt32(draw))
      return breeder.breed(try order(), settings: rules.breeding, random: &random).structure
    }
  }

  /// What the rules of the race say, computed with whole relaxations.
  private struct Expectation {
    /// The child that is relaxed to its end.
    var winner: Structure
    /// Evaluations of the others.
    var others = 0
    var racers = 0
    /// Whether another child than the first of all was taken, and than the one that started lowest.
    var isOvertaken = false
  }

  private static func expectation(
    _ children: [Structure], _ rules: CampaignRules, _ potential: any InteratomicPotential,
    _ trained: TrainedVersion?
  ) throws -> Expectation {
    func grade(_ structure: Structure) -> Double {
      trained.map { (try? $0.grader.grade(of: structure)) ?? .infinity } ?? 0
    }
    let isKnown = children.map { grade($0) < rules.breakThreshold }
    guard isKnown[0] else { return Expectation(winner: children[0]) }
    var field: [(structure: Structure, energy: Double)] = []
    for (child, isKnown) in zip(children, isKnown) where isKnown {
      field.append((child, try potential.evaluation(of: child).energy))
    }
    field.sort { $0.energy < $1.energy }
    let racing = field.prefix((field.count + 1) / 2)
    guard racing.count > 1 else {
      return Expectation(winner: field[0].structure, others: field.count - 1)
    }
    let settings = rules.relaxation(stages: rules.searchStages)
    var runs: [RelaxationResult] = []
    for racer in racing {
      runs.append(
        Relaxation.run(racer.structure, with: potential, settings: settings) { step in
          if step.evaluation.largestForce() <= rules.forceCap {
            let grade = grade(step.structure)
            if grade >= rules.breakThreshold { return .stop(grade: grade) }
          }
          return step.index == 10 ? .stop(grade: 0) : .continue
        })
      if runs.count == 1, runs[0].isUnknown { break }
    }
    let sound = runs.indices.filter { runs[$0].isSound }
    let best =
      runs[0].isUnknown
      ? 0 : sound.min { runs[$0].enthalpyPerAtom < runs[$1].enthalpyPerAtom }
    var result = Expectation(
      winner: field[best ?? racing.count].structure, racers: runs.count,
      isOvertaken: best.map { $0 > 0 } ?? true)
    result.others = runs.map(\.evaluations).reduce(0, +) + field.count - runs.count
    result.others -= best.map { runs[$0].evaluations } ?? 1
    return result
  }

  @Test(
    "The better half of the children race for ten steps, the lowest is relaxed, all count",
    arguments: [2, 3, 4, 7])
  func race(draws: Int) throws {
    let (single, rules, potential) = try Self.executor(draws: 1)
    let (racing, _, _) = try Self.executor(draws: draws)
    var (changed, overtaken) = (0, 0)
    for stream in 0..<30 {
      let expected = try Self.expectation(
        Self.children(draws, stream: stream, rules), rules, potential, nil)
      let work = WorkOrder.explore(try Self.order(), stream: stream, version: 0)
      guard case .relaxation(let report) = try racing.execute(work),
        case .relaxation(let plain) = try single.execute(work),
        case .relaxation(let alone) = try single.execute(.resume(expected.winner, version: 0))
      else {
        Issue.record("no relaxation of stream \(stream)")
        continue
      }
      #expect(report.ending == alone.ending, "stream \(stream)")
      #expect(report.evaluations == alone.evaluations + expected.others, "stream \(stream)")
      if report.ending != plain.ending { changed += 1 }
      if expected.isOvertaken { overtaken += 1 }
    }
    #expect(changed > 5)
    // Of two children one alone could race.
    #expect(draws > 2 ? overtaken > 5 : overtaken == 0)
  }

  @Test("What the potential does not know is taken first, passed over later, and ends the race")
  func unknown() throws {
    let mtp = "kind: mtp, level: 6, cutoff: 5.0"
    let (single, rules, reference) = try Self.executor(draws: 1, potential: mtp)
    let (racing, _, _) = try Self.executor(draws: 4, potential: mtp)
    let labelled = try (100..<160).flatMap { try Self.children(1, stream: $0, rules) }
      .map { try LabelledStructure($0, reference.evaluation(of: $0)) }
    guard case .trained(let bytes) = try single.execute(.refit(labelled, version: 1, start: nil))
    else {
      Issue.record("no training")
      return
    }
    for executor in [single, racing] { try executor.hold(version: 1, potential: bytes) }
    let trained = try TrainedVersion(canonicalBytes: bytes)
    var (taken, passedOver, stopped, raced) = (0, 0, 0, 0)
    for stream in 0..<120 {
      let children = try Self.children(4, stream: stream, rules)
      let expected = try Self.expectation(children, rules, trained.potential, trained)
      guard
        case .relaxation(let report) = try racing.execute(
          .explore(try Self.order(), stream: stream, version: 1)),
        case .relaxation(let alone) = try single.execute(.resume(expected.winner, version: 1))
      else {
        Issue.record("no relaxation of stream \(stream)")
        continue
      }
      #expect(report.ending == alone.ending, "stream \(stream)")
      #expect(report.extrapolative == alone.extrapolative, "stream \(stream)")
      #expect(report.evaluations == alone.evaluations + expected.others, "stream \(stream)")
      let isKnown = try children.map { try trained.grader.grade(of: $0) < rules.breakThreshold }
      if !isKnown[0] { taken += 1 } else if isKnown.contains(false) { passedOver += 1 }
      if expected.racers == 1 { stopped += 1 }
      if expected.racers > 1 { raced += 1 }
    }
    #expect(taken > 3 && passedOver > 3 && raced > 3)
    #expect(stopped > 0, "\(taken) \(passedOver) \(stopped) \(raced)")
  }

  @Test("Soft mutations are not drawn twice: another stream gives no other child")
  func determinate() {
    #expect(!VariationKind.softMutation.isDrawn)
    #expect(VariationKind.heredity.isDrawn && VariationKind.random.isDrawn)
  }
}

extension RelaxationResult {
  /// Whether it met what the potential does not know; grade 0 stands for the end of the race.
  fileprivate var isUnknown: Bool {
    if case .stoppedByGrade(let grade) = outcome { grade > 0 } else { false }
  }

  /// Whether its enthalpy is that of a structure.
  fileprivate var isSound: Bool {
    switch outcome {
    case .stoppedByGrade(0), .converged, .stepLimit: true
    default: false
    }
  }
}
