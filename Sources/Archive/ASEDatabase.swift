import Crystal
import Foundation
import NumericalCore

/// The structures of a campaign, in the tables that `ase db` and `ase.db.connect` read.
public struct ASEDatabase {
  /// A value beside a structure, found again by `ase db campaign.db 'key>value'`.
  public enum Value: Sendable, Hashable {
    /// Text that cannot be mistaken for a number.
    case text(String)
    /// A finite number.
    case number(Double)
    /// True or false.
    case flag(Bool)
  }

  private let database: SQLiteDatabase

  /// The tables in a database; they are made where they are missing and the database may be written.
  ///
  /// - Parameters:
  ///   - database: The open database.
  ///   - mayCreate: Whether missing tables are made.
  /// - Throws: `ArchiveError.schema` where they are of another version or missing.
  public init(_ database: SQLiteDatabase, mayCreate: Bool = true) throws(ArchiveError) {
    self.database = database
    guard try database.hasTable("systems") else {
      guard mayCreate else {
        throw .schema(path: database.path, found: "no structures", expected: "the tables of ase.db")
      }
      try database.transaction { () throws(ArchiveError) in
        for statement in Self.schema { try database.execute(statement) }
      }
      return
    }
    let version =
      try database.hasTable("information")
      ? try database.value("SELECT value FROM information WHERE name = 'version'")?.text : nil
    guard version == Self.schemaVersion else {
      throw .schema(
        path: database.path, found: "ase.db tables of version \(version ?? "below 3")",
        expected: "version \(Self.schemaVersion)")
    }
  }

  /// An identifier as ASE makes them, 32 hexadecimal digits, but a function of what it identifies.
  public static func uniqueID(of bytes: [UInt8]) -> String {
    String(SHA256.hexadecimal(of: bytes).prefix(32))
  }

  /// Adds a structure; inside an open transaction it takes part in that one.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - evaluation: Its energy, forces and stress, where known.
  ///   - keyValues: Further values; keys as ASE allows them: a word, no element, not one of ASE's own.
  ///   - uniqueID: 32 hexadecimal digits; no two rows have the same.
  ///   - calculator: What made the evaluation, in lower case.
  ///   - date: When the row was made.
  /// - Returns: The row's number, from 1.
  /// - Throws: `ArchiveError.value` for keys or values that ASE would refuse, `.database` where SQLite does.
  @discardableResult
  public func append(
    _ structure: Structure, evaluation: Evaluation? = nil, keyValues: [String: Value] = [:],
    uniqueID: String, calculator: String = "polymorph", date: Date = Date()
  ) throws(ArchiveError) -> Int {
    let pairs = try checked(keyValues)
    if let evaluation {
      guard evaluation.isFinite(), evaluation.forces.count == structure.atomCount else {
        throw .value(
          "an evaluation of structure \(uniqueID)", allowed: "finite, one force per atom")
      }
    }
    return try database.transaction { () throws(ArchiveError) in
      let row = rowValues(structure, evaluation, pairs, uniqueID, calculator, date)
      let marks = Array(repeating: "?", count: row.count).joined(separator: ", ")
      try database.execute("INSERT INTO systems VALUES (NULL, \(marks))", row)
      let id = database.lastInsertedRow
      try appendSearchColumns(of: structure, pairs, id: id)
      return id
    }
  }

  /// The number of structures.
  ///
  /// - Throws: `ArchiveError.database` where the file cannot be read.
  public func count() throws(ArchiveError) -> Int {
    try database.value("SELECT COUNT(*) FROM systems")?.integer ?? 0
  }

  /// The row's number of an identifier, or `nil`.
  ///
  /// - Throws: `ArchiveError.database` where the file cannot be read.
  public func row(uniqueID: String) throws(ArchiveError) -> Int? {
    try database.value("SELECT id FROM systems WHERE unique_id = ?", [.text(uniqueID)])?.integer
  }

  /// Adds values to those beside a structure, or changes them.
  ///
  /// - Parameters:
  ///   - keyValues: The new values.
  ///   - id: The row's number.
  ///   - date: When this happens.
  /// - Throws: `ArchiveError.value` for keys or values that ASE would refuse, `.database` where SQLite does.
  public func add(
    _ keyValues: [String: Value], to id: Int, date: Date = Date()
  ) throws(ArchiveError) {
    let pairs = try checked(keyValues)
    try database.transaction { () throws(ArchiveError) in
      try database.execute(
        "UPDATE systems SET mtime = ?, key_value_pairs = json_patch(key_value_pairs, ?) WHERE id = ?",
        [.real(Self.years(date)), .text(Self.json(pairs)), .integer(id)])
      for (key, _) in pairs {
        for table in ["keys", "text_key_values", "number_key_values"] {
          try database.execute(
            "DELETE FROM \(table) WHERE id = ? AND key = ?", [.integer(id), .text(key)])
        }
      }
      try appendKeyValues(pairs, id: id)
    }
  }

  // MARK: - Columns

  private typealias Pair = (key: String, value: Value)

