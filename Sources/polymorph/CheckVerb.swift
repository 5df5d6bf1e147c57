import Coordinator
import Foundation
import MPIBindings
import NumericalCore
import Settings

/// `polymorph check`: what this program was built with and what it finds on this machine.
enum CheckVerb: Verb {
  static let name = "check"
  static let summary = "versions of all libraries, MPI thread level, engines found"
  static let syntax = CommandSyntax(
    arguments: [], options: [.init("json", nil, "prints one JSON object")])

  private static let engines = [
    ("espresso", ["pw.x"]), ("vasp", ["vasp_std", "vasp_gam", "vasp"]),
    ("cp2k", ["cp2k.psmp", "cp2k.popt", "cp2k"]),
  ]

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let communicator = session.communicator
    let facts: [(String, String)] = [
      ("polymorph", Program.version), ("processor", processor()),
      ("blas", LinearAlgebra.configuration), ("blas_core", LinearAlgebra.coreName),
      ("mpi", firstLine(Communicator.libraryVersion)),
      ("mpi_thread_level", communicator.usesMPI ? "funneled" : "not started (no launcher)"),
      ("ranks", "\(communicator.size)"), ("yaml", SettingsDocument.libraryVersion),
    ]
    let found = engines.map { engine, programs in
      (engine, programs.lazy.compactMap(onPath).first)
    }
    if arguments.has("json") {
      session.say(
        .object(
          facts.map { .init($0.0, .text($0.1)) } + [
            .init(
              "engines", .object(found.map { .init($0.0, $0.1.map { .text($0) } ?? .null) }))
          ]))
      return .done
    }
    for (name, value) in facts + found.map({ ("engine \($0.0)", $0.1 ?? "not found") }) {
      session.say(name + String(repeating: " ", count: max(1, 18 - name.count)) + value)
    }
    return .done
  }

  private static func onPath(_ program: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func firstLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).first.map { line in
      line.split(separator: ",").prefix(1).joined()
    } ?? "unknown"
  }

  private static func processor() -> String {
    // A missing file means another operating system.
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("model name") })
    else { return "unknown" }
    return line.split(separator: ":").dropFirst().joined(separator: ":")
      .trimmingCharacters(in: .whitespaces)
  }
}
