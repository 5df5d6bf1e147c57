/// A program that goes through sums in runs of equally many terms.
protocol RunProgram {
  /// Treats `count` sums of N terms each; the loop over terms is unrolled.
  mutating func fixed<let N: Int>(_ count: Int, _: Width<N>)

  /// Treats sums of any number of terms.
  mutating func any(_ length: Int, _ count: Int)
}

extension RunProgram {
  /// Treats a run: short sums, of which most programs consist, by loops of their own.
  @inline(__always)
  mutating func run(length: Int, count: Int) {
    switch length {
    case 1: fixed(count, Width<1>())
    case 2: fixed(count, Width<2>())
    case 3: fixed(count, Width<3>())
    case 4: fixed(count, Width<4>())
    case 5: fixed(count, Width<5>())
    case 6: fixed(count, Width<6>())
    case 7: fixed(count, Width<7>())
    case 8: fixed(count, Width<8>())
    case 9: fixed(count, Width<9>())
    case 10: fixed(count, Width<10>())
    default: any(length, count)
    }
  }
}

/// A number known to the compiler.
struct Width<let count: Int> {}
