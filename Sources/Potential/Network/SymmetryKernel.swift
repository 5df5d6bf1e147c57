import Crystal
import NumericalCore

/// Symmetry functions of a block of central atoms of one species, one atom in each lane, and what the derivatives of the
/// energy with respect to them make of the neighbors' positions.
///
/// Exponentials of r_ij² are made once for each neighbor, those of r_jk² once for each pair; no pair takes a square
/// root, a division or a cosine.
struct SymmetryKernel {
  /// Memory of a block beside that of its slots.
  struct Memory {
    /// Values of all functions.
    let values: LanePointer
    /// dE/dG of all functions.
    let adjoints: LanePointer
    /// Numbers of the angular neighbors: `SymmetryProgram.slotStride` of each slot.
    let angular: LanePointer
    /// Numbers of pairs of angular neighbors: f_c(r_jk) with its slope, and exponentials of each shell.
    let pairs: LanePointer
    /// For how many pairs there is room.
    let pairCapacity: Int
  }

  let radialGroups: UnsafeBufferPointer<SymmetryProgram.RadialGroup>
  let radial: UnsafePointer<SymmetryProgram.Radial>
  let angularGroups: UnsafeBufferPointer<SymmetryProgram.AngularGroup>
  let shells: UnsafePointer<SymmetryProgram.Shell>
  let angular: UnsafePointer<SymmetryProgram.Angular>
  private let exponents: UnsafePointer<Double>
  let coefficients: UnsafePointer<Double>
  let firstCoefficients: UnsafePointer<Int>
  let fades: UnsafeBufferPointer<CutoffFade>
  let decays: UnsafeBufferPointer<Double>
  let norms: UnsafePointer<Double>
  let angularSlopes: UnsafePointer<Double>
  let q: UnsafePointer<Double>
  let count: Int
  let slotStride: Int

  /// Lends a program's lists to a kernel.
  static func with(_ program: SymmetryProgram, _ body: (SymmetryKernel) -> Void) {
    program.radialGroups.withUnsafeBufferPointer { radialGroups in
      program.radial.withUnsafeBufferPointer { radial in
        program.angularGroups.withUnsafeBufferPointer { angularGroups in
          program.shells.withUnsafeBufferPointer { shells in
            program.angular.withUnsafeBufferPointer { angular in
              withNumbers(program) {
                exponents, coefficients, places, fades, decays, norms, slopes, q in
                body(
                  SymmetryKernel(
                    radialGroups: radialGroups, radial: Self.base(radial),
                    angularGroups: angularGroups, shells: Self.base(shells),
                    angular: Self.base(angular), exponents: exponents, coefficients: coefficients,
                    firstCoefficients: places, fades: fades, decays: decays, norms: norms,
                    angularSlopes: slopes, q: q, count: program.count,
                    slotStride: program.slotStride))
              }
            }
          }
        }
      }
    }
  }

