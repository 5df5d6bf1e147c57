import Foundation
import NumericalCore

/// Smeared distances from every atom to the atoms of every element, F_iB of the fingerprint.
struct FingerprintHistogram {
  let elements: [ChemicalElement]
  /// Atoms of each element.
  let counts: [Double]
  /// The cube root of the volume per atom in Å, after scaling.
  let spacing: Double
  private let types: [Int]
  private let bins: Int
  // Atom by atom, element by element, bin by bin.
  private var rows: [Double]

  init(_ structure: Structure, _ settings: StructureFingerprint.Settings) {
    elements = structure.distinctElements()
    let known = elements
    types = structure.species.map { element in known.firstIndex(of: element) ?? 0 }
    counts = known.map { element in Double(structure.species.count { $0 == element }) }
    bins = settings.binCount
    let isBulk = structure.periodicity == .full
    let volume = isBulk ? structure.volumePerAtom : 1
    let scale = isBulk ? settings.volumePerAtom.map { cbrt($0 / volume) } ?? 1 : 1
    let total = Double(structure.atomCount)
    let scaledVolume = total * volume * scale * scale * scale
    spacing = cbrt(scaledVolume / total)
    rows = [Double](repeating: 0, count: structure.atomCount * known.count * bins)

    let farthest = settings.farthestDistance(deviations: GaussianIntegral.reach)
    let list = NeighborList(structure, cutoff: farthest / scale)
    addDistances(list, scale, settings)
    normalize(volume: scaledVolume, settings.binWidth, subtract: isBulk ? 1 : 0)
  }

  // Both ends of a pair get the same number, so each pair is smeared once.
  private mutating func addDistances(
    _ list: NeighborList, _ scale: Double, _ settings: StructureFingerprint.Settings
  ) {
    let kinds = elements.count
    let width = settings.binWidth
    let (bins, types) = (bins, types)
    let eight = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
    // The integral up to the lower edge of every bin that a Gaussian reaches, and a vector's overhang.
    var integrals = [Double](repeating: 0, count: bins + 9)
    rows.withUnsafeMutableBufferPointer { rows in
      integrals.withUnsafeMutableBufferPointer { integrals in
        for i in 0..<list.atomCount {
          for place in list.neighbors(of: i) {
            let j = Int(list.indices[place])
            guard j >= i else { continue }
            let r = scale * list.displacements[place].length
            guard r > 0 else { continue }
            let weight = 1 / (4 * Double.pi * r * r)
            let smearing = settings.smearing(at: r)
            let reach = GaussianIntegral.reach * smearing
            let first = max(0, Int((r - reach) / width))
            let last = min(bins - 1, Int((r + reach) / width))
            guard first <= last else { continue }
            let (step, start) = (width / smearing, (Double(first) * width - r) / smearing)
            for edge in stride(from: 0, through: last + 1 - first, by: 8) {
              let values = GaussianIntegral.upTo(start + step * (Double(edge) + eight))
              for lane in 0..<8 { integrals[edge + lane] = weight * values[lane] }
            }
            let rowI = (i * kinds + types[j]) * bins + first
            let rowJ = (j * kinds + types[i]) * bins + first
            for bin in 0...last - first {
              let share = integrals[bin + 1] - integrals[bin]
              rows[rowI + bin] += share
              if i != j { rows[rowJ + bin] += share }
            }
          }
        }
      }
    }
  }

  private mutating func normalize(volume: Double, _ width: Double, subtract: Double) {
    for atom in types.indices {
      for kind in elements.indices {
        let factor = volume / (counts[kind] * width)
        let start = (atom * elements.count + kind) * bins
        for index in start..<start + bins { rows[index] = factor * rows[index] - subtract }
      }
    }
  }

  /// F_AB: the mean of F_iB over the atoms i of element A.
  func meanRow(from a: Int, to b: Int) -> [Double] {
    var mean = [Double](repeating: 0, count: bins)
    for atom in types.indices where types[atom] == a {
      let start = (atom * elements.count + b) * bins
      for bin in 0..<bins { mean[bin] += rows[start + bin] }
    }
    return mean.map { $0 / counts[a] }
  }

  /// Σ w_B F_iB² over bins and elements, w_B the fraction of atoms.
  func square(ofAtom atom: Int) -> Double {
    var sum = 0.0
    let total = Double(types.count)
    for kind in elements.indices {
      let start = (atom * elements.count + kind) * bins
      let squares = rows[start..<start + bins].reduce(0) { $0 + $1 * $1 }
      sum += counts[kind] / total * squares
    }
    return sum
  }
}

/// The integral of the normal distribution at eight places at once; cut off where 3×10⁻⁵ are left.
private enum GaussianIntegral {
  /// Beyond this many standard deviations the Gaussian is nothing.
  static let reach = 4.0

  /// The integral from −∞ to so many standard deviations, to 2×10⁻⁷.
  ///
  /// The error function after M. Abramowitz & I. A. Stegun, Handbook of Mathematical Functions (1964),
  /// equation 7.1.28: 1 − (1 + a₁x + … + a₆x⁶)⁻¹⁶.
  @inline(__always)
  static func upTo(_ deviations: SIMD8<Double>) -> SIMD8<Double> {
    let signed = deviations * SIMD8(repeating: 0.5.squareRoot())
    let isNegative = signed .< 0
    let x = signed.replacing(with: -signed, where: isNegative)
    var sum = SIMD8<Double>(repeating: 0.0000430638)
    sum = SIMD8(repeating: 0.0002765672).accumulating(sum, x)
    sum = SIMD8(repeating: 0.0001520143).accumulating(sum, x)
    sum = SIMD8(repeating: 0.0092705272).accumulating(sum, x)
    sum = SIMD8(repeating: 0.0422820123).accumulating(sum, x)
    sum = SIMD8(repeating: 0.0705230784).accumulating(sum, x)
    sum = SIMD8(repeating: 1).accumulating(sum, x)
    sum *= sum
    sum *= sum
    sum *= sum
    sum *= sum
    let rest = 0.5 / sum
    return (1 - rest).replacing(with: rest, where: isNegative)
  }
}
