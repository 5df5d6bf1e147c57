import Coordinator
import Foundation

/// `polymorph export`: the best candidates as inputs for other programs.
enum ExportVerb: Verb {
  static let name = "export"
  static let summary = "writes the best distinct candidates for other programs"
  static let syntax = CommandSyntax(
    arguments: [.init("DIR", "the campaign's folder")],
    options: [
      .init("top", "N", "how many candidates; default 10"),
      .init(
        "format", "NAME", CandidateExport.Format.allCases.map(\.rawValue).joined(separator: ", "),
        isRequired: true),
      .init("output", "OUT", "the folder to write; it must not exist", isRequired: true),
      .init(
        "potcar-folder", "FOLDER",
        "your library of VASP potentials, which holds Si/POTCAR and so on; default: only the names "
          + "are written"),
      .init(
        "pseudopotentials", "FILE",
        "for espresso: a YAML file with folder: and files: {Si: Si.pbe-rrkj.UPF}; default: the "
          + "campaign's own method where its reference is espresso"),
    ],
    notes: [
      "vasp, espresso and cp2k write a relaxation at the campaign's pressure and a single point for "
        + "each candidate, with a script run.sh that runs both; rerank --collect reads what came of "
        + "those for vasp and espresso.",
      "Where the campaign's reference is the same program, the inputs take over its method: functional, "
        + "potentials or basis, cutoffs, k-points, smearing, spin and convergence. The command with its "
        + "environment and limits, and the second try with safer settings, are not taken over: run.sh "
        + "is told the command.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.isRoot else { return .done }
    guard let format = try arguments.word("format", as: CandidateExport.Format.self) else {
      throw CommandLineError("export: --format is missing")
    }
    let top = try arguments.integer("top", in: 1...10_000) ?? 10
    let folder = CampaignFolder(path: arguments.argument("DIR"))
    let (settings, runner) = try folder.replayed()
    var options = ExportOptions(for: settings.reference.settings)
    if let folder = arguments.option("potcar-folder") { options.vasp.potentials.folder = folder }
    options.pseudopotentials = arguments.option("pseudopotentials")
    let table = ResultTable(of: runner.schedule.state, top: top)
    let export = CandidateExport(
      settings, table, campaign: try folder.identifier(), options: options)
    let written = try export.write(format, to: arguments.required("output"))
    for path in written { print(path) }
    return .done
  }
}