  private static func withNumbers(
    _ program: SymmetryProgram,
    _ body: (
      UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Int>,
      UnsafeBufferPointer<CutoffFade>, UnsafeBufferPointer<Double>, UnsafePointer<Double>,
      UnsafePointer<Double>, UnsafePointer<Double>
    ) -> Void
  ) {
    program.exponents.withUnsafeBufferPointer { exponents in
      program.coefficients.withUnsafeBufferPointer { coefficients in
        program.firstCoefficients.withUnsafeBufferPointer { places in
          program.fades.withUnsafeBufferPointer { fades in
            program.decays.withUnsafeBufferPointer { decays in
              program.norms.withUnsafeBufferPointer { norms in
                program.angularSlopes.withUnsafeBufferPointer { slopes in
                  CutoffFade.coefficients.withUnsafeBufferPointer { q in
                    body(
                      base(exponents), base(coefficients), base(places), fades, decays, base(norms),
                      base(slopes), base(q))
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  private static func base<Value>(_ list: UnsafeBufferPointer<Value>) -> UnsafePointer<Value> {
    guard let address = list.baseAddress else { preconditionFailure("arrays have an address") }
    return address
  }

  // MARK: Values

  /// Prepares a block's neighbors: of vectors r² and 1/r.
  static func measure(_ slots: NeighborSlots) {
    var u = slots.geometry
    for _ in 0..<slots.count {
      let (x, y, z) = (u[0], u[1], u[2])
      let square = (x * x).accumulating(y, y).accumulating(z, z)
      u[3] = square
      u[4] = Lanes(repeating: 1) / square.squareRoot()
      u += NeighborSlots.geometryStride
    }
  }

  /// Computes all functions of a block.
  ///
  /// - Parameters:
  ///   - near: The neighbors within the cutoff of radial functions, measured.
  ///   - nearEnds: Where those of each species end.
  ///   - close: The neighbors within the cutoff of angular functions, measured.
  ///   - closeEnds: Where those of each species end.
  ///   - memory: Receives values, and numbers of the angular neighbors.
  func values(
    _ near: NeighborSlots, _ nearEnds: UnsafePointer<Int>, _ close: NeighborSlots,
    _ closeEnds: UnsafePointer<Int>, _ memory: Memory
  ) {
    for k in 0..<count { memory.values[k] = .zero }
    for group in radialGroups {
      addRadial(group, near, Self.range(of: group.species, nearEnds), memory.values)
    }
    prepareAngular(close, memory.angular)
    for k in 0..<count { memory.values[k] *= Lanes(repeating: norms[k]) }
    var pairs = memory.pairs
    for group in angularGroups {
      if isPolynomial(group, close, memory) {
        addPolynomials(group, close, closeEnds, memory, &pairs)
      } else {
        addAngular(group, close, closeEnds, memory)
        for shell in group.shells {
          for function in shells[shell].functions {
            let output = angular[function].output
            memory.values[output] *= Lanes(repeating: norms[output])
          }
        }
      }
    }
  }

  static func range(of species: Int, _ ends: UnsafePointer<Int>) -> Range<Int> {
    (species == 0 ? 0 : ends[species - 1])..<ends[species]
  }

  private func addRadial(
    _ group: SymmetryProgram.RadialGroup, _ slots: NeighborSlots, _ range: Range<Int>,
    _ values: LanePointer
  ) {
    var u = slots.geometry + range.lowerBound &* NeighborSlots.geometryStride
    for _ in range {
      let square = u[3]
      let fade = group.fade.value(square, q)
      if group.isCentered {
        for place in group.functions {
          let function = radial[place]
          values[function.output].accumulate(
            vectorExponential(square * Lanes(repeating: function.factor)), fade)
        }
      } else {
        let r = square * u[4]
        for place in group.functions {
          let function = radial[place]
          let x = r - Lanes(repeating: function.center)
          values[function.output].accumulate(
            vectorExponential(x * x * Lanes(repeating: function.factor)), fade)
        }
      }
      u += NeighborSlots.geometryStride
    }
  }

  func prepareAngular(_ slots: NeighborSlots, _ numbers: LanePointer) {
    var (u, n) = (slots.geometry, numbers)
    for _ in 0..<slots.count {
      let square = u[3]
      for (place, fade) in fades.enumerated() {
        let (value, slope) = fade.values(square, q)
        n[2 &* place] = value
        n[2 &* place &+ 1] = slope
      }
      for (place, factor) in decays.enumerated() {
        n[2 &* fades.count &+ place] = vectorExponential(square * Lanes(repeating: factor))
      }
      u += NeighborSlots.geometryStride
      n += slotStride
    }
  }

  /// (1 ± cos θ)^{ζ−1} and (1 ± cos θ)^ζ of all exponents of a group: four numbers for each ζ.
  @inline(__always)
  func powers(
    _ cosine: Lanes, _ group: SymmetryProgram.AngularGroup,
    _ lower: inout InlineArray<16, Lanes>, _ upper: inout InlineArray<16, Lanes>
  ) {
    let one = Lanes(repeating: 1)
    let (plus, minus) = (one + cosine, one - cosine)
    var place = 0
    for exponent in group.exponents {
      let (p, m) = Self.powers(plus, minus, exponents[exponent])
      lower[place] = p
      lower[place &+ 1] = m
      upper[place] = p * plus
      upper[place &+ 1] = m * minus
      place &+= 2
    }
  }

  @inline(__always)
  private static func powers(
    _ plus: Lanes, _ minus: Lanes, _ exponent: Double
  ) -> (Lanes, Lanes) {
    if exponent == 0 { return (Lanes(repeating: 1), Lanes(repeating: 1)) }
    if exponent == 1 { return (plus, minus) }
    if exponent == 3 { return (plus * plus * plus, minus * minus * minus) }
    return (power(plus, exponent), power(minus, exponent))
  }

  @inline(never)
  private static func power(_ base: Lanes, _ exponent: Double) -> Lanes {
    guard exponent.rounded() == exponent else {
      var result = Lanes.zero
      for lane in 0..<laneCount where base[lane] > 0 {
        result[lane] = exponential(exponent * logarithm(base[lane]))
      }
      return result
    }
    var (result, square, left) = (Lanes(repeating: 1), base, Int(exponent))
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }

  private func addAngular(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory
  ) {
    let firsts = Self.range(of: group.first, ends)
    let seconds = Self.range(of: group.second, ends)
    let fade = fades[group.fade]
    let limit = Lanes(repeating: fade.cutoff * fade.cutoff)
    let stride = NeighborSlots.geometryStride
    var lower = InlineArray<16, Lanes>(repeating: .zero)
    var upper = InlineArray<16, Lanes>(repeating: .zero)
    for j in firsts {
      let u = slots.geometry + j &* stride
      let n = memory.angular + j &* slotStride
      let (xj, yj, zj, squareJ, inverseJ) = (u[0], u[1], u[2], u[3], u[4])
      let fadeJ = n[2 &* group.fade]
      for k in (group.first == group.second ? j &+ 1 : seconds.lowerBound)..<seconds.upperBound {
        let v = slots.geometry + k &* stride
        let m = memory.angular + k &* slotStride
        let dot = (xj * v[0]).accumulating(yj, v[1]).accumulating(zj, v[2])
        var weight = fadeJ * m[2 &* group.fade]
        let square = squareJ + v[3] - (dot + dot)
        if !group.isWide {
          guard square.isAnyLess(than: limit) else { continue }
          weight *= fade.value(square, q)
        }
        powers(dot * inverseJ * v[4], group, &lower, &upper)
        for place in group.shells {
          let shell = shells[place]
          let decay = 2 &* fades.count &+ shell.decay
          var size = weight * n[decay] * m[decay]
          if !group.isWide {
            size *= vectorExponential(square * Lanes(repeating: shell.factor))
          }
          for function in shell.functions {
            let angular = angular[function]
            memory.values[angular.output].accumulate(size, upper[angular.power])
          }
        }
      }
    }
  }

  // MARK: Derivatives

  /// Computes what the neighbors' positions do to a block's energies.
  ///
  /// - Parameters:
  ///   - near: As for `values`; receive ∂E/∂r in their derivatives.
  ///   - nearEnds: Where those of each species end.
  ///   - close: As for `values`; receive ∂E/∂r, too.
  ///   - closeEnds: Where those of each species end.
  ///   - memory: The adjoints dE/dG are read, and changed.
  func derivatives(
    _ near: NeighborSlots, _ nearEnds: UnsafePointer<Int>, _ close: NeighborSlots,
    _ closeEnds: UnsafePointer<Int>, _ memory: Memory
  ) {
    Self.clear(near)
    Self.clear(close)
    for group in radialGroups {
      differentiateRadial(group, near, Self.range(of: group.species, nearEnds), memory.adjoints)
    }
    var pairs = memory.pairs
    for group in angularGroups {
      if isPolynomial(group, close, memory) {
        differentiatePolynomials(group, close, closeEnds, memory, &pairs)
      } else {
        for shell in group.shells {
          for function in shells[shell].functions {
            let output = angular[function].output
            memory.adjoints[output] *= Lanes(repeating: norms[output])
          }
        }
        differentiateAngular(group, close, closeEnds, memory)
      }
    }
  }

  private static func clear(_ slots: NeighborSlots) {
    for place in 0..<slots.count &* NeighborSlots.derivativeStride {
      slots.derivatives[place] = .zero
    }
  }

  /// Whether a group is summed as polynomials of cos θ, and its pairs are kept.
  private func isPolynomial(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ memory: Memory
  ) -> Bool {
    group.degree > 0 && slots.count &* (slots.count &+ 1) <= 2 &* memory.pairCapacity
  }

  private func differentiateRadial(
    _ group: SymmetryProgram.RadialGroup, _ slots: NeighborSlots, _ range: Range<Int>,
    _ adjoints: LanePointer
  ) {
    var u = slots.geometry + range.lowerBound &* NeighborSlots.geometryStride
    var sums = slots.derivatives + range.lowerBound &* NeighborSlots.derivativeStride
    for _ in range {
      let square = u[3]
      let (fade, slope) = group.fade.values(square, q)
      // dE/d(r²) = Σ w exp(…) (f_c′ + (…)′ f_c).
      var (along, decaying) = (Lanes.zero, Lanes.zero)
      if group.isCentered {
        for place in group.functions {
          let function = radial[place]
          let factor = Lanes(repeating: function.factor)
          let term = adjoints[function.output] * vectorExponential(square * factor)
          along += term
          decaying.accumulate(term, factor)
        }
      } else {
        let r = square * u[4]
        for place in group.functions {
          let function = radial[place]
          let factor = Lanes(repeating: function.factor)
          let x = r - Lanes(repeating: function.center)
          let term = adjoints[function.output] * vectorExponential(x * x * factor)
          along += term
          // d(x²)/d(r²) = x/r.
          decaying.accumulate(term, factor * x * u[4])
        }
      }
      let twice = (along * slope).accumulating(decaying, fade)
      let both = twice + twice
      sums[0] += both * u[0]
      sums[1] += both * u[1]
      sums[2] += both * u[2]
      u += NeighborSlots.geometryStride
      sums += NeighborSlots.derivativeStride
    }
  }

  private func differentiateAngular(
    _ group: SymmetryProgram.AngularGroup, _ slots: NeighborSlots, _ ends: UnsafePointer<Int>,
    _ memory: Memory
  ) {
    let firsts = Self.range(of: group.first, ends)
    let seconds = Self.range(of: group.second, ends)
    let fade = fades[group.fade]
    let limit = Lanes(repeating: fade.cutoff * fade.cutoff)
    let (stride, sumStride) = (NeighborSlots.geometryStride, NeighborSlots.derivativeStride)
    var lower = InlineArray<16, Lanes>(repeating: .zero)
    var upper = InlineArray<16, Lanes>(repeating: .zero)
    for j in firsts {
      let u = slots.geometry + j &* stride
      let n = memory.angular + j &* slotStride
      let (xj, yj, zj, squareJ, inverseJ) = (u[0], u[1], u[2], u[3], u[4])
      let (fadeJ, slopeJ) = (n[2 &* group.fade], n[2 &* group.fade &+ 1])
      var (gx, gy, gz) = (Lanes.zero, Lanes.zero, Lanes.zero)
      for k in (group.first == group.second ? j &+ 1 : seconds.lowerBound)..<seconds.upperBound {
        let v = slots.geometry + k &* stride
        let m = memory.angular + k &* slotStride
        let (xk, yk, zk, squareK, inverseK) = (v[0], v[1], v[2], v[3], v[4])
        let dot = (xj * xk).accumulating(yj, yk).accumulating(zj, zk)
        let square = squareJ + squareK - (dot + dot)
        if !group.isWide {
          guard square.isAnyLess(than: limit) else { continue }
        }
        let cosine = dot * inverseJ * inverseK
        powers(cosine, group, &lower, &upper)
        // Σ w A, Σ w A (−η), Σ w A ζλ/(1 + λ cos θ), without the cutoffs.
        var (sum, decaying, turning) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for place in group.shells {
          let shell = shells[place]
          let decay = 2 &* fades.count &+ shell.decay
          var size = n[decay] * m[decay]
          if !group.isWide {
            size *= vectorExponential(square * Lanes(repeating: shell.factor))
          }
          var (total, turn) = (Lanes.zero, Lanes.zero)
          for function in shell.functions {
            let angular = angular[function]
            let adjoint = memory.adjoints[angular.output]
            total.accumulate(adjoint, upper[angular.power])
            turn.accumulate(
              adjoint * Lanes(repeating: angularSlopes[angular.output]), lower[angular.power])
          }
          total *= size
          sum += total
          decaying.accumulate(total, Lanes(repeating: shell.factor))
          turning.accumulate(turn, size)
        }
        let (fadeK, slopeK) = (m[2 &* group.fade], m[2 &* group.fade &+ 1])
        var (far, slopeFar) = (Lanes(repeating: 1), Lanes.zero)
        if !group.isWide { (far, slopeFar) = fade.values(square, q) }
        let pull = Self.pull(
          Pair(sum: sum, decaying: decaying, turning: turning, far: far, slopeFar: slopeFar),
          fadeJ, slopeJ, fadeK, slopeK, inverseJ, inverseK, cosine, isWide: group.isWide)
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
  }

  /// What a pair of neighbors contributes to an energy: Σ w A, Σ w A (−η) and Σ w dA/d(cos θ) without cutoffs, and those of
  /// r_jk with their slope.
  struct Pair {
    let sum: Lanes
    let decaying: Lanes
    let turning: Lanes
    let far: Lanes
    let slopeFar: Lanes
  }

  /// How a pair pulls at its neighbors: ∂E/∂r_j = own_j r_j + cross r_k, and the same for k.
  ///
  /// With cos θ = r_j · r_k/(r_j r_k) and r_jk² = r_j² + r_k² − 2 r_j · r_k.
  @inline(__always)
  static func pull(
    _ pair: Pair, _ fadeJ: Lanes, _ slopeJ: Lanes, _ fadeK: Lanes, _ slopeK: Lanes,
    _ inverseJ: Lanes, _ inverseK: Lanes, _ cosine: Lanes, isWide: Bool
  ) -> (ownJ: Lanes, ownK: Lanes, cross: Lanes) {
    // dE/d(r_ij²), dE/d(r_ik²), dE/d(r_jk²) and dE/d(cos θ).
    let alongJ = (pair.sum * slopeJ).accumulating(pair.decaying, fadeJ) * fadeK * pair.far
    let alongK = (pair.sum * slopeK).accumulating(pair.decaying, fadeK) * fadeJ * pair.far
    let both = fadeJ * fadeK
    var between = Lanes.zero
    if !isWide {
      between = (pair.sum * pair.slopeFar).accumulating(pair.decaying, pair.far) * both
    }
    let turn = pair.turning * both * pair.far
    let common = turn * cosine
    let two = Lanes(repeating: 2)
    return (
      (alongJ + between) * two - common * inverseJ * inverseJ,
      (alongK + between) * two - common * inverseK * inverseK,
      turn * (inverseJ * inverseK) - (between + between)
    )
  }
}
