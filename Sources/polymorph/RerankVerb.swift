import Coordinator
import Foundation

/// `polymorph rerank`: the best candidates relaxed with the reference method.
enum RerankVerb: Verb {
  static let name = "rerank"
  static let summary = "relaxes the best distinct candidates with the reference method"
  static let syntax = CommandSyntax(
    arguments: [.init("DIR", "the campaign's folder")],
    options: [
      .init("top", "N", "how many candidates; default what the campaign says"),
      .init("json", nil, "prints JSON"),
    ],
    notes: [
      "The campaign's log stays as it is; the table is written to DIR/rerank.json. Candidates that "
        + "the search has re-ranked already are not computed again."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let folder = CampaignFolder(path: arguments.argument("DIR"))
    let top = try arguments.integer("top", in: 1...10_000)
    let reranking = try Reranking(folder, top: top)
    guard let table = try reranking.run(session.communicator) else { return .done }
    if arguments.has("json") {
      session.say(table.json)
    } else {
      print(table.text, terminator: "")
      print("re-rank evaluations of the reference: \(reranking.evaluations)")
    }
    return .done
  }
}
