import Crystal
import NumericalCore

/// Something a person gave to a running campaign (R9).
///
/// It enters the journal before it acts.
public struct CampaignInput: Sendable, Equatable {
  /// What it changes.
  public enum Content: Sendable, Equatable {
    /// A structure to relax and take into the population.
    case seed(Structure)
    /// A new number of candidates to breed.
    case candidates(Int)
    /// A new limit of labels.
    case maxLabels(Int)
  }

  /// The file's name, with a running number where it holds several.
  public let name: String
  /// What it changes.
  public let content: Content

  /// Creates an input.
  public init(name: String, content: Content) {
    self.name = name
    self.content = content
  }
}

extension CampaignInput: ByteCodable {
  /// Appends name and content.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(name)
    switch content {
    case .seed(let structure):
      encoder.encode(UInt8(0))
      encoder.encode(structure)
    case .candidates(let count):
      encoder.encode(UInt8(1))
      encoder.encode(count)
    case .maxLabels(let count):
      encoder.encode(UInt8(2))
      encoder.encode(count)
    }
  }

  /// Reads name and content.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    name = try decoder.decode(String.self)
    content =
      switch try decoder.decode(UInt8.self) {
      case 0: .seed(try decoder.decode())
      case 1: .candidates(try decoder.decode(Int.self))
      case 2: .maxLabels(try decoder.decode(Int.self))
      case let tag: throw .invalid("campaign input \(tag)")
      }
  }
}

extension CampaignState {
  /// Whether inputs from people are read after the last commit (R9).
  public var acceptsInputs: Bool {
    phase == .searching && nextCommit > 0 && nextCommit % settings.population == 0
  }

  /// Lets an input act from the next issued slot on.
  public mutating func accept(_ input: CampaignInput) {
    switch input.content {
    case .seed(let structure): seedQueue.append(structure)
    case .candidates(let count): settings.candidates = max(count, counts.bred)
    case .maxLabels(let count): settings.maxLabels = count
    }
  }
}
