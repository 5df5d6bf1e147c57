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

    addDistances(structure, scale, settings)
    normalize(volume: scaledVolume, settings.binWidth, subtract: isBulk ? 1 : 0)
  }

  // Distances are first shared out to the nodes of a fine mesh, with the weights of a polynomial through
  // four of them; then the Gaussian of every node is added to all rows at once. That is the same as
  // reading the Gaussian of each distance from a table with as many entries.
  private mutating func addDistances(
    _ structure: Structure, _ scale: Double, _ settings: StructureFingerprint.Settings
  ) {
    let (kinds, types) = (elements.count, types)
    let blocks = (structure.atomCount * kinds + 7) / 8
    let farthest = settings.farthestDistance(deviations: GaussianIntegral.reach)
    let mesh = DistanceMesh(farthest: farthest, settings)
    var shares = [SIMD8<Double>](repeating: .zero, count: mesh.nodeCount * blocks)
    shares.withUnsafeMutableBytes { bytes in
      let shares = bytes.assumingMemoryBound(to: Double.self)
      NeighborList.forEachPair(in: structure, closerThan: farthest / scale) {
        i, j, squaredDistance in
        let square = scale * scale * squaredDistance
        guard square > 0 else { return }
        let (node, weights) = mesh.nodes(of: square.squareRoot())
        let shared = 1 / (4 * Double.pi * square) * weights
        var place = node * 8 * blocks
        let (one, other) = (i * kinds + types[j], j * kinds + types[i])
        for part in 0..<4 {
          shares[place + one] += shared[part]
          // An atom meets its own images twice.
          if i != j { shares[place + other] += shared[part] }
          place += 8 * blocks
        }
      }
    }
    // Bin by bin, all rows.
    var smeared = [SIMD8<Double>](repeating: .zero, count: bins * blocks)
    mesh.smear(shares, blocks: blocks, into: &smeared)
    smeared.withUnsafeBytes { bytes in
      let smeared = bytes.assumingMemoryBound(to: Double.self)
      for row in 0..<structure.atomCount * kinds {
        for bin in 0..<bins { rows[row * bins + bin] = smeared[bin * 8 * blocks + row] }
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

/// Equally spaced distances to which all others are shared out.
private struct DistanceMesh {
  /// A sixth of the least standard deviation: the Gaussian between two nodes is right to 6×10⁻⁵ of
  /// its height, hardly more than where it is cut off.
  private static let nodesPerDeviation = 6.0

  private let settings: StructureFingerprint.Settings
  private let step: Double
  /// Nodes from one step below zero to two beyond the farthest distance.
  let nodeCount: Int

  init(farthest: Double, _ settings: StructureFingerprint.Settings) {
    self.settings = settings
    step = settings.smearing / Self.nodesPerDeviation
    nodeCount = Int(farthest * (1 + 1e-9) / step) + 4
  }

  /// The first of the four nodes around a distance in Å, and their weights, the Lagrange polynomials.
  @inline(__always)
  func nodes(of distance: Double) -> (first: Int, weights: SIMD4<Double>) {
    let place = distance / step
    let first = Int(place)
    let t = place - Double(first)
    // The nodes are at −1, 0, 1 and 2.
    let (a, b, c) = (t + 1, t - 1, t - 2)
    let (outer, inner) = (1.0 / 6 * t * b, 0.5 * a * c)
    return (first, SIMD4(-outer * c, inner * b, -inner * t, outer * a))
  }

  /// Adds the Gaussians of all nodes, times their shares, to the bins.
  func smear(_ shares: [SIMD8<Double>], blocks: Int, into bins: inout [SIMD8<Double>]) {
    let width = settings.binWidth
    let binCount = settings.binCount
    let eight = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
    var integrals = [SIMD8<Double>](repeating: .zero, count: binCount / 8 + 2)
    for node in 0..<nodeCount {
      let start = node * blocks
      guard (start..<start + blocks).contains(where: { shares[$0] != .zero }) else { continue }
      let r = Double(node - 1) * step
      let smearing = settings.smearing(at: r)
      let reach = GaussianIntegral.reach * smearing
      let first = max(0, Int((r - reach) / width))
      let last = min(binCount - 1, Int((r + reach) / width))
      guard first <= last else { continue }
      let (scaledWidth, scaledStart) = (width / smearing, (Double(first) * width - r) / smearing)
      for block in 0...(last + 1 - first) / 8 {
        integrals[block] = GaussianIntegral.upTo(
          scaledStart + scaledWidth * (Double(8 * block) + eight))
      }
      for bin in first...last {
        let (low, high) = (bin - first, bin - first + 1)
        let share = SIMD8(
          repeating: integrals[high / 8][high & 7] - integrals[low / 8][low & 7])
        for block in 0..<blocks {
          bins[bin * blocks + block].accumulate(share, shares[start + block])
        }
      }
    }
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
