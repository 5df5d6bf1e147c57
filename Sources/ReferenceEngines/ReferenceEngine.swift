import Crystal
import NumericalCore
import Potential

/// What became of a request for a label.
public enum LabelOutcome: Sendable, Hashable {
  /// The reference method's energy, forces and stress.
  case labelled(Evaluation)
  /// No label, and why; the structure may be chosen again later.
  case failed(reason: String)
}

extension LabelOutcome {
  /// What the reason begins with where the inputs are written and somebody else is to run them.
  static let waitingMark = "waiting:"

  /// Whether there is no label because somebody else has not yet run the calculation.
  public var isWaiting: Bool {
    if case .failed(let reason) = self { reason.hasPrefix(Self.waitingMark) } else { false }
  }
}

extension LabelOutcome: ByteCodable {
  /// Appends the case and its value.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .labelled(let evaluation):
      encoder.encode(true)
      encoder.encode(evaluation)
    case .failed(let reason):
      encoder.encode(false)
      encoder.encode(reason)
    }
  }

  /// Reads an outcome.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self =
      try decoder.decode(Bool.self)
      ? .labelled(try decoder.decode(Evaluation.self))
      : .failed(reason: try decoder.decode(String.self))
  }
}

/// A reference method that labels structures: an embedded classical potential or an external program.
public protocol ReferenceEngine: Sendable {
  /// The method with its main parameters, on one line for people.
  var summary: String { get }

  /// What, besides the structure, decides a label: the canonical bytes of the settings.
  var settingsBytes: [UInt8] { get }

  /// The engine's version; labels of different versions are different labels.
  var version: String { get }

  /// Whether a label depends on what the engine computed before.
  var dependsOnHistory: Bool { get }

  /// Labels a structure; everything that goes wrong is an outcome.
  func label(_ structure: Structure) -> LabelOutcome

  /// The key of a structure's label: by default the SHA-256 of structure, settings and engine version.
  ///
  /// 64 hexadecimal digits. The first result committed for a key is the label.
  func labelKey(for structure: Structure) -> String
}

extension ReferenceEngine {
  /// The key of a structure's label: the SHA-256 of structure, settings and engine version.
  public func labelKey(for structure: Structure) -> String {
    labelKey(for: structure, settingsBytes: settingsBytes)
  }

  func labelKey(for structure: Structure, settingsBytes: [UInt8]) -> String {
    var encoder = ByteEncoder()
    encoder.encode(structure)
    encoder.encode(settingsBytes)
    encoder.encode(version)
    return SHA256.hexadecimal(of: encoder.bytes)
  }
}
