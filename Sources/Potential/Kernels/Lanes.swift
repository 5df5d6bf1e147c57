// Kernels treat several central atoms of one species at once, one in each lane of a vector: moments,
// products and gradients need no sums across lanes and no transposition.

#if POLYMORPH_FOUR_LANES
  /// Four numbers, one for each lane of a block: the width of AVX2.
  package typealias Lanes = SIMD4<Double>
#else
  /// Eight numbers, one for each lane of a block: the width of AVX-512.
  package typealias Lanes = SIMD8<Double>
#endif

/// Where a block's numbers are.
package typealias LanePointer = UnsafeMutablePointer<Lanes>

/// The number of lanes of a block.
package let laneCount = Lanes.scalarCount

extension Lanes {
  /// Adds the product of two vectors.
  ///
  /// One rounding where the processor has fused multiply-add. Without that, `addProduct` would be a
  /// library call for each lane.
  @inline(__always)
  mutating func accumulate(_ a: Lanes, _ b: Lanes) {
    #if POLYMORPH_NO_FMA
      self += a * b
    #else
      addProduct(a, b)
    #endif
  }

  /// This vector plus the product of two others.
  @inline(__always)
  func accumulating(_ a: Lanes, _ b: Lanes) -> Lanes {
    var sum = self
    sum.accumulate(a, b)
    return sum
  }

  /// Sums over the parts that an atom's neighbors are split in, each lane receiving its atom's sum.
  ///
  /// - Parameter parts: A power of 2; atom a has the lanes a, a + n, a + 2n, … with n = lanes / parts.
  /// - Returns: The sums.
  @inline(__always)
  func summed(overParts parts: Int) -> Lanes {
    var sum = self
    if parts > 1 {
      let half = sum.lowHalf + sum.highHalf
      sum = Lanes(lowHalf: half, highHalf: half)
    }
    if parts > 2 {
      let half = sum.lowHalf
      let quarter = half.lowHalf + half.highHalf
      let doubled = Lanes.Half(lowHalf: quarter, highHalf: quarter)
      sum = Lanes(lowHalf: doubled, highHalf: doubled)
    }
    #if !POLYMORPH_FOUR_LANES
      if parts > 4 {
        let pair = sum.lowHalf.lowHalf
        sum = Lanes(repeating: pair[0] + pair[1])
      }
    #endif
    return sum
  }
}

#if POLYMORPH_FOUR_LANES
  extension Lanes { typealias Half = SIMD2<Double> }
#else
  extension Lanes { typealias Half = SIMD4<Double> }
#endif
