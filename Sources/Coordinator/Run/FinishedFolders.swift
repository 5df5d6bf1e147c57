import Crystal
import Foundation
import NumericalCore
import ReferenceEngines

/// A folder of a finished calculation that could not be used.
public struct LeftOutFolder: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// Why.
  public let reason: String

  var json: JSONValue {
    .object([.init("folder", .text(name)), .init("reason", .text(reason))])
  }
}

/// Candidates that `polymorph export` wrote and that somebody has computed elsewhere.
public struct FinishedFolders {
  /// Forces and stresses of up to this many times the re-ranking's tolerances count as rest: a single point in a
  /// basis of its own finds others than the relaxation that led to it.
  private static let restFactor = 3.0

  private let campaign: CampaignFolder
  private let path: String
  private let settings: CampaignSettings
  private let rules: CampaignRules
  private let state: CampaignState
  private let identifier: String

  /// Reads the campaign; of the calculations nothing yet.
  ///
  /// - Parameters:
  ///   - path: The folder that the export wrote.
  ///   - campaign: The campaign that was exported.
  /// - Throws: `CampaignError.wrongInput` where there is no campaign.
  public init(_ path: String, of campaign: CampaignFolder) throws {
    self.path = path
    self.campaign = campaign
    let (settings, runner) = try campaign.replayed()
    self.settings = settings
    rules = CampaignRules(settings)
    state = runner.schedule.state
    identifier = try campaign.identifier()
  }

  /// Ranks the candidates by the finished calculations alone and writes `rerank.json` into the campaign's folder.
  ///
  /// The campaign's log stays as it is; no calculation is started.
  ///
  /// - Parameter top: The most rows of the ranking; `nil` for all.
  /// - Returns: Ranking and comparison, with what was left out.
  /// - Throws: `CampaignError.wrongInput` where the folder is not one of this campaign's exports, `.failed`
  ///   where no calculation can be used.
  public func collect(top: Int?) throws -> RerankResult {
    var extended = state
    extended.dropReranked()
    var leftOut: [LeftOutFolder] = []
    var withoutSinglePoint: [Int] = []
    var seen: [Int: String] = [:]
    for (name, content) in try exports() {
      do throws(Unusable) {
        let exported = try content.get()
        if let other = seen[exported.candidate] {
          throw Unusable("candidate \(exported.candidate) was read from \(other) already")
        }
        let (label, source) = try label(of: exported, in: "\(path)/\(name)")
        let report = RelaxationReport(ending: .relaxed(try relaxed(label)), evaluations: 0)
        seen[exported.candidate] = name
        extended.addReranked(exported.candidate, report)
        if source == .relaxation { withoutSinglePoint.append(exported.candidate) }
      } catch { leftOut.append(LeftOutFolder(name: name, reason: error.reason)) }
    }
    guard !extended.reranked.isEmpty else {
      let reasons = leftOut.map { "\n  \($0.name): \($0.reason)" }.joined()
      throw CampaignError.failed("\(path): no calculation can be used\(reasons)")
    }
    let result = RerankResult(
      of: extended, top: top ?? extended.reranked.count, leftOut: leftOut,
      withoutSinglePoint: withoutSinglePoint)
    try result.write(to: campaign)
    return result
  }

  /// Why a folder is left out.
  private struct Unusable: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  // MARK: The folders

  /// The folders by name, each with the candidate that it holds or why it holds none.
  private func exports() throws -> [(name: String, content: Result<ExportedCandidate, Unusable>)] {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw CampaignError.wrongInput(
        "\(path): is no folder; name the one that polymorph export wrote")
    }
    let names = try files.contentsOfDirectory(atPath: path).sorted().filter { name in
      var isFolder: ObjCBool = false
      return !name.hasPrefix(".")
        && files.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
        && isFolder.boolValue
    }
    let exports = names.map { ($0, exported(in: $0)) }
    let known = exports.compactMap {
      if case .success(let exported) = $0.1 { exported } else { nil }
    }
    guard !known.isEmpty else {
      throw CampaignError.wrongInput(
        "\(path): holds no candidates (no \(ExportedCandidate.fileName) in its folders, or none that can be "
          + "read); name the folder that polymorph export --format vasp, espresso or cp2k wrote")
    }
    let own = known.filter { $0.campaign == identifier }
    guard !own.isEmpty else {
      throw CampaignError.wrongInput(
        "\(path): holds candidates of another campaign than \(campaign.path)")
    }
    guard own.contains(where: { FinishedCalculation.Program(rawValue: $0.program) != nil }) else {
      throw CampaignError.wrongInput("\(path): \(Self.unknown(own[0].program))")
    }
    return exports
  }

  private func exported(in name: String) -> Result<ExportedCandidate, Unusable> {
    do throws(ExportedCandidate.Damage) {
      guard let exported = try ExportedCandidate.read(in: "\(path)/\(name)") else {
        return .failure(Unusable("holds no candidate of an export"))
      }
      return .success(exported)
    } catch { return .failure(Unusable(error.reason)) }
  }

  private static func unknown(_ program: String) -> String {
    let known = FinishedCalculation.Program.allCases.map(\.rawValue).joined(separator: ", ")
    return "calculations of \(program) cannot be read; known are those of \(known)"
  }

  // MARK: One candidate

  private func label(
    of exported: ExportedCandidate, in folder: String
  ) throws(Unusable) -> (LabelledStructure, FinishedCalculation.Source) {
    guard exported.campaign == identifier else { throw Unusable("is of another campaign") }
    let number = exported.candidate
    guard (1...max(1, state.candidates.count)).contains(number), !state.candidates.isEmpty,
      case .relaxed(let model, _) = state[candidate: number].status
    else { throw Unusable("the campaign has no relaxed candidate \(number)") }
    guard let program = FinishedCalculation.Program(rawValue: exported.program) else {
      throw Unusable(Self.unknown(exported.program))
    }
    switch FinishedCalculation.read(folder, by: program) {
    case .unusable(let reason): throw Unusable(reason)
    case .finished(let label, let source):
      let formula = label.structure.composition().smallestFormula
      let expected = model.structure.composition().smallestFormula
      guard formula == expected else {
        throw Unusable("holds a calculation of \(formula), not of \(expected)")
      }
      return (label, source)
    }
  }

  private func relaxed(_ label: LabelledStructure) throws(Unusable) -> RelaxedCandidate {
    let force = label.evaluation.largestForce()
    let deviation = label.evaluation.stress + rules.pressure * Matrix3.identity
    let stress =
      PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom * deviation.largestMagnitude
    let limit = settings.rerank.convergence
    guard force <= Self.restFactor * limit.force, stress <= Self.restFactor * limit.stress else {
      let found = "\(TextColumn.fixed(force, 3)) eV/Å, \(TextColumn.fixed(stress, 2)) GPa"
      throw Unusable(
        "is not at rest: \(found) off the campaign's pressure, at most "
          + "\(TextColumn.fixed(Self.restFactor * limit.force, 3)) eV/Å and "
          + "\(TextColumn.fixed(Self.restFactor * limit.stress, 2)) GPa; relax it further")
    }
    let structure = label.structure.reduced()
    let enthalpy = label.evaluation.energy + rules.pressure * structure.volume
    return RelaxedCandidate(
      structure: structure, evaluation: label.evaluation,
      enthalpyPerAtom: enthalpy / Double(structure.atomCount),
      hasConverged: force <= limit.force && stress <= limit.stress,
      pointGroupOrder: MatchingCell(structure)?.pointGroupOrder() ?? 1,
      fingerprint: StructureFingerprint(structure, settings: rules.fingerprint), grade: 0)
  }
}
