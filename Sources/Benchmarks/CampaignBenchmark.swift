import Coordinator
import Foundation
import NumericalCore

/// `Benchmarks campaign`: how reliably a search finds a structure that is known.
enum CampaignBenchmark: Benchmark {
  static let syntax = Syntax(
    "campaign", "how many seeds of a campaign find a known structure, and what it costs them",
    reason: "one search proves nothing, because it is a game of chance: only many seeds tell how "
      + "often it finds the ground state and how many labels that takes. The table is written anew "
      + "after every seed.",
    arguments: ["CAMPAIGN.yaml"],
    options: [
      .init("seeds", "1-10", "the seeds to run", isRequired: true),
      .init("polymorph", "PATH", "the program that searches", isRequired: true),
      .init("target", "NUMBER", "space group of the known structure", isRequired: true),
      .init("energy", "E", "its energy in eV/atom", isRequired: true),
      .init("tolerance", "T", "how far from it counts, in eV/atom", isRequired: true),
      .init("ranks", "N", "ranks of MPI; default 1"),
      .init("output", "FILE.md", "writes the table"),
      .init("keep", "DIR", "keeps the campaigns' folders in here"),
      .init(
        "labels", "STORE",
        "the folder of another campaign whose reference calculations may be used"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let goal = KnownStructure(
      spaceGroup: try arguments.integer("target", in: 1...230, default: 1),
      energyPerAtom: try arguments.number("energy") ?? 0,
      tolerance: try arguments.positiveNumber("tolerance") ?? 0)
    let ranks = try arguments.integer("ranks", in: 1...100_000, default: 1)
    let seeds = try arguments.integers("seeds")
    let path = arguments.argument("CAMPAIGN.yaml")
    let settings = try CampaignSettings(path: path)
    let program = arguments.option("polymorph") ?? ""
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw WrongCommandLine("campaign: --polymorph: '\(program)' is no program")
    }
    let scratch = try ScratchFolder()
    var folder = scratch.path
    if let kept = arguments.option("keep") {
      try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
      folder = kept
    }
    let document = try CampaignDocument(path: path)
    var table = CampaignTable(
      title: settings.title, goal: goal, seeds: seeds, ranks: ranks,
      usesLabels: arguments.option("labels") != nil, environment: RunEnvironment.current())
    for seed in seeds {
      let trial = CampaignTrial(
        campaign: document, seed: seed, program: program, ranks: ranks,
        rankedCount: settings.rerank.top, labelStore: arguments.option("labels"),
        directory: "\(folder)/seed-\(seed)")
      table.trials.append(try trial.run(goal))
      StandardError.write(table.line(table.trials.count - 1) + "\n")
      if let output = arguments.option("output") {
        try AtomicFile.write(table.markdown, to: output)
      }
    }
    scratch.remove()
    return table.report
  }
}

/// The structure that a search should find.
struct KnownStructure {
  let spaceGroup: Int
  /// In eV.
  let energyPerAtom: Double
  /// In eV.
  let tolerance: Double
}
