/// Numbers as Fortran prints them in columns of fixed width: neighbours may touch, and a number that does
/// not fit becomes a row of stars.
enum FortranNumbers {
  /// Why a text holds no such numbers.
  struct Failure: Error {
    let reason: String
  }

  /// Reads the first numbers of a text.
  ///
  /// - Parameters:
  ///   - text: A line or a part of it.
  ///   - decimals: How many digits follow the point of each number: where two of them touch, this tells
  ///     where the first ends. Its count is how many numbers are read.
  /// - Returns: The numbers.
  /// - Throws: `Failure` where there are fewer, or something else.
  static func read(_ text: some StringProtocol, decimals: [Int]) throws(Failure) -> [Double] {
    var numbers: [Double] = []
    let bytes = Array(text.utf8)
    for word in bytes.split(whereSeparator: { $0 == 32 || (9...13).contains($0) }) {
      guard numbers.count < decimals.count else { break }
      var rest = word
      while !rest.isEmpty, numbers.count < decimals.count {
        let end = end(of: rest, decimals: decimals[numbers.count])
        let piece = String(decoding: rest[..<end], as: UTF8.self)
        guard !piece.contains("*") else {
          throw Failure(reason: "'\(piece)': the number did not fit into its column")
        }
        let plain = String(piece.map { $0 == "D" || $0 == "d" ? "E" : $0 })
        guard piece.utf8.contains(where: { (48...57).contains($0) }), let number = Double(plain),
          number.isFinite, !piece.utf8.contains(UInt8(ascii: "x"))
        else { throw Failure(reason: "'\(piece)' is no finite number") }
        numbers.append(number)
        rest = rest[end...]
      }
    }
    guard numbers.count == decimals.count else {
      throw Failure(reason: "\(numbers.count) numbers, expected \(decimals.count)")
    }
    return numbers
  }

  /// Reads a vector, all of whose components have as many decimals.
  static func vector(_ text: some StringProtocol, decimals: Int) throws(Failure) -> [Double] {
    try read(text, decimals: [decimals, decimals, decimals])
  }

  /// Where the first number of a word ends: before a sign that belongs to no exponent, or, where a
  /// second point follows, after the decimals.
  private static func end(of word: ArraySlice<UInt8>, decimals: Int) -> Int {
    var previous: UInt8 = 0
    var point: Int?
    for index in word.indices {
      let byte = word[index]
      let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      let isAfterExponent = "eEdD".utf8.contains(previous)
      if isSign, index != word.startIndex, !isAfterExponent { return index }
      if byte == UInt8(ascii: ".") {
        // A point too early makes no number: the whole word is then refused.
        if let point {
          let end = point + 1 + decimals
          return end <= index ? end : word.endIndex
        }
        point = index
      }
      previous = byte
    }
    return word.endIndex
  }
}
