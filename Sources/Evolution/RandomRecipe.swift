import Crystal
import NumericalCore

/// How a random structure is made: in which space group, of how many alike subcells.
public struct RandomRecipe: Sendable, Hashable {
  /// The space group in which atoms are placed, 1 … 230; what relaxation makes of it may have another.
  public let spaceGroup: Int
  /// Copies of the cell that is filled, 1 where it is the whole cell.
  public let copies: Int

  /// Creates a recipe.
  public init(spaceGroup: Int, copies: Int = 1) {
    precondition((1...230).contains(spaceGroup) && copies >= 1, "no such recipe")
    self.spaceGroup = spaceGroup
    self.copies = copies
  }
}

extension RandomRecipe: ByteCodable {
  /// Appends group and copies.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(spaceGroup)
    encoder.encode(copies)
  }

  /// Reads group and copies.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let (group, copies) = (try decoder.decode(Int.self), try decoder.decode(Int.self))
    guard (1...230).contains(group), copies >= 1 else {
      throw .invalid("recipe with group \(group) and \(copies) copies")
    }
    self.init(spaceGroup: group, copies: copies)
  }
}
