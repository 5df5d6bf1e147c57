import Crystal
import Foundation
import NumericalCore

/// A parent prepared for cutting.
struct CutParent {
  let vectors: Matrix3
  let fractional: [Vector3]
  /// Places in the child's composition; `nil` for elements that the child does not hold.
  let species: [Int?]
  /// Numbers per atom, more is better, each relative to the mean of its element.
  let qualities: [Double]?
  let isEnergy: Bool
  let id: Int
  let volumePerAtom: Double

  /// Prepares a parent.
  ///
  /// Site energies and orders of different elements lie far apart, so that a slab would be chosen for
  /// what it holds and not for how well it is built: every number is taken relative to its element's
  /// mean.
  init(_ parent: Parent, _ elements: [ChemicalElement]) {
    let lattice = parent.structure.lattice.niggliReduced()
    vectors = lattice.vectors
    species = parent.structure.species.map { elements.firstIndex(of: $0) }
    fractional = parent.structure.positions.map(lattice.fractional)
    qualities = parent.measure.qualities.map { Self.relative($0, parent.structure.species) }
    if case .siteEnergies = parent.measure { isEnergy = true } else { isEnergy = false }
    id = parent.id
    volumePerAtom = parent.structure.volumePerAtom
  }

  private init(
    _ vectors: Matrix3, _ fractional: [Vector3], _ species: [Int?], _ qualities: [Double]?,
    like other: CutParent
  ) {
    self.vectors = vectors
    self.fractional = fractional
    self.species = species
    self.qualities = qualities
    isEnergy = other.isEnergy
    id = other.id
    volumePerAtom = other.volumePerAtom
  }

  private static func relative(_ values: [Double], _ species: [ChemicalElement]) -> [Double] {
    var result = values
    for element in Set(species) {
      let atoms = species.indices.filter { species[$0] == element }
      let mean = atoms.reduce(0) { $0 + values[$1] } / Double(atoms.count)
      for atom in atoms { result[atom] -= mean }
    }
    return result
  }

  /// The same crystal with its axes named in another order.
  func withAxes(_ order: [Int]) -> CutParent {
    CutParent(
      Matrix3(rows: vectors[order[0]], vectors[order[1]], vectors[order[2]]),
      fractional.map { Vector3($0[order[0]], $0[order[1]], $0[order[2]]) }, species, qualities,
      like: self)
  }

  /// The parent as a cell of about as many atoms as the child: several cells in one where it is much
  /// smaller, a part of its cell where it is much larger, so that atoms keep their distances.
  func fitted(to atomCount: Int, _ random: inout RandomStream) -> CutParent {
    let ratio = Double(atomCount) / Double(species.count)
    var fitted = self
    if ratio >= 1.5 {
      for factor in Self.factors(of: Int(ratio.rounded())) { fitted = fitted.repeated(factor) }
    } else if ratio <= 1 / 1.5 {
      for factor in Self.factors(of: Int((1 / ratio).rounded())) {
        fitted = fitted.part(factor, &random)
      }
    }
    return fitted
  }

  private static func factors(of number: Int) -> [Int] {
    var (left, factor, factors) = (number, 2, [Int]())
    while left > 1 {
      while left % factor == 0 {
        factors.append(factor)
        left /= factor
      }
      factor += 1
    }
    return factors.reversed()
  }

  /// Several cells along the shortest axis as one.
  private func repeated(_ times: Int) -> CutParent {
    let axis = (0..<3).min { vectors[$0].length < vectors[$1].length } ?? 0
    var large = vectors
    large[axis] = Double(times) * vectors[axis]
    let moved = (0..<times).flatMap { copy in
      fractional.map { f in
        var g = f
        g[axis] = (f[axis] + Double(copy)) / Double(times)
        return g
      }
    }
    return CutParent(
      large, moved, (0..<times).flatMap { _ in species },
      qualities.map { values in (0..<times).flatMap { _ in values } }, like: self)
  }

  /// A slice of the cell along the longest axis as a cell of its own.
  private func part(_ parts: Int, _ random: inout RandomStream) -> CutParent {
    let axis = (0..<3).max { vectors[$0].length < vectors[$1].length } ?? 0
    let start = random.uniform()
    var small = vectors
    small[axis] = vectors[axis] / Double(parts)
    var kept: [Int] = []
    var moved: [Vector3] = []
    for (atom, f) in fractional.enumerated() {
      var g = f
      g[axis] -= start
      g[axis] = (g[axis] - g[axis].rounded(.down)) * Double(parts)
      guard g[axis] < 1 else { continue }
      kept.append(atom)
      moved.append(g)
    }
    return CutParent(
      small, moved, kept.map { species[$0] }, qualities.map { values in kept.map { values[$0] } },
      like: self)
  }

  /// The atoms shifted at random and whether each lies in the slab [0, share) of its period.
  ///
  /// Of a few shifts, the one that brings better atoms is likelier.
  func cut(
    axis: Int, share: Double, periods: Int, keepsSlab: Bool, bias: Double,
    _ random: inout RandomStream
  ) -> (fractional: [Vector3], isKept: [Bool]) {
    let trials = qualities == nil ? 1 : 6
    var best: [([Vector3], [Bool])] = []
    var means: [Double] = []
    for _ in 0..<trials {
      let shift = random.fractionalPoint()
      let moved = fractional.map { ($0 + shift).map { $0 - $0.rounded(.down) } }
      let isKept = moved.map { f in
        let phase = f[axis] * Double(periods)
        return (phase - phase.rounded(.down) < share) == keepsSlab
      }
      var sum = 0.0
      var count = 0
      if let qualities {
        for (kept, quality) in zip(isKept, qualities) where kept {
          sum += quality
          count += 1
        }
      }
      best.append((moved, isKept))
      means.append(count > 0 ? sum / Double(count) : -.infinity)
    }
    let top = means.max() ?? 0
    // p ∝ exp(−⟨E⟩/bias) for site energies; for orders, which have no scale of their own, the
    // spread of the trials takes the place of the bias.
    let finite = means.filter(\.isFinite)
    let spread = max(1e-9, top - (finite.min() ?? top))
    let scale = isEnergy ? bias : 0.5 * spread
    let weights = means.map { $0.isFinite ? exp(($0 - top) / scale) : 0 }
    return best[random.index(weights: weights) ?? 0]
  }
}
