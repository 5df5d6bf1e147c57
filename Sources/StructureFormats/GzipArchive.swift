/// Unpacks gzip files: RFC 1952 around the DEFLATE of RFC 1951.
///
/// Outputs of calculations are kept compressed, and one library more for reading them would be one more
/// thing to install.
package enum GzipArchive {
  /// Why a file cannot be unpacked.
  package struct Failure: Error {
    /// One phrase.
    package let reason: String
  }

  /// Whether bytes begin as a gzip file does.
  static func isArchive(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// The content of a gzip file, of all its members in order.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - limit: The most bytes of content; a few MB can unpack to more than the memory holds.
  /// - Returns: The content.
  /// - Throws: `Failure` where the file breaks off, its checksum disagrees or it holds more.
  package static func unpacked(
    _ bytes: [UInt8], limit: Int = 4 << 30
  ) throws(Failure) -> [UInt8] {
    var content: [UInt8] = []
    var start = 0
    repeat {
      start = try skipHeader(bytes, from: start)
      var inflater = Inflater(bytes, from: start, limit: limit)
      let first = content.count
      try inflater.run(into: &content)
      start = inflater.position
      guard start + 8 <= bytes.count else { throw Failure(reason: "it breaks off") }
      guard
        checksum(content[first...]) == number(bytes[start..<start + 4]),
        UInt32(truncatingIfNeeded: content.count - first) == number(bytes[start + 4..<start + 8])
      else { throw Failure(reason: "the checksum disagrees") }
      start += 8
      // Zeros may fill the last block of a tape.
      while start < bytes.count, bytes[start] == 0 { start += 1 }
    } while start < bytes.count
    return content
  }

  /// RFC 1952, section 2.3.
  private static func skipHeader(_ bytes: [UInt8], from start: Int) throws(Failure) -> Int {
    guard start + 10 <= bytes.count, bytes[start] == 0x1F, bytes[start + 1] == 0x8B,
      bytes[start + 2] == 8
    else { throw Failure(reason: "the header is not that of gzip") }
    let flags = bytes[start + 3]
    var next = start + 10
    if flags & 4 != 0 {
      guard next + 2 <= bytes.count else { throw Failure(reason: "it breaks off") }
      next += 2 + Int(bytes[next]) + 256 * Int(bytes[next + 1])
    }
    // File name and comment end with a zero byte each.
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while next < bytes.count, bytes[next] != 0 { next += 1 }
      next += 1
    }
    if flags & 2 != 0 { next += 2 }
    guard next < bytes.count else { throw Failure(reason: "it breaks off") }
    return next
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// CRC-32 of RFC 1952, section 8.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var table: [UInt32] = []
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 {
        let isOdd = value & 1 == 1
        value >>= 1
        if isOdd { value ^= 0xEDB8_8320 }
      }
      table.append(value)
    }
    var sum = ~UInt32(0)
    for byte in bytes {
      sum = table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8)
    }
    return ~sum
  }
}

/// DEFLATE (RFC 1951).
private struct Inflater {
  private let bytes: [UInt8]
  /// The most bytes of output.
  private let limit: Int
  /// The next byte.
  private(set) var position: Int
  private var buffer: UInt32 = 0
  private var bufferedBits = 0

  init(_ bytes: [UInt8], from start: Int, limit: Int) {
    self.bytes = bytes
    self.limit = limit
    position = start
  }

