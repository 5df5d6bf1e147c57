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
      .init("format", "NAME", "vasp, poscar, cif or extxyz", isRequired: true),
      .init("output", "OUT", "the folder to write; it must not exist", isRequired: true),
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.isRoot else { return .done }
    guard let format = try arguments.word("format", as: CandidateExport.Format.self) else {
      throw CommandLineError("export: --format is missing")
    }
    let top = try arguments.integer("top", in: 1...10_000) ?? 10
    let (settings, runner) = try CampaignFolder(path: arguments.argument("DIR")).replayed()
    let table = ResultTable(of: runner.schedule.state, top: top)
    let written = try CandidateExport(settings, table).write(
      format, to: arguments.required("output"))
    for path in written { print(path) }
    return .done
  }
}
