import Crystal
import NumericalCore

/// Half of the wave vectors k = n₁a* + n₂b* + n₃c* within a radius, in rows along c*; of k and −k only
/// one is there, and k = 0 is not.
package struct WaveVectors {
  /// The wave vectors of one n₁ and n₂.
  package struct Row {
    /// n₁ ≥ 0.
    package let first: Int
    /// n₂.
    package let second: Int
    /// The smallest n₃; the others follow one by one.
    package let lowest: Int
    /// Where the row starts among all wave vectors.
    package let start: Int
    /// How many there are.
    package let count: Int
  }

  /// The rows.
  package private(set) var rows: [Row] = []
  /// How many wave vectors there are.
  package private(set) var count = 0
  /// The largest |n₁|, |n₂|, |n₃| that can occur.
  package let orders: (Int, Int, Int)
  /// The rows of a*, b*, c* with a·a* = 2π, in 1/Å.
  package let reciprocal: Matrix3

  /// Lists the wave vectors no longer than a cutoff in 1/Å.
  package init(_ lattice: Lattice, cutoff: Double) {
    reciprocal = (2 * Double.pi) * lattice.inverse.transposed
    // |n_i| = |k·a_i|/2π ≤ k_max |a_i|/2π
    let lengths = lattice.lengths
    let scale = cutoff / (2 * Double.pi)
    orders = (Int(scale * lengths.x), Int(scale * lengths.y), Int(scale * lengths.z))
    let limit = cutoff * cutoff
    let cc = reciprocal.c.squaredLength
    for n1 in 0...orders.0 {
      for n2 in (n1 == 0 ? 0 : -orders.1)...orders.1 {
        let planar = Double(n1) * reciprocal.a + Double(n2) * reciprocal.b
        let middle = -planar.dot(reciprocal.c) / cc
        let discriminant = middle * middle - (planar.squaredLength - limit) / cc
        guard discriminant >= 0 else { continue }
        let half = discriminant.squareRoot()
        let lowest =
          n1 == 0 && n2 == 0 ? 1 : max(-orders.2, Int((middle - half).rounded(.up)))
        let highest = min(orders.2, Int((middle + half).rounded(.down)))
        guard lowest <= highest else { continue }
        let number = highest - lowest + 1
        rows.append(
          Row(first: n1, second: n2, lowest: lowest, start: count, count: number))
        count += number
      }
    }
  }
}
