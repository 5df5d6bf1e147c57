/// The letters that the International Tables give to the positions of a group.
///
/// Letters rise with the multiplicity; where several positions have the same one the Tables follow no
/// single rule. So the letters of 101 groups are stored; in the other 129 they are alphabetical in the order
/// of the derivation.
enum WyckoffLetters {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyzA")

  /// The letter of a position in a group's table, whose positions are in the order of their letters.
  ///
  /// The letter after z, needed in group 47 only, is written A; the Tables write α.
  static func letter(_ index: Int) -> Character { alphabet[index] }

  /// The derived positions of a group, by index, in the order of their letters.
  static func order(of group: Int, count: Int) -> [Int] {
    guard let letters = derived[group].map(Array.init) else { return Array(0..<count) }
    precondition(letters.count == count, "every position of group \(group) has a letter")
    return (0..<count).sorted { rank(letters[$0]) < rank(letters[$1]) }
  }

  private static func rank(_ letter: Character) -> Int { alphabet.firstIndex(of: letter) ?? 0 }

  /// By group, the letters of its positions in the derivation's order.
  ///
  /// International Tables for Crystallography, Vol. A, in the settings of spglib (unique axis b, hexagonal
  /// axes, origin choice 1), as spglib 2.0 names the sites of structures placed on them.
  private static let derived: [Int: String] = [
    2: "abcgdfehi", 10: "acbfdgehikjlmno", 11: "acbdef", 12: "acbdefghij", 13: "acdbefg",
    14: "acbde", 16: "adcgbfehqimjnsklroptu", 17: "acbde", 21: "adbciegfhjkl", 22: "abcdgefjihk",
    23: "acdbiegfhjk", 24: "acbd", 25: "abcdgefhi", 35: "abcedf", 38: "abdcef", 44: "abdce",
    47: "acegbdfhqimjnrklsoptyuwzxvA", 48: "acdbefkgihjlm", 49: "aecgdfbhmikojplnqr",
    50: "adbcefkgihjlm", 51: "acbdefghijkl", 52: "abdce", 53: "abdcefghi",
    65: "adbcefkgihjlmpnoqr", 66: "cadbefighjklm", 67: "cdabefghiljkmno", 68: "abdcgefhi",
    69: "abcdefighlkjomnp", 70: "abcdgefh", 71: "acdbiegfhjknlmo", 72: "cadbehfgijk",
    73: "abcedf", 77: "acbd", 81: "abcdegfh", 84: "aecdbfgihjk", 86: "abcdfeg",
    89: "abcdefghljnkiomp", 91: "acbd", 93: "aecdbfgjlonimkhp", 94: "abcfedg", 95: "acbd",
    97: "abcdehgifjk", 98: "abcedfg", 99: "abcedfg", 105: "acbdef", 107: "abdce",
    111: "acdbefghikmljno", 112: "eadbfckgjmihln", 115: "adbcegfhijkl", 116: "cadbgfeihj",
    118: "abcdehfgi", 120: "badcfeghi", 123: "abcdfeghljmkinopsrqtu", 124: "badcefghkjilmn",
    125: "abcdefghkiljmn", 126: "abcdefihjgk", 127: "abdcefghijkl", 130: "bacdefg",
    131: "aecdbfgjlimkhnqopr", 132: "abcdfegjihlkmnop", 133: "dbcaeghifjk", 134: "abcdefgijhlkmn",
    136: "abcdegfhijk", 138: "bacdefhgij", 139: "abcdefihjgklnmo", 140: "cadbefghjiklm",
    141: "abcdegfhi", 142: "abcdfeg", 148: "abcedf", 163: "bacdefghi", 165: "bacdefg",
    166: "abcedfghi", 167: "bacdef", 176: "bacdefghi", 177: "abcdefghljmkin", 180: "abdceighjfk",
    181: "abcdeigjhfk", 187: "abcdefghijklnmo", 189: "abcdefghjikl", 191: "abcdefghljmkipnoqr",
    192: "badcegfhkjilm", 193: "badcefghikjl", 194: "abcdefghikjl", 195: "abdcefghij",
    200: "abdcefghijkl", 207: "abdcefgihjk", 208: "abcdfeghijlkm", 211: "abcdefhgij",
    213: "bacde", 214: "abcdefhgi", 215: "abdcefghij", 218: "abcdefhgi", 219: "abdcefgh",
    221: "abdcefgihjkmln", 222: "abcdefhgi", 223: "abdcefghijkl", 224: "abcdefghjikl",
    225: "abcdefhigjkl", 226: "bacdefghij", 227: "abcdefhgi", 229: "abcdefhgijkl",
  ]
}
