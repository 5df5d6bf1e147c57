import Coordinator
import Foundation
import NumericalCore
import Plotting
import Settings
import StructureFormats

/// `Benchmarks radial`: whether liquid and glass of a potential of melts look like the real ones.
enum RadialBenchmark: Benchmark {
  static let syntax = Syntax(
    "radial", "radial distributions of a campaign's liquid and glass, beside published ones",
    reason:
      "a potential of melts is worth something only where its liquid and its glass are those of nature. "
      + "The campaign's last potential moves the atoms of PLAN.yaml, once in the plan's cell and once in one as "
      + "small as the campaign's, of which some frames are labelled to tell the errors. What is finished in the "
      + "folder is not done again.",
    arguments: ["CAMPAIGN.yaml", "PLAN.yaml", "PUBLISHED.yaml"],
    options: [
      .init("polymorph", "PATH", "the program", isRequired: true),
      .init("keep", "DIR", "the folder of all parts", isRequired: true),
      .init("frames", "N", "frames of each stage that are labelled; default 5"),
      .init("ranks", "N", "ranks of MPI; default 1"),
      .init("output", "FILE.md", "writes the page, and a plot beside it"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let campaign = arguments.argument("CAMPAIGN.yaml")
    let settings = try CampaignSettings(path: campaign)
    let published = try PublishedDistribution.read(arguments.argument("PUBLISHED.yaml"))
    let folder = arguments.option("keep") ?? ""
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let program = StudyProgram(
      path: arguments.option("polymorph") ?? "", name: syntax.name,
      ranks: try arguments.integer("ranks", in: 1...100_000, default: 1), folder: folder)
    try program.check()
    let study = RadialStudy(
      settings: settings, document: try CampaignDocument(path: campaign),
      plan: try CampaignDocument(path: arguments.argument("PLAN.yaml")), program: program,
      stages: PublishedDistribution.stages(published))
    var page = RadialPage(
      title: settings.title, published: published, ranks: program.ranks,
      environment: RunEnvironment.current())
    page.campaign = try study.campaign(file: campaign)
    page.cells = try [study.distributions(atoms: nil)]
    if let atoms = study.campaignAtoms {
      page.cells.append(try study.distributions(atoms: atoms))
      let frames = try arguments.integer("frames", in: 0...10_000, default: 5)
      if frames > 0 { page.errors = try study.errors(atoms: atoms, frames: frames) }
    }
    if let output = arguments.option("output") {
      let plot = (output as NSString).deletingPathExtension + ".svg"
      try AtomicFile.write(page.plot.svg(), to: plot)
      try AtomicFile.write(
        page.markdown(plot: (plot as NSString).lastPathComponent), to: output)
    }
    return page.report
  }
}

/// What somebody has measured or computed.
struct PublishedDistribution {
  /// The stage of the plan that it belongs to.
  let stage: String
  let source: String
  /// In Å.
  let firstPeak: Double?
  let secondPeak: Double?
  let coordination: Double?

  /// Reads a list under `published:`.
  static func read(_ path: String) throws -> [PublishedDistribution] {
    var file = try SettingsDocument(path: path).mapping()
    let list = try file.required("published", "a list").list("published", counts: 1...100)
    let found = try list.map { value in
      var entry = try value.mapping()
      func number(_ key: String) throws -> Double? {
        try entry.optional(key)?.positiveNumber(upTo: 1000, unit: "Å, or a number of neighbors")
      }
      let distribution = PublishedDistribution(
        stage: try entry.required("stage", "a stage of the plan").string("a stage of the plan"),
        source: try entry.required("source", "where it is published").string("a source"),
        firstPeak: try number("first_peak"), secondPeak: try number("second_peak"),
        coordination: try number("coordination"))
      try entry.finish()
      return distribution
    }
    try file.finish()
    return found
  }

  /// All stages, each once, in their order.
  static func stages(_ all: [PublishedDistribution]) -> [String] {
    all.reduce(into: []) { if !$0.contains($1.stage) { $0.append($1.stage) } }
  }
}
