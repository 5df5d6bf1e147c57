extension SIMD where Scalar: FloatingPoint {
  /// Adds the product of two vectors, lane by lane.
  ///
  /// One rounding where the processor has fused multiply-add. Without that, `addProduct` would be a
  /// library call for each lane, so product and sum are rounded apart.
  @inlinable @inline(__always)
  package mutating func accumulate(_ a: Self, _ b: Self) {
    #if POLYMORPH_NO_FMA
      self += a * b
    #else
      addProduct(a, b)
    #endif
  }

  /// This vector plus the product of two others.
  @inlinable @inline(__always)
  package func accumulating(_ a: Self, _ b: Self) -> Self {
    var sum = self
    sum.accumulate(a, b)
    return sum
  }
}
