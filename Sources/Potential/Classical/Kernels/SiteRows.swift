/// The neighbors of one atom, component by component in rows that are padded for vector loads.
///
/// A kernel reads distances and directions, writes the derivatives of the atom's energy, and may use
/// further rows as it likes. Padding lies beyond every cutoff.
struct SiteRows {
  /// The neighbors, without the padding.
  let count: Int
  /// From one row to the next; a multiple of 8.
  let stride: Int
  private let base: UnsafeMutablePointer<Double>

  /// The rows that every kernel has.
  static let sharedRowCount = 8
  /// The distance of the padding in Å.
  static let farAway = 1e8

  init(_ base: UnsafeMutablePointer<Double>, count: Int, stride: Int) {
    self.base = base
    self.count = count
    self.stride = stride
  }

  /// x components of the unit vectors to the neighbors.
  var x: UnsafeMutablePointer<Double> { base }
  /// y components.
  var y: UnsafeMutablePointer<Double> { base + stride }
  /// z components.
  var z: UnsafeMutablePointer<Double> { base + 2 * stride }
  /// Distances in Å.
  var distance: UnsafeMutablePointer<Double> { base + 3 * stride }
  /// Receives ∂E/∂x of every neighbor in eV/Å.
  var gradientX: UnsafeMutablePointer<Double> { base + 4 * stride }
  /// Receives ∂E/∂y.
  var gradientY: UnsafeMutablePointer<Double> { base + 5 * stride }
  /// Receives ∂E/∂z.
  var gradientZ: UnsafeMutablePointer<Double> { base + 6 * stride }
  /// The numbers 0, 1, 2 and so on.
  var numbers: UnsafeMutablePointer<Double> { base + 7 * stride }

  /// A row of the kernel's own.
  func row(_ number: Int) -> UnsafeMutablePointer<Double> {
    base + (Self.sharedRowCount + number) * stride
  }
}
