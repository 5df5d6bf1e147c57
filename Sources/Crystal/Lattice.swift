import Foundation
import NumericalCore

/// Three independent lattice vectors in Å, the **rows** a, b, c of a matrix: r = fᵀ L.
public struct Lattice: Sendable, Hashable {
  /// The lattice vectors as rows, in Å.
  public let vectors: Matrix3
  /// The inverse of `vectors`, in 1/Å: f = rᵀ L⁻¹.
  public let inverse: Matrix3

  /// Creates a lattice from its vectors.
  ///
  /// - Parameter vectors: Rows a, b, c in Å; left-handed lattices are allowed.
  /// - Throws: `CrystalError.singularLattice` where they are dependent or not finite.
  public init(_ vectors: Matrix3) throws(CrystalError) {
    guard vectors.isFinite else { throw .singularLattice("a component is not finite") }
    let scale = vectors.a.length * vectors.b.length * vectors.c.length
    guard abs(vectors.determinant) > 1e-10 * scale, let inverse = vectors.inverse, inverse.isFinite
    else { throw .singularLattice("the vectors \(Self.text(vectors)) span no volume") }
    self.vectors = vectors
    self.inverse = inverse
  }

  /// Creates a lattice from lengths in Å and angles in radians: a along x, b in the xy plane.
  ///
  /// - Throws: `CrystalError.singularLattice` where no such cell exists.
  public init(
    lengths: Vector3, angles: Vector3
  ) throws(CrystalError) {
    let (ca, cb, cg) = (cos(angles.x), cos(angles.y), cos(angles.z))
    let sg = sin(angles.z)
    let cx = cb
    let cy = (ca - cb * cg) / sg
    let square = 1 - cx * cx - cy * cy
    guard lengths.x > 0, lengths.y > 0, lengths.z > 0, square > 0 else {
      throw .singularLattice(
        "no cell has lengths \(Self.text(lengths)) and angles \(Self.text(180 / Double.pi * angles))"
      )
    }
    try self.init(
      Matrix3(
        rows: Vector3(lengths.x, 0, 0), lengths.y * Vector3(cg, sg, 0),
        lengths.z * Vector3(cx, cy, square.squareRoot())))
  }

  private static func text(_ vectors: Matrix3) -> String {
    [vectors.a, vectors.b, vectors.c].map(text).joined(separator: ", ")
  }

  private static func text(_ vector: Vector3) -> String {
    "(\(vector.x) \(vector.y) \(vector.z))"
  }

  /// The volume in Å³, positive.
  public var volume: Double { abs(vectors.determinant) }

  /// The lengths of a, b, c in Å.
  public var lengths: Vector3 {
    Vector3(vectors.a.length, vectors.b.length, vectors.c.length)
  }

  /// The angles α (b, c), β (a, c), γ (a, b) in radians.
  public var angles: Vector3 {
    func angle(_ u: Vector3, _ v: Vector3) -> Double {
      acos(max(-1, min(1, u.dot(v) / (u.length * v.length))))
    }
    return Vector3(
      angle(vectors.b, vectors.c), angle(vectors.a, vectors.c), angle(vectors.a, vectors.b))
  }

  /// The distances in Å between opposite faces of the cell: volume over face area.
  public var heights: Vector3 {
    Vector3(
      volume / vectors.b.cross(vectors.c).length, volume / vectors.c.cross(vectors.a).length,
      volume / vectors.a.cross(vectors.b).length)
  }

  /// The Cartesian position in Å of a fractional one.
  @inlinable
  public func cartesian(_ fractional: Vector3) -> Vector3 { fractional * vectors }

  /// The fractional position of a Cartesian one in Å.
  @inlinable
  public func fractional(_ cartesian: Vector3) -> Vector3 { cartesian * inverse }

  /// The lattice after a homogeneous deformation r → r (1 + ε).
  ///
  /// - Throws: `CrystalError.singularLattice` where the deformation flattens the cell.
  public func strained(by strain: Matrix3) throws(CrystalError) -> Lattice {
    try Lattice(vectors * (Matrix3.identity + strain))
  }

  /// The lattice of the same shape with another volume in Å³.
  ///
  /// - Throws: `CrystalError.singularLattice` where the volume is not positive and finite.
  public func scaled(toVolume target: Double) throws(CrystalError) -> Lattice {
    try Lattice(cbrt(target / volume) * vectors)
  }
}

extension Lattice: ByteCodable {
  /// Appends the vectors.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(vectors) }

  /// Reads the vectors.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let vectors = try decoder.decode(Matrix3.self)
    do { try self.init(vectors) } catch { throw .invalid(error.description) }
  }
}
