/// What a neighbor's displacement changes: with G = dV/dM and the polynomials P_μ(u) = Σ_m G_{μ,m} uᵐ
/// the sums Σ_μ f'_μ P_μ and Σ_μ f_μ ∇P_μ of every neighbor.
///
/// P_μ = A_μ(x, y) + z B_μ(x, y), A and B of degree n and n − 1 (see `MomentLayout`): each is evaluated
/// by Horner's rule in y, its coefficients by Horner's rule in x, values and both derivatives together.
enum MomentGradient {
  /// Computes the sums of all neighbors.
  ///
  /// - Parameters:
  ///   - layout: Where the moments are.
  ///   - slots: The neighbors; receives derivatives.
  ///   - adjoints: G, by slot of the moments; those with c ≥ 2 folded onto the others.
  static func compute(_ layout: MomentLayout, _ slots: NeighborSlots, _ adjoints: LanePointer) {
    for place in 0..<slots.count &* NeighborSlots.derivativeStride {
      slots.derivatives[place] = .zero
    }
    let (ranks, even, odd) = (layout.ranks.span, layout.evenSlots.span, layout.oddSlots.span)
    for radial in 0..<ranks.count where ranks[radial] >= 0 {
      let rank = ranks[radial]
      let sweep = Sweep(
        slots: slots, radial: radial, even: adjoints + Int(even[radial]),
        odd: adjoints + Int(odd[radial]))
      switch rank {
      case 0: sweep.constant()
      case 1: sweep.linear()
      case 2: sweep.polynomial(Width<2>())
      case 3: sweep.polynomial(Width<3>())
      case 4: sweep.polynomial(Width<4>())
      case 5: sweep.polynomial(Width<5>())
      case 6: sweep.polynomial(Width<6>())
      case 7: sweep.polynomial(Width<7>())
      case 8: sweep.polynomial(Width<8>())
      case 9: sweep.polynomial(Width<9>())
      case 10: sweep.polynomial(Width<10>())
      default: sweep.any(rank)
      }
    }
  }

  /// Computes P_μ of all neighbors.
  ///
  /// - Parameters:
  ///   - layout: Where the moments are.
  ///   - slots: The neighbors.
  ///   - adjoints: As for `compute`.
  ///   - projections: Receives P₀, P₁, … of every slot.
  static func project(
    _ layout: MomentLayout, _ slots: NeighborSlots, _ adjoints: LanePointer,
    into projections: LanePointer
  ) {
    let (ranks, even, odd) = (layout.ranks.span, layout.evenSlots.span, layout.oddSlots.span)
    for radial in 0..<ranks.count {
      let rank = ranks[radial]
      var u = slots.geometry
      var target = projections + radial
      for _ in 0..<slots.count {
        if rank < 0 {
          target[0] = .zero
        } else {
          let a = polynomial(rank, adjoints + Int(even[radial]), u[0], u[1])
          target[0] =
            rank == 0
            ? a
            : a.accumulating(polynomial(rank - 1, adjoints + Int(odd[radial]), u[0], u[1]), u[2])
        }
        u += NeighborSlots.geometryStride
        target += slots.radialCount
      }
    }
  }

  // Horner's rule in y, the rows by Horner's rule in x.
  @inline(__always)
  private static func polynomial(
    _ degree: Int, _ coefficients: LanePointer, _ x: Lanes, _ y: Lanes
  ) -> Lanes {
    var c = coefficients
    var value = c[0]
    c += 1
    for length in 1..<max(1, degree &+ 1) {
      var row = c[0]
      for n in 1...length { row = c[n].accumulating(row, x) }
      value = row.accumulating(value, y)
      c += length &+ 1
    }
    return value
  }

  /// Two slots at once: enough independent sums to keep the processor busy.
  private struct Pair {
    var a: Lanes
    var b: Lanes

    @inline(__always)
    init(_ a: Lanes, _ b: Lanes) {
      self.a = a
      self.b = b
    }

    @inline(__always)
    init(_ both: Lanes) { self.init(both, both) }

    /// This times x plus c.
    @inline(__always)
    func times(_ x: Pair, plus c: Pair) -> Pair {
      Pair(c.a.accumulating(a, x.a), c.b.accumulating(b, x.b))
    }

    @inline(__always)
    static func * (p: Pair, q: Pair) -> Pair { Pair(p.a * q.a, p.b * q.b) }
  }

