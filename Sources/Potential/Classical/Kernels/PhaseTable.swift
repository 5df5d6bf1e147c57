import NumericalCore

/// cos and sin of 2π n f for n = −order … order along one axis, for many atoms.
struct PhaseTable {
  /// Room for the table of one axis: cosines, then sines.
  static func capacity(order: Int, stride: Int) -> Int { 2 * (2 * order + 1) * stride }

  private let cosines: UnsafeMutablePointer<Double>
  private let sines: UnsafeMutablePointer<Double>
  private let stride: Int

  /// Fills a table.
  ///
  /// - Parameters:
  ///   - fractional: f of every atom, readable up to the stride.
  ///   - order: The largest |n|.
  ///   - stride: The number of atoms, rounded up to a multiple of 8.
  ///   - memory: Room for `capacity` numbers.
  init(
    _ fractional: UnsafePointer<Double>, order: Int, stride: Int,
    in memory: UnsafeMutablePointer<Double>
  ) {
    typealias Lanes = SIMD8<Double>
    self.stride = stride
    cosines = memory + order * stride
    sines = memory + (3 * order + 1) * stride
    let one = Lanes(repeating: 1)
    // Adding 1.5·2⁵² leaves the nearest integer: whole cells change no phase.
    let shifter = Lanes(repeating: 0x1.8p52)
    for atom in Swift.stride(from: 0, to: stride, by: 8) {
      let f = load8(fractional + atom)
      let rest = f - ((f + shifter) - shifter)
      // Half the angle is at most π/2.
      let (s, c) = vectorSineAndCosine(Lanes(repeating: Double.pi) * rest)
      let (sine, cosine) = (2 * s * c, one - 2 * s * s)
      var (real, imaginary) = (one, Lanes.zero)
      for n in 0...order {
        let place = n * stride + atom
        store8(real, cosines + place)
        store8(imaginary, sines + place)
        store8(real, cosines + (atom - n * stride))
        store8(Lanes.zero - imaginary, sines + (atom - n * stride))
        (real, imaginary) = (
          real * cosine - imaginary * sine, (real * sine).accumulating(imaginary, cosine)
        )
      }
    }
  }

  /// cos 2π n f of every atom.
  @inline(__always)
  func cosines(_ n: Int) -> UnsafePointer<Double> { UnsafePointer(cosines + n * stride) }

  /// sin 2π n f of every atom.
  @inline(__always)
  func sines(_ n: Int) -> UnsafePointer<Double> { UnsafePointer(sines + n * stride) }
}
