import Coordinator
import Foundation
import NumericalCore
import Settings
import StructureFormats

/// Runs a campaign's melts and dynamics with what they learnt.
struct RadialStudy {
  /// What the campaign cost.
  struct Campaign: Codable {
    let labels: Int
    let starts: Int
    /// The lowest temperatures of the liquids in K.
    let temperatures: [Double]
    let labelSeconds: Double
    let seconds: Double
  }

  /// g(r) of a stage.
  struct Distribution: Codable {
    let stage: String
    let picoseconds: Double
    /// In K.
    let temperature: Double
    /// In Å³.
    let volumePerAtom: Double
    /// In Å.
    let firstPeak: Double
    let secondPeak: Double
    /// Where the first peak ends, in Å.
    let hollow: Double
    /// Neighbors up to there.
    let coordination: Double
    /// Distances in Å and g(r).
    let distances: [Double]
    let values: [Double]
  }

  /// The distributions in a cell.
  struct Cell: Codable {
    let atoms: Int
    let distributions: [Distribution]
  }

  /// What the potential errs by on frames that it has not learnt.
  struct Errors: Codable {
    let frames: Int
    let atoms: Int
    /// In meV/atom.
    let energy: Double
    /// In eV/Å.
    let force: Double
  }

  let settings: CampaignSettings
  let document: CampaignDocument
  let plan: CampaignDocument
  let program: StudyProgram
  let stages: [String]

  /// How many atoms a melt of the campaign has.
  var campaignAtoms: Int? { settings.initialTraining.meltQuench?.atoms }

  private var campaignFolder: String { program.file("campaign") }

  /// Runs the campaign; one that was interrupted goes on.
  func campaign(file: String) throws -> Campaign {
    try program.stored("campaign") {
      let isBegun = FileManager.default.fileExists(atPath: campaignFolder + "/campaign.db")
      let clock = ContinuousClock()
      let start = clock.now
      try program.run(
        ["search", file, "--directory", campaignFolder, "--quiet"] + (isBegun ? ["--resume"] : []),
        ranks: program.ranks)
      let passed = seconds(clock.now - start)
      let status = program.file("campaign.status.json")
      try program.run(["status", campaignFolder, "--json"], printing: status)
      let found = try program.decoded(Status.self, status)
      return Campaign(
        labels: found.summary.labels, starts: found.summary.initialLabels,
        temperatures: (found.summary.melts ?? []).compactMap(\.liquidDownTo),
        labelSeconds: found.work.labels.seconds, seconds: passed)
    }
  }

  private struct Status: Decodable {
    let summary: CampaignTrial.Outcome.Counts
    let work: CampaignTrial.Outcome.Times
  }

  /// g(r) in the plan's cell, or in one of another number of atoms.
  func distributions(atoms: Int?) throws -> Cell {
    let name = atoms.map { "dynamics-\($0)" } ?? "dynamics"
    return try program.stored(name) {
      var plan = plan
      plan["potential"] = .text(
        StudyProgram.absolute(try program.newestPotential(of: campaignFolder)))
      if let atoms {
        plan["start"] = .mapping(
          plan.entries(of: ["start"], without: ["atoms"]) + [.init("atoms", .integer(atoms))])
      }
      let file = program.file(name + ".yaml")
      try AtomicFile.write(plan.text, to: file)
      let run = program.file(name)
      let isBegun = FileManager.default.fileExists(atPath: run + "/plan.yaml")
      try program.run(["dynamics", file, "--directory", run] + (isBegun ? ["--resume"] : []))
      let summary = try program.decoded(Summary.self, run + "/summary.json")
      let found = try summary.stages.enumerated().compactMap { index, stage in
        try distribution(
          stage, run + "/radial-\(index + 1)-\(Self.fileName(stage.stage ?? "")).csv")
      }
      let count = try StructureFile.read(run + "/frames.extxyz").first?.structure.atomCount ?? 0
      return Cell(atoms: count, distributions: found)
    }
  }

  private struct Summary: Decodable {
    struct Stage: Decodable {
      struct Pair: Decodable {
        let peak: Double
        let hollow: Double
        let coordination: Double
      }

      let stage: String?
      let picoseconds: Double?
      let temperature: Double?
      let volumePerAtom: Double?
      let pairs: [Pair]?
    }

    let stages: [Stage]
  }

  /// The name of a stage in names of files.
  private static func fileName(_ stage: String) -> String {
    String(stage.map { $0.isLetter || $0.isNumber ? $0 : "-" })
  }

  private func distribution(_ stage: Summary.Stage, _ table: String) throws -> Distribution? {
    guard let name = stage.stage, stages.contains(name), let pair = stage.pairs?.first else {
      return nil
    }
    let rows = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",").compactMap { Double($0) } }
    let distances = rows.map { $0[0] }
    let values = rows.map { $0[1] }
    return Distribution(
      stage: name, picoseconds: stage.picoseconds ?? 0, temperature: stage.temperature ?? 0,
      volumePerAtom: stage.volumePerAtom ?? 0, firstPeak: pair.peak,
      secondPeak: Self.secondPeak(distances, values, beyond: pair.hollow), hollow: pair.hollow,
      coordination: pair.coordination, distances: distances, values: values)
  }

  /// The second shell ends before so many times the first hollow.
  private static let secondShell = 1.6
  /// Half of the width in Å over which g(r) is averaged before its maximum is looked for.
  private static let smoothing = 0.15

  /// Where the smoothed g(r) is largest beyond the first hollow.
  static func secondPeak(
    _ distances: [Double], _ values: [Double], beyond hollow: Double
  ) -> Double {
    let smooth = distances.map { center in
      let near = distances.indices.filter { abs(distances[$0] - center) <= smoothing }
      return near.reduce(0) { $0 + values[$1] } / Double(near.count)
    }
    let places = distances.indices.filter {
      distances[$0] > hollow + smoothing && distances[$0] < secondShell * hollow
    }
    return places.max { smooth[$0] < smooth[$1] }.map { distances[$0] } ?? 0
  }

  /// Labels frames of every stage, and compares.
  func errors(atoms: Int, frames count: Int) throws -> Errors {
    try program.stored("errors") {
      let all = try StructureFile.read(program.file("dynamics-\(atoms)/frames.extxyz"))
      let chosen = stages.flatMap { stage in
        StudyProgram.evenly(
          all.filter { record in
            record.features.contains { $0.key == "stage" && $0.value == stage }
          }, count)
      }
      let frames = program.file("errors-frames.extxyz")
      try StructureFile.write(chosen, to: frames, format: .extxyz)
      guard let reference = document["reference"] else {
        throw BenchmarkFailure("the campaign has no reference: block")
      }
      let method = program.file("reference.yaml")
      try AtomicFile.write(SettingsNode.mapping([.init("reference", reference)]).yaml(), to: method)
      let labelled = program.file("errors-labelled.extxyz")
      try program.run(
        ["evaluate", method, frames, "--output", labelled], ranks: program.workers)
      let output = program.file("errors.json")
      try program.run(
        ["errors", try program.newestPotential(of: campaignFolder), labelled, "--json"],
        printing: output)
      let found = try program.decoded(ErrorOutput.self, output)
      return Errors(
        frames: chosen.count, atoms: atoms, energy: 1000 * found.energyPerAtom.rmse,
        force: found.force.rmse)
    }
  }

  private struct ErrorOutput: Decodable {
    struct Measure: Decodable { let rmse: Double }

    let energyPerAtom: Measure
    let force: Measure
  }
}
