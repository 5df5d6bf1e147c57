/// Eight numbers, whatever the width of the processor's vectors: training keeps eight neighbors, eight
/// sites or eight columns together, and transposes between them.
package typealias Octet = SIMD8<Double>

/// Where octets are.
package typealias OctetPointer = UnsafeMutablePointer<Octet>
