import CVector

// The general operations of vectors are spelled lane by lane, and in long kernels the optimiser does not
// put all of them together again. These win over them wherever eight numbers are meant.
extension SIMD8<Double> {
  /// Adds the product of two vectors.
  ///
  /// One rounding where the processor has fused multiply-add.
  @inlinable @inline(__always)
  package mutating func accumulate(_ a: Self, _ b: Self) {
    #if POLYMORPH_NO_FMA
      self = polymorph_sum(self, polymorph_product(a, b))
    #else
      self = polymorph_multiply_add(a, b, self)
    #endif
  }

  /// This vector plus the product of two others.
  @inlinable @inline(__always)
  package func accumulating(_ a: Self, _ b: Self) -> Self {
    var sum = self
    sum.accumulate(a, b)
    return sum
  }

  /// This vector where a is less than b, zero elsewhere.
  @inlinable @inline(__always)
  package func `where`(_ a: Self, isLessThan b: Self) -> Self { polymorph_where_less(self, a, b) }

  /// The sum of all lanes, halves first: three additions in a row where `sum()` has seven.
  @inlinable @inline(__always)
  package var total: Double { polymorph_total(self) }

  /// The square root, lane by lane.
  @inlinable @inline(__always)
  package func squareRoot() -> Self { polymorph_square_root(self) }

  /// The larger of two vectors, lane by lane.
  @inlinable @inline(__always)
  package static func larger(_ a: Self, _ b: Self) -> Self { polymorph_larger(a, b) }

  /// The smaller of two vectors, lane by lane.
  @inlinable @inline(__always)
  package static func smaller(_ a: Self, _ b: Self) -> Self { polymorph_smaller(a, b) }

  /// Whether a lane is less than that of another vector.
  @inlinable @inline(__always)
  package func isAnyLess(than other: Self) -> Bool { polymorph_any_less(self, other) }

  /// The smallest of all lanes.
  @inlinable @inline(__always)
  package var least: Double { polymorph_least(self) }

  /// The sum, lane by lane.
  @inlinable @inline(__always)
  package static func + (a: Self, b: Self) -> Self { polymorph_sum(a, b) }

  /// The difference, lane by lane.
  @inlinable @inline(__always)
  package static func - (a: Self, b: Self) -> Self { polymorph_difference(a, b) }

  /// The product, lane by lane.
  @inlinable @inline(__always)
  package static func * (a: Self, b: Self) -> Self { polymorph_product(a, b) }

  /// The quotient, lane by lane.
  @inlinable @inline(__always)
  package static func / (a: Self, b: Self) -> Self { polymorph_quotient(a, b) }

  /// Adds a vector.
  @inlinable @inline(__always)
  package static func += (a: inout Self, b: Self) { a = polymorph_sum(a, b) }

  /// Subtracts a vector.
  @inlinable @inline(__always)
  package static func -= (a: inout Self, b: Self) { a = polymorph_difference(a, b) }

  /// Multiplies with a vector.
  @inlinable @inline(__always)
  package static func *= (a: inout Self, b: Self) { a = polymorph_product(a, b) }
}
