import NumericalCore

// What small displacements do to symmetry functions: the derivative of a loss of forces with respect to a network's
// weights asks for the change of the functions along the errors of the forces.
extension SymmetryKernel {
  /// How all functions of a block change with displacements of the neighbors.
  ///
  /// - Parameters:
  ///   - near: As for `values`; the displacements in Å relative to the central atoms are where derivatives are otherwise.
  ///   - nearEnds: Where those of each species end.
  ///   - close: As for `values`, with displacements, too.
  ///   - closeEnds: Where those of each species end.
  ///   - memory: Receives numbers of the angular neighbors; its values and pairs are left alone.
  ///   - changes: Receives one vector for each function.
  func tangents(
    _ near: NeighborSlots, _ nearEnds: UnsafePointer<Int>, _ close: NeighborSlots,
    _ closeEnds: UnsafePointer<Int>, _ memory: Memory, into changes: LanePointer
  ) {
    for k in 0..<count { changes[k] = .zero }
    for group in radialGroups {
      addRadialTangents(group, near, Self.range(of: group.species, nearEnds), changes)
    }
    prepareAngular(close, memory.angular)
    for group in angularGroups {
      if group.degree > 0 {
        addPolynomialTangents(group, close, closeEnds, memory, changes)
      } else {
        addAngularTangents(group, close, closeEnds, memory, changes)
        for shell in group.shells {
          for function in shells[shell].functions {
            let output = angular[function].output
            changes[output] *= Lanes(repeating: norms[output])
          }
        }
      }
    }
  }

  /// The change of r².
  @inline(__always)
  private static func growth(_ u: LanePointer, _ displacement: LanePointer) -> Lanes {
    let along =
      (u[0] * displacement[0]).accumulating(u[1], displacement[1])
      .accumulating(u[2], displacement[2])
    return along + along
  }

  private func addRadialTangents(
    _ group: SymmetryProgram.RadialGroup, _ slots: NeighborSlots, _ range: Range<Int>,
    _ changes: LanePointer
  ) {
    var u = slots.geometry + range.lowerBound &* NeighborSlots.geometryStride
    var displacement = slots.derivatives + range.lowerBound &* NeighborSlots.derivativeStride
    for _ in range {
      let square = u[3]
      let growth = Self.growth(u, displacement)
      let (fade, slope) = group.fade.values(square, q)
      let (fading, kept) = (slope * growth, fade * growth)
      if group.isCentered {
        for place in group.functions {
          let function = radial[place]
          let factor = Lanes(repeating: function.factor)
          changes[function.output].accumulate(
            vectorExponential(square * factor), fading.accumulating(kept, factor))
        }
      } else {
        let r = square * u[4]
        for place in group.functions {
          let function = radial[place]
          let factor = Lanes(repeating: function.factor)
          let x = r - Lanes(repeating: function.center)
          changes[function.output].accumulate(
            vectorExponential(x * x * factor), fading.accumulating(kept, factor * x * u[4]))
        }
      }
      u += NeighborSlots.geometryStride
      displacement += NeighborSlots.derivativeStride
    }
  }

  /// A pair of neighbors and how it changes.
  private struct MovingPair {
    /// The cutoffs' product, and its change.
    let weight: Lanes
    let weightChange: Lanes
    /// r_jk².
    let square: Lanes
    /// The change of the exponent of a shell with −η = 1.
    let spread: Lanes
    let cosine: Lanes
    let turn: Lanes
  }

  /// Calls a closure with every pair of a group that is near enough, and the places of its neighbors.
  @inline(__always)
  private func forEachPair(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ body: (MovingPair, _ n: LanePointer, _ m: LanePointer) -> Void
  ) {
    let firsts = Self.range(of: group.first, ends)
    let seconds = Self.range(of: group.second, ends)
    let fade = fades[group.fade]
    let limit = Lanes(repeating: fade.cutoff * fade.cutoff)
    let (stride, moveStride) = (NeighborSlots.geometryStride, NeighborSlots.derivativeStride)
    let fadePlace = 2 &* group.fade
    let half = Lanes(repeating: 0.5)
    for j in firsts {
      let u = slots.geometry + j &* stride
      let a = slots.derivatives + j &* moveStride
      let n = memory.angular + j &* slotStride
      let (fadeJ, slopeJ) = (n[fadePlace], n[fadePlace &+ 1])
      let growthJ = Self.growth(u, a)
      let shrinkJ = half * growthJ * u[4] * u[4]
      for k in (group.first == group.second ? j &+ 1 : seconds.lowerBound)..<seconds.upperBound {
        let v = slots.geometry + k &* stride
        let b = slots.derivatives + k &* moveStride
        let m = memory.angular + k &* slotStride
        let dot = (u[0] * v[0]).accumulating(u[1], v[1]).accumulating(u[2], v[2])
        let square = u[3] + v[3] - (dot + dot)
        if !group.isWide { guard square.isAnyLess(than: limit) else { continue } }
        let dotChange =
          (u[0] * b[0]).accumulating(u[1], b[1]).accumulating(u[2], b[2])
          .accumulating(v[0], a[0]).accumulating(v[1], a[1]).accumulating(v[2], a[2])
        let growthK = Self.growth(v, b)
        let between = growthJ + growthK - (dotChange + dotChange)
        let (fadeK, slopeK) = (m[fadePlace], m[fadePlace &+ 1])
        var weight = fadeJ * fadeK
        var weightChange = (slopeJ * growthJ * fadeK).accumulating(slopeK * growthK, fadeJ)
        var spread = growthJ + growthK
        if !group.isWide {
          let (far, slopeFar) = fade.values(square, q)
          weightChange = (weightChange * far).accumulating(weight * slopeFar, between)
          weight *= far
          spread += between
        }
        let inverse = u[4] * v[4]
        let cosine = dot * inverse
        let turn = dotChange * inverse - cosine * (half * growthK * v[4] * v[4] + shrinkJ)
        body(
          MovingPair(
            weight: weight, weightChange: weightChange, square: square, spread: spread,
            cosine: cosine, turn: turn), n, m)
      }
    }
  }

