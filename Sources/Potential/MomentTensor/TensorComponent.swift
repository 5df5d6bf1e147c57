/// Powers of x, y, z: a component of a symmetric tensor.
struct TensorComponent: Hashable, Comparable {
  var x: Int
  var y: Int
  var z: Int

  static let scalar = TensorComponent(x: 0, y: 0, z: 0)

  static func + (a: Self, b: Self) -> Self {
    Self(x: a.x &+ b.x, y: a.y &+ b.y, z: a.z &+ b.z)
  }

  static func < (a: Self, b: Self) -> Bool { a.code < b.code }

  /// The component's powers in three groups of four bits.
  var code: UInt64 { UInt64(x) << 8 | UInt64(y) << 4 | UInt64(z) }

  /// The component of a code.
  init(code: UInt64) {
    self.init(x: Int(code >> 8 & 15), y: Int(code >> 4 & 15), z: Int(code & 15))
  }

  init(x: Int, y: Int, z: Int) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// How many index tuples give this component.
  var multiplicity: Int {
    Self.factorials[x + y + z]
      / (Self.factorials[x] * Self.factorials[y] * Self.factorials[z])
  }

  /// The powers left after some are given away, `nil` where there are not enough.
  func minus(_ other: Self) -> Self? {
    guard x >= other.x, y >= other.y, z >= other.z else { return nil }
    return Self(x: x - other.x, y: y - other.y, z: z - other.z)
  }

  /// All components of a rank not above the highest one.
  static func all(_ rank: Int) -> [Self] { lists[rank] }

  private static let lists: [[Self]] = (0...15).map { rank in
    (0...rank).reversed().flatMap { x in
      (0...rank - x).reversed().map { y in Self(x: x, y: y, z: rank - x - y) }
    }
  }

  private static let factorials: [Int] = (1...15).reduce(into: [1]) { $0.append($0[$1 - 1] * $1) }
}
