import NumericalCore

/// The mean volume of a cell that breathes, and how well it is known.
struct VolumeAverage: Sendable, Hashable {
  /// The mean volumes of whole blocks, in Å³.
  private var blocks: [Double] = []
  private var sum = 0.0
  private var sumOfSquares = 0.0
  private var count = 0
  private var blockSum = 0.0
  private var blockCount = 0
  private var first: Double?

  /// Adds a volume in Å³.
  mutating func add(_ volume: Double, blockLength: Int) {
    let first = self.first ?? volume
    self.first = first
    // Differences keep their digits in the sum of squares.
    let difference = volume - first
    sum += difference
    sumOfSquares += difference * difference
    count += 1
    blockSum += volume
    blockCount += 1
    if blockCount == blockLength {
      blocks.append(blockSum / Double(blockLength))
      (blockSum, blockCount) = (0, 0)
    }
  }

  /// The mean volume in Å³; 0 before there is one.
  var mean: Double {
    guard let first, count > 0 else { return 0 }
    return first + sum / Double(count)
  }

  private var variance: Double {
    guard count > 0 else { return 0 }
    let meanDifference = sum / Double(count)
    return max(0, sumOfSquares / Double(count) - meanDifference * meanDifference)
  }

  /// The volume in Å³ at which a cell that no longer breathes has the pressure of the one that did.
  ///
  /// In the mean volume its pressure is P + P″ Var V/2 to second order. With P″ = B (1 + B′)/V², Var V = k T V/B and
  /// B′ ≈ 7, as liquids have, that is 4 k T/V too low: 0.1 GPa for a hundred atoms of a hot oxide.
  var volumeAtRest: Double { mean > 0 ? mean - 4 * variance / mean : 0 }

  /// The isothermal bulk modulus in eV/Å³ that the fluctuations tell, k T V/Var V.
  ///
  /// - Parameter thermalEnergy: k T in eV.
  /// - Returns: `nil` before the first block is full, or where nothing fluctuates.
  func bulkModulus(thermalEnergy: Double) -> Double? {
    guard !blocks.isEmpty, variance > 0 else { return nil }
    return thermalEnergy * mean / variance
  }

  /// The standard error of the pressure in eV/Å³ that belongs to the error of the mean volume; the bulk
  /// modulus is the one that the fluctuations tell, k T V/Var V.
  ///
  /// Liquids near freezing remember their volume for long: blocks are joined two by two, and the largest of
  /// the errors counts (H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989), doi:10.1063/1.457480).
  ///
  /// - Parameter thermalEnergy: k T in eV.
  /// - Returns: `nil` with fewer than ten blocks.
  func pressureError(thermalEnergy: Double) -> Double? {
    guard blocks.count >= Self.fewestBlocks else { return nil }
    guard variance > 0 else { return 0 }
    var (joined, largest) = (blocks, 0.0)
    while joined.count >= Self.fewestBlocks {
      let mean = joined.reduce(0, +) / Double(joined.count)
      let spread = joined.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      largest = max(largest, spread / Double(joined.count * (joined.count - 1)))
      let pairs = joined
      joined = (0..<pairs.count / 2).map { (place: Int) -> Double in
        (pairs[2 * place] + pairs[2 * place + 1]) / 2
      }
    }
    return thermalEnergy / variance * largest.squareRoot()
  }

  private static let fewestBlocks = 10
}

extension VolumeAverage: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(blocks)
    encoder.encode(sum)
    encoder.encode(sumOfSquares)
    encoder.encode(count)
    encoder.encode(blockSum)
    encoder.encode(blockCount)
    encoder.encode(first)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    blocks = try decoder.decode([Double].self)
    sum = try decoder.decode()
    sumOfSquares = try decoder.decode()
    count = try decoder.decode()
    blockSum = try decoder.decode()
    blockCount = try decoder.decode()
    first = try decoder.decode(Double?.self)
  }
}