  /// The columns of `systems` after `id`, in their order.
  private func rowValues(
    _ structure: Structure, _ evaluation: Evaluation?, _ pairs: [Pair], _ uniqueID: String,
    _ calculator: String, _ date: Date
  ) -> [SQLiteValue] {
    let v = structure.lattice.vectors
    let p = structure.periodicity
    // Voigt's order, as ASE stores it.
    let stress: [Double]? =
      p == .full
      ? evaluation.map {
        [$0.stress.a.x, $0.stress.b.y, $0.stress.c.z, $0.stress.b.z, $0.stress.a.z, $0.stress.a.y]
      } : nil
    let time = SQLiteValue.real(Self.years(date))
    // ASE knows 118 elements and 0 for something else.
    let numbers = structure.species.map { Int32($0.unnamedType == nil ? $0.atomicNumber : 0) }
    return [
      .text(uniqueID), time, time, .null,
      .blob(Self.bytes(numbers)), .blob(Self.bytes(structure.positions)),
      .blob(Self.bytes([v.a, v.b, v.c])),
      .integer((p.a ? 1 : 0) + (p.b ? 2 : 0) + (p.c ? 4 : 0)),
      .null, .null, .null, .null, .null, .null,
      evaluation == nil ? .null : .text(calculator), evaluation == nil ? .null : .text("{}"),
      evaluation.map { .real($0.energy) } ?? .null, .null,
      evaluation.map { .blob(Self.bytes($0.forces)) } ?? .null,
      stress.map { .blob(Self.bytes($0)) } ?? .null,
      .null, .null, .null, .null,
      .text(Self.json(pairs)), .blob(Self.emptyData), .integer(structure.atomCount),
      evaluation.map { .real($0.largestForce()) } ?? .null,
      stress.map { .real($0.reduce(0) { max($0, abs($1)) }) } ?? .null,
      .real(structure.volume), .real(structure.species.reduce(0) { $0 + $1.mass }), .real(0),
    ]
  }

  /// An empty dictionary as ASE packs it: the offset of the text, 8 as a 64-bit integer, then the text.
  private static let emptyData: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)

  private func appendSearchColumns(
    of structure: Structure, _ pairs: [Pair], id: Int
  ) throws(ArchiveError) {
    let composition = structure.composition()
    for (element, count) in zip(composition.elements, composition.counts)
    where element.unnamedType == nil {
      try database.execute(
        "INSERT INTO species VALUES (?, ?, ?)",
        [.integer(element.atomicNumber), .integer(count), .integer(id)])
    }
    try appendKeyValues(pairs, id: id)
  }

  private func appendKeyValues(_ pairs: [Pair], id: Int) throws(ArchiveError) {
    for (key, value) in pairs {
      switch value {
      case .text(let text):
        try database.execute(
          "INSERT INTO text_key_values VALUES (?, ?, ?)", [.text(key), .text(text), .integer(id)])
      case .number(let number):
        try database.execute(
          "INSERT INTO number_key_values VALUES (?, ?, ?)",
          [.text(key), .real(number), .integer(id)])
      case .flag(let flag):
        try database.execute(
          "INSERT INTO number_key_values VALUES (?, ?, ?)",
          [.text(key), .real(flag ? 1 : 0), .integer(id)])
      }
      try database.execute("INSERT INTO keys VALUES (?, ?)", [.text(key), .integer(id)])
    }
  }

  /// The pairs by key, each as ASE accepts it.
  private func checked(_ keyValues: [String: Value]) throws(ArchiveError) -> [Pair] {
    var pairs: [Pair] = []
    for key in keyValues.keys.sorted() {
      guard let value = keyValues[key] else { continue }
      let isWord =
        key.utf8.allSatisfy {
          ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == 95
        } && !(key.utf8.first.map { $0 <= 57 } ?? true)
      guard isWord, !Self.reservedKeys.contains(key), ChemicalElement(symbol: key) == nil else {
        throw .value(
          "the key '\(key)'", allowed: "a word that is no element and none of ASE's own names")
      }
      switch value {
      case .text(let text):
        // ASE refuses text that Python takes for a number: it could not be searched for.
        let trimmed = text.filter { !$0.isWhitespace && $0 != "_" }.lowercased()
        guard Double(trimmed) == nil else {
          throw .value("the text '\(text)' of '\(key)'", allowed: "text that is no number")
        }
      case .number(let number):
        guard number.isFinite else {
          throw .value("\(number) for '\(key)'", allowed: "a finite number")
        }
      case .flag: break
      }
      pairs.append((key, value))
    }
    return pairs
  }

  // MARK: - Encodings

  /// Years of 365.25 days since the first of January 2000, as ASE counts (ase.db.core, T2000 and YEAR).
  static func years(_ date: Date) -> Double {
    (date.timeIntervalSince1970 - 946_681_200) / 31_557_600
  }

  private static func bytes(_ values: [Int32]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
  }

  private static func bytes(_ values: [Double]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
  }

  private static func bytes(_ values: [Vector3]) -> [UInt8] {
    bytes(values.flatMap { [$0.x, $0.y, $0.z] })
  }

  private static func json(_ pairs: [Pair]) -> String {
    let parts = pairs.map { key, value in
      switch value {
      case .text(let text): "\"\(key)\": \(quoted(text))"
      case .number(let number): "\"\(key)\": \(numeral(number))"
      case .flag(let flag): "\"\(key)\": \(flag)"
      }
    }
    return "{" + parts.joined(separator: ", ") + "}"
  }

  /// Whole numbers are written as such: ASE then shows `3`, not `3.0`.
  private static func numeral(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 0x1p53 ? "\(Int(number))" : "\(number)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
