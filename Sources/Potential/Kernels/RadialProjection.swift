/// Derivatives of site energies with respect to radial coefficients, ∂V/∂c_{sμi} = Σ_j φ_i(r_j) P_μ(u_j) over
/// the neighbors of species s: P_μ are the polynomials whose gradients are the forces
/// (`MomentGradient`), so these rows cost little more than the energies.
struct RadialProjection {
  let radialBasis: RadialBasis
  let radialCount: Int
  let speciesCount: Int
  /// Σ_j φ_i P_μ: species slow, then μ, then i.
  let sums: LanePointer
  private let phi: LanePointer
  private let projections: LanePointer

  /// The number of sums.
  var count: Int { speciesCount * radialCount * radialBasis.size }

  /// How many vectors of memory are needed.
  static func demand(_ radialBasis: RadialBasis, radialCount: Int, speciesCount: Int) -> Int {
    speciesCount * radialCount * radialBasis.size
      + NeighborSlots.chunk * (radialBasis.size + radialCount)
  }

  init(_ radialBasis: RadialBasis, radialCount: Int, speciesCount: Int, memory: LanePointer) {
    self.radialBasis = radialBasis
    self.radialCount = radialCount
    self.speciesCount = speciesCount
    sums = memory
    phi = sums + speciesCount * radialCount * radialBasis.size
    projections = phi + NeighborSlots.chunk * radialBasis.size
  }

  /// Sets all sums to zero.
  func clear() {
    for place in 0..<count { sums[place] = .zero }
  }

  /// Computes what `add` needs of a chunk of slots.
  func prepare(_ layout: MomentLayout, _ slots: NeighborSlots, _ adjoints: LanePointer) {
    MomentGradient.project(layout, slots, adjoints, into: projections)
    let rate = 2 / (radialBasis.cutoff - radialBasis.minimumDistance)
    let middle = 0.5 * (radialBasis.cutoff + radialBasis.minimumDistance)
    for slot in 0..<slots.count {
      let r = slots.geometry[slot &* NeighborSlots.geometryStride &+ 3]
      let beyond = r - radialBasis.cutoff
      let weight = beyond * beyond * radialBasis.scaling
      let xi = (r - middle) * rate
      let twice = xi + xi
      let target = phi + slot &* radialBasis.size
      // Chebyshev polynomials by their recurrence, times the weight.
      var (before, now) = (weight, weight * xi)
      for i in 0..<radialBasis.size {
        target[i] = before
        (before, now) = (now, (-before).accumulating(twice, now))
      }
    }
  }

  /// Adds slots of the chunk whose neighbors are of one species.
  func add(_ range: Range<Int>, species: Int) {
    let size = radialBasis.size
    for mu in 0..<radialCount {
      let target = sums + (species &* radialCount &+ mu) &* size
      var i = 0
      while i < size {
        // Four sums at once; the last ones may be computed twice.
        let first = size < 4 ? i : min(i, size &- 4)
        if size < 4 {
          addOne(range, mu, i, target)
          i &+= 1
        } else {
          addFour(range, mu, first, skipping: i &- first, target)
          i = first &+ 4
        }
      }
    }
  }

  @inline(__always)
  private func addOne(_ range: Range<Int>, _ mu: Int, _ i: Int, _ target: LanePointer) {
    var sum = target[i]
    for slot in range {
      sum.accumulate(
        projections[slot &* radialCount &+ mu], phi[slot &* radialBasis.size &+ i])
    }
    target[i] = sum
  }

  @inline(__always)
  private func addFour(
    _ range: Range<Int>, _ mu: Int, _ first: Int, skipping: Int, _ target: LanePointer
  ) {
    var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for slot in range {
      let p = projections[slot &* radialCount &+ mu]
      let f = phi + (slot &* radialBasis.size &+ first)
      s0.accumulate(p, f[0])
      s1.accumulate(p, f[1])
      s2.accumulate(p, f[2])
      s3.accumulate(p, f[3])
    }
    if skipping < 1 { target[first] += s0 }
    if skipping < 2 { target[first &+ 1] += s1 }
    if skipping < 3 { target[first &+ 2] += s2 }
    target[first &+ 3] += s3
  }
}
