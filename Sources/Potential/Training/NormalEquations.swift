import NumericalCore

/// The Gram matrix of weighted design rows and labels, [radial | linear | label] or
/// [linear | label]: all that a Gauss–Newton step needs of the data.
///
/// Training sets are cut into `shardCount` shards by structure index, whatever the number of ranks.
/// Each shard's equations are a pure function of the shard, and they are merged in the order of the
/// shards, so the sum has the same bits however the shards were spread.
public struct NormalEquations: Sendable, Hashable {
  /// The number of shards of every training set.
  public static let shardCount = 64

  /// Number of radial columns; 0 where only the linear ones were accumulated.
  public let radialCount: Int
  /// Number of linear columns: species shifts and moment coefficients.
  public let linearCount: Int
  /// The upper triangle of the Gram matrix, of order radial + linear + 1.
  public package(set) var gram: Matrix

  /// Errors of the potential that was linearised; without terms where only the linear columns were
  /// accumulated.
  public internal(set) var residuals = ResidualSums()

  /// Creates equations without data.
  public init(radialCount: Int, linearCount: Int) {
    self.radialCount = radialCount
    self.linearCount = linearCount
    let order = radialCount + linearCount + 1
    gram = Matrix(rows: order, columns: order)
  }

  /// Adds the equations of the next shard.
  public mutating func merge(_ other: NormalEquations) {
    precondition(
      other.radialCount == radialCount && other.linearCount == linearCount,
      "only equations of the same request can be merged")
    for i in gram.elements.indices { gram.elements[i] += other.gram.elements[i] }
    residuals.merge(other.residuals)
  }

  /// Adds weighted rows [radial | linear | label].
  package mutating func add(_ rows: Matrix, rowCount: Int) {
    LinearAlgebra.addGram(of: rows, rowCount: rowCount, to: &gram)
  }

  /// Adds weighted rows [radial | linear | label], `width` numbers each.
  mutating func add(_ rows: UnsafeBufferPointer<Double>, rowCount: Int, width: Int) {
    precondition(width == gram.columns && rows.count >= rowCount * width, "rows do not fit")
    guard let first = rows.baseAddress else { return }
    gram.elements.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      LinearAlgebra.addGram(of: first, rowCount: rowCount, columns: width, to: target)
    }
  }

  /// The sum of squared weighted labels.
  var labelSquare: Double { gram[gram.rows - 1, gram.rows - 1] }

  // Blocks of the symmetric matrix, read from its upper triangle.
  func linearBlock() -> Matrix { block(radialCount, linearCount, radialCount, linearCount) }
  func radialBlock() -> Matrix { block(0, radialCount, 0, radialCount) }
  /// Linear rows, radial columns.
  func mixedBlock() -> Matrix { block(0, radialCount, radialCount, linearCount).transposed() }
  func linearLabels() -> [Double] { column(radialCount, linearCount) }
  func radialLabels() -> [Double] { column(0, radialCount) }

  private func column(_ start: Int, _ count: Int) -> [Double] {
    (start..<start + count).map { gram[$0, gram.rows - 1] }
  }

  private func block(_ r: Int, _ rows: Int, _ c: Int, _ columns: Int) -> Matrix {
    var result = Matrix(rows: rows, columns: columns)
    for i in 0..<rows {
      for j in 0..<columns { result[i, j] = gram[min(r + i, c + j), max(r + i, c + j)] }
    }
    return result
  }
}

extension NormalEquations: ByteCodable {
  /// Appends counts and the upper triangle.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(radialCount)
    encoder.encode(linearCount)
    var triangle: [Double] = []
    triangle.reserveCapacity(gram.rows * (gram.rows + 1) / 2)
    for i in 0..<gram.rows { triangle += gram.elements[i * gram.rows + i..<(i + 1) * gram.rows] }
    encoder.encode(triangle)
    encoder.encode(residuals)
  }

  /// Reads counts and the upper triangle.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let radial = try decoder.decode(Int.self)
    let linear = try decoder.decode(Int.self)
    let triangle = try decoder.decode([Double].self)
    guard (0..<1 << 20).contains(radial), (0..<1 << 20).contains(linear),
      triangle.count == (radial + linear + 1) * (radial + linear + 2) / 2
    else { throw .invalid("normal equations of order \(radial) + \(linear)") }
    self.init(radialCount: radial, linearCount: linear)
    residuals = try decoder.decode(ResidualSums.self)
    var next = 0
    for i in 0..<gram.rows {
      for j in i..<gram.rows {
        gram[i, j] = triangle[next]
        next += 1
      }
    }
  }
}
