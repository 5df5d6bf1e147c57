import NumericalCore

/// Loops that do one thing as fast as the core can.
enum MachinePeak {
  private static let rounds = 100_000
  // Two units with a latency of four or five cycles are busy with ten or more sums.
  private typealias Sums<Lanes> = InlineArray<12, Lanes>

  /// 10⁹ operations per second of fused multiply-adds in vectors of 8 numbers.
  static func wideMultiplyAdds(runs: Int) -> Sample {
    var sink = SIMD8<Double>.zero
    let times = Stopwatch.sample(runs: runs) { sink += multiplyAdd(sink) }
    return times.mapped { 1e-9 * Double(rounds * 12 * 8 * 2) / $0 }
  }

  /// 10⁹ operations per second of fused multiply-adds in vectors of 4 numbers.
  static func narrowMultiplyAdds(runs: Int) -> Sample {
    var sink = SIMD4<Double>.zero
    let times = Stopwatch.sample(runs: runs) { sink += multiplyAdd(sink) }
    return times.mapped { 1e-9 * Double(rounds * 12 * 4 * 2) / $0 }
  }

  /// 10⁹ bytes per second loaded, again and again, from a buffer of a size.
  ///
  /// - Parameters:
  ///   - bytes: A multiple of 1024.
  ///   - runs: The number of values.
  /// - Returns: One value per run.
  static func loads(bytes: Int, runs: Int) -> Sample {
    // Swift aligns these vectors to 16 bytes only; one across two cache lines loads at half the speed.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
    defer { memory.deallocate() }
    let numbers = memory.bindMemory(to: SIMD8<Double>.self)
    numbers.initialize(repeating: SIMD8(repeating: 1e-3))
    let passes = max(1, (16 << 20) / bytes)
    var sink = SIMD8<Double>.zero
    let times = Stopwatch.sample(runs: runs) {
      for _ in 0..<passes { sink += sum(UnsafeBufferPointer(numbers)) }
    }
    return times.mapped { 1e-9 * Double(passes * bytes) / $0 }
  }

  @inline(__always)
  private static func multiplyAdd<V: SIMD>(_ start: V) -> V where V.Scalar == Double {
    let (factor, summand) = (V(repeating: 0.999), V(repeating: 1e-3))
    var sums = Sums<V>(repeating: start)
    for _ in 0..<rounds {
      for k in 0..<12 { sums[k] = summand.accumulating(sums[k], factor) }
    }
    var total = V.zero
    for k in 0..<12 { total += sums[k] }
    return total
  }

  @inline(never)
  private static func sum(_ numbers: UnsafeBufferPointer<SIMD8<Double>>) -> SIMD8<Double> {
    var sums = InlineArray<16, SIMD8<Double>>(repeating: .zero)
    guard let first = numbers.baseAddress else { return .zero }
    var place = 0
    while place &+ 16 <= numbers.count {
      for k in 0..<16 { sums[k] += first[place &+ k] }
      place &+= 16
    }
    var total = SIMD8<Double>.zero
    for k in 0..<16 { total += sums[k] }
    return total
  }
}
