import Crystal
import Foundation

extension MomentTensorPotential {
  /// Reads a potential in MLIP's `.mtp` format, version 1.1.0.
  ///
  /// Untrained files are read too: radial coefficients that are missing become f_μ = φ_μ, shifts and ξ zero.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - elements: The element of each species, in order; by default those named in the file's
  ///     `potential_tag`, else unnamed species. A repulsion is read from the tag, too.
  /// - Throws: `PotentialError.malformedFile` with the line, or `invalidParameters` where the number
  ///   of elements differs from the number of species.
  public init(path: String, elements: [ChemicalElement]? = nil) throws(PotentialError) {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .malformedFile(path: path, line: 0, "cannot be read: \(error.localizedDescription)")
    }
    try self.init(mtpText: text, path: path, elements: elements)
  }

  /// Reads a potential from text in MLIP's `.mtp` format.
  ///
  /// - Parameters:
  ///   - text: The content of a file.
  ///   - path: How messages call it.
  ///   - elements: The element of each species; see `init(path:elements:)`.
  /// - Throws: `PotentialError.malformedFile` with the line, or `invalidParameters` where the number
  ///   of elements differs from the number of species.
  public init(
    mtpText text: String, path: String = "text", elements: [ChemicalElement]? = nil
  ) throws(PotentialError) {
    var file = MomentTensorFile(text, path: path)
    let content = try file.read()
    let chosen = elements ?? content.tag.elements
    if let chosen, chosen.count != content.speciesCount {
      throw .invalidParameters(
        "\(path) has \(content.speciesCount) species but \(chosen.count) elements are named")
    }
    try self.init(
      basis: content.basis, radialBasis: content.radialBasis,
      elements: chosen ?? (0..<content.speciesCount).map(ChemicalElement.unnamed),
      repulsion: content.tag.repulsion)
    let radial = content.radialCoefficients ?? Array(parameters.prefix(radialParameterCount))
    parameters =
      radial + (content.speciesCoefficients ?? [Double](repeating: 0, count: speciesCount))
      + (content.momentCoefficients ?? [Double](repeating: 0, count: scalarCount))
  }
}

/// A reader of `.mtp` text.
///
/// The format is a sequence of `key = value` in fixed order, some optional.
struct MomentTensorFile {
  /// What stands before element symbols in `potential_tag`.
  static let elementsTag = "elements:"
  /// What stands before the fractions of the short-range repulsion in `potential_tag`.
  static let repulsionTag = "zbl:"

  /// What `potential_tag` says, as in `elements:Ti,O zbl:0.6,0.9`; other words are for people.
  struct Tag {
    var elements: [ChemicalElement]?
    var repulsion: ShortRangeRepulsion?
  }

  struct Content {
    var speciesCount: Int
    var tag: Tag
    var radialBasis: RadialBasis
    var radialCoefficients: [Double]?
    var basis: MomentTensorBasis
    var speciesCoefficients: [Double]?
    var momentCoefficients: [Double]?
  }

  private let path: String
  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  init(_ text: String, path: String) {
    self.path = path
    bytes = Array(text.utf8)
  }

  mutating func read() throws(PotentialError) -> Content {
    try expect("MTP")
    try expectKey("version")
    let version = restOfLine()
    guard version == "1.1.0" else { throw failure("version \(version); only 1.1.0 is known") }
    if try takeKey("potential_name") { _ = restOfLine() }
    var scaling = 1.0
    if try takeKey("scaling") { scaling *= try number("scaling") }
    try expectKey("species_count")
    let speciesCount = try count("species_count", in: 1...100)
    let tag = try takeKey("potential_tag") ? readTag(speciesCount) : Tag()
    try expectKey("radial_basis_type")
    let kind = restOfLine()
    guard kind == "RBChebyshev" else {
      throw failure("radial basis \(kind); only RBChebyshev is known")
    }
    if try takeKey("scaling") { scaling *= try number("scaling") }
    try expectKey("min_dist")
    let minimum = try number("min_dist")
    try expectKey("max_dist")
    let maximum = try number("max_dist")
    try expectKey("radial_basis_size")
    let size = try count("radial_basis_size", in: 1...64)
    let radialBasis = try located { () throws(PotentialError) in
      try RadialBasis(
        size: size, minimumDistance: minimum, cutoff: maximum, scaling: scaling)
    }
    try expectKey("radial_funcs_count")
    let functions = try count("radial_funcs_count", in: 1...64)
    let radial = try readRadialCoefficients(speciesCount, functions, size)
    let basis = try readTables(functions)
    var shifts: [Double]?
    var coefficients: [Double]?
    if try takeKey("species_coeffs") { shifts = try numbers(speciesCount, "species_coeffs") }
    if try takeKey("moment_coeffs") {
      coefficients = try numbers(basis.scalarCount, "moment_coeffs")
    }
    skipSpace()
    guard place == bytes.count else { throw failure("unexpected “\(nextWord())” after the end") }
    guard radial != nil || functions <= size else {
      throw failure(
        "\(functions) radial functions on \(size) basis functions, without coefficients")
    }
    return Content(
      speciesCount: speciesCount, tag: tag, radialBasis: radialBasis,
      radialCoefficients: radial, basis: basis, speciesCoefficients: shifts,
      momentCoefficients: coefficients)
  }

