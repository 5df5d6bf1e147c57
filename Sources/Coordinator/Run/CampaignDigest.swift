import NumericalCore

/// The digest of R12: SHA-256 over the canonical bytes of every committed slot (potentials arrive
/// in slots) and over the training set.
///
/// Equal digests mean equal campaigns, bit for bit.
public struct CampaignDigest: Sendable {
  private var hash = SHA256()

  /// Starts the digest of a log without slots.
  public init() {}

  /// Adds the next committed slot.
  public mutating func add(_ slot: LoggedSlot) {
    var encoder = ByteEncoder()
    encoder.encode(slot.slot)
    encoder.encode(slot.item)
    encoder.encode(slot.result)
    hash.update(encoder.bytes)
  }

  /// The digest with the training set of the state that the slots led to.
  public func hexadecimal(with state: CampaignState) -> String {
    var final = hash
    var encoder = ByteEncoder()
    encoder.encode(state.trainingSet())
    final.update(encoder.bytes)
    return final.hexadecimal
  }
}
