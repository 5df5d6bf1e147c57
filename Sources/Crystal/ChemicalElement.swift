import NumericalCore

/// A chemical element, or an unnamed species of a file that numbers its species without naming them
/// (MLIP's `.cfg` and `.mtp`).
public struct ChemicalElement: Sendable, Hashable {
  /// The atomic number, 1 … 118; above 200 for unnamed species.
  public let atomicNumber: Int

  private init(unchecked atomicNumber: Int) { self.atomicNumber = atomicNumber }

  /// The element of an atomic number.
  ///
  /// - Returns: `nil` outside 1 … 118.
  public init?(atomicNumber: Int) {
    guard (1...Self.table.count).contains(atomicNumber) else { return nil }
    self.atomicNumber = atomicNumber
  }

  /// The element of a symbol such as `Ti`.
  ///
  /// - Returns: `nil` for an unknown symbol; upper and lower case count.
  public init?(symbol: String) {
    guard let index = Self.table.firstIndex(where: { $0.symbol == symbol }) else { return nil }
    atomicNumber = index + 1
  }

  /// The unnamed species number 0, 1, 2, … of a file without element names.
  public static func unnamed(_ type: Int) -> ChemicalElement {
    precondition(type >= 0 && type < 1000, "species numbers run from 0 to 999")
    return ChemicalElement(unchecked: 200 + type)
  }

  /// The number of an unnamed species, `nil` for an element.
  public var unnamedType: Int? { atomicNumber >= 200 ? atomicNumber - 200 : nil }

  private var facts: Facts? {
    atomicNumber <= Self.table.count ? Self.table[atomicNumber - 1] : nil
  }

  /// The symbol, such as `Ti`; `X0`, `X1`, … for unnamed species.
  public var symbol: String { facts?.symbol ?? "X\(atomicNumber - 200)" }

  /// The standard atomic weight in amu; 1 for unnamed species.
  public var mass: Double { facts?.mass ?? 1 }

  /// The single-bond covalent radius in Å (Cordero 2008); 1 for unnamed species.
  public var covalentRadius: Double { facts?.covalentRadius ?? 1 }

  /// The number of valence electrons, by group; 1 for unnamed species.
  public var valenceElectrons: Double { facts?.valenceElectrons ?? 1 }
}

extension ChemicalElement: Comparable {
  /// Orders by atomic number.
  public static func < (a: ChemicalElement, b: ChemicalElement) -> Bool {
    a.atomicNumber < b.atomicNumber
  }
}

extension ChemicalElement: CustomStringConvertible {
  /// The symbol.
  public var description: String { symbol }
}

extension ChemicalElement: ByteCodable {
  /// Appends the atomic number.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(UInt16(atomicNumber)) }

  /// Reads an atomic number.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let number = Int(try decoder.decode(UInt16.self))
    guard (1...Self.table.count).contains(number) || (200..<1200).contains(number) else {
      throw .invalid("atomic number \(number)")
    }
    self.init(unchecked: number)
  }
}
