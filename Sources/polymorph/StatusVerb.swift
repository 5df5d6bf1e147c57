import Coordinator
import Foundation

/// `polymorph status`: how a campaign stands.
enum StatusVerb: Verb {
  static let name = "status"
  static let summary = "tells how a running or finished campaign stands"
  static let syntax = CommandSyntax(
    arguments: [.init("DIR", "the campaign's folder")],
    options: [
      .init("watch", nil, "prints again every five seconds until the campaign is over"),
      .init("digest", nil, "prints only the digest of everything committed"),
      .init("top", "N", "the most candidates to list; default 10"),
      .init("json", nil, "prints JSON"),
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.isRoot else { return .done }
    let folder = CampaignFolder(path: arguments.argument("DIR"))
    let top = try arguments.integer("top", in: 1...10_000) ?? 10
    while true {
      let (settings, runner) = try folder.replayed()
      let state = runner.schedule.state
      if arguments.has("digest") {
        print(runner.digest.hexadecimal(with: state))
        return .done
      }
      let table = ResultTable(of: state, top: top)
      let comparison = RerankComparison.ofLearned(state)
      let summary = CampaignSummary(state)
      let times = runner.workTimes
      if arguments.has("json") {
        session.say(
          .object([
            .init("title", .text(settings.title)), .init("summary", summary.json),
            .init("best", table.json), .init("comparison", comparison?.json ?? .null),
            .init("work", times.json),
            .init("digest", .text(runner.digest.hexadecimal(with: state))),
          ]))
      } else {
        print(settings.title)
        print(table.text)
        if let comparison, !comparison.rows.isEmpty { print(comparison.summary + "\n") }
        print(summary.text + times.text, terminator: "")
      }
      guard arguments.has("watch"), !runner.schedule.isOver else { return .done }
      Thread.sleep(forTimeInterval: 5)
    }
  }
}
