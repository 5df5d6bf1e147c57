/// Makes XML of what VASP writes as `vasprun.xml`.
///
/// VASP copies titles of people and of potentials into the file as they are: with bytes outside ASCII, control
/// characters, and `&` or `<` that XML reads as markup. None of it matters for structures and labels.
enum VasprunText {
  /// The text with every byte that XML would stumble over replaced; lines and lengths stay.
  static func cleaned(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for index in result.indices {
      let byte = result[index]
      if byte >= 0x7F {
        result[index] = UInt8(ascii: "?")
      } else if byte < 0x20, byte != 9, byte != 10, byte != 13 {
        result[index] = UInt8(ascii: " ")
      } else if byte == UInt8(ascii: "<") {
        protectText(after: index, in: &result)
      }
    }
    return result
  }

  /// Replaces markup inside the text of an `<i type="string" …>` that begins here.
  private static func protectText(after start: Int, in bytes: inout [UInt8]) {
    guard start + 2 < bytes.count, bytes[start + 1] == UInt8(ascii: "i"),
      bytes[start + 2] == UInt8(ascii: " "),
      let end = bytes[start...].prefix(120).firstIndex(of: UInt8(ascii: ">")),
      contains(Array(#"type="string""#.utf8), in: bytes[start..<end])
    else { return }
    // The text ends with the last `</i>` of its line.
    let line = bytes[end...].prefix(longestText).prefix { $0 != UInt8(ascii: "\n") }
    let close = Array("</i>".utf8)
    guard let last = line.indices.last(where: { line[$0...].starts(with: close) }) else { return }
    for index in (end + 1)..<last where "<>&".utf8.contains(bytes[index]) {
      bytes[index] = UInt8(ascii: "?")
    }
  }

  private static func contains(_ word: [UInt8], in bytes: ArraySlice<UInt8>) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: word) }
  }

  /// Fortran cuts titles long before.
  private static let longestText = 4096

  /// Whether the text ends with the end tag of the whole document.
  static func isComplete(_ bytes: [UInt8]) -> Bool {
    let tail = bytes.suffix(200)
    guard let end = tail.lastIndex(where: { $0 > 32 }) else { return false }
    return tail[...end].suffix(11).elementsEqual("</modeling>".utf8)
  }
}
