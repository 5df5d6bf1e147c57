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
    // An entry begins with an element and its names; the lines below hold numbers.
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      guard words.count > 1, let first = words[0].first, first.isLetter else { continue }
      names[String(words[0]), default: []].formUnion(words.dropFirst().map(String.init))
    }
    self.names = names
  }

  /// Whether an element has an entry of a name.
  public func has(_ name: String, of element: ChemicalElement) -> Bool {
    names[element.symbol]?.contains(name) ?? false
  }

  /// The elements that have an entry of a name.
  func elements(with name: String) -> [ChemicalElement] {
    names.filter { $0.value.contains(name) }.keys.compactMap { ChemicalElement(symbol: $0) }
      .sorted()
  }
}
