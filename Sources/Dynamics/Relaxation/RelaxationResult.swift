import Crystal
import NumericalCore

/// How a relaxation ended.
public enum RelaxationOutcome: Sendable, Hashable {
  /// All stages reached their tolerances.
  case converged
  /// A stage used up its evaluations.
  case stepLimit
  /// The volume fell below its limit.
  case collapsed(reason: String)
  /// The volume rose above its limit.
  case exploded
  /// Two elements came closer than allowed and no shorter step avoided it.
  case distanceViolated(ChemicalElement, ChemicalElement)
  /// The monitor stopped it: the extrapolation grade was too large.
  case stoppedByGrade(Double)
  /// The potential gave no energy, or no step lowered the enthalpy.
  case failed(reason: String)
}

extension RelaxationOutcome: CustomStringConvertible {
  /// One phrase for logs.
  public var description: String {
    switch self {
    case .converged: "converged"
    case .stepLimit: "step limit"
    case .collapsed(let reason): "collapsed: \(reason)"
    case .exploded: "exploded"
    case .distanceViolated(let a, let b): "\(a) and \(b) too close"
    case .stoppedByGrade(let grade): "stopped by grade \(grade)"
    case .failed(let reason): "failed: \(reason)"
    }
  }
}

extension RelaxationOutcome: ByteCodable {
  /// Appends the case and its values.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .converged: encoder.encode(UInt8(0))
    case .stepLimit: encoder.encode(UInt8(1))
    case .collapsed(let reason):
      encoder.encode(UInt8(2))
      encoder.encode(reason)
    case .exploded: encoder.encode(UInt8(3))
    case .distanceViolated(let a, let b):
      encoder.encode(UInt8(4))
      encoder.encode(a)
      encoder.encode(b)
    case .stoppedByGrade(let grade):
      encoder.encode(UInt8(5))
      encoder.encode(grade)
    case .failed(let reason):
      encoder.encode(UInt8(6))
      encoder.encode(reason)
    }
  }

  /// Reads an outcome.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let tag = try decoder.decode(UInt8.self)
    switch tag {
    case 0: self = .converged
    case 1: self = .stepLimit
    case 2: self = .collapsed(reason: try decoder.decode(String.self))
    case 3: self = .exploded
    case 4:
      let first = try decoder.decode(ChemicalElement.self)
      self = .distanceViolated(first, try decoder.decode(ChemicalElement.self))
    case 5: self = .stoppedByGrade(try decoder.decode(Double.self))
    case 6: self = .failed(reason: try decoder.decode(String.self))
    default: throw .invalid("relaxation outcome \(tag)")
    }
  }
}

/// What a relaxation leaves behind.
public struct RelaxationResult: Sendable, Hashable {
  /// How it ended.
  public var outcome: RelaxationOutcome
  /// The last accepted structure.
  public var structure: Structure
  /// Its evaluation; `nil` where the very first one failed.
  public var evaluation: Evaluation?
  /// E + pV in eV per cell; infinite without an evaluation.
  public var enthalpy: Double
  /// The number of energy evaluations, rejected steps included.
  public var evaluations: Int
  /// The last structure that the monitor let pass; a relaxation stopped by its grade goes on from it.
  ///
  /// `nil` where the monitor stopped at the first one.
  public var lastPassed: Structure?

  /// The enthalpy per atom in eV.
  public var enthalpyPerAtom: Double { enthalpy / Double(structure.atomCount) }

  /// Whether all stages reached their tolerances.
  public var hasConverged: Bool { outcome == .converged }
}

extension RelaxationResult: ByteCodable {
  /// Appends all fields.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(outcome)
    encoder.encode(structure)
    encoder.encode(evaluation)
    encoder.encode(enthalpy)
    encoder.encode(evaluations)
    encoder.encode(lastPassed)
  }

  /// Reads all fields.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self.init(
      outcome: try decoder.decode(RelaxationOutcome.self),
      structure: try decoder.decode(Structure.self),
      evaluation: try decoder.decode(Evaluation?.self), enthalpy: try decoder.decode(Double.self),
      evaluations: try decoder.decode(Int.self), lastPassed: try decoder.decode(Structure?.self))
  }
}

/// One accepted step of a relaxation, as its monitor sees it.
public struct RelaxationStep: Sendable {
  /// 0 for the structure it started from.
  public let index: Int
  /// The structure.
  public let structure: Structure
  /// Its evaluation.
  public let evaluation: Evaluation
}

/// What a monitor decides.
public enum RelaxationDirective: Sendable, Hashable {
  /// Go on.
  case `continue`
  /// Stop; the grade becomes part of the outcome.
  case stop(grade: Double)
}
