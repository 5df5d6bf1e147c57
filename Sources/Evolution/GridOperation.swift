import Crystal
import NumericalCore

/// A symmetry operation x → W x + w in whole numbers: w counts steps of a grid in the conventional cell.
package struct GridOperation: Sendable, Hashable {
  package typealias Vector = SIMD3<Int32>

  /// The first column of W, the image of a.
  package let a: Vector
  /// The second column of W, the image of b.
  package let b: Vector
  /// The third column of W, the image of c.
  package let c: Vector
  /// w in steps of the grid.
  package let translation: Vector

  package static let identity = GridOperation(
    a: Vector(1, 0, 0), b: Vector(0, 1, 0), c: Vector(0, 0, 1), translation: .zero)

  package init(a: Vector, b: Vector, c: Vector, translation: Vector) {
    self.a = a
    self.b = b
    self.c = c
    self.translation = translation
  }

  /// Takes over an operation whose translation is a multiple of one step.
  package init(_ operation: SymmetryOperation, steps: Int32) {
    let r = operation.rotation
    func column(_ index: Int) -> Vector {
      Vector(
        Int32(truncatingIfNeeded: r.a[index]), Int32(truncatingIfNeeded: r.b[index]),
        Int32(truncatingIfNeeded: r.c[index]))
    }
    let w = operation.translation.map { ($0 * Double(steps)).rounded() }
    self.init(
      a: column(0), b: column(1), c: column(2),
      translation: Vector(Int32(w.x), Int32(w.y), Int32(w.z)))
  }

  package func rotate(_ v: Vector) -> Vector { v.x &* a &+ v.y &* b &+ v.z &* c }

  package func apply(_ v: Vector) -> Vector { rotate(v) &+ translation }

  package func hasSameRotation(as other: GridOperation) -> Bool {
    a == other.a && b == other.b && c == other.c
  }

  package var trace: Int32 { a.x &+ b.y &+ c.z }

  package var determinant: Int32 { a.dot(b.cross(c)) }

  /// Wᵀ as a real matrix: fractional positions are rows, x' = x Wᵀ + w.
  package var transposedRotation: Matrix3 {
    func row(_ v: Vector) -> Vector3 { Vector3(Double(v.x), Double(v.y), Double(v.z)) }
    return Matrix3(rows: row(a), row(b), row(c))
  }

  /// The direction ±u of the fixed axis of a proper rotation: 1 + W + W² + … projects on it.
  package var axis: Vector {
    for unit in Vector.units {
      var sum = Vector.zero
      var power = unit
      // Twelve powers are whole turns of every crystallographic rotation.
      for _ in 0..<12 {
        sum = sum &+ power
        power = rotate(power)
      }
      if sum != .zero { return sum.primitiveDirection }
    }
    preconditionFailure("a rotation has an axis")
  }

  /// Two vectors that span the plane of a mirror: 1 + W projects on it.
  package var mirrorBasis: (Vector, Vector) {
    var first: Vector?
    for unit in Vector.units {
      let projected = unit &+ rotate(unit)
      guard projected != .zero else { continue }
      let candidate = projected.primitiveDirection
      guard let known = first else {
        first = candidate
        continue
      }
      if known.cross(candidate) != .zero { return (known, candidate) }
    }
    preconditionFailure("a mirror has a plane")
  }
}

extension SIMD3<Int32> {
  package static let units = [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)] as [SIMD3<Int32>]

  package func dot(_ other: Self) -> Int32 { x &* other.x &+ y &* other.y &+ z &* other.z }

  package func cross(_ v: Self) -> Self {
    Self(y &* v.z &- z &* v.y, z &* v.x &- x &* v.z, x &* v.y &- y &* v.x)
  }

  /// The shortest vector of whole numbers along ±v whose first component other than zero is positive.
  package var primitiveDirection: Self {
    func divisor(_ a: Int32, _ b: Int32) -> Int32 { b == 0 ? abs(a) : divisor(b, a % b) }
    let common = divisor(divisor(x, y), z)
    let first = x != 0 ? x : (y != 0 ? y : z)
    let sign: Int32 = first < 0 ? -1 : 1
    guard common > 1 else { return sign &* self }
    return Self(sign &* x / common, sign &* y / common, sign &* z / common)
  }

  /// As a real vector, times a factor.
  package func scaled(by factor: Double) -> Vector3 {
    Vector3(Double(x) * factor, Double(y) * factor, Double(z) * factor)
  }
}
