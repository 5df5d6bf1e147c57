import Foundation

/// A value with one canonical byte representation: the same value always gives the same bytes, on
/// every rank.
///
/// Messages, the journal and the digest all use it.
public protocol ByteCodable {
  /// Appends the value's bytes.
  func encode(to encoder: inout ByteEncoder)
  /// Reads a value.
  ///
  /// - Throws: `ByteCodingError` where the bytes end early or hold an impossible value.
  init(from decoder: inout ByteDecoder) throws(ByteCodingError)
}

extension ByteCodable {
  /// The value's canonical bytes.
  public var canonicalBytes: [UInt8] {
    var encoder = ByteEncoder()
    encode(to: &encoder)
    return encoder.bytes
  }

  /// Reads a value that must use up all the bytes.
  ///
  /// - Throws: `ByteCodingError` where bytes are missing, left over or impossible.
  public init(canonicalBytes bytes: [UInt8]) throws(ByteCodingError) {
    var decoder = ByteDecoder(bytes)
    try self.init(from: &decoder)
    guard decoder.isAtEnd else { throw .trailingBytes(decoder.remaining) }
  }
}

/// Why bytes could not be read back as a value.
public enum ByteCodingError: Error, Equatable, CustomStringConvertible {
  /// The bytes ended inside a value.
  case endOfBytes(needed: Int, left: Int)
  /// Bytes were left after the value.
  case trailingBytes(Int)
  /// A field holds a value that its type does not allow.
  case invalid(String)

  /// The message for people.
  public var description: String {
    switch self {
    case .endOfBytes(let needed, let left):
      "record ends early: \(needed) bytes needed, \(left) left"
    case .trailingBytes(let count): "record has \(count) bytes too many"
    case .invalid(let what): "record holds an impossible value: \(what)"
    }
  }
}

/// Appends values in little-endian order.
public struct ByteEncoder: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// Creates an empty encoder.
  public init() {}

  /// Appends a fixed-width integer.
  public mutating func encode<I: FixedWidthInteger>(_ value: I) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends a platform integer as 64 bits.
  public mutating func encode(_ value: Int) { encode(Int64(value)) }

  /// Appends the bits of a number; all bits count, also those of NaN and −0.
  public mutating func encode(_ value: Double) { encode(value.bitPattern) }

  /// Appends a truth value as one byte.
  public mutating func encode(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// Appends a string as its UTF-8 count and bytes.
  public mutating func encode(_ value: String) {
    let utf8 = Array(value.utf8)
    encode(utf8.count)
    bytes.append(contentsOf: utf8)
  }

  /// Appends a byte array with its count.
  public mutating func encode(_ value: [UInt8]) {
    encode(value.count)
    bytes.append(contentsOf: value)
  }

  /// Appends numbers with their count.
  public mutating func encode(_ values: [Double]) {
    encode(values.count)
    for value in values { encode(value.bitPattern) }
  }

  /// Appends integers with their count.
  public mutating func encode(_ values: [Int]) {
    encode(values.count)
    for value in values { encode(value) }
  }

  /// Appends a value.
  public mutating func encode<T: ByteCodable>(_ value: T) { value.encode(to: &self) }

  /// Appends values with their count.
  public mutating func encode<T: ByteCodable>(_ values: [T]) {
    encode(values.count)
    for value in values { value.encode(to: &self) }
  }

  /// Appends a value that may be absent.
  public mutating func encode<T: ByteCodable>(_ value: T?) {
    encode(value != nil)
    if let value { value.encode(to: &self) }
  }

  /// Appends a number that may be absent.
  public mutating func encode(_ value: Double?) {
    encode(value != nil)
    if let value { encode(value) }
  }

  /// Appends an integer that may be absent.
  public mutating func encode(_ value: Int?) {
    encode(value != nil)
    if let value { encode(value) }
  }
}

/// Reads what `ByteEncoder` wrote.
public struct ByteDecoder: Sendable {
  private let bytes: [UInt8]
  private var offset = 0

  /// Starts reading at the first byte.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all bytes were read.
  public var isAtEnd: Bool { offset == bytes.count }

