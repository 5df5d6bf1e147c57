/// A message waiting to be received.
public struct Envelope: Sendable, Hashable {
  /// The rank that sent it.
  public let source: Int
  /// Its tag.
  public let tag: Int
  /// Its length in bytes.
  public let byteCount: Int
}

/// A received message.
public struct Message: Sendable, Hashable {
  /// The rank that sent it.
  public let source: Int
  /// Its tag.
  public let tag: Int
  /// What it holds.
  public let bytes: [UInt8]
}
