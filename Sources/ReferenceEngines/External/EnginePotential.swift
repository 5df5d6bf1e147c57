import Crystal
import Foundation
import Potential

/// An external program behind the face of a potential: every evaluation is a calculation.
///
/// Calculations run in temporary folders that are removed when they are done.
public struct EnginePotential: InteratomicPotential {
  /// The method.
  public let method: ExternalMethod

  /// The elements that the program has pseudopotentials or basis sets of.
  public var elements: [ChemicalElement] { method.elements ?? Self.allElements }

  /// Creates the potential and asks the program for its version.
  ///
  /// - Throws: `PotentialError.invalidParameters` where the program cannot be started.
  public init(_ method: ExternalMethod) throws(PotentialError) {
    self.method = method
    _ = try engine(in: NSTemporaryDirectory())
  }

  /// Runs the program.
  ///
  /// - Throws: `PotentialError.unknownElement`, or `.notFinite` with the reason where the program gave no
  ///   result.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    for element in structure.species where !elements.contains(element) {
      throw .unknownElement(element, known: elements)
    }
    let folder = NSTemporaryDirectory() + "/polymorph-\(method.program.kind)-\(UUID().uuidString)"
    // A folder in the place for temporary files that cannot be removed harms nobody.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    switch try engine(in: folder).label(structure) {
    case .labelled(let evaluation): return evaluation
    case .failed(let reason): throw .notFinite("\(method.program.kind): \(reason)")
    }
  }

  private func engine(in folder: String) throws(PotentialError) -> ExternalEngine {
    do throws(ReferenceEngineError) {
      return try ExternalEngine(method.program, folder: folder, limits: method.limits)
    } catch {
      throw .invalidParameters(error.description)
    }
  }

  private static let allElements = (1...118).compactMap(ChemicalElement.init(atomicNumber:))
}
