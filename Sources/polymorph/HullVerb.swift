import Coordinator

/// `polymorph hull`: the stable phases of a campaign over several compositions.
enum HullVerb: Verb {
  static let name = "hull"
  static let summary = "lists the stable phases of a campaign over several compositions"
  static let syntax = CommandSyntax(
    arguments: [.init("DIR", "the campaign's folder")],
    options: [.init("json", nil, "prints one JSON object")],
    notes: [
      "After re-ranking the hull is that of the re-ranked candidates by the reference method, before "
        + "that of all candidates by the potential."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.isRoot else { return .done }
    let path = arguments.argument("DIR")
    let (settings, runner) = try CampaignFolder(path: path).replayed()
    guard let table = PhaseTable(of: runner.schedule.state) else {
      throw InputError(
        "\(path): a campaign of one composition, \(settings.target.name), has no convex hull; "
          + "see polymorph status")
    }
    if arguments.has("json") {
      session.say(table.json)
    } else {
      print(table.text, terminator: "")
    }
    return .done
  }
}
