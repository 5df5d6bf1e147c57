import Crystal
import Foundation
import NumericalCore

/// Moves that several operators share.
extension Draft {
  /// The structure strained as a lattice mutation does, a′ = (1 + ε) a, at the old volume.
  ///
  /// ε is symmetric, ε_ii and ε_ij/2 off the diagonal from N(0, σ), |ε| ≤ 1: C. W. Glass, A. R. Oganov &
  /// N. Hansen, Comput. Phys. Commun. 175, 713 (2006).
  ///
  /// - Returns: The strained draft with σ; `nil` where the cell would be too flat, too long or too skewed.
  func strained(
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> (draft: Draft, deviation: Double)? {
    let deviation = random.uniform(settings.smallestStrain, settings.largestStrain)
    func component(_ random: inout RandomStream) -> Double {
      while true {
        let value = deviation * random.normal()
        if abs(value) <= 1 { return value }
      }
    }
    let (xx, yy, zz) = (component(&random), component(&random), component(&random))
    let (xy, xz, yz) = (component(&random) / 2, component(&random) / 2, component(&random) / 2)
    let strain = Matrix3(rows: Vector3(xx, xy, xz), Vector3(xy, yy, yz), Vector3(xz, yz, zz))
    guard (Matrix3.identity + strain).determinant > 0.05,
      // A flat cell is one more failed try.
      let strained = try? lattice.strained(by: strain),
      let rescaled = try? strained.scaled(toVolume: lattice.volume),
      case let reduced = rescaled.niggliReduced(),
      CellShape.violation(of: reduced, settings) == nil
    else { return nil }
    var child = self
    child.positions = positions.map { rescaled.cartesian(lattice.fractional($0)) }
    child.lattice = reduced
    return (child, deviation)
  }

  /// Displaces the atoms by a standing wave, Δz = ρ cos(2πμx + θ) cos(2πηy + θ′), along one lattice
  /// vector with the phase along the two others.
  ///
  /// D. C. Lonie & E. Zurek, Comput. Phys. Commun. 182, 372 (2011), section 3.2.
  ///
  /// The wave numbers are 0, 1 or 2, not both 0.
  ///
  /// - Returns: ρ in words; `nil` where the wave only shifts the crystal.
  mutating func ripple(
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> String? {
    var axes = [0, 1, 2]
    random.shuffle(&axes)
    let amplitude = random.uniform(settings.smallestRipple, settings.largestRipple)
    let (mu, eta) = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (2, 2)][
      random.integer(below: 8)]
    let (first, second) = (random.uniform(), random.uniform())
    let direction = lattice.vectors[axes[2]] / lattice.vectors[axes[2]].length
    let heights = positions.map { position in
      let f = lattice.fractional(position)
      let x = mu == 0 ? 1 : cos(2 * .pi * (Double(mu) * f[axes[0]] + first))
      let y = eta == 0 ? 1 : cos(2 * .pi * (Double(eta) * f[axes[1]] + second))
      return amplitude * x * y
    }
    let spread = (heights.max() ?? 0) - (heights.min() ?? 0)
    guard spread > 0.1 * amplitude else { return nil }
    for (index, height) in heights.enumerated() { positions[index] += height * direction }
    return "ripple of \(amplitude.rounded(digits: 2)) Å"
  }

  /// Swaps U[1, n] pairs of unlike atoms, n being a share of the rarest element's atoms.
  ///
  /// - Returns: The number of swaps in words; `nil` where the species are as they were.
  mutating func swapUnlike(
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> String? {
    let rarest = composition.counts.min() ?? 1
    let most = max(1, Int((settings.largestSwapShare * Double(rarest)).rounded()))
    let old = species
    let swaps = random.integer(below: most) + 1
    for _ in 0..<swaps {
      let i = random.integer(below: species.count)
      let unlike = species.indices.filter { species[$0] != species[i] }
      guard !unlike.isEmpty else { return nil }
      species.swapAt(i, unlike[random.integer(below: unlike.count)])
    }
    return species == old ? nil : (swaps == 1 ? "1 swap" : "\(swaps) swaps")
  }

  /// Pushes atoms apart that are too close.
  ///
  /// - Returns: Whether all distances are allowed now.
  mutating func separate(_ settings: BreedingSettings, rounds: Int) -> Bool {
    distances(settings).separate(&positions, species, rounds: rounds)
  }
}
