import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings

/// A potential as the verbs take it: a `.mtp` file, or a YAML file with a `reference:` block.
public enum PotentialFile: Sendable {
  /// A moment tensor potential.
  case momentTensor(MomentTensorPotential)
  /// A classical potential.
  case classical(any InteratomicPotential)

  /// Reads a potential; the file's name decides its kind.
  ///
  /// - Parameters:
  ///   - path: A file ending in `.mtp`, `.yaml` or `.yml`.
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
    case "yaml", "yml":
      self = .classical(try ReferenceSettings(path: path).potential())
    default:
      throw SettingsError(
        file: path, line: nil, keyPath: "", found: "a name that does not tell the kind",
        allowed: "a potential ending in .mtp, or .yaml with a reference: block")
    }
  }

  /// The potential behind its common face.
  public var potential: any InteratomicPotential {
    switch self {
    case .momentTensor(let potential): potential
    case .classical(let potential): potential
    }
  }
}
