import CSpglib
import NumericalCore

/// The seven crystal systems.
public enum CrystalSystem: String, Sendable, Hashable, CaseIterable {
  /// No angle and no length is fixed.
  case triclinic
  /// α = γ = 90°.
  case monoclinic
  /// All angles are 90°.
  case orthorhombic
  /// All angles are 90° and a = b.
  case tetragonal
  /// a = b, γ = 120° in hexagonal axes, with a threefold axis.
  case trigonal
  /// a = b, γ = 120°, with a sixfold axis.
  case hexagonal
  /// All angles are 90° and all lengths equal.
  case cubic

  /// The system of a space group number, 1 … 230.
  init(spaceGroup number: Int) {
    self =
      switch number {
      case ...2: .triclinic
      case ...15: .monoclinic
      case ...74: .orthorhombic
      case ...142: .tetragonal
      case ...167: .trigonal
      case ...194: .hexagonal
      default: .cubic
      }
  }
}

/// A space group in one of its settings, from spglib's database.
public struct SpaceGroup: Sendable, Hashable {
  /// The number in the International Tables, 1 … 230.
  public let number: Int
  /// spglib's number of the setting, 1 … 530.
  public let hallNumber: Int
  /// The short international symbol, such as `P4_2/mnm`.
  public let symbol: String
  /// The symbol of the point group, such as `4/mmm`.
  public let pointGroupSymbol: String
  /// The operations of the conventional cell, centering translations included, identity first.
  public let operations: [SymmetryOperation]

  /// The group in its default setting: unique axis b, hexagonal axes, origin choice 1.
  ///
  /// - Returns: `nil` outside 1 … 230.
  public init?(number: Int) {
    guard (1...230).contains(number) else { return nil }
    self.init(hallNumber: Self.defaultHallNumbers[number - 1])
  }

  /// The group in one of the 530 settings of Hall symbols.
  ///
  /// - Returns: `nil` outside 1 … 530.
  public init?(hallNumber: Int) {
    guard (1...530).contains(hallNumber) else { return nil }
    let type = spg_get_spacegroup_type(Int32(hallNumber))
    var rotations = [Int32](repeating: 0, count: 192 * 9)
    var translations = [Double](repeating: 0, count: 192 * 3)
    let count = rotations.withUnsafeMutableBytes { r in
      translations.withUnsafeMutableBytes { t in
        spg_get_symmetry_from_database(
          r.baseAddress?.assumingMemoryBound(to: SpglibRotation.self),
          t.baseAddress?.assumingMemoryBound(to: SpglibVector.self), Int32(hallNumber))
      }
    }
    guard count > 0, type.number > 0 else { return nil }
    number = Int(type.number)
    self.hallNumber = hallNumber
    symbol = text(of: type.international_short)
    pointGroupSymbol = text(of: type.pointgroup_international)
    operations = (0..<Int(count)).map { index in
      let r = rotations[9 * index..<9 * index + 9].map { Int($0) }
      return SymmetryOperation(
        rotation: IntegerMatrix3(
          rows: SIMD3(r[0], r[1], r[2]), SIMD3(r[3], r[4], r[5]), SIMD3(r[6], r[7], r[8])),
        translation: Vector3(
          translations[3 * index], translations[3 * index + 1], translations[3 * index + 2]))
    }
  }

  /// The crystal system.
  public var crystalSystem: CrystalSystem { CrystalSystem(spaceGroup: number) }

  /// How many lattice points the conventional cell holds: 1 for P, 2 for A, B, C and I, 3 for R in
  /// hexagonal axes, 4 for F.
  public var centeringCount: Int { operations.count { $0.rotation == .identity } }

  /// The version of the symmetry library.
  public static var libraryVersion: String {
    "\(spg_get_major_version()).\(spg_get_minor_version()).\(spg_get_micro_version())"
  }

  // The first setting of each number.
  private static let defaultHallNumbers: [Int] = {
    var first = [Int](repeating: 1, count: 230)
    for hall in stride(from: 530, through: 1, by: -1) {
      let number = Int(spg_get_spacegroup_type(Int32(hall)).number)
      if (1...230).contains(number) { first[number - 1] = hall }
    }
    return first
  }()
}

typealias SpglibVector = (Double, Double, Double)
typealias SpglibRotation = (
  (Int32, Int32, Int32), (Int32, Int32, Int32), (Int32, Int32, Int32)
)

/// The text of a C array of characters, a tuple here, up to its zero.
func text<Characters>(of characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    let used = bytes.prefix { $0 != 0 }
    return String(decoding: used, as: UTF8.self).trimmingSpaces()
  }
}

extension String {
  /// The text without blanks at its end.
  fileprivate func trimmingSpaces() -> String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
