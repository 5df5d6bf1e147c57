import NumericalCore

/// How many atoms of each element a formula unit or a cell holds, in the order they were named.
public struct Composition: Sendable, Hashable {
  /// The elements, each once.
  public let elements: [ChemicalElement]
  /// Atoms of each element, all positive.
  public let counts: [Int]

  /// Creates a composition.
  ///
  /// - Throws: `CrystalError.composition` where it is empty, an element occurs twice or a count is not
  ///   positive.
  public init(_ elements: [ChemicalElement], _ counts: [Int]) throws(CrystalError) {
    guard !elements.isEmpty, elements.count == counts.count else {
      throw .composition("\(elements.count) elements and \(counts.count) counts")
    }
    guard Set(elements).count == elements.count else {
      throw .composition("an element is named twice in \(elements)")
    }
    guard counts.allSatisfy({ $0 > 0 }) else {
      throw .composition("a count of \(counts) is not positive")
    }
    self.elements = elements
    self.counts = counts
  }

  /// Reads a formula such as `TiO2` or `Ca(OH)2`; an element named twice is added up.
  ///
  /// - Throws: `CrystalError.composition` with what was found.
  public init(formula: String) throws(CrystalError) {
    var parser = FormulaParser(formula)
    let parts = try parser.parse()
    var elements: [ChemicalElement] = []
    var counts: [Int] = []
    for (element, count) in parts {
      if let known = elements.firstIndex(of: element) {
        counts[known] += count
      } else {
        elements.append(element)
        counts.append(count)
      }
    }
    try self.init(elements, counts)
  }

  /// The number of atoms.
  public var atomCount: Int { counts.reduce(0, +) }

  /// The composition of several formula units.
  public func repeated(_ times: Int) -> Composition {
    precondition(times > 0, "a cell holds at least one formula unit")
    return Composition(unchecked: elements, counts.map { $0 * times })
  }

  /// The smallest formula unit: counts without a common divisor.
  public var reduced: Composition {
    let common = counts.reduce(0, Self.greatestCommonDivisor)
    return Composition(unchecked: elements, counts.map { $0 / max(1, common) })
  }

  /// One species per atom, in the order of the elements.
  public var species: [ChemicalElement] {
    zip(elements, counts).flatMap { Array(repeating: $0, count: $1) }
  }

  /// The formula, such as `TiO2`, with the counts as they are.
  public var formula: String {
    zip(elements, counts).map { $1 == 1 ? $0.symbol : "\($0.symbol)\($1)" }.joined()
  }

  /// The largest number that divides both; 0 of two zeros.
  static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
  }

  private init(unchecked elements: [ChemicalElement], _ counts: [Int]) {
    self.elements = elements
    self.counts = counts
  }
}

extension Composition: ByteCodable {
  /// Appends elements and counts.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(elements)
    encoder.encode(counts)
  }

  /// Reads elements and counts.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let elements = try decoder.decode([ChemicalElement].self)
    let counts = try decoder.decode([Int].self)
    do { try self.init(elements, counts) } catch { throw .invalid(error.description) }
  }
}

/// Recursive descent over a chemical formula with parentheses.
private struct FormulaParser {
  private let text: String
  private let characters: [Character]
  private var position = 0

  init(_ text: String) {
    self.text = text
    characters = Array(text)
  }

  mutating func parse() throws(CrystalError) -> [(ChemicalElement, Int)] {
    let parts = try group(depth: 0)
    guard position == characters.count else { throw wrong("\(characters[position])") }
    guard !parts.isEmpty else { throw .composition("the formula is empty") }
    return parts
  }

  private mutating func group(depth: Int) throws(CrystalError) -> [(ChemicalElement, Int)] {
    var parts: [(ChemicalElement, Int)] = []
    while position < characters.count {
      let character = characters[position]
      if character == "(" {
        position += 1
        let inner = try group(depth: depth + 1)
        guard position < characters.count, characters[position] == ")" else {
          throw .composition("'\(text)' lacks a closing parenthesis")
        }
        position += 1
        let times = try number()
        parts += inner.map { ($0.0, $0.1 * times) }
      } else if character == ")" && depth > 0 {
        return parts
      } else {
        parts.append((try element(), try number()))
      }
    }
    return parts
  }

  private mutating func element() throws(CrystalError) -> ChemicalElement {
    let start = position
    guard characters[position].isASCII, characters[position].isUppercase else {
      throw wrong("\(characters[position])")
    }
    position += 1
    while position < characters.count, characters[position].isASCII,
      characters[position].isLowercase
    {
      position += 1
    }
    let symbol = String(characters[start..<position])
    guard let element = ChemicalElement(symbol: symbol) else {
      throw .composition("'\(symbol)' in '\(text)' is no element")
    }
    return element
  }

  private mutating func number() throws(CrystalError) -> Int {
    let start = position
    while position < characters.count, characters[position].isASCII, characters[position].isNumber {
      position += 1
    }
    guard position > start else { return 1 }
    guard let value = Int(String(characters[start..<position])), value > 0, value < 100_000 else {
      throw wrong(String(characters[start..<position]))
    }
    return value
  }

  private func wrong(_ found: String) -> CrystalError {
    .composition(
      "'\(found)' in '\(text)'; a formula is made of symbols and positive counts, as TiO2")
  }
}
