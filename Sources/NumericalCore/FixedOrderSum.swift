extension Array where Element == Double {
  /// The sum by eight lane-wise accumulators, added in a fixed order: fast, and the same bits for the
  /// same numbers everywhere.
  public func fixedOrderSum() -> Double {
    withUnsafeBufferPointer { values in
      var lanes = SIMD8<Double>.zero
      var index = 0
      while index + 8 <= values.count {
        for lane in 0..<8 { lanes[lane] += values[index + lane] }
        index += 8
      }
      var sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
      sum += ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
      while index < values.count {
        sum += values[index]
        index += 1
      }
      return sum
    }
  }
}
