import Crystal
import NumericalCore

/// The lattice vectors within a radius, shortest first, component by component and padded for
/// vector loads: the images that the pair sums of classical potentials run over.
struct LatticeTranslations {
  /// x components in Å, then the padding.
  private(set) var x: [Double] = []
  /// y components in Å, then the padding.
  private(set) var y: [Double] = []
  /// z components in Å, then the padding.
  private(set) var z: [Double] = []
  /// The lengths in Å, ascending, without the padding; the first is the null vector.
  private(set) var lengths: [Double] = []

  /// How many entries a vector load takes at once.
  static let width = 8

  /// Lists the lattice vectors no longer than a radius in Å.
  ///
  /// - Parameters:
  ///   - lattice: The lattice.
  ///   - periodicity: Vectors run along the repeating directions only.
  ///   - radius: The largest length in Å.
  init(of lattice: Lattice, periodicity: Periodicity, within radius: Double) {
    struct Entry {
      let squaredLength: Double
      let vector: Vector3
    }
    var entries: [Entry] = []
    let rows = lattice.vectors
    let limit = radius * radius
    // |n_a| ≤ R |a*| with the reciprocal vectors as the columns of the inverse; with directions left
    // out the bound only gets looser.
    let inverse = lattice.inverse.transposed
    let n1 = periodicity.a ? Int(radius * inverse.a.length) : 0
    let n2 = periodicity.b ? Int(radius * inverse.b.length) : 0
    let cc = rows.c.squaredLength
    for i in -n1...n1 {
      for j in -n2...n2 {
        let base = Double(i) * rows.a + Double(j) * rows.b
        // |base + k c|² ≤ R² bounds k from both sides.
        let middle = -base.dot(rows.c) / cc
        let discriminant = middle * middle - (base.squaredLength - limit) / cc
        guard discriminant >= 0 else { continue }
        let half = discriminant.squareRoot()
        let range =
          periodicity.c
          ? Int(
            (middle - half).rounded(.up))...max(
              Int((middle - half).rounded(.up)), Int((middle + half).rounded(.down))) : 0...0
        for k in range {
          let vector = base + Double(k) * rows.c
          let squaredLength = vector.squaredLength
          if squaredLength <= limit {
            entries.append(Entry(squaredLength: squaredLength, vector: vector))
          }
        }
      }
    }
    // Entries come in the order of (i, j, k); a stable order of equal lengths needs a tie-break.
    let order = entries.indices.sorted {
      (entries[$0].squaredLength, $0) < (entries[$1].squaredLength, $1)
    }
    let padded = (order.count / Self.width + 2) * Self.width
    x.reserveCapacity(padded)
    y.reserveCapacity(padded)
    z.reserveCapacity(padded)
    lengths.reserveCapacity(order.count)
    for index in order {
      x.append(entries[index].vector.x)
      y.append(entries[index].vector.y)
      z.append(entries[index].vector.z)
      lengths.append(entries[index].squaredLength.squareRoot())
    }
    // Padding lies beyond every cutoff, and its inverse powers stay finite.
    while x.count < padded {
      x.append(Self.farAway)
      y.append(Self.farAway)
      z.append(Self.farAway)
    }
  }

  /// A coordinate beyond every cutoff in Å.
  private static let farAway = 1e8

  /// The number of vectors no longer than a length in Å.
  ///
  /// - Complexity: O(log n)
  func count(within length: Double) -> Int {
    var low = 0
    var high = lengths.count
    while low < high {
      let middle = (low + high) / 2
      if lengths[middle] <= length { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