  /// A prefix code: how many codes there are of each length, and the symbols by code (section 3.2.2).
  private struct PrefixCode {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    init(lengths: [Int]) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      for length in 1..<16 {
        for (symbol, own) in lengths.enumerated() where own == length { symbols.append(symbol) }
      }
    }
  }

  private static let fixedLengths =
    Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112)
    + Array(repeating: 7, count: 24) + Array(repeating: 8, count: 8)
  /// Section 3.2.5: the shortest length and the number of further bits of the symbols from 257.
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163,
    195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  private static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ]
  /// Section 3.2.7: the order in which the lengths of the code of lengths come.
  private static let lengthOrder = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]

  private func checkRoom(for count: Int, after written: Int) throws(GzipArchive.Failure) {
    guard count <= limit - written else {
      throw GzipArchive.Failure(reason: "it holds more than \(limit) bytes: unpack it with gunzip")
    }
  }

  mutating func run(into output: inout [UInt8]) throws(GzipArchive.Failure) {
    let start = output.count
    var isLast = false
    while !isLast {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try copyStored(into: &output)
      case 1:
        try inflate(
          PrefixCode(lengths: Self.fixedLengths),
          PrefixCode(lengths: Array(repeating: 5, count: 30)), from: start, into: &output)
      case 2:
        let (literals, distances) = try codes()
        try inflate(literals, distances, from: start, into: &output)
      default: throw GzipArchive.Failure(reason: "it holds a block of an unknown kind")
      }
    }
    dropBits()
  }

  private mutating func dropBits() {
    // Whole bytes that were only looked at are given back.
    position -= bufferedBits / 8
    buffer = 0
    bufferedBits = 0
  }

  private mutating func bits(_ count: Int) throws(GzipArchive.Failure) -> Int {
    while bufferedBits < count {
      guard position < bytes.count else { throw GzipArchive.Failure(reason: "it breaks off") }
      buffer |= UInt32(bytes[position]) << UInt32(bufferedBits)
      position += 1
      bufferedBits += 8
    }
    let value = buffer & ((1 << UInt32(count)) - 1)
    buffer >>= UInt32(count)
    bufferedBits -= count
    return Int(value)
  }

  private mutating func symbol(_ code: PrefixCode) throws(GzipArchive.Failure) -> Int {
    var (value, first, index) = (0, 0, 0)
    for length in 1..<16 {
      value |= try bits(1)
      let count = code.counts[length]
      // More codes than a length has room for would come out below the first.
      guard value >= first else { break }
      if value - first < count { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw GzipArchive.Failure(reason: "it holds a code that is not defined")
  }

  private mutating func copyStored(into output: inout [UInt8]) throws(GzipArchive.Failure) {
    dropBits()
    let length = try bits(16)
    guard try bits(16) == ~length & 0xFFFF else {
      throw GzipArchive.Failure(reason: "the length of a stored block is damaged")
    }
    dropBits()
    guard position + length <= bytes.count else {
      throw GzipArchive.Failure(reason: "it breaks off")
    }
    try checkRoom(for: length, after: output.count)
    output += bytes[position..<position + length]
    position += length
  }

  private mutating func codes() throws(GzipArchive.Failure) -> (PrefixCode, PrefixCode) {
    let literalCount = try bits(5) + 257
    let distanceCount = try bits(5) + 1
    let lengthCount = try bits(4) + 4
    var lengths = [Int](repeating: 0, count: 19)
    for place in Self.lengthOrder.prefix(lengthCount) { lengths[place] = try bits(3) }
    let code = PrefixCode(lengths: lengths)
    var all: [Int] = []
    while all.count < literalCount + distanceCount {
      let symbol = try symbol(code)
      switch symbol {
      case 0..<16: all.append(symbol)
      case 16:
        guard let previous = all.last else {
          throw GzipArchive.Failure(reason: "it repeats a length before the first")
        }
        all += Array(repeating: previous, count: 3 + (try bits(2)))
      case 17: all += Array(repeating: 0, count: 3 + (try bits(3)))
      default: all += Array(repeating: 0, count: 11 + (try bits(7)))
      }
    }
    guard all.count == literalCount + distanceCount else {
      throw GzipArchive.Failure(reason: "it holds too many lengths of codes")
    }
    return (
      PrefixCode(lengths: Array(all[..<literalCount])),
      PrefixCode(lengths: Array(all[literalCount...]))
    )
  }

  private mutating func inflate(
    _ literals: PrefixCode, _ distances: PrefixCode, from start: Int, into output: inout [UInt8]
  ) throws(GzipArchive.Failure) {
    while true {
      let symbol = try symbol(literals)
      if symbol < 256 {
        try checkRoom(for: 1, after: output.count)
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengthBases.count else {
        throw GzipArchive.Failure(reason: "it holds a length that is not defined")
      }
      let length = Self.lengthBases[symbol - 257] + (try bits(Self.lengthBits[symbol - 257]))
      let distanceSymbol = try self.symbol(distances)
      guard distanceSymbol < Self.distanceBases.count else {
        throw GzipArchive.Failure(reason: "it holds a distance that is not defined")
      }
      let distance =
        Self.distanceBases[distanceSymbol] + (try bits(Self.distanceBits[distanceSymbol]))
      guard output.count - distance >= start else {
        throw GzipArchive.Failure(reason: "it reaches back before its beginning")
      }
      try checkRoom(for: length, after: output.count)
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }
}
