import Crystal
import Foundation
import NumericalCore

/// A file of CP2K with basis sets or pseudopotentials of many elements.
public struct Cp2kDataFile: Sendable, Hashable {
  /// Its path.
  public let path: String
  /// The SHA-256 of its bytes.
  public let digest: String
  /// The names of the entries of every element.
  private let names: [String: Set<String>]
  /// The numbers of valence electrons of every element, by the names of its pseudopotentials.
  private let valences: [String: [String: Int]]

  /// Debian's place; the variable `CP2K_DATA_DIR` names another.
  static var usualFolder: String {
    ProcessInfo.processInfo.environment["CP2K_DATA_DIR"] ?? "/usr/share/cp2k"
  }

  /// Reads a file.
  ///
  /// - Throws: `ReferenceEngineError.file` where it is not readable.
  public init(path: String) throws(ReferenceEngineError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .file(path: path, reason: "no readable file")
    }
    self.path = path
    digest = SHA256.hexadecimal(of: [UInt8](data))
    var names: [String: Set<String>] = [:]
    var valences: [String: [String: Int]] = [:]
    var title: [String]?
    // An entry begins with an element and its names; the lines below hold numbers, the first one of a
    // pseudopotential those of the electrons in s, p, d and f. Blanks and tabs part words.
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first?.first, first != "#", first != "!" else { continue }
      guard !first.isLetter else {
        title = words.count > 1 ? words.map(String.init) : nil
        if let title { names[title[0], default: []].formUnion(title.dropFirst()) }
        continue
      }
      if let title {
        let counts = words.prefix { Int($0) != nil }.compactMap { Int($0) }
        for name in title.dropFirst() where !counts.isEmpty && valences[title[0]]?[name] == nil {
          valences[title[0], default: [:]][name] = counts.reduce(0, +)
        }
      }
      title = nil
    }
    self.names = names
    self.valences = valences
  }

  /// Whether an element has an entry of a name.
  public func has(_ name: String, of element: ChemicalElement) -> Bool {
    names[element.symbol]?.contains(name) ?? false
  }

  /// How many valence electrons a pseudopotential of an element leaves; `nil` where the file does not tell.
  func valenceElectrons(_ name: String, of element: ChemicalElement) -> Int? {
    valences[element.symbol]?[name]
  }

  /// The elements that have an entry of a name.
  func elements(with name: String) -> [ChemicalElement] {
    names.filter { $0.value.contains(name) }.keys.compactMap { ChemicalElement(symbol: $0) }
      .sorted()
  }
}