  private mutating func readTag(_ speciesCount: Int) throws(PotentialError) -> Tag {
    let words = restOfLine().split(separator: " ")
    var tag = Tag()
    if let word = words.first, word.hasPrefix(Self.elementsTag) {
      tag.elements = try elements(word.dropFirst(Self.elementsTag.count), speciesCount)
    }
    if let word = words.last(where: { $0.hasPrefix(Self.repulsionTag) }) {
      tag.repulsion = try repulsion(word.dropFirst(Self.repulsionTag.count))
    }
    return tag
  }

  private func repulsion(_ text: Substring) throws(PotentialError) -> ShortRangeRepulsion {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard numbers.count == 2, let inner = numbers[0], let outer = numbers[1] else {
      throw failure(
        "potential_tag has the repulsion “\(text)”; two fractions such as 0.6,0.9 are needed")
    }
    return try located { () throws(PotentialError) in
      try ShortRangeRepulsion(inner: inner, outer: outer)
    }
  }

  private func elements(
    _ text: Substring, _ speciesCount: Int
  ) throws(PotentialError) -> [ChemicalElement] {
    var elements: [ChemicalElement] = []
    for symbol in text.split(separator: ",") {
      if let element = ChemicalElement(symbol: String(symbol)) {
        elements.append(element)
      } else if symbol.first == "X", let type = Int(symbol.dropFirst()), (0..<1000).contains(type) {
        elements.append(.unnamed(type))
      } else {
        throw failure("potential_tag names “\(symbol)”, which is no element")
      }
    }
    guard elements.count == speciesCount else {
      throw failure("potential_tag names \(elements.count) elements for \(speciesCount) species")
    }
    return elements
  }

  private mutating func readRadialCoefficients(
    _ speciesCount: Int, _ functions: Int, _ size: Int
  ) throws(PotentialError) -> [Double]? {
    skipSpace()
    guard peekWord() == "radial_coeffs" else { return nil }
    _ = nextWord()
    var all = [Double](repeating: 0, count: speciesCount * speciesCount * functions * size)
    var seen = Set<Int>()
    for _ in 0..<speciesCount * speciesCount {
      skipSpace()
      let word = nextWord()
      let parts = word.split(separator: "-").map { Int($0) }
      guard parts.count == 2, let s1 = parts[0], let s2 = parts[1],
        (0..<speciesCount).contains(s1), (0..<speciesCount).contains(s2)
      else {
        throw failure(
          "“\(word)” is no pair of species; \(speciesCount * speciesCount) pairs from 0-0 to "
            + "\(speciesCount - 1)-\(speciesCount - 1) are needed")
      }
      let pair = s1 * speciesCount + s2
      guard seen.insert(pair).inserted else { throw failure("pair \(word) occurs twice") }
      for mu in 0..<functions {
        let row = try numbers(size, "radial_coeffs")
        all.replaceSubrange(
          (pair * functions + mu) * size..<(pair * functions + mu + 1) * size, with: row)
      }
    }
    return all
  }

  private mutating func readTables(_ functions: Int) throws(PotentialError) -> MomentTensorBasis {
    let limit = 10_000_000
    try expectKey("alpha_moments_count")
    let momentCount = try count("alpha_moments_count", in: 1...limit)
    try expectKey("alpha_index_basic_count")
    let basicCount = try count("alpha_index_basic_count", in: 1...momentCount)
    try expectKey("alpha_index_basic")
    let basic = try rows(basicCount, of: 4, "alpha_index_basic").map {
      BasicMoment(radial: $0[0], x: $0[1], y: $0[2], z: $0[3])
    }
    try expectKey("alpha_index_times_count")
    let productCount = try count("alpha_index_times_count", in: 0...limit)
    try expectKey("alpha_index_times")
    let products = try rows(productCount, of: 4, "alpha_index_times").map {
      MomentProduct(first: $0[0], second: $0[1], multiplicity: $0[2], target: $0[3])
    }
    try expectKey("alpha_scalar_moments")
    let scalarCount = try count("alpha_scalar_moments", in: 1...momentCount)
    try expectKey("alpha_moment_mapping")
    var mapping: [Int] = []
    try list(scalarCount, "alpha_moment_mapping") { reader throws(PotentialError) in
      mapping.append(try reader.integer("alpha_moment_mapping"))
    }
    return try located { () throws(PotentialError) in
      try MomentTensorBasis(
        basicMoments: basic, products: products, momentCount: momentCount,
        scalarMoments: mapping, radialFunctionCount: functions)
    }
  }

