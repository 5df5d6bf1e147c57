import Coordinator
import Foundation
import NumericalCore
import StructureFormats

/// `Benchmarks disorder`: what a training set out of melts is worth.
enum DisorderBenchmark: Benchmark {
  static let syntax = Syntax(
    "disorder", "what potentials of melts know of crystals, and what that costs",
    reason:
      "a training set of disorder claims that it knows all crystals of a composition. A pool of "
      + "metastable structures that a search with the reference itself has found judges it: melts with active "
      + "learning, frames of the reference's own dynamics, whole campaigns, what retraining and a second "
      + "round add. Parts that are finished in the folder are not done again.",
    arguments: ["CAMPAIGN.yaml"],
    options: [
      .init("seeds", "1-3", "the seeds to run", isRequired: true),
      .init("polymorph", "PATH", "the program", isRequired: true),
      .init("target", "NUMBER", "space group of the known structure", isRequired: true),
      .init("energy", "E", "its energy in eV/atom", isRequired: true),
      .init("tolerance", "T", "how far from it counts, in eV/atom", isRequired: true),
      .init("keep", "DIR", "the folder of all parts", isRequired: true),
      .init("pool", "N", "candidates of the search that finds the pool; default 500"),
      .init("ranks", "N", "ranks of MPI; default 1"),
      .init("output", "FILE.md", "writes the page, anew after every part"),
    ])

  /// Seed of the search that finds the pool: none of the campaigns has it.
  private static let poolSeed = 1011
  private static let frameCounts = [25, 50, 100, 400, 2400]
  private static let secondFrames = 25

  static func run(_ arguments: Arguments) throws -> Report {
    let path = arguments.argument("CAMPAIGN.yaml")
    let settings = try CampaignSettings(path: path)
    guard settings.initialTraining.meltQuench != nil, settings.potential.kind == .mtp else {
      throw WrongCommandLine(
        "\(path): found no initial_training: {melt_quench: {…}} with a potential of kind mtp")
    }
    let folder = arguments.option("keep") ?? ""
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let program = StudyProgram(
      path: arguments.option("polymorph") ?? "", name: syntax.name,
      ranks: try arguments.integer("ranks", in: 1...100_000, default: 1), folder: folder)
    try program.check()
    let study = DisorderStudy(
      document: try CampaignDocument(path: path), settings: settings,
      goal: KnownStructure(
        spaceGroup: try arguments.integer("target", in: 1...230, default: 1),
        energyPerAtom: try arguments.number("energy") ?? 0,
        tolerance: try arguments.positiveNumber("tolerance") ?? 0),
      program: program)
    let seeds = try arguments.integers("seeds")
    let candidates = try arguments.integer("pool", in: 1...1_000_000, default: 500)
    var page = DisorderPage(
      title: settings.title, goal: study.goal, ranks: program.ranks,
      environment: RunEnvironment.current())
    func write() throws {
      guard let output = arguments.option("output") else { return }
      try AtomicFile.write(page.markdown, to: output)
    }
    page.findings.pool = try study.pool(seed: poolSeed, candidates: candidates)
    for seed in seeds {
      page.findings.melted.append(try study.melted(seed: seed))
      try write()
    }
    for seed in seeds {
      page.findings.searched.append(try study.searched(seed: seed))
      page.findings.retrained.append(try study.retrained(seed: seed))
      page.findings.secondRounds.append(
        try study.secondRound(seed: seed, frames: secondFrames))
      try write()
    }
    let frames = try study.referenceMelt(seed: seeds[0])
    page.findings.referenceMelt = frames
    for count in frameCounts where count <= frames.frames {
      page.findings.framed.append(try study.framed(count))
      try write()
    }
    try write()
    return page.report
  }
}
