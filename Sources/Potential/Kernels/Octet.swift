/// Eight numbers, whatever the width of the processor's vectors: training keeps eight neighbors, eight
/// sites or eight columns together, and transposes between them.
package typealias Octet = SIMD8<Double>

/// Where octets are.
package typealias OctetPointer = UnsafeMutablePointer<Octet>

extension Octet {
  /// Adds the product of two octets, with one rounding where the processor has fused multiply-add.
  @inline(__always)
  mutating func addTerm(_ a: Octet, _ b: Octet) {
    #if POLYMORPH_NO_FMA
      self += a * b
    #else
      addProduct(a, b)
    #endif
  }

  /// This octet plus the product of two others.
  @inline(__always)
  func addingTerm(_ a: Octet, _ b: Octet) -> Octet {
    var sum = self
    sum.addTerm(a, b)
    return sum
  }
}
