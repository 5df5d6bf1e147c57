import Crystal
import NumericalCore

/// The repulsion of every pair of a potential's species.
struct RepulsionTable: Sendable {
  private let pairs: [RepulsionPair]
  private let speciesCount: Int
  /// The largest outer radius in Å.
  let reach: Double

  /// Prepares the pairs.
  ///
  /// - Parameters:
  ///   - repulsion: Where it begins and ends.
  ///   - elements: The element of each species.
  init(_ repulsion: ShortRangeRepulsion, _ elements: [ChemicalElement]) {
    pairs = elements.flatMap { a in elements.map { b in RepulsionPair(repulsion, a, b) } }
    speciesCount = elements.count
    reach = repulsion.widest(of: elements)?.radius ?? 0
  }

  /// Adds what some neighbors contribute to the derivatives of a block's energies: half of every pair, as
  /// the other half belongs to the neighbor.
  ///
  /// - Parameters:
  ///   - slots: Neighbors with distances; the radial derivatives receive V'/2.
  ///   - range: Which slots, of one neighbor species.
  ///   - pair: The number of the pair of species.
  ///   - energies: V/2 in eV is added.
  @inline(__always)
  func add(
    _ slots: NeighborSlots, _ range: Range<Int>, pair: Int, to energies: inout Lanes
  ) {
    pairs.withUnsafeBufferPointer { pairs in
      let limit = pairs[pair].outer
      var closest = Lanes(repeating: limit)
      for slot in range {
        let r = slots.geometry[slot &* NeighborSlots.geometryStride &+ 3]
        closest = Lanes.smaller(closest, r)
      }
      // Hardly ever is a neighbor so near.
      guard closest.least < limit else { return }
      for slot in range {
        let r = slots.geometry[slot &* NeighborSlots.geometryStride &+ 3]
        guard r.least < limit else { continue }
        let (energy, slope) = Self.halves(pairs[pair], r)
        energies += energy
        slots.derivatives[slot &* NeighborSlots.derivativeStride] += slope
      }
    }
  }

  /// The same for neighbors with r² and 1/r in their geometry, whose derivatives are ∂E/∂r.
  func addGradients(
    _ slots: NeighborSlots, _ range: Range<Int>, pair: Int, to energies: inout Lanes
  ) {
    let pair = pairs[pair]
    let limit = Lanes(repeating: pair.outer * pair.outer)
    for slot in range {
      let u = slots.geometry + slot &* NeighborSlots.geometryStride
      guard u[3].isAnyLess(than: limit) else { continue }
      let (energy, slope) = Self.halves(pair, u[3] * u[4])
      energies += energy
      let factor = slope * u[4]
      let sums = slots.derivatives + slot &* NeighborSlots.derivativeStride
      for c in 0..<3 { sums[c].accumulate(factor, u[c]) }
    }
  }

  @inline(never)
  private static func halves(_ pair: RepulsionPair, _ r: Lanes) -> (energy: Lanes, slope: Lanes) {
    let half = Lanes(repeating: 0.5)
    #if POLYMORPH_FOUR_LANES
      let (energy, slope) = pair.evaluate(SIMD8(lowHalf: r, highHalf: r))
      return (half * energy.lowHalf, half * slope.lowHalf)
    #else
      let (energy, slope) = pair.evaluate(r)
      return (half * energy, half * slope)
    #endif
  }

  /// The repulsion of a whole structure, pair after pair.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - species: The species of each atom.
  /// - Returns: Energy in eV, forces in eV/Å, stress in eV/Å³.
  func evaluation(of structure: Structure, species: [Int]) -> Evaluation {
    let list = NeighborList(structure, cutoff: reach)
    var energy = 0.0
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    var virial = Matrix3.zero
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let (j, d) = (Int(list.indices[place]), list.displacements[place])
        let r = d.length
        let pair = pairs[species[i] * speciesCount + species[j]]
        guard r < pair.outer else { continue }
        let (value, slope) = pair.values(at: r)
        energy += 0.5 * value
        let gradient = (0.5 * slope / r) * d
        forces[i] += gradient
        forces[j] -= gradient
        virial += Matrix3.outer(gradient, d)
      }
    }
    return Evaluation(
      energy: energy, forces: forces, virial: virial.symmetrized, of: structure)
  }
}
