/// Three packed `Double`s (24 bytes): a position, displacement or force in Cartesian or fractional
/// coordinates.
///
/// `SIMD3<Double>` would take 32 bytes and break the layout of files and messages.
@frozen
public struct Vector3: Sendable, Hashable {
  /// First component.
  public var x: Double
  /// Second component.
  public var y: Double
  /// Third component.
  public var z: Double

  /// Creates a vector from its components.
  @inlinable
  public init(_ x: Double, _ y: Double, _ z: Double) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// The null vector.
  @inlinable
  public static var zero: Vector3 { Vector3(0, 0, 0) }

  /// The square of the Euclidean length.
  @inlinable
  public var squaredLength: Double { x * x + y * y + z * z }

  /// The Euclidean length.
  @inlinable
  public var length: Double { squaredLength.squareRoot() }

  /// Whether no component is infinite or NaN.
  @inlinable
  public var isFinite: Bool { x.isFinite && y.isFinite && z.isFinite }

  /// Component 0 (x), 1 (y) or 2 (z).
  @inlinable
  public subscript(axis: Int) -> Double {
    get {
      precondition(axis >= 0 && axis < 3, "axis must be 0, 1 or 2")
      return axis == 0 ? x : (axis == 1 ? y : z)
    }
    set {
      precondition(axis >= 0 && axis < 3, "axis must be 0, 1 or 2")
      if axis == 0 { x = newValue } else if axis == 1 { y = newValue } else { z = newValue }
    }
  }

  /// The scalar product with another vector.
  @inlinable
  public func dot(_ other: Vector3) -> Double { x * other.x + y * other.y + z * other.z }

  /// The vector product with another vector.
  @inlinable
  public func cross(_ other: Vector3) -> Vector3 {
    Vector3(
      y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
  }

  /// A vector with the function applied to each component.
  @inlinable
  public func map(_ transform: (Double) -> Double) -> Vector3 {
    Vector3(transform(x), transform(y), transform(z))
  }
}

extension Vector3 {
  /// The sum of two vectors.
  @inlinable
  public static func + (a: Vector3, b: Vector3) -> Vector3 {
    Vector3(a.x + b.x, a.y + b.y, a.z + b.z)
  }

  /// The difference of two vectors.
  @inlinable
  public static func - (a: Vector3, b: Vector3) -> Vector3 {
    Vector3(a.x - b.x, a.y - b.y, a.z - b.z)
  }

  /// The opposite vector.
  @inlinable
  public static prefix func - (a: Vector3) -> Vector3 { Vector3(-a.x, -a.y, -a.z) }

  /// The vector scaled by a number.
  @inlinable
  public static func * (factor: Double, a: Vector3) -> Vector3 {
    Vector3(factor * a.x, factor * a.y, factor * a.z)
  }

  /// The vector scaled by a number.
  @inlinable
  public static func * (a: Vector3, factor: Double) -> Vector3 { factor * a }

  /// The vector divided by a number.
  @inlinable
  public static func / (a: Vector3, divisor: Double) -> Vector3 {
    Vector3(a.x / divisor, a.y / divisor, a.z / divisor)
  }

  /// Adds another vector.
  @inlinable
  public static func += (a: inout Vector3, b: Vector3) { a = a + b }

  /// Subtracts another vector.
  @inlinable
  public static func -= (a: inout Vector3, b: Vector3) { a = a - b }

  /// Scales the vector.
  @inlinable
  public static func *= (a: inout Vector3, factor: Double) { a = factor * a }
}