  /// exp(−η (…)) of a shell.
  @inline(__always)
  private func size(
    of shell: SymmetryProgram.Shell, _ pair: MovingPair, _ n: LanePointer, _ m: LanePointer,
    isWide: Bool
  ) -> Lanes {
    let decay = 2 &* fades.count &+ shell.decay
    let size = n[decay] * m[decay]
    return isWide ? size : size * vectorExponential(pair.square * Lanes(repeating: shell.factor))
  }

  private func addAngularTangents(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ changes: LanePointer
  ) {
    var lower = InlineArray<16, Lanes>(repeating: .zero)
    var upper = InlineArray<16, Lanes>(repeating: .zero)
    forEachPair(group, slots, ends, memory) { pair, n, m in
      powers(pair.cosine, group, &lower, &upper)
      for place in group.shells {
        let shell = shells[place]
        let size = size(of: shell, pair, n, m, isWide: group.isWide)
        let factor = Lanes(repeating: shell.factor)
        let swelling = size * pair.weightChange.accumulating(pair.weight * pair.spread, factor)
        let turning = size * pair.weight * pair.turn
        for function in shell.functions {
          let angular = angular[function]
          changes[angular.output].accumulate(swelling, upper[angular.power])
          changes[angular.output].accumulate(
            turning * Lanes(repeating: angularSlopes[angular.output]), lower[angular.power])
        }
      }
    }
  }

  private func addPolynomialTangents(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ changes: LanePointer
  ) {
    switch (group.shells.count, group.degree) {
    case (1, 4): addTangents(group, slots, ends, memory, changes, Moments<1, 5>(.zero))
    case (2, 4): addTangents(group, slots, ends, memory, changes, Moments<2, 5>(.zero))
    case (3, 4): addTangents(group, slots, ends, memory, changes, Moments<3, 5>(.zero))
    default:
      for shell in group.shells {
        addTangents(group.alone(shell), slots, ends, memory, changes, Moments<1, 9>(.zero))
      }
    }
  }

  @inline(__always)
  private func addTangents<let shellCount: Int, let powerCount: Int>(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory, _ changes: LanePointer, _ start: Moments<shellCount, powerCount>
  ) {
    // The changes of M_n = Σ A cosⁿ θ: Σ (Ȧ cosⁿ θ + A n cosⁿ⁻¹ θ d cos θ).
    var moments = start
    forEachPair(group, slots, ends, memory) { pair, n, m in
      var swelling = InlineArray<shellCount, Lanes>(repeating: .zero)
      var turning = InlineArray<shellCount, Lanes>(repeating: .zero)
      for s in 0..<shellCount {
        let shell = shells[group.shells.lowerBound &+ s]
        let size = size(of: shell, pair, n, m, isWide: group.isWide)
        let factor = Lanes(repeating: shell.factor)
        swelling[s] = size * pair.weightChange.accumulating(pair.weight * pair.spread, factor)
        turning[s] = size * pair.weight * pair.turn
        moments.values[s][0] += swelling[s]
      }
      var (before, power) = (Lanes(repeating: 1), pair.cosine)
      for p in 1..<powerCount {
        let slope = before * Lanes(repeating: Double(p))
        for s in 0..<shellCount {
          moments.values[s][p].accumulate(swelling[s], power)
          moments.values[s][p].accumulate(turning[s], slope)
        }
        before = power
        power *= pair.cosine
      }
    }
    for s in 0..<shellCount {
      for function in shells[group.shells.lowerBound &+ s].functions {
        let c = coefficients + firstCoefficients[function]
        var change = Lanes.zero
        for p in 0..<min(powerCount, group.degree &+ 1) {
          change.accumulate(moments.values[s][p], Lanes(repeating: c[p]))
        }
        changes[angular[function].output] = change
      }
    }
  }
}
