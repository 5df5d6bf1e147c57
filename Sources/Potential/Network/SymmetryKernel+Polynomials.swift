import NumericalCore

// With integer ζ a function is a polynomial of cos θ: Σ_n c_n Σ_{j<k} A_jk cosⁿ θ. What pairs contribute are the few sums
// M_n = Σ A cosⁿ θ of each η, whatever the number of functions, and in the derivatives one polynomial for each η.
extension SymmetryKernel {
  /// Sums of a group's shells.
  func addPolynomials(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer
  ) {
    switch (group.shells.count, group.degree) {
    case (1, 4): sum(group, slots, ends, memory, &pairs, Moments<1, 5>(.zero))
    case (2, 4): sum(group, slots, ends, memory, &pairs, Moments<2, 5>(.zero))
    case (3, 4): sum(group, slots, ends, memory, &pairs, Moments<3, 5>(.zero))
    case (1, 1...8): sum(group, slots, ends, memory, &pairs, Moments<1, 9>(.zero))
    default: sumShells(group, slots, ends, memory, &pairs)
    }
  }

  /// What pairs do to the neighbors' positions.
  func differentiatePolynomials(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer
  ) {
    switch (group.shells.count, group.degree) {
    case (1, 4): differentiate(group, slots, ends, memory, &pairs, Moments<1, 5>(.zero))
    case (2, 4): differentiate(group, slots, ends, memory, &pairs, Moments<2, 5>(.zero))
    case (3, 4): differentiate(group, slots, ends, memory, &pairs, Moments<3, 5>(.zero))
    case (1, 1...8): differentiate(group, slots, ends, memory, &pairs, Moments<1, 9>(.zero))
    default: differentiateShells(group, slots, ends, memory, &pairs)
    }
  }

  /// Numbers of some shells and powers, in registers where there are few.
  struct Moments<let shellCount: Int, let powerCount: Int> {
    var values: InlineArray<shellCount, InlineArray<powerCount, Lanes>>

    @inline(__always)
    init(_ value: Lanes) {
      values = .init(repeating: .init(repeating: value))
    }
  }

  // Shell after shell, as groups of one.
  private func sumShells(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer
  ) {
    for shell in group.shells {
      sum(group.alone(shell), slots, ends, memory, &pairs, Moments<1, 9>(.zero))
    }
  }

  private func differentiateShells(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer
  ) {
    for shell in group.shells {
      differentiate(group.alone(shell), slots, ends, memory, &pairs, Moments<1, 9>(.zero))
    }
  }

  @inline(__always)
  private func sum<let shellCount: Int, let powerCount: Int>(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer, _ start: Moments<shellCount, powerCount>
  ) {
    var moments = start
    let firsts = Self.range(of: group.first, ends)
    let seconds = Self.range(of: group.second, ends)
    let fade = fades[group.fade]
    let limit = Lanes(repeating: fade.cutoff * fade.cutoff)
    let (isWide, isSame) = (group.isWide, group.first == group.second)
    let stride = NeighborSlots.geometryStride
    let fadePlace = 2 &* group.fade
    let firstDecay = 2 &* fades.count
    var decayPlaces = InlineArray<shellCount, Int>(repeating: 0)
    var factors = InlineArray<shellCount, Lanes>(repeating: .zero)
    for s in 0..<shellCount {
      let shell = shells[group.shells.lowerBound &+ s]
      decayPlaces[s] = firstDecay &+ shell.decay
      factors[s] = Lanes(repeating: shell.factor)
    }
    var pair = pairs
    for j in firsts {
      let u = slots.geometry + j &* stride
      let n = memory.angular + j &* slotStride
      let (xj, yj, zj, squareJ, inverseJ) = (u[0], u[1], u[2], u[3], u[4])
      let fadeJ = n[fadePlace]
      for k in (isSame ? j &+ 1 : seconds.lowerBound)..<seconds.upperBound {
        let v = slots.geometry + k &* stride
        let m = memory.angular + k &* slotStride
        let dot = (xj * v[0]).accumulating(yj, v[1]).accumulating(zj, v[2])
        var weight = fadeJ * m[fadePlace]
        let square = squareJ + v[3] - (dot + dot)
        if !isWide {
          guard square.isAnyLess(than: limit) else { continue }
          let (far, slope) = fade.values(square, q)
          weight *= far
          pair[0] = far
          pair[1] = slope
        }
        let cosine = dot * inverseJ * v[4]
        for s in 0..<shellCount {
          var size = n[decayPlaces[s]] * m[decayPlaces[s]]
          if !isWide { size *= vectorExponential(square * factors[s]) }
          pair[2 &+ s] = size
          var term = size * weight
          for p in 0..<powerCount {
            moments.values[s][p] += term
            if p &+ 1 < powerCount { term *= cosine }
          }
        }
        pair += 2 &+ shellCount
      }
    }
    pairs = pair
    for s in 0..<shellCount {
      for function in shells[group.shells.lowerBound &+ s].functions {
        let c = coefficients + firstCoefficients[function]
        var value = Lanes.zero
        for p in 0..<min(powerCount, group.degree &+ 1) {
          value.accumulate(moments.values[s][p], Lanes(repeating: c[p]))
        }
        memory.values[angular[function].output] = value
      }
    }
  }