  /// A polynomial's value and derivatives with respect to x and y.
  private struct Jet {
    var value: Pair
    var x: Pair
    var y: Pair
  }

  private struct Sweep {
    let slots: NeighborSlots
    let radial: Int
    let even: LanePointer
    let odd: LanePointer

    func constant() {
      let g = even[0]
      for slot in 0..<slots.count {
        let slope = slots.slopes[slot &* slots.radialCount &+ radial]
        slots.derivatives[slot &* NeighborSlots.derivativeStride].accumulate(slope, g)
      }
    }

    func linear() {
      // c₀ y + c₁ x + c₂ in Horner's order: (y), then (x, 1).
      for slot in stride(from: 0, to: slots.count, by: 2) {
        let u = coordinates(slot)
        let a = Jet(
          value: Pair(even[0]).times(u.y, plus: Pair(even[1]).times(u.x, plus: Pair(even[2]))),
          x: Pair(even[1]), y: Pair(even[0]))
        let z = Pair(odd[0])
        add(slot, value: z.times(u.z, plus: a.value), x: a.x, y: a.y, z: z)
      }
    }

    @inline(never)
    func polynomial<let N: Int>(_: Width<N>) {
      for slot in stride(from: 0, to: slots.count, by: 2) {
        let u = coordinates(slot)
        let a = jet(N, even, u.x, u.y)
        let b = jet(N &- 1, odd, u.x, u.y)
        add(
          slot, value: b.value.times(u.z, plus: a.value), x: b.x.times(u.z, plus: a.x),
          y: b.y.times(u.z, plus: a.y), z: b.value)
      }
    }

    /// Any degree above 1.
    @inline(never)
    func any(_ degree: Int) {
      for slot in stride(from: 0, to: slots.count, by: 2) {
        let u = coordinates(slot)
        let a = jet(degree, even, u.x, u.y)
        let b = jet(degree - 1, odd, u.x, u.y)
        add(
          slot, value: b.value.times(u.z, plus: a.value), x: b.x.times(u.z, plus: a.x),
          y: b.y.times(u.z, plus: a.y), z: b.value)
      }
    }

    @inline(__always)
    private func coordinates(_ slot: Int) -> (x: Pair, y: Pair, z: Pair) {
      let u = slots.geometry + slot &* NeighborSlots.geometryStride
      let v = u + NeighborSlots.geometryStride
      return (Pair(u[0], v[0]), Pair(u[1], v[1]), Pair(u[2], v[2]))
    }

    // A polynomial of a degree of at least 1; its first two rows are written out, as nothing is above
    // them.
    @inline(__always)
    private func jet(_ degree: Int, _ coefficients: LanePointer, _ x: Pair, _ y: Pair) -> Jet {
      let top = Pair(coefficients[0])
      let slope = Pair(coefficients[1])
      var jet = Jet(
        value: top.times(y, plus: slope.times(x, plus: Pair(coefficients[2]))), x: slope, y: top)
      var c = coefficients + 3
      for length in 2..<max(2, degree &+ 1) {
        // The row of yᵇ, b = degree − length, is a polynomial of that length in x.
        var slope = Pair(c[0])
        var row = slope.times(x, plus: Pair(c[1]))
        c += 2
        for _ in 1..<length {
          slope = slope.times(x, plus: row)
          row = row.times(x, plus: Pair(c[0]))
          c += 1
        }
        jet.y = jet.y.times(y, plus: jet.value)
        jet.value = jet.value.times(y, plus: row)
        jet.x = jet.x.times(y, plus: slope)
      }
      return jet
    }

    @inline(__always)
    private func add(_ slot: Int, value: Pair, x: Pair, y: Pair, z: Pair) {
      let stride = slots.functionStride
      let f = slots.functions + (slot &* stride &+ 2 &* radial)
      let df = slots.slopes + (slot &* slots.radialCount &+ radial)
      let (f0, f1) = (f[0], f[stride])
      let (df0, df1) = (df[0], df[slots.radialCount])
      let sums = slots.derivatives + slot &* NeighborSlots.derivativeStride
      sums[0].accumulate(df0, value.a)
      sums[1].accumulate(f0, x.a)
      sums[2].accumulate(f0, y.a)
      sums[3].accumulate(f0, z.a)
      sums[4].accumulate(df1, value.b)
      sums[5].accumulate(f1, x.b)
      sums[6].accumulate(f1, y.b)
      sums[7].accumulate(f1, z.b)
    }
  }
}
