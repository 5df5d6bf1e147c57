import Crystal

/// The space group of a relaxed structure as tables and files show it.
///
/// It takes as long as some relaxations to find, and decides nothing: it is found where it is shown.
public struct SpaceGroupName: Sendable, Hashable {
  /// Number in the International Tables, 1 … 230.
  public let number: Int
  /// Short international symbol, such as `P4_2/mnm`.
  public let symbol: String

  /// How far in Å atoms of a relaxed structure may be from where symmetry puts them.
  private static let tolerance = 0.05

  /// Finds the group; P1 where there is none.
  public init(of structure: Structure) {
    // A symmetry that cannot be found is no symmetry.
    let symmetry = try? structure.symmetry(tolerance: Self.tolerance)
    number = symmetry?.spaceGroupNumber ?? 1
    symbol = symmetry?.internationalSymbol ?? "P1"
  }
}

extension SpaceGroupName: CustomStringConvertible {
  /// Symbol and number, such as `P4_2/mnm (136)`.
  public var description: String { "\(symbol) (\(number))" }
}
