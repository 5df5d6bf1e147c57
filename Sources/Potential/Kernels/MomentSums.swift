/// Sums over neighbors: the moments with z-power 0 and 1.
///
/// With g = f_μ or z f_μ every sum is Σ_j g_j xᵃ yᵇ. Degree by degree a + b these are an outer product of
/// few functions with few monomials; the sums stay in registers while all neighbors stream by, and the
/// monomials of the next degree are made in place.
enum MomentSums {
  /// Adds some neighbors to all sums.
  ///
  /// - Parameters:
  ///   - layout: Where the moments go.
  ///   - slots: The neighbors: geometry and functions; their monomials are used up.
  ///   - values: The moments; has room for one more than `layout.slotCount`.
  static func add(_ layout: MomentLayout, _ slots: NeighborSlots, to values: LanePointer) {
    let tiles = layout.tiles.span
    layout.targets.withUnsafeBufferPointer { targets in
      guard let firstTarget = targets.baseAddress else { return }
      for degree in 0..<tiles.count {
        let tile = tiles[degree]
        var sweep = Sweep(
          slots: slots, function: 0, advances: false, values: values,
          targets: firstTarget + tile.firstTarget)
        var left = tile.functionCount
        // As many functions at once as registers allow.
        let width = degree + 1
        let most = width > 11 ? 1 : min(width > 3 ? 6 : 8, 28 / width)
        while left > 0 {
          let count = min(left, most)
          left -= count
          sweep.advances = left == 0 && degree < layout.largestDegree
          sweep.run(monomials: width, functions: count)
          sweep.function += count
          sweep.targets += count * width
        }
      }
    }
  }

  /// What one pass over the neighbors needs.
  private struct Sweep {
    let slots: NeighborSlots
    var function: Int
    /// Whether the monomials of the next degree are made.
    var advances: Bool
    let values: LanePointer
    var targets: UnsafePointer<Int32>

    func run(monomials: Int, functions: Int) {
      switch monomials {
      case 1: many(functions, Width<1>())
      case 2: many(functions, Width<2>())
      case 3: many(functions, Width<3>())
      case 4: some(functions, Width<4>())
      case 5: some(functions, Width<5>())
      case 6: some(functions, Width<6>())
      case 7: some(functions, Width<7>())
      case 8: few(functions, Width<8>())
      case 9: few(functions, Width<9>())
      case 10: few(functions, Width<10>())
      case 11: few(functions, Width<11>())
      default: single(monomials)
      }
    }

    private func many<let M: Int>(_ functions: Int, _ width: Width<M>) {
      switch functions {
      case 8: tile(Width<8>(), width)
      case 7: tile(Width<7>(), width)
      default: some(functions, width)
      }
    }

    private func some<let M: Int>(_ functions: Int, _ width: Width<M>) {
      switch functions {
      case 6: tile(Width<6>(), width)
      case 5: tile(Width<5>(), width)
      case 4: tile(Width<4>(), width)
      default: few(functions, width)
      }
    }

    private func few<let M: Int>(_ functions: Int, _ width: Width<M>) {
      switch functions {
      case 3: tile(Width<3>(), width)
      case 2: tile(Width<2>(), width)
      default: tile(Width<1>(), width)
      }
    }

    private func tile<let F: Int, let M: Int>(_: Width<F>, _: Width<M>) {
      var sums = InlineArray<F, InlineArray<M, Lanes>>(repeating: .init(repeating: .zero))
      var g = slots.functions + function
      var p = slots.monomials
      var u = slots.geometry
      for _ in 0..<slots.count {
        for f in 0..<F {
          let value = g[f]
          for m in 0..<M { sums[f][m].accumulate(value, p[m]) }
        }
        if advances {
          let (x, y) = (u[0], u[1])
          p[M] = p[M &- 1] * y
          for m in 0..<M { p[m] = p[m] * x }
        }
        g += slots.functionStride
        p += slots.monomialStride
        u += NeighborSlots.geometryStride
      }
      for f in 0..<F {
        for m in 0..<M { values[Int(targets[f &* M &+ m])] += sums[f][m] }
      }
    }

    // Ranks beyond those of any level: one function, the sums in memory.
    private func single(_ monomials: Int) {
      for slot in 0..<slots.count {
        let value = slots.functions[slot * slots.functionStride + function]
        let p = slots.monomials + slot * slots.monomialStride
        for m in 0..<monomials { values[Int(targets[m])].accumulate(value, p[m]) }
        guard advances else { continue }
        let u = slots.geometry + slot * NeighborSlots.geometryStride
        p[monomials] = p[monomials - 1] * u[1]
        for m in 0..<monomials { p[m] = p[m] * u[0] }
      }
    }
  }
}
