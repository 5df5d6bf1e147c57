import Crystal

/// What each file format provides.
protocol StructureTextFormat {
  /// File name endings, in lower case, without the dot.
  static var endings: [String] { get }
  /// Beginnings of file names, in lower case, such as `poscar`.
  static var prefixes: [String] { get }

  /// Reads every entry.
  ///
  /// - Parameters:
  ///   - lines: The text, not yet advanced to its first line.
  ///   - elements: Names for species that the file only numbers.
  /// - Returns: The entries in the order of the file.
  /// - Throws: `FormatError` with the line.
  static func parse(
    _ lines: inout LineReader, elements: [ChemicalElement]?
  ) throws(FormatError) -> [StructureRecord]

  /// The text of records.
  ///
  /// - Parameters:
  ///   - records: At least one where the format cannot be empty.
  ///   - elements: The order of species where the format numbers them; names for unnamed species.
  ///   - path: The name for error messages.
  /// - Returns: The content of a file.
  /// - Throws: `FormatError` where the format cannot hold a record.
  static func text(
    of records: [StructureRecord], elements: [ChemicalElement]?, path: String
  ) throws(FormatError) -> String
}

/// The naming of species that files number 0, 1, 2, ….
struct SpeciesNaming {
  let elements: [ChemicalElement]?

  /// The element of a 0-based species number of a file, or `nil` where more species were found than
  /// were named.
  func element(ofType type: Int) -> ChemicalElement? {
    guard let elements else { return .unnamed(type) }
    return type < elements.count ? elements[type] : nil
  }

  /// The element under which an atom is written: unnamed ones take the name of their number.
  func named(_ element: ChemicalElement) -> ChemicalElement {
    guard let type = element.unnamedType, let elements, type < elements.count else {
      return element
    }
    return elements[type]
  }

  /// The element of a symbol in a file: one of the periodic table, in any case, or `X0`, `X1`, … for
  /// unnamed species.
  static func element(symbol: String) -> ChemicalElement? {
    if let element = ChemicalElement(symbol: symbol) { return element }
    if symbol.hasPrefix("X"), let type = Int(symbol.dropFirst()), (0..<1000).contains(type) {
      return .unnamed(type)
    }
    return ChemicalElement(symbol: symbol.prefix(1).uppercased() + symbol.dropFirst().lowercased())
  }
}
