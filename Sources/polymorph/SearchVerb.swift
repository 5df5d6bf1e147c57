import Coordinator
import Crystal
import Foundation
import Settings

/// `polymorph search`: the campaign.
enum SearchVerb: Verb {
  static let name = "search"
  static let summary = "searches for the ground state of a composition"
  static let syntax = CommandSyntax(
    arguments: [.init("CAMPAIGN.yaml", "the campaign file")],
    options: [
      .init("directory", "DIR", "the campaign's folder; default: the formula with -campaign"),
      .init("resume", nil, "continues what has begun in the folder"),
      .init("dry-run", nil, "checks the input, prints the plan and writes samples; runs nothing"),
      .init(
        "rehearse", "N",
        "runs N candidates through every stage with a built-in reference, in a scratch folder"),
      .init("replay", "DIR", "recomputes a finished log and names the first slot that differs"),
      .init("labels", "STORE", "another campaign's folder whose labels may be used"),
      .init("stop-after", "N", "ends after N commits"),
      .init("time-limit", "TIME", "ends after a time such as 90s, 45m or 2h"),
      .init("quiet", nil, "prints errors only"),
    ],
    notes: [
      "Runs alone or under mpirun: rank 0 leads, the others work. What is committed is safe "
        + "whatever happens; --resume continues it with any number of ranks."
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let settings = try CampaignSettings(path: arguments.argument("CAMPAIGN.yaml"))
    let modes = ["resume", "dry-run", "rehearse", "replay"].filter(arguments.has)
    guard modes.count < 2 else {
      throw CommandLineError("search: --\(modes[0]) and --\(modes[1]) exclude each other")
    }
    var options = Campaign.Options(
      directory: arguments.option("directory") ?? settings.target.name + "-campaign")
    options.isResumed = arguments.has("resume")
    options.labelStore = arguments.option("labels")
    options.stopAfter = try arguments.integer("stop-after", in: 0...Int.max)
    options.timeLimitSeconds = try arguments.duration("time-limit")
    options.isQuiet = arguments.has("quiet")
    if arguments.has("dry-run") {
      if session.isRoot {
        let plan = try DryRun(
          settings, file: arguments.argument("CAMPAIGN.yaml"),
          directory: options.directory + "-dry-run"
        ).run()
        print(plan, terminator: "")
      }
      return .done
    }
    if let recorded = arguments.option("replay") {
      return try replay(recorded, settings, session)
    }
    if let count = try arguments.integer("rehearse", in: 1...100_000) {
      return try rehearse(count, settings, session)
    }
    let campaign = try Campaign(settings, options: options, communicator: session.communicator)
    return try status(of: campaign.run())
  }

  private static func status(of ending: RunEnding) throws -> ExitStatus {
    switch ending {
    case .finished, .stopped(.commitLimit), .stopped(.timeLimit): .done
    case .stopped(.interrupted): .interrupted
    case .failed(let reason): throw CampaignError.failed("the campaign failed: \(reason)")
    }
  }

  private static func rehearse(
    _ count: Int, _ settings: CampaignSettings, _ session: Session
  ) throws -> ExitStatus {
    let scratch = NSTemporaryDirectory() + "polymorph-rehearsal-\(getpid())"
    var options = Campaign.Options(directory: scratch)
    options.isResumed = false
    let campaign = try Campaign(
      settings.rehearsal(candidates: count), options: options, communicator: session.communicator)
    defer {
      // A scratch folder that cannot be removed is no reason to fail.
      if session.isRoot { try? FileManager.default.removeItem(atPath: scratch) }
    }
    let ending = try campaign.run()
    guard session.isRoot else { return .done }
    if case .failed(let reason) = ending {
      // With few candidates and a made-up reference this says nothing of the campaign itself.
      print("the rehearsal did not reach re-ranking: \(reason); rehearse more candidates")
    }
    print("rehearsal over; its numbers mean nothing, the folder is gone")
    return .done
  }

  private static func replay(
    _ directory: String, _ settings: CampaignSettings, _ session: Session
  ) throws -> ExitStatus {
    let replay = try CampaignReplay(
      settings, folder: CampaignFolder(path: directory), communicator: session.communicator)
    guard let outcome = try replay.run() else { return .done }
    print(outcome.text)
    return outcome.isIdentical ? .done : .failed
  }
}
