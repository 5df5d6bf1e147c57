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
    let integral = GaussianIntegral()
    let (bins, types) = (bins, types)
    rows.withUnsafeMutableBufferPointer { rows in
      for i in 0..<list.atomCount {
        for place in list.neighbors(of: i) {
          let j = Int(list.indices[place])
          guard j >= i else { continue }
          let r = scale * list.displacements[place].length
          guard r > 0 else { continue }
          let weight = 1 / (4 * Double.pi * r * r)
          let smearing = settings.smearing(at: r)
          let perSmearing = 1 / smearing
          let reach = GaussianIntegral.reach * smearing
          let first = max(0, Int((r - reach) / width))
          let last = min(bins - 1, Int((r + reach) / width))
          guard first <= last else { continue }
          let rowI = (i * kinds + types[j]) * bins
          let rowJ = (j * kinds + types[i]) * bins
          var below = integral(upTo: (Double(first) * width - r) * perSmearing)
          for bin in first...last {
            let above = integral(upTo: (Double(bin + 1) * width - r) * perSmearing)
            let share = weight * (above - below)
            rows[rowI + bin] += share
            if i != j { rows[rowJ + bin] += share }
            below = above
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

/// The integral of the normal distribution by cubic interpolation in a table, ten times faster than the
/// error function; cut off where 3×10⁻⁵ are left.
private struct GaussianIntegral {
  /// Beyond this many standard deviations the Gaussian is nothing.
  static let reach = Double(limit)
  // Value and slope per step, alternating.
  private let table = Self.standard

  private static let steps = 128
  private static let limit = 4

  private static let standard: [Double] = (0...2 * limit * steps).flatMap { index -> [Double] in
    let t = Double(index - limit * steps) / Double(steps)
    return [
      0.5 * (1 + errorFunction(t / 2.0.squareRoot())),
      exp(-0.5 * t * t) / (2 * Double.pi).squareRoot() / Double(steps),
    ]
  }

  /// The integral from −∞ to so many standard deviations.
  @inline(__always)
  func callAsFunction(upTo x: Double) -> Double {
    guard x > -Self.reach else { return 0 }
    guard x < Self.reach else { return 1 }
    let place = (x + Self.reach) * Double(Self.steps)
    let index = min(Int(place), 2 * Self.limit * Self.steps - 1)
    let s = place - Double(index)
    return table.withUnsafeBufferPointer { table in
      let (f0, d0) = (table[2 * index], table[2 * index + 1])
      let (f1, d1) = (table[2 * index + 2], table[2 * index + 3])
      let rise = f1 - f0
      return f0 + s * (d0 + s * ((3 * rise - 2 * d0 - d1) + s * (d0 + d1 - 2 * rise)))
    }
  }
}
