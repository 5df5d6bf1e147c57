import NumericalCore

/// A symmetric 3×3 matrix in one vector, so that a pair of atoms costs a few operations.
struct SymmetricBlock {
  /// xx, xy, xz, yy, yz, zz.
  private var elements: SIMD8<Double>

  /// No stiffness.
  static let zero = SymmetricBlock(elements: .zero)

  private init(elements: SIMD8<Double>) { self.elements = elements }

  /// k∥ r̂r̂ᵀ + k⊥ (1 − r̂r̂ᵀ) for the unit vector along a bond.
  @inline(__always)
  init(along: Double, across: Double, _ u: Vector3) {
    let left = SIMD8(u.x, u.x, u.x, u.y, u.y, u.z, 0, 0)
    let right = SIMD8(u.x, u.y, u.z, u.y, u.z, u.z, 0, 0)
    let isotropic = SIMD8(across, 0, 0, across, 0, across, 0, 0)
    elements = isotropic + (along - across) * left * right
  }

  /// Adds a multiple of another one.
  @inline(__always)
  mutating func add(_ other: SymmetricBlock, _ factor: Double) {
    elements.accumulate(other.elements, SIMD8(repeating: factor))
  }

  /// Adds it to a block of a matrix whose rows are `stride` apart.
  @inline(__always)
  func add(to matrix: UnsafeMutablePointer<Double>, _ stride: Int, _ row: Int, _ column: Int) {
    let place = matrix + 3 * row * stride + 3 * column
    let e = elements
    place[0] += e[0]
    place[1] += e[1]
    place[2] += e[2]
    place[stride] += e[1]
    place[stride + 1] += e[3]
    place[stride + 2] += e[4]
    place[2 * stride] += e[2]
    place[2 * stride + 1] += e[4]
    place[2 * stride + 2] += e[5]
  }

  /// Subtracts it from a block of a matrix.
  @inline(__always)
  func subtract(
    from matrix: UnsafeMutablePointer<Double>, _ stride: Int, _ row: Int, _ column: Int
  ) {
    SymmetricBlock(elements: -elements).add(to: matrix, stride, row, column)
  }
}
