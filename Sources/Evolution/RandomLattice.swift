import Crystal
import Foundation
import NumericalCore

/// Random lattices of the conventional cell of a space group.
package enum RandomLattice {
  /// Largest ratio of two free lengths is e² ≈ 7; the rules on reduced cells cut further.
  private static let logarithmicSpread = 1.0

  /// Draws a lattice of the group's crystal system.
  ///
  /// - Returns: `nil` where the drawn angles make no cell.
  package static func lattice(
    group: Int, volume: Double, _ random: inout RandomStream
  ) -> Lattice? {
    func length(_ random: inout RandomStream) -> Double {
      exp(random.uniform(-logarithmicSpread, logarithmicSpread) * 0.5)
    }
    func angle(_ random: inout RandomStream) -> Double {
      .pi / 2 + random.uniform(-.pi / 6, .pi / 6)
    }
    let right = Double.pi / 2
    var lengths = Vector3(1, 1, 1)
    var angles = Vector3(right, right, right)
    switch group {
    case ...2:
      lengths = Vector3(length(&random), length(&random), length(&random))
      angles = Vector3(angle(&random), angle(&random), angle(&random))
    case ...15:
      lengths = Vector3(length(&random), length(&random), length(&random))
      angles.y = angle(&random)
    case ...74:
      lengths = Vector3(length(&random), length(&random), length(&random))
    case ...142:
      lengths.z = exp(random.uniform(-logarithmicSpread, logarithmicSpread))
    case ...194:
      lengths.z = exp(random.uniform(-logarithmicSpread, logarithmicSpread))
      angles.z = 2 * .pi / 3
    default: break
    }
    // Angles that make no cell are one more failed try.
    return try? Lattice(lengths: lengths, angles: angles).scaled(toVolume: volume)
  }
}
