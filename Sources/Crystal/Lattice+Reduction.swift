import Foundation
import NumericalCore

extension Lattice {
  /// The Niggli-reduced cell of the same lattice, right-handed, its orientation in space unchanged.
  ///
  /// The reduced cell is unique up to rounding: two cells of one lattice give the same lengths and
  /// angles. Bounds are compared with a tolerance of 10⁻⁵ times the cube root of the volume, squared.
  public func niggliReduced() -> Lattice {
    guard let reduced = try? Lattice(NiggliReduction.multiples(of: vectors) * vectors) else {
      preconditionFailure("a shorter basis of a lattice is a basis")
    }
    return reduced
  }
}

/// Niggli reduction of a lattice.
///
/// After I. Krivý and B. Gruber, Acta Cryst. A 32, 297 (1976),
/// doi:10.1107/S0567739476000636, in the form that tolerates rounding of R. W. Grosse-Kunstleve,
/// N. K. Sauter and P. D. Adams, Acta Cryst. A 60, 1 (2004), doi:10.1107/S010876730302186X.
struct NiggliReduction {
  private let vectors: Matrix3
  private let epsilon: Double
  private var m: Matrix3
  // A, B, C, ξ, η, ζ of the metric.
  private var a = 0.0
  private var b = 0.0
  private var c = 0.0
  private var xi = 0.0
  private var eta = 0.0
  private var zeta = 0.0

  /// Whole numbers M with determinant ±1 such that M L is reduced and right-handed.
  static func multiples(of vectors: Matrix3) -> Matrix3 {
    var reduction = NiggliReduction(vectors)
    reduction.run()
    let m = reduction.m
    // Turning all three around changes the hand, not the metric.
    return (m * vectors).determinant < 0 ? -1 * m : m
  }

  private init(_ vectors: Matrix3) {
    self.vectors = vectors
    let size = Foundation.cbrt(abs(vectors.determinant))
    epsilon = 1e-5 * size * size
    m = LatticeReduction.short(vectors)
    update()
  }

  // From the whole numbers, so that rounding does not add up.
  private mutating func update() {
    let r = m * vectors
    (a, b, c) = (r.a.squaredLength, r.b.squaredLength, r.c.squaredLength)
    (xi, eta, zeta) = (2 * r.b.dot(r.c), 2 * r.a.dot(r.c), 2 * r.a.dot(r.b))
  }

  private mutating func change(by rows: Matrix3) {
    m = rows * m
    update()
  }

  // Reduction ends after a few rounds; the bound only guards against rounding that never settles, and
  // then the basis is still a short one.
  private mutating func run() {
    for _ in 0..<1000 {
      orderLengths()
      fixSigns()
      guard shorten() else { return }
    }
  }

  private func isLess(_ x: Double, _ y: Double) -> Bool { x < y - epsilon }
  private func isEqual(_ x: Double, _ y: Double) -> Bool { abs(x - y) <= epsilon }

  // Steps 1 and 2.
  private mutating func orderLengths() {
    for _ in 0..<8 {
      if isLess(b, a) || (isEqual(a, b) && isLess(abs(eta), abs(xi))) {
        change(by: Matrix3(rows: Vector3(0, -1, 0), Vector3(-1, 0, 0), Vector3(0, 0, -1)))
      }
      guard isLess(c, b) || (isEqual(b, c) && isLess(abs(zeta), abs(eta))) else { return }
      change(by: Matrix3(rows: Vector3(-1, 0, 0), Vector3(0, 0, -1), Vector3(0, -1, 0)))
    }
  }

  // Steps 3 and 4: all angles acute, or none.
  private mutating func fixSigns() {
    let signs = [xi, eta, zeta].map { isLess(0, $0) ? 1 : (isLess($0, 0) ? -1 : 0) }
    var flips = [1.0, 1.0, 1.0]
    if signs[0] * signs[1] * signs[2] > 0 {
      for axis in 0..<3 where signs[axis] < 0 { flips[axis] = -1 }
    } else {
      var free: Int?
      for axis in 0..<3 {
        if signs[axis] > 0 { flips[axis] = -1 } else if signs[axis] == 0 { free = axis }
      }
      // A right angle takes the sign that keeps the hand.
      if flips[0] * flips[1] * flips[2] < 0, let free { flips[free] = -1 }
    }
    if flips != [1, 1, 1] { change(by: Matrix3(diagonal: Vector3(flips[0], flips[1], flips[2]))) }
  }

  // Steps 5 to 8.
  private mutating func shorten() -> Bool {
    if isLess(b, abs(xi)) || (isEqual(xi, b) && isLess(2 * eta, zeta))
      || (isEqual(xi, -b) && isLess(zeta, 0))
    {
      let sign = xi > 0 ? 1.0 : -1
      change(by: Matrix3(rows: Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(0, -sign, 1)))
      return true
    }
    if isLess(a, abs(eta)) || (isEqual(eta, a) && isLess(2 * xi, zeta))
      || (isEqual(eta, -a) && isLess(zeta, 0))
    {
      let sign = eta > 0 ? 1.0 : -1
      change(by: Matrix3(rows: Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(-sign, 0, 1)))
      return true
    }
    if isLess(a, abs(zeta)) || (isEqual(zeta, a) && isLess(2 * xi, eta))
      || (isEqual(zeta, -a) && isLess(eta, 0))
    {
      let sign = zeta > 0 ? 1.0 : -1
      change(by: Matrix3(rows: Vector3(1, 0, 0), Vector3(-sign, 1, 0), Vector3(0, 0, 1)))
      return true
    }
    let sum = xi + eta + zeta + a + b
    if isLess(sum, 0) || (isEqual(sum, 0) && isLess(0, 2 * (a + eta) + zeta)) {
      change(by: Matrix3(rows: Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(1, 1, 1)))
      return true
    }
    return false
  }
}
