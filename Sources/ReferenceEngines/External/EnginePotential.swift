import Crystal
import Foundation
import Potential
import Synchronization

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
  /// - Throws: `PotentialError.unknownElement`, or `.noResult` with the reason where there is no label.
  public func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    try evaluation(of: structure, with: engine)
  }

  /// Begins a series of labels with the k-points of its first structure, see ``EvaluationsOnOneMesh``.
  public func series() -> any EvaluationSeries { EvaluationsOnOneMesh(of: self) }

  func evaluation(
    of structure: Structure, with engine: any ReferenceEngine
  ) throws(PotentialError) -> Evaluation {
    for element in structure.species where !elements.contains(element) {
      throw .unknownElement(element, known: elements)
    }
    let outcome = engine.label(structure)
    guard let scratch, let external = engine as? ExternalEngine else {
      // Clients of a socket name the file that tells why.
      if case .failed = outcome { scratch?.keep() }
      return try Self.evaluation(outcome)
    }
    let folder = external.folder(for: structure)
    switch outcome {
    case .failed(let reason) where external.record(for: structure)?.failure != nil:
      // What the program printed is all that tells why.
      scratch.keep()
      throw .noResult("\(reason); see \(folder)")
    case .labelled, .failed:
      // Only this structure's: others may be under way. One that cannot be removed harms nobody.
      try? FileManager.default.removeItem(atPath: folder)
      return try Self.evaluation(outcome)
    }
  }

  private static func evaluation(_ outcome: LabelOutcome) throws(PotentialError) -> Evaluation {
    switch outcome {
    case .labelled(let evaluation): return evaluation
    case .failed(let reason): throw .noResult(reason)
    }
  }

  private static let allElements = (1...118).compactMap(ChemicalElement.init(atomicNumber:))
}

/// A folder in the place for temporary files that no other has, removed with its last owner unless somebody is
/// to look into it.
final class ScratchFolder: Sendable {
  let path = NSTemporaryDirectory() + "polymorph-reference-\(UUID().uuidString)"
  private let isKept = Atomic<Bool>(false)

  /// Leaves the folder where it is.
  func keep() { isKept.store(true, ordering: .relaxed) }

  deinit {
    // A folder there that cannot be removed harms nobody.
    if !isKept.load(ordering: .relaxed) { try? FileManager.default.removeItem(atPath: path) }
  }
}