  @inline(__always)
  private func differentiate<let shellCount: Int, let powerCount: Int>(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ pairs: inout LanePointer, _ start: Moments<shellCount, powerCount>
  ) {
    // The polynomial of each shell: Σ dE/dG c_n.
    var polynomials = start
    for s in 0..<shellCount {
      for function in shells[group.shells.lowerBound &+ s].functions {
        let c = coefficients + firstCoefficients[function]
        let adjoint = memory.adjoints[angular[function].output]
        for p in 0..<min(powerCount, group.degree &+ 1) {
          polynomials.values[s][p].accumulate(adjoint, Lanes(repeating: c[p]))
        }
      }
    }
    let firsts = Self.range(of: group.first, ends)
    let seconds = Self.range(of: group.second, ends)
    let fade = fades[group.fade]
    let limit = Lanes(repeating: fade.cutoff * fade.cutoff)
    let (isWide, isSame) = (group.isWide, group.first == group.second)
    let (stride, sumStride) = (NeighborSlots.geometryStride, NeighborSlots.derivativeStride)
    let fadePlace = 2 &* group.fade
    var factors = InlineArray<shellCount, Lanes>(repeating: .zero)
    for s in 0..<shellCount {
      factors[s] = Lanes(repeating: shells[group.shells.lowerBound &+ s].factor)
    }
    var pair = pairs
    for j in firsts {
      let u = slots.geometry + j &* stride
      let n = memory.angular + j &* slotStride
      let (xj, yj, zj, squareJ, inverseJ) = (u[0], u[1], u[2], u[3], u[4])
      let (fadeJ, slopeJ) = (n[fadePlace], n[fadePlace &+ 1])
      var (gx, gy, gz) = (Lanes.zero, Lanes.zero, Lanes.zero)
      for k in (isSame ? j &+ 1 : seconds.lowerBound)..<seconds.upperBound {
        let v = slots.geometry + k &* stride
        let m = memory.angular + k &* slotStride
        let (xk, yk, zk, squareK, inverseK) = (v[0], v[1], v[2], v[3], v[4])
        let dot = (xj * xk).accumulating(yj, yk).accumulating(zj, zk)
        if !isWide {
          let square = squareJ + squareK - (dot + dot)
          guard square.isAnyLess(than: limit) else { continue }
        }
        let cosine = dot * inverseJ * inverseK
        var (sum, decaying, turning) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for s in 0..<shellCount {
          var value = polynomials.values[s][powerCount &- 1]
          var slope = Lanes.zero
          for p in 1..<powerCount {
            slope = value.accumulating(slope, cosine)
            value = polynomials.values[s][powerCount &- 1 &- p].accumulating(value, cosine)
          }
          let size = pair[2 &+ s]
          let total = value * size
          sum += total
          decaying.accumulate(total, factors[s])
          turning.accumulate(slope, size)
        }
        let (fadeK, slopeK) = (m[fadePlace], m[fadePlace &+ 1])
        let (far, slopeFar) = isWide ? (Lanes(repeating: 1), Lanes.zero) : (pair[0], pair[1])
        pair += 2 &+ shellCount
        let pull = Self.pull(
          Pair(sum: sum, decaying: decaying, turning: turning, far: far, slopeFar: slopeFar),
          fadeJ, slopeJ, fadeK, slopeK, inverseJ, inverseK, cosine, isWide: isWide)
        gx += (pull.ownJ * xj).accumulating(pull.cross, xk)
        gy += (pull.ownJ * yj).accumulating(pull.cross, yk)
        gz += (pull.ownJ * zj).accumulating(pull.cross, zk)
        let sums = slots.derivatives + k &* sumStride
        sums[0] += (pull.ownK * xk).accumulating(pull.cross, xj)
        sums[1] += (pull.ownK * yk).accumulating(pull.cross, yj)
        sums[2] += (pull.ownK * zk).accumulating(pull.cross, zj)
      }
      let sums = slots.derivatives + j &* sumStride
      sums[0] += gx
      sums[1] += gy
      sums[2] += gz
    }
    pairs = pair
  }
}
