import Crystal
import NumericalCore

/// A map of the environments of one element: those of a training set, and where those of a pool lie among them.
///
/// An environment is the row of a potential's basis functions at one atom
/// (`MomentTensorPotential.basisValues(of:)`). The map's axes are the first two principal components of the training
/// set; the pool is projected on them.
public struct EnvironmentMap: Sendable, Hashable {
  /// The environments of one set on the map.
  public struct Points: Sendable, Hashable {
    /// Along the first component.
    public let first: [Double]
    /// Along the second component; all 0 where there is one basis function only.
    public let second: [Double]

    /// The number of environments.
    public var count: Int { first.count }

    init(_ projection: Matrix) {
      first = (0..<projection.rows).map { projection[$0, 0] }
      second = (0..<projection.rows).map { projection.columns > 1 ? projection[$0, 1] : 0 }
    }
  }

  /// The element.
  public let element: ChemicalElement
  /// The components of the training set.
  public let components: PrincipalComponents
  /// The training set's environments.
  public let training: Points
  /// The pool's environments.
  public let pool: Points
  /// How many environments of the pool lie beyond the smallest or largest value of the training set along one of the
  /// map's two axes.
  public let outsideMap: Int
  /// How many environments of the pool lie beyond the smallest or largest value of the training set in one basis
  /// function at least.
  ///
  /// A relative 1e-9 of the range is no excess.
  public let outsideFeatures: Int

  /// Makes a map.
  ///
  /// - Parameters:
  ///   - element: The element.
  ///   - training: One row for each environment of the training set, at least one.
  ///   - pool: One row for each environment of the pool, of the same basis functions.
  /// - Throws: `LinearAlgebraError.notConverged`.
  public init(
    of element: ChemicalElement, training: Matrix, pool: Matrix
  ) throws(LinearAlgebraError) {
    self.element = element
    components = try PrincipalComponents(of: training)
    let (trainingPlaces, poolPlaces) =
      (components.projection(of: training), components.projection(of: pool))
    self.training = Points(trainingPlaces)
    self.pool = Points(poolPlaces)
    outsideMap = Self.outside(poolPlaces, of: trainingPlaces)
    outsideFeatures = Self.outside(pool, of: training)
  }

  /// The number of rows that leave the range of other rows in one column at least.
  private static func outside(_ rows: Matrix, of known: Matrix) -> Int {
    var lowest = Array(known.row(0))
    var highest = lowest
    for i in 1..<max(1, known.rows) {
      for (j, value) in known.row(i).enumerated() {
        lowest[j] = min(lowest[j], value)
        highest[j] = max(highest[j], value)
      }
    }
    let slack = lowest.indices.map {
      1e-9 * max(highest[$0] - lowest[$0], abs(lowest[$0]), abs(highest[$0]))
    }
    return (0..<rows.rows).count { i in
      rows.row(i).enumerated().contains { j, value in
        value < lowest[j] - slack[j] || value > highest[j] + slack[j]
      }
    }
  }
}
