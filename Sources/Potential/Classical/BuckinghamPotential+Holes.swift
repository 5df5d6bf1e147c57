import Crystal
import NumericalCore

extension BuckinghamPotential {
  /// Where a pair's energy has a barrier at short range with an unphysical hole behind it.
  public struct Hole: Sendable, Hashable {
    /// One element.
    public let first: ChemicalElement
    /// The other element.
    public let second: ChemicalElement
    /// The distance of the barrier in Å: pairs that are closer have fallen into the hole.
    public let barrierDistance: Double
    /// How far the energy falls behind the barrier, in eV.
    public let depth: Double
  }

  /// The holes of all pairs.
  ///
  /// With C > 0 the dispersion term wins at short range, unless the wall is high enough. Structures in a hole have energies that no crystal can have.
  ///
  /// - Parameter depth: Barriers with a shallower hole behind them are not counted, in eV.
  /// - Returns: By elements, at most one for each pair.
  public func holes(deeperThan depth: Double = 1) -> [Hole] {
    var found: [Hole] = []
    for (i, first) in elements.enumerated() {
      for (j, second) in elements.enumerated() where j >= i {
        let pair = table[i * elements.count + j]
        let product = PhysicalConstants.coulomb * elementCharges[i] * elementCharges[j]
        if pair.isZero && product == 0 { continue }
        if let hole = hole(pair, product, deeperThan: depth) {
          found.append(
            Hole(
              first: first, second: second, barrierDistance: hole.distance, depth: hole.depth))
        }
      }
    }
    return found
  }

  private func hole(
    _ pair: ShortRangePair, _ product: Double, deeperThan depth: Double
  ) -> (distance: Double, depth: Double)? {
    let step = 0.002
    func energy(_ index: Int) -> Double {
      let r = Double(index) * step
      return pair.sum(at: r) + product / r
    }
    // Inward from 2.5 Å: the first local maximum with a deep enough fall behind it.
    var best = energy(1250)
    var bestIndex = 1250
    var lowest = best
    var hasRisen = false
    var isHole = false
    for index in stride(from: 1249, through: 50, by: -1) {
      let value = energy(index)
      if value > best || (!hasRisen && value <= best) {
        hasRisen = hasRisen || value > best
        best = value
        bestIndex = index
        lowest = value
      } else {
        lowest = min(lowest, value)
        // A wall makes the energy rise again; the outermost barrier counts.
        if hasRisen && best - lowest > depth { isHole = true }
        if isHole && value > lowest { break }
      }
    }
    guard isHole else { return nil }
    return (Double(bestIndex) * step, best - lowest)
  }
}

extension ShortRangePair {
  /// u(r) without cutoff, in eV.
  func sum(at r: Double) -> Double {
    let i6 = 1 / (r * r * r * r * r * r)
    let exponential = vectorExponential(SIMD8(repeating: negativeInverseLength * r))[0]
    return amplitude * exponential - dispersion * i6 + wall * i6 * i6
  }
}
