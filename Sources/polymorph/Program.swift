import Coordinator
import Foundation
import MPIBindings
import Potential
import Settings

/// Runs one verb and turns errors into one message and an exit status.
struct Program {
  static let version = "0.1.0"

  let environment: [String: String]

  /// Runs a command line.
  ///
  /// - Parameter words: The words after the program's name.
  /// - Returns: The exit status.
  func run(_ words: [String]) -> ExitStatus {
    do {
      guard let first = words.first else {
        throw CommandLineError("no verb given; see polymorph --help")
      }
      if ["--help", "-h", "help"].contains(first) { return try help(words.dropFirst().first) }
      if first == "--version" { return say("polymorph \(Self.version)\n") }
      let verb = try Self.verb(first)
      let rest = Array(words.dropFirst())
      let beforeEnd = rest.prefix { $0 != "--" }
      if beforeEnd.contains("--help") || beforeEnd.contains("-h") { return try help(first) }
      let arguments = try ArgumentParser(verb: verb.name, syntax: verb.syntax).parse(rest)
      return run(verb, arguments)
    } catch {
      if isFirst { StandardError.write("polymorph: \(error)\n") }
      return .wrongInput
    }
  }

  private func run(_ verb: any Verb.Type, _ arguments: ParsedArguments) -> ExitStatus {
    let communicator: Communicator
    do {
      communicator = try Communicator(environment: environment)
    } catch {
      StandardError.write("polymorph: \(error)\n")
      return .failed
    }
    do {
      let status = try verb.run(arguments, Session(communicator: communicator))
      try communicator.finalize()
      return status
    } catch {
      end(communicator, error)
    }
  }

  /// Ends all ranks after an error of this one.
  private func end(_ communicator: Communicator, _ error: any Error) -> Never {
    let status = Self.status(of: error)
    // An error that all ranks meet is told by rank 0, whose abort ends the others meanwhile. Wrong input they meet
    // all, as a rule, and a busy machine takes its time.
    if communicator.rank > 0 { usleep(status == .wrongInput ? 10_000_000 : 1_000_000) }
    let place = communicator.rank > 0 ? "rank \(communicator.rank): " : ""
    StandardError.write("polymorph: \(place)\(Self.message(of: error))\n")
    guard communicator.size > 1 else { exit(status.rawValue) }
    communicator.abort(status: status.rawValue)
  }

  /// The words for people; Foundation's own errors print as a dump of their fields.
  static func message(of error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError
    let reason =
      cause.flatMap {
        $0.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32($0.code))) : nil
      }
      ?? error.localizedDescription
    return (error.filePath ?? error.url?.path).map { "\($0): \(reason)" } ?? reason
  }

  static func status(of error: any Error) -> ExitStatus {
    switch error {
    case is CommandLineError, is InputError, is SettingsError: .wrongInput
    case PotentialError.malformedFile: .wrongInput
    case CampaignError.wrongInput: .wrongInput
    default: .failed
    }
  }

  private func help(_ name: String?) throws -> ExitStatus {
    guard let name else { return say(Self.overview()) }
    let verb = try Self.verb(name)
    return say(verb.syntax.help(verb: verb.name, summary: verb.summary))
  }

  private func say(_ text: String) -> ExitStatus {
    if isFirst { print(text, terminator: "") }
    return .done
  }

  private static func verb(_ name: String) throws -> any Verb.Type {
    if let verb = verbs.first(where: { $0.name == name }) { return verb }
    let close = NameSuggestion.closest(to: name, among: verbs.map { $0.name })
    throw CommandLineError(
      "unknown verb '\(name)'" + (close.map { "; did you mean '\($0)'?" } ?? "")
        + "; see polymorph --help")
  }

  private static func overview() -> String {
    var lines = [
      "usage: polymorph VERB ...", "",
      "Predicts crystal structures by evolutionary search with a potential that learns on the way.",
      "",
    ]
    let column = 2 + verbs.map { $0.name.count }.reduce(0, max)
    for verb in verbs {
      let blanks = String(repeating: " ", count: column - verb.name.count)
      lines.append("  \(verb.name)\(blanks)\(verb.summary)")
    }
    lines += [
      "", "polymorph VERB --help tells more. Exit status: 0 done, 1 the work failed, 2 the command",
      "line or an input file is wrong, 130 interrupted with the state saved.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether this is the first of the launcher's ranks, as far as the environment tells before MPI
  /// has started.
  private var isFirst: Bool {
    let rank =
      environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"] ?? environment["PMI_RANK"]
    return rank == nil || rank == "0"
  }
}
