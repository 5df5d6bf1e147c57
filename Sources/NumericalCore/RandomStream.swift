/// A counter-based stream of random numbers, Philox 4×32-10.
///
/// After J. K. Salmon et al., SC '11, doi:10.1145/2063384.2063405. The numbers depend on the key alone, never on what other streams
/// have drawn, so work can be done in any order and on any rank with the same bits.
public struct RandomStream: Sendable, Hashable {
  /// What a stream is for.
  ///
  /// Two purposes never share numbers, whatever seed and slot.
  public enum Purpose: UInt32, Sendable, Hashable, CaseIterable {
    /// Structures of the initial training set.
    case initialTraining = 1
    /// The choice of operator and parents of a candidate.
    case selection = 2
    /// The making of a candidate from its parents.
    case breeding = 3
    /// Starting coefficients of a potential.
    case trainingStart = 4
    /// Perturbations made by tests and benchmarks.
    case test = 5
    /// Splits of a data set.
    case split = 6
    /// Initial velocities and thermostats.
    case dynamics = 7
    /// Displacements of atoms that the command line asks for.
    case displacement = 8
    /// Disordered structures that are molten.
    case disorder = 9
  }

  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var block: SIMD4<UInt32> = .zero
  private var used = 4

  /// Creates the stream of a purpose.
  ///
  /// - Parameters:
  ///   - seed: The campaign's seed.
  ///   - purpose: What the numbers are for.
  ///   - slot: The slot, structure or start the numbers belong to.
  ///   - attempt: Distinguishes repeated tries; below 2²⁴.
  public init(seed: UInt64, purpose: Purpose, slot: UInt64 = 0, attempt: UInt32 = 0) {
    precondition(attempt < 1 << 24, "attempt must be below 2^24")
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(
      0, UInt32(truncatingIfNeeded: slot), UInt32(truncatingIfNeeded: slot >> 32),
      purpose.rawValue << 24 | attempt)
  }

  /// One block of Philox 4×32 with ten rounds.
  package static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(0xD251_1F53) * UInt64(c[0])
      let p1 = UInt64(0xCD9E_8D57) * UInt64(c[2])
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
      k[0] &+= 0x9E37_79B9
      k[1] &+= 0xBB67_AE85
    }
    return c
  }

  /// The next 32 random bits.
  public mutating func next32() -> UInt32 {
    if used == 4 {
      block = Self.philox(counter: counter, key: key)
      counter[0] &+= 1
      precondition(counter[0] != 0, "a random stream was drawn beyond its 2^34 numbers")
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  /// The next 64 random bits.
  public mutating func next64() -> UInt64 {
    let low = UInt64(next32())
    return UInt64(next32()) << 32 | low
  }
}

extension RandomStream {
  /// A number uniform in [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next64() >> 11) * 0x1p-53 }

  /// A number uniform in [lower, upper).
  public mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
    lower + (upper - lower) * uniform()
  }

  /// An integer uniform in 0 ..< bound, without bias.
  ///
  /// After D. Lemire, ACM TOMACS 29, 3 (2019).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "the bound of a random integer must be positive")
    let range = UInt64(bound)
    var product = next64().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next64().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// A number from the standard normal distribution (Marsaglia's polar method).
  public mutating func normal() -> Double {
    let (u, s) = polarPoint()
    return u * (-2 * logarithm(s) / s).squareRoot()
  }

  /// Fills an array with the numbers that as many calls of `normal()` would give, in a third of the time.
  ///
  /// - Complexity: O(N)
  public mutating func fillWithNormals(_ numbers: inout [Double]) {
    var squares = [Double](repeating: 0, count: min(numbers.count, Self.normalsAtOnce))
    var first = 0
    while first < numbers.count {
      let count = min(squares.count, numbers.count - first)
      drawPolar(&numbers, first..<first + count, &squares)
      for place in 0..<count {
        let s = squares[place]
        numbers[first + place] *= (-2 * logarithm(s) / s).squareRoot()
      }
      first += count
    }
  }

  // So many that they stay in the nearest cache.
  private static let normalsAtOnce = 512

  // The first coordinate of points in the unit circle, and the squares of their distances from its middle.
  private mutating func drawPolar(
    _ numbers: inout [Double], _ range: Range<Int>, _ squares: inout [Double]
  ) {
    var place = range.lowerBound
    var isBlockOlder = false
    while place < range.upperBound {
      // A try takes four numbers: a block, where none of it has been used.
      guard used == 4, counter[0] < .max - 8 else {
        (numbers[place], squares[place - range.lowerBound]) = polarPoint()
        isBlockOlder = false
        place += 1
        continue
      }
      let tries = PhiloxLanes(first: counter, key: key)
      let s = tries.u * tries.u + tries.v * tries.v
      var lane = 0
      while lane < 8, place < range.upperBound {
        // Without a branch that cannot be foreseen: a point outside is overwritten.
        (numbers[place], squares[place - range.lowerBound]) = (tries.u[lane], s[lane])
        place += s[lane] > 0 && s[lane] < 1 ? 1 : 0
        lane += 1
      }
      counter[0] &+= UInt32(lane)
      isBlockOlder = true
    }
    guard isBlockOlder else { return }
    var last = counter
    last[0] &-= 1
    block = Self.philox(counter: last, key: key)
  }

  // A point in the unit circle (Marsaglia's polar method).
  private mutating func polarPoint() -> (u: Double, square: Double) {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let s = u * u + v * v
      if s > 0 && s < 1 { return (u, s) }
    }
  }

  /// A direction uniform on the unit sphere.
  public mutating func unitVector() -> Vector3 {
    while true {
      let v = Vector3(uniform(-1, 1), uniform(-1, 1), uniform(-1, 1))
      let s = v.squaredLength
      if s > 1e-6 && s <= 1 { return v / s.squareRoot() }
    }
  }

  /// A random point with components uniform in [0, 1).
  public mutating func fractionalPoint() -> Vector3 { Vector3(uniform(), uniform(), uniform()) }

  /// Shuffles an array in place, all orders equally likely (Fisher and Yates).
  public mutating func shuffle<T>(_ values: inout [T]) {
    guard values.count > 1 else { return }
    for last in stride(from: values.count - 1, through: 1, by: -1) {
      values.swapAt(last, integer(below: last + 1))
    }
  }

  /// The index of one weight, chosen with a probability proportional to it.
  ///
  /// - Returns: `nil` where the weights sum to zero or there are none.
  public mutating func index(weights: [Double]) -> Int? {
    var total = 0.0
    for weight in weights {
      precondition(weight >= 0, "weights must not be negative")
      total += weight
    }
    guard total > 0 else { return nil }
    var left = uniform() * total
    for (index, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return index }
    }
    return weights.lastIndex { $0 > 0 }
  }
}
