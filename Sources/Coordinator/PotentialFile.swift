import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings

/// A potential as the verbs take it: a `.mtp` or `.nnp` file, the folder of a network of n2p2, `potential_saved` of
/// SIMPLE-NN, or a YAML file with a `reference:` block.
public enum PotentialFile: Sendable {
  /// A moment tensor potential.
  case momentTensor(MomentTensorPotential)
  /// A neural network.
  case network(NeuralNetworkPotential)
  /// A classical potential.
  case classical(any InteratomicPotential)

  /// Reads a potential; the file's name decides its kind.
  ///
  /// - Parameters:
  ///   - path: A file ending in `.mtp`, `.nnp`, `.yaml` or `.yml`, a folder that holds `input.nn`, or a file whose name
  ///     begins with `potential_saved`.
  ///   - elements: Names for the species of a `.mtp` file, in its order.
  /// - Throws: `PotentialError` or `SettingsError` that names file and line.
  public init(path: String, elements: [ChemicalElement]? = nil) throws {
    switch path.split(separator: ".").last?.lowercased() {
    case "mtp":
      guard FileManager.default.isReadableFile(atPath: path) else {
        throw SettingsError(
          file: path, line: nil, keyPath: "", found: "no readable file",
          allowed: "a potential (.mtp)", suggestion: "check the path")
      }
      self = .momentTensor(try MomentTensorPotential(path: path, elements: elements))
    case "nnp": self = .network(try NeuralNetworkPotential(path: path))
    case "yaml", "yml":
      self = .classical(try ReferenceSettings(path: path).potential())
    case _ where FileManager.default.fileExists(atPath: path + "/input.nn"):
      self = .network(try NetworkFolder.read(path))
    case _ where Self.isSavedNetwork(path): self = .network(try SavedNetwork.read(path))
    default:
      throw SettingsError(
        file: path, line: nil, keyPath: "", found: "a name that does not tell the kind",
        allowed:
          "a potential ending in .mtp or .nnp, .yaml with a reference: block, a folder with input.nn, "
          + "or potential_saved of SIMPLE-NN"
      )
    }
  }

  /// Whether a file's name begins as SIMPLE-NN's: `potential_saved`, `potential_saved_bestmodel`.
  public static func isSavedNetwork(_ path: String) -> Bool {
    path.split(separator: "/").last?.hasPrefix(SavedNetwork.namePrefix) ?? false
  }

  /// The potential behind its common face.
  public var potential: any InteratomicPotential {
    switch self {
    case .momentTensor(let potential): potential
    case .network(let potential): potential
    case .classical(let potential): potential
    }
  }
}
