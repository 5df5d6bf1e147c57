import Coordinator
import Crystal
import Evolution
import Foundation
import NumericalCore

/// What one run of a search found; one line of a results file.
struct SearchRecord: Codable, Equatable {
  /// The name of the case, such as B1.
  let name: String
  /// The name of the variant.
  let variant: String
  let seed: Int
  /// Relaxations to the find of the last target; without it, all that were made.
  let relaxations: Int
  /// Whether all targets were found.
  let isFound: Bool
  /// Energy-force evaluations to the same point.
  let evaluations: Int
  /// Relaxations of the whole run.
  let allRelaxations: Int
  /// How many of them ended in a target.
  let hits: Int
  /// Relaxations to the first find of every target, `nil` where it was not found.
  let finds: [Int?]
  /// Children of every operator, in the order of `operators`.
  let children: [Int]
  /// Those that ended in a target.
  let operatorHits: [Int]
  /// The operator of the find; for several targets, of the last.
  let finder: String?
  /// The lowest enthalpy in eV per atom.
  let lowest: Double?
  /// Processor seconds of the run.
  let seconds: Double
  /// SHA-256 of the case's settings and targets, and of the program.
  let input: String
  let build: String

  /// What `children` and `operatorHits` are counted by.
  static let operators = VariationKind.operators
}

/// One run of a search with the reference method as energy, without learning and in this process.
struct SearchTrial {
  let searchCase: SearchCase
  let variant: SearchVariant
  let seed: Int

  /// What the results of a case depend on, apart from variant and seed.
  static func inputDigest(_ searchCase: SearchCase) -> String {
    var text = searchCase.settings.yaml() + "budget \(searchCase.budget)\n"
    for target in searchCase.targets {
      text += "\(target.composition) \(target.enthalpyPerAtom) \(target.tolerance)\n"
    }
    return SHA256.hexadecimal(of: Array(text.utf8))
  }

  /// Runs to the find, or to the end of the budget.
  func run(build: String) throws -> SearchRecord {
    let seeded = searchCase.settings.seeded(UInt64(seed))
    let settings =
      variant == .withNets ? seeded.withNets(except: searchCase.templates) : seeded
    var schedule = settings.schedule()
    schedule.candidates = searchCase.budget
    variant.apply(to: &schedule)
    let reference = settings.reference.settings
    var rules = CampaignRules(settings)
    variant.apply(to: &rules)
    let executor = CampaignExecutor(
      rules: rules, engine: try reference.engine(),
      reference: try reference.potential())
    let counter = Counter(searchCase)
    let runner = CampaignRunner(
      Schedule(schedule), transport: InProcessTransport(executor: executor), log: ForgetfulLog()
    ) { commit, _, state, _ in counter.count(commit, state) }
    runner.shouldStop = { state in
      state.phase != .searching || (counter.isComplete && !searchCase.countsAllHits)
        ? .commitLimit : nil
    }
    let start = Self.threadSeconds()
    _ = try runner.run()
    return counter.record(
      of: self, seconds: Self.threadSeconds() - start, build: build)
  }

  private static func threadSeconds() -> Double {
    var time = timespec()
    guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else {
      preconditionFailure("every Linux has a clock of the thread")
    }
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}

/// Counts what is committed.
private final class Counter {
  private let searchCase: SearchCase
  private var relaxations = 0
  private var evaluations = 0
  private var finds: [Int?]
  private var complete: (relaxations: Int, evaluations: Int, finder: VariationKind)?
  private var hits = 0
  private var children = SearchRecord.operators.map { _ in 0 }
  private var operatorHits = SearchRecord.operators.map { _ in 0 }
  private var lowest = Double.infinity

  init(_ searchCase: SearchCase) {
    self.searchCase = searchCase
    finds = searchCase.targets.map { _ in nil }
  }

  var isComplete: Bool { complete != nil }

  func count(_ commit: Schedule.Commit, _ state: CampaignState) {
    guard case .work(.candidate(let id), _) = commit.item,
      case .relaxation(let report)? = commit.result
    else { return }
    // A candidate that could not be bred was never relaxed.
    if case .rejected = report.ending { return }
    relaxations += 1
    evaluations += report.evaluations
    let kind = state.candidates[id - 1].kind
    let place = SearchRecord.operators.firstIndex(of: kind)
    if let place { children[place] += 1 }
    guard case .relaxed(let relaxed) = report.ending else { return }
    lowest = min(lowest, relaxed.enthalpyPerAtom)
    guard
      let target = searchCase.target(
        of: relaxed.structure, enthalpyPerAtom: relaxed.enthalpyPerAtom)
    else { return }
    hits += 1
    if let place { operatorHits[place] += 1 }
    if finds[target] == nil { finds[target] = relaxations }
    if complete == nil, finds.allSatisfy({ $0 != nil }) {
      complete = (relaxations, evaluations, kind)
    }
  }

  func record(of trial: SearchTrial, seconds: Double, build: String) -> SearchRecord {
    SearchRecord(
      name: searchCase.name, variant: trial.variant.name, seed: trial.seed,
      relaxations: complete?.relaxations ?? relaxations, isFound: isComplete,
      evaluations: complete?.evaluations ?? evaluations, allRelaxations: relaxations, hits: hits,
      finds: finds, children: children, operatorHits: operatorHits,
      finder: complete?.finder.rawValue, lowest: lowest.isFinite ? lowest : nil, seconds: seconds,
      input: SearchTrial.inputDigest(searchCase), build: build)
  }
}

/// A log for runs that nobody resumes.
private final class ForgetfulLog: CampaignLog {
  func storedInputs() -> [LoggedInput] { [] }
  func storedSeconds() -> [Int: Double] { [:] }
  func forEachStoredSlot(_ body: (LoggedSlot) throws -> Void) {}
  func append(_ slot: LoggedSlot, completion: Completion?) {}
  func append(_ input: LoggedInput) {}
  func flush() {}
  func flushIfFree() {}
}
