import Crystal
import Foundation
import NumericalCore

/// A pseudopotential as its file's header describes it.
public struct PseudopotentialFile: Sendable, Hashable {
  /// How the pseudopotential treats the norm of its functions.
  public enum Kind: String, Sendable {
    /// The charge density needs four times the cutoff of the wave functions.
    case normConserving = "NC"
    /// Augmented: the density needs more.
    case ultrasoft = "US"
    /// Projector augmented waves: the density needs more.
    case projectorAugmented = "PAW"
  }

  /// Its path.
  public let path: String
  /// Its kind; `nil` where the header does not tell.
  public let kind: Kind?
  /// The element that the header names; `nil` where it names none.
  public let element: ChemicalElement?
  /// The SHA-256 of its bytes.
  public let digest: String

  /// The name of the file.
  public var name: String { String(path.split(separator: "/").last ?? "") }

  /// Reads a file's header.
  ///
  /// - Throws: `ReferenceEngineError.file` where it is not readable.
  public init(path: String) throws(ReferenceEngineError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .file(path: path, reason: "no readable file")
    }
    self.path = path
    digest = SHA256.hexadecimal(of: [UInt8](data))
    // Headers stand at the beginning; the rest are tables.
    let text = String(decoding: data.prefix(65536), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline)
    let kindWord = Self.attribute("pseudo_type", text) ?? Self.oldHeader(lines, "potential")
    kind = kindWord.flatMap { word in
      word.uppercased().hasPrefix("US") ? .ultrasoft : Kind(rawValue: word.uppercased())
    }
    let symbol = Self.attribute("element", text) ?? Self.oldHeader(lines, "Element")
    element = symbol.flatMap { ChemicalElement(symbol: $0) }
  }

  /// `name="value"` of UPF version 2.
  private static func attribute(_ name: String, _ text: String) -> String? {
    guard let header = text.range(of: "<PP_HEADER") else { return nil }
    let rest = text[header.upperBound...]
    guard let start = rest.range(of: name + "=\""),
      let end = rest[start.upperBound...].firstIndex(of: "\"")
    else { return nil }
    return rest[start.upperBound..<end].trimmingCharacters(in: .whitespaces)
  }

  /// The first word of a line of UPF version 1, such as `NC  Norm - Conserving pseudopotential`.
  private static func oldHeader(_ lines: [Substring], _ meaning: String) -> String? {
    guard let start = lines.firstIndex(where: { $0.hasPrefix("<PP_HEADER>") }) else { return nil }
    let line = lines[start...].prefix(10).first { $0.contains(meaning) }
    return line?.split(separator: " ").first.map(String.init)
  }
}
