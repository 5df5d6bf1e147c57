import Crystal
import NumericalCore
import Settings

/// An input file of a client, with places for what only the first structure decides.
///
/// | variable | becomes |
/// |---|---|
/// | `{natoms}` | the number of atoms |
/// | `{ntypes}` | the number of elements |
/// | `{elements}` | their symbols, by atomic number, separated by blanks |
/// | `{cell}` | three lines with the lattice vectors in Å |
/// | `{cella}`, `{cellb}`, `{cellc}` | one lattice vector in Å |
/// | `{positions}` | a line for every atom: symbol and Cartesian position in Å |
/// | `{fractional}` | a line for every atom: symbol and fractional position |
/// | `{kmesh}` | three numbers of k points, by `k_spacing:` |
/// | `{socket}` | the name of the UNIX socket, without `/tmp/ipi_` |
/// | `{host}`, `{port}` | the TCP address |
/// | `{folder}` | the client's folder |
/// | `{here}` | the folder of the settings file |
///
/// Other words in braces stay, such as `{angstrom}`: Quantum ESPRESSO writes units so. Only those that are close to
/// a variable, such as `{Cell}` and `{k_mesh}`, are refused as mistyped.
public struct ClientTemplate: Sendable, Hashable {
  /// The file's name in the client's folder.
  public let name: String
  /// The text with its variables.
  public let text: String

  /// The words that are replaced.
  public static let variables = [
    "natoms", "ntypes", "elements", "cell", "cella", "cellb", "cellc", "positions", "fractional",
    "kmesh", "socket", "host", "port", "folder", "here",
  ]

  /// Creates a template.
  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  /// The first word in braces that looks like a mistyped variable, and the one that is meant.
  ///
  /// Case and `_` do not count.
  static func mistake(in text: String) -> (found: String, meant: String)? {
    for case .word(let word) in pieces(of: text) where !variables.contains(word) {
      if let meant = NameSuggestion.closest(to: word.filter { $0 != "_" }, among: variables) {
        return (word, meant)
      }
    }
    return nil
  }

  /// Whether a text holds any variable.
  static func usesAny(in text: String) -> Bool { variables.contains { uses($0, in: text) } }

  /// Whether a text holds a variable.
  static func uses(_ variable: String, in text: String) -> Bool {
    pieces(of: text).contains(.word(variable))
  }

  /// A text with its variables replaced.
  static func filled(_ text: String, _ values: [String: String]) -> String {
    var result = ""
    for piece in pieces(of: text) {
      switch piece {
      case .text(let text): result += text
      case .word(let word): result += values[word] ?? "{\(word)}"
      }
    }
    return result
  }

  /// What the variables of a structure become.
  ///
  /// - Parameters:
  ///   - structure: The first structure of the client.
  ///   - spacing: Largest distance of k points in 1/Å, with the factor 2π.
  /// - Returns: The texts.
  static func values(of structure: Structure, spacing: Double) -> [String: String] {
    let elements = structure.distinctElements()
    let vectors = structure.lattice.vectors
    func lines(_ points: [Vector3]) -> String {
      zip(structure.species, points).map { "\($0.symbol) \(text($1))" }.joined(separator: "\n")
    }
    return [
      "cella": text(vectors.a), "cellb": text(vectors.b), "cellc": text(vectors.c),
      "natoms": "\(structure.atomCount)", "ntypes": "\(elements.count)",
      "elements": elements.map(\.symbol).joined(separator: " "),
      "cell": [vectors.a, vectors.b, vectors.c].map(text).joined(separator: "\n"),
      "positions": lines(structure.positions),
      "fractional": lines(structure.fractionalPositions()),
      "kmesh": KPointMesh(structure.lattice, spacing: spacing).counts.map(String.init)
        .joined(separator: " "),
    ]
  }

  // Descriptions of numbers are exact: what is read back is what was written.
  private static func text(_ vector: Vector3) -> String { "\(vector.x) \(vector.y) \(vector.z)" }

  private enum Piece: Equatable {
    case text(String)
    /// A word of letters, digits and `_` that stood in braces; behind `$` it is a shell's, and text.
    case word(String)
  }

  private static func pieces(of text: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      pieces.append(.text(String(rest[..<open])))
      let word = rest[rest.index(after: open)...].prefix {
        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
      }
      let isClosed = word.endIndex < rest.endIndex && rest[word.endIndex] == "}"
      if rest[..<open].last != "$", !word.isEmpty, isClosed {
        pieces.append(.word(String(word)))
        rest = rest[rest.index(after: word.endIndex)...]
      } else {
        pieces.append(.text("{"))
        rest = rest[rest.index(after: open)...]
      }
    }
    return pieces + [.text(String(rest))]
  }
}
