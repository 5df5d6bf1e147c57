import Crystal
import NumericalCore

/// Lower bounds of fingerprint distances, sixteen numbers each, that rule out nearly all basins.
///
/// With u and v fingerprints of length one, 4 D = |u − v|². Both are projected on the same few
/// orthonormal directions, which the first fingerprints span; the squared difference of the projections
/// and of the lengths of what is left is never larger than |u − v|².
struct FingerprintScreen: Sendable, Hashable {
  /// The basins that are compared here, by ascending index.
  private(set) var basins: [Int] = []
  // Fifteen projections and the length of the rest, basin by basin.
  private var projections: [SIMD16<Float>] = []
  private var directions: [[Double]] = []

  private static let directionCount = 15
  /// What rounding to single precision can add to a bound, with room.
  private static let rounding: Float = 1e-5
  /// A fingerprint with less than this outside of the directions gives no new one.
  private static let leastRest = 1e-3

  /// Calls a function with every basin that may be as close as a limit.
  func forEachNear(
    _ fingerprint: StructureFingerprint, limit: Double, _ body: (Int) -> Void
  ) {
    let own = projection(of: fingerprint)
    let widest = Float(4 * limit) + Self.rounding
    projections.withUnsafeBufferPointer { projections in
      for place in projections.indices {
        let difference = own - projections[place]
        let squares = difference * difference
        let eight = squares.lowHalf + squares.highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        if two[0] + two[1] <= widest { body(basins[place]) }
      }
    }
  }

  /// Adds a basin with the highest index so far.
  ///
  /// - Parameters:
  ///   - basin: Its index.
  ///   - fingerprint: Its fingerprint.
  ///   - known: Gives the fingerprints of the basins added before.
  mutating func append(
    _ basin: Int, _ fingerprint: StructureFingerprint,
    known: (Int) -> StructureFingerprint
  ) {
    addDirection(of: fingerprint, known)
    basins.append(basin)
    projections.append(projection(of: fingerprint))
  }

  /// Gives a basin another fingerprint.
  mutating func replace(_ basin: Int, by fingerprint: StructureFingerprint) {
    guard let place = basins.firstIndex(of: basin) else { return }
    projections[place] = projection(of: fingerprint)
  }

  private mutating func addDirection(
    of fingerprint: StructureFingerprint, _ known: (Int) -> StructureFingerprint
  ) {
    guard directions.count < Self.directionCount, fingerprint.norm > 0 else { return }
    var rest = fingerprint.components.map { $0 / fingerprint.norm }
    // Twice, so that rounding leaves nothing of the other directions.
    for _ in 0..<2 {
      for direction in directions {
        let share = rest.fixedOrderProduct(with: direction)
        for index in rest.indices { rest[index] -= share * direction[index] }
      }
    }
    let length = rest.fixedOrderProduct(with: rest).squareRoot()
    guard length > Self.leastRest else { return }
    directions.append(rest.map { $0 / length })
    projections = basins.map { projection(of: known($0)) }
  }

  private func projection(of fingerprint: StructureFingerprint) -> SIMD16<Float> {
    guard fingerprint.norm > 0 else { return .zero }
    var result = SIMD16<Float>.zero
    var rest = 1.0
    for (index, direction) in directions.enumerated() {
      let share = fingerprint.components.fixedOrderProduct(with: direction) / fingerprint.norm
      result[index] = Float(share)
      rest -= share * share
    }
    result[15] = Float(max(0, rest).squareRoot())
    return result
  }
}

extension FingerprintScreen: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(basins)
    encoder.encode(projections.flatMap { row in (0..<16).map { Double(row[$0]) } })
    encoder.encode(directions.count)
    for direction in directions { encoder.encode(direction) }
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    basins = try decoder.decode([Int].self)
    let values = try decoder.decode([Double].self)
    guard values.count == 16 * basins.count else {
      throw .invalid("\(values.count) projections of \(basins.count) basins")
    }
    projections = basins.indices.map { place in
      var row = SIMD16<Float>.zero
      for lane in 0..<16 { row[lane] = Float(values[16 * place + lane]) }
      return row
    }
    let count = try decoder.decode(Int.self)
    guard (0...Self.directionCount).contains(count) else { throw .invalid("\(count) directions") }
    for _ in 0..<count { directions.append(try decoder.decode([Double].self)) }
  }
}
