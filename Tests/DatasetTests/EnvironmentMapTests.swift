import Crystal
import Dataset
import NumericalCore
import TestSupport
import Testing

/// Expected values are those of numpy, with the rows x and p below.
///
///     m, s = x.mean(0), x.std(0); s = np.where(s > 0, s, np.inf); z = (x - m) / s
///     w, v = np.linalg.eigh(z.T @ z / len(x))
///
/// the two largest w, w / 3 (three columns vary), z @ v and ((p - m) / s) @ v.
@Suite("Maps of environments")
struct EnvironmentMapTests {
  private static let known = Matrix(
    rows: 6, columns: 4,
    elements: [
      0.3, 10, 5, 1, 1.1, 30, 5, 2, -0.4, 5, 5, 2.5, 2.0, 41, 5, 0, 0.9, 22, 5, -1, 0.1, 18, 5, 3,
    ])
  private static let pool = Matrix(
    rows: 2, columns: 4, elements: [0.5, 20, 5, 1, 3.0, 10, 5.5, 2])

  private func areClose(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { $0.isClose(to: $1, relative: 1e-7, absolute: 1e-7) }
  }

  @Test("Components, fractions of variance and projections are those of numpy")
  func numbers() throws {
    let silicon = try #require(ChemicalElement(symbol: "Si"))
    let map = try EnvironmentMap(of: silicon, training: Self.known, pool: Self.pool)
    #expect(areClose(map.components.fractions, [0.7878545832137127, 0.2075524055044381]))
    #expect(
      areClose(
        map.components.directions.elements,
        [0.64082997, 0.59895378, 0, -0.48019924, 0.18682139, 0.48503823, 0, 0.85430421]))
    #expect(
      areClose(
        map.training.first,
        [-0.76522684, 0.5500162, -2.10426318, 2.52366191, 1.01048251, -1.21467061]))
    #expect(
      areClose(
        map.training.second,
        [-0.6836779, 0.92270169, -0.1429459, 0.36844967, -1.2698253, 0.80529773]))
    #expect(areClose(map.pool.first, [-0.10209405, 1.12304492]))
    #expect(areClose(map.pool.second, [-0.23226378, 0.57357541]))
    // The second row of the pool is beyond the first and the third column's range, but not on the map.
    #expect(map.outsideMap == 0 && map.outsideFeatures == 1)
  }

  @Test(
    "Projections of the training set have mean 0, no correlation, and the variance of their fractions"
  )
  func moments() throws {
    let places = try PrincipalComponents(of: Self.known, count: 4).projection(of: Self.known)
    let fractions = try PrincipalComponents(of: Self.known, count: 4).fractions
    #expect(abs(fractions.reduce(0, +) - 1) < 1e-14)
    for k in 0..<4 {
      #expect(abs((0..<6).map { places[$0, k] }.reduce(0, +)) < 1e-13)
      for l in 0...k {
        let product = (0..<6).map { places[$0, k] * places[$0, l] }.reduce(0, +) / 6
        #expect(abs(product - (k == l ? 3 * fractions[k] : 0)) < 1e-13)
      }
    }
  }

  @Test("Units and zeros of the basis functions do not change the map")
  func scaling() throws {
    let factors = [1e-7, 250, 3, 4]
    func scaled(_ matrix: Matrix) -> Matrix {
      var result = matrix
      for i in 0..<matrix.rows {
        for j in 0..<4 { result[i, j] = factors[j] * (matrix[i, j] - Double(j)) }
      }
      return result
    }
    let silicon = try #require(ChemicalElement(symbol: "Si"))
    let map = try EnvironmentMap(of: silicon, training: Self.known, pool: Self.pool)
    let other = try EnvironmentMap(
      of: silicon, training: scaled(Self.known), pool: scaled(Self.pool))
    #expect(areClose(other.components.fractions, map.components.fractions))
    #expect(areClose(other.pool.first, map.pool.first))
    #expect(areClose(other.pool.second, map.pool.second))
    #expect(other.outsideFeatures == map.outsideFeatures)
  }

  @Test("A training set of one environment has a map of one point")
  func single() throws {
    let silicon = try #require(ChemicalElement(symbol: "Si"))
    let one = Matrix(rows: 1, columns: 2, elements: [3, 4])
    let map = try EnvironmentMap(
      of: silicon, training: one, pool: Matrix(rows: 2, columns: 2, elements: [3, 4, 3, 5]))
    #expect(map.components.fractions == [0, 0] && map.pool.first == [0, 0])
    #expect(map.outsideFeatures == 1)
    let empty = try EnvironmentMap(of: silicon, training: one, pool: Matrix(rows: 0, columns: 2))
    #expect(empty.pool.count == 0 && empty.outsideMap == 0)
  }

  @Test("A histogram holds every number once and has the area 1")
  func histogram() {
    let histogram = Histogram([0, 0.1, 0.5, 0.99, 1, -3, 7], over: 0...1, binCount: 4)
    let counts = histogram.densities.map { ($0 * 7 * 0.25).rounded() }
    #expect(counts == [3, 0, 1, 3])
    #expect(histogram.edges == [0, 0.25, 0.5, 0.75, 1])
    #expect(abs(histogram.densities.reduce(0) { $0 + $1 * 0.25 } - 1) < 1e-15)
    let flat = Histogram([2, 2], over: 2...2, binCount: 2)
    #expect(flat.edges == [1.5, 2, 2.5] && flat.densities == [0, 2])
    #expect(Histogram([], over: 0...1).densities.allSatisfy { $0 == 0 })
  }
}
