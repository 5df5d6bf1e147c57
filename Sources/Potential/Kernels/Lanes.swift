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
  #if POLYMORPH_FOUR_LANES
    /// The smaller of two vectors, lane by lane.
    @inline(__always)
    static func smaller(_ a: Lanes, _ b: Lanes) -> Lanes { pointwiseMin(a, b) }

    /// The larger of two vectors, lane by lane.
    @inline(__always)
    static func larger(_ a: Lanes, _ b: Lanes) -> Lanes { pointwiseMax(a, b) }

    /// The smallest of all lanes.
    var least: Double { self.min() }

    /// Whether a lane is less than that of another vector.
    @inline(__always)
    func isAnyLess(than other: Lanes) -> Bool { any(self .< other) }
  #endif

  /// Sums over the parts that an atom's neighbors are split in, each lane receiving its atom's sum.
  ///
  /// - Parameter parts: A power of 2; atom a has the lanes a, a + n, a + 2n, … with n = lanes / parts.
  /// - Returns: The sums.
  @inline(__always)
  func summed(overParts parts: Int) -> Lanes {
    guard parts > 1 else { return self }
    let half = lowHalf + highHalf
    guard parts > 2 else { return Lanes(lowHalf: half, highHalf: half) }
    #if POLYMORPH_FOUR_LANES
      return Lanes(repeating: half[0] + half[1])
    #else
      let quarter = half.lowHalf + half.highHalf
      guard parts > 4 else {
        let doubled = SIMD4(lowHalf: quarter, highHalf: quarter)
        return Lanes(lowHalf: doubled, highHalf: doubled)
      }
      return Lanes(repeating: quarter[0] + quarter[1])
    #endif
  }
}
