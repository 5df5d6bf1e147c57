import Crystal
import Foundation
import Potential

/// A reference engine behind the face of a potential: every evaluation is a label.
public struct EnginePotential: InteratomicPotential {
  /// The engine.
  public let engine: any ReferenceEngine
  /// The elements that it has pseudopotentials or basis sets of.
  public let elements: [ChemicalElement]
  /// Where the engine computes what nobody wants to keep; `nil` where calculations are kept.
  private let scratch: ScratchFolder?

  /// Creates the potential.
  ///
  /// - Parameters:
  ///   - engine: The engine.
  ///   - elements: The elements that it knows; `nil` for all.
  public init(_ engine: any ReferenceEngine, elements: [ChemicalElement]? = nil) {
    self.init(engine, elements: elements, scratch: nil)
  }

  init(_ engine: any ReferenceEngine, elements: [ChemicalElement]?, scratch: ScratchFolder?) {
    self.engine = engine
    self.elements = elements ?? Self.allElements
    self.scratch = scratch
  }

  /// Labels the structure.
  ///
  /// - Throws: `PotentialError.unknownElement`, or `.notFinite` with the reason where there is no label.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    for element in structure.species where !elements.contains(element) {
      throw .unknownElement(element, known: elements)
    }
    defer {
      // Only this structure's: others may be under way. One that cannot be removed harms nobody.
      if scratch != nil, let engine = engine as? ExternalEngine {
        try? FileManager.default.removeItem(atPath: engine.folder(for: structure))
      }
    }
    switch engine.label(structure) {
    case .labelled(let evaluation): return evaluation
    case .failed(let reason): throw .notFinite(reason)
    }
  }

  private static let allElements = (1...118).compactMap(ChemicalElement.init(atomicNumber:))
}

/// A folder in the place for temporary files that no other has, removed with its last owner.
final class ScratchFolder: Sendable {
  let path = NSTemporaryDirectory() + "polymorph-reference-\(UUID().uuidString)"

  // A folder there that cannot be removed harms nobody.
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
