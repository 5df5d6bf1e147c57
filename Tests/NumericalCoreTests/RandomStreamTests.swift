import NumericalCore
import Testing

@Suite("Random streams")
struct RandomStreamTests {
  @Test("Philox 4×32-10 gives the known answers of Random123")
  func knownAnswers() {
    // kat_vectors of Random123 1.14: counter, key, result.
    let ones = UInt32.max
    let cases: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
      (.zero, .zero, SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
      (
        SIMD4(repeating: ones), SIMD2(repeating: ones),
        SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
      ),
      (
        SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
        SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ]
    for (counter, key, expected) in cases {
      #expect(RandomStream.philox(counter: counter, key: key) == expected)
    }
  }

  @Test("Streams of another seed, purpose, slot or attempt share no number")
  func independence() {
    var seen: Set<UInt64> = []
    var count = 0
    for seed in [UInt64(0), 1, 1 << 32] {
      for purpose in RandomStream.Purpose.allCases {
        for slot in [UInt64(0), 1, 1 << 32] {
          for attempt in [UInt32(0), 1] {
            var stream = RandomStream(seed: seed, purpose: purpose, slot: slot, attempt: attempt)
            var again = stream
            for _ in 0..<20 {
              let value = stream.next64()
              #expect(value == again.next64())
              seen.insert(value)
              count += 1
            }
          }
        }
      }
    }
    #expect(seen.count == count)
  }

  @Test(
    "Many normal numbers at once are those of single calls, and the stream goes on alike",
    arguments: [0, 1, 2, 7, 8, 9, 100, 511, 512, 513, 3000], [0, 1, 4])
  func manyNormals(count: Int, drawnBefore: Int) {
    var stream = RandomStream(seed: 0xFEDC_BA98_7654_3210, purpose: .test, slot: 5, attempt: 3)
    for _ in 0..<drawnBefore { _ = stream.next32() }
    var again = stream
    var numbers = [Double](repeating: 0, count: count)
    stream.fillWithNormals(&numbers)
    #expect(numbers == (0..<count).map { _ in again.normal() })
    #expect(stream == again)
    #expect(stream.next64() == again.next64())
  }

  /// Means of n numbers of variance v stay within five standard errors: once in two million.
  private func bound(_ variance: Double, _ n: Int) -> Double {
    5 * (variance / Double(n)).squareRoot()
  }

  @Test("Uniform and normal numbers have the moments of their distributions")
  func moments() {
    var stream = RandomStream(seed: 7, purpose: .test)
    let n = 200_000
    var uniform = SIMD2<Double>.zero
    var normal = SIMD4<Double>.zero
    for _ in 0..<n {
      let u = stream.uniform()
      #expect(u >= 0 && u < 1)
      uniform += SIMD2(u, u * u)
      let g = stream.normal()
      normal += SIMD4(g, g * g, g * g * g, g * g * g * g)
    }
    uniform /= Double(n)
    normal /= Double(n)
    #expect(abs(uniform[0] - 0.5) < bound(1.0 / 12, n))
    #expect(abs(uniform[1] - 1.0 / 3) < bound(4.0 / 45, n))
    #expect(abs(normal[0]) < bound(1, n))
    #expect(abs(normal[1] - 1) < bound(2, n))
    #expect(abs(normal[2]) < bound(15, n))
    #expect(abs(normal[3] - 3) < bound(96, n))
  }

  @Test("Integers, directions and weights are drawn evenly")
  func evenness() {
    var stream = RandomStream(seed: 8, purpose: .test)
    let n = 100_000
    var counts = [Int](repeating: 0, count: 7)
    var weighted = [Int](repeating: 0, count: 4)
    var sum = Vector3.zero
    var squares = Vector3.zero
    for _ in 0..<n {
      counts[stream.integer(below: 7)] += 1
      if let index = stream.index(weights: [1, 0, 2, 5]) { weighted[index] += 1 }
      let v = stream.unitVector()
      #expect(abs(v.length - 1) < 1e-14)
      sum += v
      squares += Vector3(v.x * v.x, v.y * v.y, v.z * v.z)
    }
    for count in counts {
      #expect(abs(Double(count) / Double(n) - 1.0 / 7) < bound(6.0 / 49, n))
    }
    for (count, p) in zip(weighted, [0.125, 0, 0.25, 0.625]) {
      #expect(abs(Double(count) / Double(n) - p) <= bound(p * (1 - p), n))
    }
    for axis in 0..<3 {
      #expect(abs(sum[axis] / Double(n)) < bound(1.0 / 3, n))
      #expect(abs(squares[axis] / Double(n) - 1.0 / 3) < bound(4.0 / 45, n))
    }
    #expect(stream.index(weights: []) == nil)
    #expect(stream.index(weights: [0, 0]) == nil)
  }

  @Test("All orders of a shuffle are equally likely")
  func shuffles() {
    var stream = RandomStream(seed: 9, purpose: .test)
    var counts: [[Int]: Int] = [:]
    let n = 60_000
    for _ in 0..<n {
      var order = [0, 1, 2]
      stream.shuffle(&order)
      counts[order, default: 0] += 1
    }
    #expect(counts.count == 6)
    for count in counts.values {
      #expect(abs(Double(count) / Double(n) - 1.0 / 6) < bound(5.0 / 36, n))
    }
  }
}
