import NumericalCore

/// The freedom of the radial functions that no energy depends on.
///
/// Replacing f_μ by any combination of f_0 … f_μ, for all pairs of species at once, leaves the span of
/// the basis functions as it is, because lower μ only lower the level: K(K+1)/2 directions. They are
/// removed by keeping the coefficient rows orthonormal (Gram–Schmidt in the order of μ over all pairs)
/// and steps orthogonal to them.
struct RadialGauge {
  /// Number of species C.
  let speciesCount: Int
  /// Number of radial functions K.
  let functionCount: Int
  /// Number of Chebyshev polynomials R.
  let basisSize: Int

  /// Number of radial coefficients, C² K R, ordered ((s₁·C + s₂)·K + μ)·R + i.
  var count: Int { speciesCount * speciesCount * functionCount * basisSize }

  /// The coefficients of f_μ over all pairs of species.
  func row(_ mu: Int, of coefficients: [Double]) -> [Double] {
    var row: [Double] = []
    row.reserveCapacity(speciesCount * speciesCount * basisSize)
    for pair in 0..<speciesCount * speciesCount {
      let start = (pair * functionCount + mu) * basisSize
      row += coefficients[start..<start + basisSize]
    }
    return row
  }

  func set(_ row: [Double], _ mu: Int, in coefficients: inout [Double]) {
    for pair in 0..<speciesCount * speciesCount {
      let start = (pair * functionCount + mu) * basisSize
      coefficients.replaceSubrange(
        start..<start + basisSize, with: row[pair * basisSize..<(pair + 1) * basisSize])
    }
  }

  /// The coefficients with orthonormal rows.
  ///
  /// A row that vanishes or depends on lower ones is replaced by the first Chebyshev polynomial that
  /// does not.
  func orthonormalized(_ coefficients: [Double]) -> [Double] {
    var result = coefficients
    var done: [[Double]] = []
    for mu in 0..<functionCount {
      var row = self.row(mu, of: coefficients)
      var candidate = 0
      while !Self.orthonormalize(&row, against: done), candidate < 2 * basisSize {
        row = chebyshevRow(mu + candidate)
        candidate += 1
      }
      set(row, mu, in: &result)
      done.append(row)
    }
    return result
  }

  /// T_i for all pairs of species; of different sign for i ≥ R, where all functions are used up.
  func chebyshevRow(_ i: Int) -> [Double] {
    let pairs = speciesCount * speciesCount
    var row = [Double](repeating: 0, count: pairs * basisSize)
    for pair in 0..<pairs {
      let sign = i >= basisSize && pair % 2 == 1 ? -1.0 : 1.0
      row[pair * basisSize + i % basisSize] = sign
    }
    return row
  }

  /// A step without its components along the gauge directions of orthonormal rows: along every
  /// c_ν, ν ≤ μ, in row μ.
  func projected(_ step: [Double], at coefficients: [Double]) -> [Double] {
    var result = step
    let rows = (0..<functionCount).map { row($0, of: coefficients) }
    for mu in 0..<functionCount {
      var part = row(mu, of: step)
      for nu in 0...mu { Self.remove(rows[nu], from: &part) }
      set(part, mu, in: &result)
    }
    return result
  }

  // Gram–Schmidt, twice for accuracy; false where nothing independent is left.
  private static func orthonormalize(_ row: inout [Double], against others: [[Double]]) -> Bool {
    let before = dot(row, row).squareRoot()
    guard before > 0, before.isFinite else { return false }
    for _ in 0..<2 { for other in others { remove(other, from: &row) } }
    let norm = dot(row, row).squareRoot()
    guard norm > 1e-8 * before else { return false }
    for i in row.indices { row[i] /= norm }
    return true
  }

  private static func remove(_ unit: [Double], from row: inout [Double]) {
    let overlap = dot(unit, row)
    for i in row.indices { row[i] -= overlap * unit[i] }
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
