import Coordinator
import Foundation
import NumericalCore
import Potential

/// `polymorph convert-potential POT --output OUT`: a network potential in the files of another program.
enum ConvertPotentialVerb: Verb {
  static let name = "convert-potential"
  static let summary = "a network potential from one program's files into another's"
  static let syntax = CommandSyntax(
    arguments: [
      .init(
        "POT",
        "a network: .nnp, a folder with input.nn (n2p2), or a file whose name begins with potential_saved (SIMPLE-NN)"
      )
    ],
    options: [
      .init(
        "output", "OUT", "the file to write; for n2p2 a folder, new or empty", isRequired: true),
      .init(
        "format", "FORMAT",
        "\(Format.allCases.map(\.rawValue).joined(separator: ", ")); default: by the name of OUT, which ends in .nnp, "
          + "ends in / (n2p2), or begins with potential_saved (simple-nn)"),
    ],
    notes: [
      "LAMMPS takes a folder of n2p2 with pair_style hdnnp (units metal, cflength 1, cfenergy 1), and potential_saved "
        + "with SIMPLE-NN's pair_style nn. Energies agree to rounding. What a format cannot hold is an error."
    ])

  /// Whose files.
  private enum Format: String, CaseIterable {
    case nnp
    case n2p2
    case simpleNN = "simple-nn"

    /// The format that a name tells.
    init?(path: String) {
      if path.lowercased().hasSuffix(".nnp") {
        self = .nnp
      } else if path.hasSuffix("/") {
        self = .n2p2
      } else if PotentialFile.isSavedNetwork(path) {
        self = .simpleNN
      } else {
        return nil
      }
    }
  }

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    guard session.isRoot else { return .done }
    let output = try arguments.required("output")
    let given = try arguments.word("format", as: Format.self)
    guard let format = given ?? Format(path: output) else {
      throw CommandLineError(
        "convert-potential: the name '\(output)' does not tell the format; "
          + "add --format (\(Format.allCases.map(\.rawValue).joined(separator: ", ")))")
    }
    let path = arguments.argument("POT")
    let network = try network(path)
    let files: [(path: String, text: String)]
    do {
      switch format {
      case .nnp: files = [(output, network.nnpText)]
      case .n2p2: files = try NetworkFolder.files(network).map { (output + "/" + $0.name, $0.text) }
      case .simpleNN: files = [(output, try SavedNetwork.text(network))]
      }
    } catch {
      throw InputError("\(path): \(error)")
    }
    if format == .n2p2 { try makeFolder(output) }
    for file in files { try AtomicFile.write(file.text, to: file.path) }
    session.say("\(path) written for \(format.rawValue): \(output)")
    return .done
  }

  private static func network(_ path: String) throws -> NeuralNetworkPotential {
    let found: String
    switch try PotentialFile(path: path) {
    case .network(let network): return network
    case .momentTensor: found = "a moment tensor potential"
    case .classical: found = "a classical potential"
    }
    throw InputError(
      "\(path): found \(found), allowed: a network (.nnp, a folder with input.nn, potential_saved); "
        + "these formats hold nothing else")
  }

  /// Makes a folder that is not there or uses an empty one.
  private static func makeFolder(_ path: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue, try files.contentsOfDirectory(atPath: path).isEmpty else {
        throw CommandLineError(
          "convert-potential: --output: \(path) exists and is no empty folder; name a new one")
      }
    }
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
}
