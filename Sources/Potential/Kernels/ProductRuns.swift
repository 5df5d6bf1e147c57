/// Sums of products, one after the other, in runs of sums with equally many terms: the loop over terms
/// has a length that the compiler knows, and the processor mispredicts one branch a run.
struct ProductRuns: Sendable {
  /// m a b.
  struct Term {
    /// The place of a.
    var first: Int
    /// The place of b.
    var second: Int
    /// The number m.
    var multiplicity: Int
  }

  private var runs: [(length: Int, count: Int)] = []
  // Places as byte offsets, two in one word, the first factor's low.
  private var factors: [UInt64] = []
  private var multiplicities: [Double] = []
  private let firstOffset: Int
  /// The number of sums.
  let sumCount: Int

  /// The number of terms.
  var termCount: Int { factors.count }

  /// Flattens sums.
  ///
  /// - Parameters:
  ///   - sums: The terms of each; factors are earlier sums or lie before all of them.
  ///   - firstPlace: The place of the first sum; the others follow.
  init(_ sums: [[Term]], firstPlace: Int) {
    firstOffset = firstPlace * MemoryLayout<Lanes>.stride
    sumCount = sums.count
    for terms in sums {
      if runs.last?.length == terms.count {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((terms.count, 1))
      }
      for term in terms {
        factors.append(
          UInt64(Self.offset(term.first)) | UInt64(Self.offset(term.second)) << 32)
        multiplicities.append(Double(term.multiplicity))
      }
    }
  }

  /// A place as a byte offset.
  static func offset(_ place: Int) -> UInt32 { UInt32(place * MemoryLayout<Lanes>.stride) }

  /// Computes all sums.
  func forward(_ values: LanePointer) {
    factors.withUnsafeBufferPointer { factors in
      multiplicities.withUnsafeBufferPointer { multiplicities in
        guard let factor = factors.baseAddress, let m = multiplicities.baseAddress else { return }
        let base = UnsafeMutableRawPointer(values)
        var machine = ForwardMachine(
          values: UnsafeRawPointer(base), sum: base + firstOffset, factor: factor,
          multiplicity: m)
        for run in runs { machine.run(length: run.length, count: run.count) }
      }
    }
  }

  /// Adds to the adjoints of all factors what the sums' adjoints contribute, last sum first.
  func backward(_ values: LanePointer, _ adjoints: LanePointer) {
    factors.withUnsafeBufferPointer { factors in
      multiplicities.withUnsafeBufferPointer { multiplicities in
        guard let factor = factors.baseAddress, let m = multiplicities.baseAddress else { return }
        let base = UnsafeMutableRawPointer(adjoints)
        var machine = BackwardMachine(
          values: UnsafeRawPointer(values), adjoints: base,
          sum: base + firstOffset + sumCount * MemoryLayout<Lanes>.stride,
          factor: factor + factors.count, multiplicity: m + factors.count)
        for run in runs.reversed() { machine.run(length: run.length, count: run.count) }
      }
    }
  }
}

/// Where the sweep forward is.
private struct ForwardMachine: RunProgram {
  let values: UnsafeRawPointer
  var sum: UnsafeMutableRawPointer
  var factor: UnsafePointer<UInt64>
  var multiplicity: UnsafePointer<Double>

  @inline(never)
  mutating func fixed<let N: Int>(_ count: Int, _: Width<N>) {
    for _ in 0..<count {
      var total = Lanes.zero
      for n in 0..<N { total = added(n, to: total) }
      store(total)
      factor += N
      multiplicity += N
    }
  }

  @inline(never)
  mutating func any(_ length: Int, _ count: Int) {
    for _ in 0..<count {
      var (s0, s1) = (Lanes.zero, Lanes.zero)
      var n = 0
      while n &+ 1 < length {
        s0 = added(n, to: s0)
        s1 = added(n &+ 1, to: s1)
        n &+= 2
      }
      if n < length { s0 = added(n, to: s0) }
      store(s0 + s1)
      factor += length
      multiplicity += length
    }
  }

  @inline(__always)
  private func added(_ n: Int, to total: Lanes) -> Lanes {
    let word = factor[n]
    let a = values.load(fromByteOffset: Int(word & 0xffff_ffff), as: Lanes.self)
    let b = values.load(fromByteOffset: Int(word >> 32), as: Lanes.self)
    return total.accumulating(a * multiplicity[n], b)
  }

  @inline(__always)
  private mutating func store(_ total: Lanes) {
    sum.storeBytes(of: total, as: Lanes.self)
    sum += MemoryLayout<Lanes>.stride
  }
}

/// Where the sweep back is: behind what comes next.
private struct BackwardMachine: RunProgram {
  let values: UnsafeRawPointer
  let adjoints: UnsafeMutableRawPointer
  var sum: UnsafeMutableRawPointer
  var factor: UnsafePointer<UInt64>
  var multiplicity: UnsafePointer<Double>

  @inline(never)
  mutating func fixed<let N: Int>(_ count: Int, _: Width<N>) {
    for _ in 0..<count {
      factor -= N
      multiplicity -= N
      let adjoint = take()
      for n in 0..<N { give(n, adjoint) }
    }
  }

  @inline(never)
  mutating func any(_ length: Int, _ count: Int) {
    for _ in 0..<count {
      factor -= length
      multiplicity -= length
      let adjoint = take()
      for n in 0..<length { give(n, adjoint) }
    }
  }

  @inline(__always)
  private mutating func take() -> Lanes {
    sum -= MemoryLayout<Lanes>.stride
    return sum.load(as: Lanes.self)
  }

  @inline(__always)
  private func give(_ n: Int, _ adjoint: Lanes) {
    let word = factor[n]
    let (first, second) = (Int(word & 0xffff_ffff), Int(word >> 32))
    let scaled = adjoint * multiplicity[n]
    let a = values.load(fromByteOffset: first, as: Lanes.self)
    let b = values.load(fromByteOffset: second, as: Lanes.self)
    // One after the other: in a square both are the same.
    add(scaled, b, at: first)
    add(scaled, a, at: second)
  }

  @inline(__always)
  private func add(_ scaled: Lanes, _ factor: Lanes, at offset: Int) {
    let sum = adjoints.load(fromByteOffset: offset, as: Lanes.self).accumulating(scaled, factor)
    adjoints.storeBytes(of: sum, toByteOffset: offset, as: Lanes.self)
  }
}
