/// A value in a row of a database.
public enum SQLiteValue: Sendable, Hashable {
  /// No value.
  case null
  /// A whole number.
  case integer(Int)
  /// A floating-point number.
  case real(Double)
  /// Text.
  case text(String)
  /// Bytes.
  case blob([UInt8])

  /// The whole number, or `nil` for another kind.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// The number, whole ones included, or `nil` for another kind.
  public var real: Double? {
    switch self {
    case .real(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// The text, or `nil` for another kind.
  public var text: String? { if case .text(let value) = self { value } else { nil } }

  /// The bytes, or `nil` for another kind.
  public var blob: [UInt8]? { if case .blob(let value) = self { value } else { nil } }
}
