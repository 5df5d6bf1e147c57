import Crystal
import NumericalCore

/// Anything that gives energy, forces and stress of a structure: a trained potential, a classical
/// one, or an engine behind the same face.
public protocol InteratomicPotential: Sendable {
  /// The elements it can treat.
  var elements: [ChemicalElement] { get }

  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of a structure.
  ///
  /// - Throws: `PotentialError` where an element is unknown to it, the structure's periodicity is not
  ///   supported, or atoms are so close that no finite number results.
  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation

  /// Begins a series of evaluations of structures that change little from one to the next, as in a
  /// relaxation: what was found out about neighbors may be used again.
  func series() -> any EvaluationSeries
}

/// Evaluates structures one after the other.
///
/// A series is a function of the structures it was given, in their order: no other state enters.
public protocol EvaluationSeries {
  /// Energy in eV, forces in eV/Å and stress in eV/Å³ of the next structure.
  ///
  /// - Throws: As `InteratomicPotential.evaluation(of:)`.
  mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation

  /// Gives up what the series took over from its first structure, where a structure that was found since
  /// asks for something else; such as the mesh of k-points. It does so a few times at most.
  ///
  /// - Parameter structure: Where the series goes on, such as the end of a relaxation.
  /// - Returns: Whether the numbers of structures are other ones now; `false` by default.
  mutating func renew(at structure: Structure) -> Bool
}

extension EvaluationSeries {
  /// There is nothing to give up.
  public mutating func renew(at structure: Structure) -> Bool { false }
}

extension InteratomicPotential {
  /// A series that remembers nothing.
  public func series() -> any EvaluationSeries { IndependentEvaluations(potential: self) }
}

private struct IndependentEvaluations<P: InteratomicPotential>: EvaluationSeries {
  let potential: P

  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    try potential.evaluation(of: structure)
  }
}

/// Why a potential gave no result, could not be read or could not be trained.
public enum PotentialError: Error, Equatable, CustomStringConvertible {
  /// The structure holds an element the potential does not know.
  case unknownElement(ChemicalElement, known: [ChemicalElement])
  /// The structure repeats in directions that the method cannot treat.
  case unsupportedPeriodicity(String)
  /// Energy, force or stress is not finite.
  case notFinite(String)
  /// The reference method has no result for the structure, and why.
  case noResult(String)
  /// A potential file is malformed: file and line, what was found, what is allowed.
  case malformedFile(path: String, line: Int, String)
  /// Parameters contradict each other or lie outside their range.
  case invalidParameters(String)
  /// Training is impossible with these data.
  case training(String)

  /// The message for people.
  public var description: String {
    switch self {
    case .unknownElement(let element, let known):
      "the potential knows no \(element); it knows \(known.map(\.symbol).joined(separator: ", "))"
    case .unsupportedPeriodicity(let what): "periodicity not supported: \(what)"
    case .notFinite(let what): "not finite: \(what)"
    case .noResult(let reason): reason
    case .malformedFile(let path, let line, let what): "\(path):\(line): \(what)"
    case .invalidParameters(let what): "invalid potential: \(what)"
    case .training(let what): "training is impossible: \(what)"
    }
  }
}
