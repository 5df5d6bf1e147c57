/// Products of gradients of moments with Jacobians of eight columns, and what moves numbers between
/// lanes.
package enum OctetProduct {
  /// Adds Σ_n g[list[n]][d] · jacobian[n] to `result[d]`, for D numbers d of each moment.
  ///
  /// A column of the design matrix is a lane; all D sums stay in registers, and the numbers of the
  /// gradient are broadcast.
  ///
  /// - Parameters:
  ///   - list: The moments that the eight columns depend on.
  ///   - count: How many.
  ///   - gradient: D numbers of every moment, `step` apart.
  ///   - spacing: The distance from moment to moment.
  ///   - step: The distance from number to number.
  ///   - jacobian: ∂(column)/∂(moment), moment by moment of the list.
  ///   - result: What is added to.
  @inline(__always)
  package static func add<let D: Int>(
    list: UnsafePointer<Int32>, count: Int, gradient: UnsafePointer<Double>, spacing: Int,
    step: Int, jacobian: OctetPointer, to result: inout InlineArray<D, Octet>
  ) {
    for n in 0..<count {
      let row = jacobian[n]
      let numbers = gradient + Int(list[n]) &* spacing
      for d in 0..<D {
        result[d].accumulate(row, Octet(repeating: numbers[d &* step]))
      }
    }
  }

  /// Forces on eight atoms, in eight columns: three times eight vectors.
  struct Forces {
    let x: InlineArray<8, Octet>
    let y: InlineArray<8, Octet>
    let z: InlineArray<8, Octet>
  }

  /// The same for the 24 numbers of a group of neighbors: x of eight atoms, then y, then z.
  ///
  /// All 24 sums stay in registers as long as they are three variables here: the compiler unrolls
  /// loops of eight but not of 24, and stores members of a structure in every step.
  @inline(__always)
  static func forces(
    list: UnsafePointer<Int32>, count: Int, gradient: UnsafePointer<Double>,
    jacobian: OctetPointer
  ) -> Forces {
    var x = InlineArray<8, Octet>(repeating: .zero)
    var y = InlineArray<8, Octet>(repeating: .zero)
    var z = InlineArray<8, Octet>(repeating: .zero)
    for n in 0..<count {
      let row = jacobian[n]
      let numbers = gradient + Int(list[n]) &* 24
      for d in 0..<8 { x[d].accumulate(row, Octet(repeating: numbers[d])) }
      for d in 0..<8 { y[d].accumulate(row, Octet(repeating: numbers[8 &+ d])) }
      for d in 0..<8 { z[d].accumulate(row, Octet(repeating: numbers[16 &+ d])) }
    }
    return Forces(x: x, y: y, z: z)
  }

  /// Transposes 8 × 8 numbers.
  ///
  /// Three rounds in which vectors i and i + 4 are interleaved.
  @inline(__always)
  package static func transpose(_ source: OctetPointer, spacing: Int = 1) -> InlineArray<8, Octet> {
    var rows = InlineArray<8, Octet>(repeating: .zero)
    for i in 0..<8 { rows[i] = source[i &* spacing] }
    for _ in 0..<3 {
      var next = rows
      for i in 0..<4 {
        next[2 &* i] = interleavedLow(rows[i], rows[i &+ 4])
        next[2 &* i &+ 1] = interleavedHigh(rows[i], rows[i &+ 4])
      }
      rows = next
    }
    return rows
  }

  /// The sums over the lanes of eight vectors.
  @inline(__always)
  package static func sums(_ rows: InlineArray<8, Octet>) -> Octet {
    var four = InlineArray<4, Octet>(repeating: .zero)
    for i in 0..<4 {
      four[i] = interleavedLow(rows[i], rows[i &+ 4]) + interleavedHigh(rows[i], rows[i &+ 4])
    }
    let even = interleavedLow(four[0], four[2]) + interleavedHigh(four[0], four[2])
    let odd = interleavedLow(four[1], four[3]) + interleavedHigh(four[1], four[3])
    return interleavedLow(even, odd) + interleavedHigh(even, odd)
  }

  @inline(__always)
  private static func interleavedLow(_ a: Octet, _ b: Octet) -> Octet {
    var result = a
    result.evenHalf = a.lowHalf
    result.oddHalf = b.lowHalf
    return result
  }

  @inline(__always)
  private static func interleavedHigh(_ a: Octet, _ b: Octet) -> Octet {
    var result = a
    result.evenHalf = a.highHalf
    result.oddHalf = b.highHalf
    return result
  }
}
