import NumericalCore

/// The translations of a structure as short, nearly orthogonal vectors, and axes that make them
/// triangular: t₁ = (xx, 0, 0), t₂ = (yx, yy, 0), t₃ = (zx, zy, zz) with positive xx, yy, zz.
///
/// Directions that do not repeat come last, as unit vectors normal to the others.
struct PeriodicFrame: Sendable {
  /// The vectors t₁, t₂, t₃ as rows, in Å.
  let translations: Matrix3
  /// How many of them are translations of the structure.
  let periodicCount: Int
  /// The inverse of `translations`.
  let inverse: Matrix3
  /// Orthonormal axes as rows, of either handedness.
  let axes: Matrix3
  /// The components (xx, –, –), (yx, yy, –), (zx, zy, zz) of the translations along the axes.
  let triangle: Matrix3

  init(_ lattice: Lattice, _ periodicity: Periodicity) {
    let repeating = (0..<3).filter { periodicity[$0] }.map { lattice.vectors[$0] }
    periodicCount = repeating.count
    let (rows, axes) =
      switch repeating.count {
      case 3: Self.bulk(lattice.vectors)
      case 2: Self.slab(repeating[0], repeating[1])
      case 1: Self.rod(repeating[0])
      default: (Matrix3.identity, Matrix3.identity)
      }
    translations = rows
    self.axes = axes
    triangle = rows * axes.transposed
    guard let inverse = rows.inverse else {
      preconditionFailure("the vectors of a lattice are independent")
    }
    self.inverse = inverse
  }

  // A shortest first vector makes the innermost rows of images as long as possible.
  private static func bulk(_ vectors: Matrix3) -> (Matrix3, Matrix3) {
    let rows = LatticeReduction.short(vectors) * vectors
    let e1 = rows.a / rows.a.length
    var e3 = rows.a.cross(rows.b)
    e3 = e3 / e3.length
    let e2 = e3.cross(e1)
    if rows.c.dot(e3) < 0 { e3 = -e3 }
    return (rows, Matrix3(rows: e1, e2, e3))
  }

  private static func slab(_ u: Vector3, _ v: Vector3) -> (Matrix3, Matrix3) {
    var (a, b) = LatticeReduction.shortPair(u, v)
    if b.squaredLength < a.squaredLength { swap(&a, &b) }
    let e1 = a / a.length
    var e3 = a.cross(b)
    e3 = e3 / e3.length
    return (Matrix3(rows: a, b, e3), Matrix3(rows: e1, e3.cross(e1), e3))
  }

  private static func rod(_ a: Vector3) -> (Matrix3, Matrix3) {
    let e1 = a / a.length
    // The Cartesian axis least along the rod.
    let magnitude = e1.map { abs($0) }
    let axis =
      magnitude.x <= magnitude.y && magnitude.x <= magnitude.z
      ? Vector3(1, 0, 0) : (magnitude.y <= magnitude.z ? Vector3(0, 1, 0) : Vector3(0, 0, 1))
    var e2 = axis - axis.dot(e1) * e1
    e2 = e2 / e2.length
    let e3 = e1.cross(e2)
    return (Matrix3(rows: a, e2, e3), Matrix3(rows: e1, e2, e3))
  }

  /// The distances in Å between planes one unit of each coordinate apart.
  var heights: Vector3 {
    let volume = abs(translations.determinant)
    return Vector3(
      volume / translations.b.cross(translations.c).length,
      volume / translations.c.cross(translations.a).length,
      volume / translations.a.cross(translations.b).length)
  }

  /// A Cartesian position moved by translations into the cell spanned by them.
  func wrapped(_ position: Vector3) -> Vector3 {
    let f = position * inverse
    var shift = Vector3.zero
    if periodicCount > 0 { shift.x = f.x.rounded(.down) }
    if periodicCount > 1 { shift.y = f.y.rounded(.down) }
    if periodicCount > 2 { shift.z = f.z.rounded(.down) }
    return position - shift * translations
  }
}