  /// How many bytes are left.
  public var remaining: Int { bytes.count - offset }

  /// Reads a fixed-width integer.
  public mutating func decode<I: FixedWidthInteger>(_ type: I.Type) throws(ByteCodingError) -> I {
    let size = MemoryLayout<I>.size
    guard remaining >= size else { throw .endOfBytes(needed: size, left: remaining) }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: I.self) }
    offset += size
    return I(littleEndian: value)
  }

  /// Reads a platform integer.
  public mutating func decode(_ type: Int.Type = Int.self) throws(ByteCodingError) -> Int {
    Int(try decode(Int64.self))
  }

  /// Reads a number.
  public mutating func decode(_ type: Double.Type = Double.self) throws(ByteCodingError) -> Double {
    Double(bitPattern: try decode(UInt64.self))
  }

  /// Reads a truth value.
  public mutating func decode(_ type: Bool.Type = Bool.self) throws(ByteCodingError) -> Bool {
    switch try decode(UInt8.self) {
    case 0: return false
    case 1: return true
    case let other: throw .invalid("truth value \(other)")
    }
  }

  /// Reads a string.
  public mutating func decode(_ type: String.Type = String.self) throws(ByteCodingError) -> String {
    String(decoding: try decode([UInt8].self), as: UTF8.self)
  }

  /// Reads a byte array.
  public mutating func decode(_ type: [UInt8].Type) throws(ByteCodingError) -> [UInt8] {
    let count = try decodeCount(elementSize: 1)
    defer { offset += count }
    return Array(bytes[offset..<offset + count])
  }

  /// Reads numbers.
  public mutating func decode(_ type: [Double].Type) throws(ByteCodingError) -> [Double] {
    let count = try decodeCount(elementSize: 8)
    var values: [Double] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try decode(Double.self)) }
    return values
  }

  /// Reads integers.
  public mutating func decode(_ type: [Int].Type) throws(ByteCodingError) -> [Int] {
    let count = try decodeCount(elementSize: 8)
    var values: [Int] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try decode(Int.self)) }
    return values
  }

  /// Reads a value.
  public mutating func decode<T: ByteCodable>(_ type: T.Type = T.self) throws(ByteCodingError) -> T
  {
    try T(from: &self)
  }

  /// Reads values.
  public mutating func decode<T: ByteCodable>(_ type: [T].Type) throws(ByteCodingError) -> [T] {
    let count = try decodeCount(elementSize: 1)
    var values: [T] = []
    for _ in 0..<count { values.append(try T(from: &self)) }
    return values
  }

  /// Reads a value that may be absent.
  public mutating func decode<T: ByteCodable>(_ type: T?.Type) throws(ByteCodingError) -> T? {
    try decode(Bool.self) ? try T(from: &self) : nil
  }

  /// Reads a number that may be absent.
  public mutating func decode(_ type: Double?.Type) throws(ByteCodingError) -> Double? {
    try decode(Bool.self) ? try decode(Double.self) : nil
  }

  /// Reads an integer that may be absent.
  public mutating func decode(_ type: Int?.Type) throws(ByteCodingError) -> Int? {
    try decode(Bool.self) ? try decode(Int.self) : nil
  }

  // A corrupt count must not make the reader allocate without bound.
  private mutating func decodeCount(elementSize: Int) throws(ByteCodingError) -> Int {
    let count = try decode(Int.self)
    guard count >= 0 else { throw .invalid("count \(count)") }
    guard count <= remaining / elementSize else {
      throw .endOfBytes(needed: count, left: remaining)
    }
    return count
  }
}

extension Vector3: ByteCodable {
  /// Appends x, y, z.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(x)
    encoder.encode(y)
    encoder.encode(z)
  }

  /// Reads x, y, z.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self.init(try decoder.decode(), try decoder.decode(), try decoder.decode())
  }
}

extension Matrix3: ByteCodable {
  /// Appends the rows.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(a)
    encoder.encode(b)
    encoder.encode(c)
  }

  /// Reads the rows.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self.init(
      rows: try decoder.decode(Vector3.self), try decoder.decode(Vector3.self),
      try decoder.decode(Vector3.self))
  }
}
