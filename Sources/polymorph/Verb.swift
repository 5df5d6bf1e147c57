import Coordinator
import Foundation
import MPIBindings

/// How a verb ended.
enum ExitStatus: Int32 {
  /// Everything was done.
  case done = 0
  /// The work, or a part of it, failed.
  case failed = 1
  /// The command line or an input file is wrong.
  case wrongInput = 2
  /// Interrupted, with the state saved.
  case interrupted = 130
}

/// One word of the command line with what it does.
protocol Verb: SendableMetatype {
  /// The word.
  static var name: String { get }
  /// What it does, in a few words without a full stop.
  static var summary: String { get }
  /// Its arguments and options.
  static var syntax: CommandSyntax { get }

  /// Does the work; all ranks call it.
  ///
  /// - Throws: `CommandLineError`, `InputError` and `SettingsError` for wrong input, anything else for
  ///   work that failed.
  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus
}

/// What a verb works with: the ranks and where its words go.
struct Session {
  let communicator: Communicator

  /// Whether this rank prints and writes files.
  var isRoot: Bool { communicator.rank == 0 }

  /// Prints a line, once for all ranks.
  func say(_ line: String) {
    guard isRoot else { return }
    print(line)
  }

  /// Prints a JSON value on one line, once for all ranks.
  func say(_ value: JSONValue) { say(value.text()) }

  /// Prints a warning or the failure of one item, once for all ranks.
  func warn(_ line: String) {
    guard isRoot else { return }
    StandardError.write("polymorph: \(line)\n")
  }
}

/// The stream for errors.
enum StandardError {
  static func write(_ text: String) {
    // Nothing is left to be told where even this fails.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
