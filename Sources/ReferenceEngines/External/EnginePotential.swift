import Crystal
import Foundation
import Potential

/// A reference engine behind the face of a potential: every evaluation is a label.
public struct EnginePotential: InteratomicPotential {
  /// The engine.
  public let engine: any ReferenceEngine
  /// The elements that it has pseudopotentials or basis sets of.
  public let elements: [ChemicalElement]
  /// A folder that is removed after every evaluation; `nil` where calculations are kept.
  private let scratch: String?

  /// Creates the potential.
  ///
  /// - Parameters:
  ///   - engine: The engine.
  ///   - elements: The elements that it knows; `nil` for all.
  public init(_ engine: any ReferenceEngine, elements: [ChemicalElement]? = nil) {
    self.init(engine, elements: elements, scratch: nil)
  }

  init(_ engine: any ReferenceEngine, elements: [ChemicalElement]?, scratch: String?) {
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
      // A folder in the place for temporary files that cannot be removed harms nobody.
      if let scratch { try? FileManager.default.removeItem(atPath: scratch) }
    }
    switch engine.label(structure) {
    case .labelled(let evaluation): return evaluation
    case .failed(let reason): throw .notFinite(reason)
    }
  }

  private static let allElements = (1...118).compactMap(ChemicalElement.init(atomicNumber:))
}