  // MARK: words and numbers

  private func failure(_ what: String) -> PotentialError {
    .malformedFile(path: path, line: line, what)
  }

  // Gives an error about values the place where they were read.
  private func located<T>(_ body: () throws(PotentialError) -> T) throws(PotentialError) -> T {
    do {
      return try body()
    } catch .invalidParameters(let what) {
      throw failure(what)
    }
  }

  private mutating func skipSpace() {
    while place < bytes.count, bytes[place] <= UInt8(ascii: " ") {
      if bytes[place] == UInt8(ascii: "\n") { line += 1 }
      place += 1
    }
  }

  private static let separators = Set("{},= \t\r\n".utf8)

  // The place behind the word that begins here.
  private var endOfWord: Int {
    var end = place
    while end < bytes.count, !Self.separators.contains(bytes[end]) { end += 1 }
    return end
  }

  private func peekWord() -> String { String(decoding: bytes[place..<endOfWord], as: UTF8.self) }

  private mutating func nextWord() -> String {
    var end = endOfWord
    if end == place { end = min(place + 1, bytes.count) }
    defer { place = end }
    return String(decoding: bytes[place..<end], as: UTF8.self)
  }

  private func named(_ word: String) -> String {
    word.isEmpty ? "the end of the file" : "“\(word)”"
  }

  private mutating func expect(_ word: String) throws(PotentialError) {
    skipSpace()
    let found = nextWord()
    guard found == word else { throw failure("“\(word)” expected, \(named(found)) found") }
  }

  private mutating func expectKey(_ key: String) throws(PotentialError) {
    try expect(key)
    try expect("=")
  }

  private mutating func takeKey(_ key: String) throws(PotentialError) -> Bool {
    skipSpace()
    guard peekWord() == key else { return false }
    try expectKey(key)
    return true
  }

  private mutating func restOfLine() -> String {
    var end = place
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    defer { place = end }
    return String(decoding: bytes[place..<end], as: UTF8.self)
      .trimmingCharacters(in: .whitespaces)
  }

  private mutating func integer(_ key: String) throws(PotentialError) -> Int {
    skipSpace()
    let word = nextWord()
    guard let value = Int(word) else { throw failure("\(key): \(named(word)) is no whole number") }
    return value
  }

  private mutating func count(
    _ key: String, in range: ClosedRange<Int>
  ) throws(PotentialError) -> Int {
    let value = try integer(key)
    guard range.contains(value) else {
      throw failure("\(key) is \(value); \(range.lowerBound) to \(range.upperBound) are allowed")
    }
    return value
  }

  private mutating func number(_ key: String) throws(PotentialError) -> Double {
    skipSpace()
    let word = nextWord()
    guard let value = Double(word) else { throw failure("\(key): \(named(word)) is no number") }
    guard value.isFinite else { throw failure("\(key): \(word) is not finite") }
    return value
  }

  // Reads { item, item, … }.
  private mutating func list(
    _ count: Int, _ key: String,
    _ item: (inout MomentTensorFile) throws(PotentialError) -> Void
  ) throws(PotentialError) {
    try expectInList("{", key, 0, count)
    for index in 0..<count {
      if index > 0 { try expectInList(",", key, index, count) }
      try item(&self)
    }
    try expectInList("}", key, count, count)
  }

  private mutating func expectInList(
    _ mark: String, _ key: String, _ index: Int, _ count: Int
  ) throws(PotentialError) {
    skipSpace()
    let found = nextWord()
    guard found == mark else {
      throw failure(
        "\(key): “\(mark)” expected after \(index) of \(count) items, \(named(found)) found")
    }
  }

  private mutating func numbers(_ count: Int, _ key: String) throws(PotentialError) -> [Double] {
    var values: [Double] = []
    try list(count, key) { reader throws(PotentialError) in
      values.append(try reader.number(key))
    }
    return values
  }

  private mutating func rows(
    _ count: Int, of width: Int, _ key: String
  ) throws(PotentialError) -> [[Int]] {
    var result: [[Int]] = []
    try list(count, key) { reader throws(PotentialError) in
      var row: [Int] = []
      try reader.list(width, key) { inner throws(PotentialError) in
        row.append(try inner.integer(key))
      }
      result.append(row)
    }
    return result
  }
}
