import Coordinator
import Crystal
import Evolution
import Foundation
import NumericalCore
import Settings

/// A search whose answer is known: a campaign, the structures that it must find, and its budget.
struct SearchCase {
  /// A structure that the search must find.
  struct Target {
    let name: String
    /// One formula unit; a find has the same elements in the same ratio.
    let composition: Composition
    /// Enthalpy in eV per atom at the campaign's pressure.
    let enthalpyPerAtom: Double
    /// How far above it counts, in eV per atom.
    let tolerance: Double
  }

  /// The name, such as B1.
  let name: String
  /// The campaign file beside the case file.
  let campaignFile: String
  let settings: CampaignSettings
  /// All of them must be found.
  let targets: [Target]
  /// Relaxations after which a run ends.
  let budget: Int
  /// Whether a run goes on after the find, so that all hits are counted.
  let countsAllHits: Bool
  /// Templates of nets that hold a target.
  let templates: [String]
  /// What was asked of the search.
  let goal: String
  /// What other programs report.
  let published: String

  /// Reads a case of a case file.
  ///
  /// - Throws: `SettingsError` where the file or its campaign is wrong, `WrongCommandLine` where it has
  ///   no such case.
  init(_ name: String, in path: String) throws {
    var cases = try SettingsDocument(path: path).mapping()
    guard let value = cases.optional(name) else {
      let known = cases.allValues().map(\.key).joined(separator: ", ")
      throw WrongCommandLine("search: '\(path)' has no case '\(name)', it has: \(known)")
    }
    var reader = try value.mapping()
    self.name = name
    campaignFile = try reader.required("campaign", "a campaign file").string()
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    settings = try CampaignSettings(path: folder.appendingPathComponent(campaignFile).path)
    var targets: [Target] = []
    for entry in try reader.required("targets", "a list of structures").list(
      "structures", counts: 1...100)
    {
      var target = try entry.mapping()
      let formula = try target.required("composition", "a formula")
      guard let composition = try? Composition(formula: formula.string()) else {
        throw formula.error(allowed: "a formula such as TiO2")
      }
      targets.append(
        Target(
          name: try target.required("name", "a name").string(), composition: composition,
          enthalpyPerAtom: try target.required("enthalpy", "eV per atom").number(
            in: -1e6...1e6, unit: "eV/atom"),
          tolerance: try target.optional("tolerance")?.positiveNumber(unit: "eV/atom") ?? 1e-4))
      try target.finish()
    }
    self.targets = targets
    budget = try reader.required("budget", "a number of relaxations").integer(in: 1...1_000_000)
    countsAllHits = try reader.optional("counts_all_hits")?.flag() ?? false
    if let value = reader.optional("templates") {
      templates = try value.list("names of templates", counts: 1...100).map { entry in
        let name = try entry.string()
        guard TopologyLibrary.names.contains(name) else {
          throw entry.error(allowed: "the name of a template in the library of nets")
        }
        return name
      }
    } else {
      templates = []
    }
    goal = try reader.optional("goal")?.string() ?? ""
    published = try reader.optional("published")?.string() ?? ""
    try reader.finish()
  }

  /// The names of all cases of a file, in its order.
  static func names(in path: String) throws -> [String] {
    var cases = try SettingsDocument(path: path).mapping()
    return cases.allValues().map(\.key)
  }

  /// The first target that a structure is.
  ///
  /// Anything at the target's enthalpy counts, as polytypes may be degenerate, and anything below it.
  func target(of structure: Structure, enthalpyPerAtom: Double) -> Int? {
    let found = structure.composition()
    return targets.firstIndex { target in
      enthalpyPerAtom <= target.enthalpyPerAtom + target.tolerance
        && Self.haveSameRatio(found, target.composition)
    }
  }

  private static func haveSameRatio(_ a: Composition, _ b: Composition) -> Bool {
    func count(_ element: ChemicalElement, _ composition: Composition) -> Int {
      composition.elements.firstIndex(of: element).map { composition.counts[$0] } ?? 0
    }
    return (a.elements + b.elements).allSatisfy {
      count($0, a) * b.atomCount == count($0, b) * a.atomCount
    }
  }
}

/// What of the search is changed in a run, to see what it is worth.
enum SearchVariant: Equatable {
  /// Nothing.
  case full
  /// Random symmetric structures only: what every search must beat.
  case control
  /// Topological structures, too, without the nets that hold a target.
  case withNets
  /// One operator is never used.
  case withoutOperator(VariationKind)
  case withoutAntiseeds
  /// The operators' ratios stay as they begin.
  case withoutAdaptation
  /// Every child that is bred is relaxed.
  case withoutScreening

  /// Reads a name; `nil` where there is no such variant.
  init?(_ name: String) {
    switch name {
    case "full": self = .full
    case "control": self = .control
    case "with-nets": self = .withNets
    case "without-antiseeds": self = .withoutAntiseeds
    case "without-adaptive": self = .withoutAdaptation
    case "without-screening": self = .withoutScreening
    default:
      let prefix = "without-"
      guard name.hasPrefix(prefix),
        let kind = VariationKind(
          rawValue: String(name.dropFirst(prefix.count)).replacing("-", with: "_")),
        VariationKind.operators.contains(kind)
      else { return nil }
      self = .withoutOperator(kind)
    }
  }

  /// The name that `init(_:)` reads.
  var name: String {
    switch self {
    case .full: "full"
    case .control: "control"
    case .withNets: "with-nets"
    case .withoutOperator(let kind): "without-" + kind.rawValue.replacing("_", with: "-")
    case .withoutAntiseeds: "without-antiseeds"
    case .withoutAdaptation: "without-adaptive"
    case .withoutScreening: "without-screening"
    }
  }

  /// Changes the settings of a search.
  func apply(to schedule: inout ScheduleSettings) {
    switch self {
    // Nets are a matter of the campaign, screening one of the rules.
    case .full, .withNets, .withoutScreening: break
    case .control:
      schedule.search.operators = VariationKind.operators.map { $0 == .random ? 1 : 0 }
      schedule.search.isAdaptive = false
    case .withoutOperator(let kind):
      for (index, other) in VariationKind.operators.enumerated() where other == kind {
        schedule.search.operators[index] = 0
      }
    case .withoutAntiseeds: schedule.search.antiseedHeight = 0
    case .withoutAdaptation: schedule.search.isAdaptive = false
    }
  }

  /// Changes the rules of the work.
  func apply(to rules: inout CampaignRules) {
    if self == .control || self == .withoutScreening { rules.draws = 1 }
  }
}
