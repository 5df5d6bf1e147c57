import Crystal
import NumericalCore

/// A three-periodic net or structure type: where its vertices lie, not what they are.
package struct TopologyTemplate: Sendable {
  /// A point in fractions of the conventional cell.
  package typealias Point = SIMD3<Double>

  /// The name by which campaign files exclude it.
  package let name: String
  /// The space group in the setting that the points are given in.
  package let setting: Setting
  /// Lengths a, b, c of the conventional cell; only their ratios count.
  package let lengths: SIMD3<Double>
  /// The angle β in degrees; γ is 120° in hexagonal axes, all others are 90°.
  package let beta: Double
  /// One point of every orbit.
  package let points: [Point]
  /// Vertices of the primitive cell.
  package let vertexCount: Int
  /// Whether the midpoints of the shortest edges are vertices too.
  package let hasEdges: Bool

  /// A space group with a setting.
  package enum Setting: Sendable {
    /// The default one: unique axis b, hexagonal axes, origin choice 1.
    case group(Int)
    /// Origin choice 2, by the number of the Hall symbol.
    case hall(Int)
  }

  /// Origin choice 2 of Fd-3m, at the centre of inversion.
  package static let diamondGroup = Setting.hall(526)
  /// Origin choice 2 of I4₁/amd, at the centre of inversion.
  package static let anataseGroup = Setting.hall(427)

  /// Describes a template.
  ///
  /// - Parameters:
  ///   - name: Its name, unique in the library.
  ///   - setting: The space group and its setting.
  ///   - lengths: a, b, c.
  ///   - beta: β in degrees.
  ///   - points: One point of every orbit.
  ///   - count: Vertices of the primitive cell.
  ///   - hasEdges: Whether the midpoints of the shortest edges are vertices too.
  package init(
    _ name: String, _ setting: Setting, _ lengths: SIMD3<Double>, beta: Double = 90,
    _ points: [Point], count: Int, hasEdges: Bool = false
  ) {
    self.name = name
    self.setting = setting
    self.lengths = lengths
    self.beta = beta
    self.points = points
    vertexCount = count
    self.hasEdges = hasEdges
  }

  /// The same net with a vertex in the middle of every edge too.
  package func withEdges(count: Int) -> TopologyTemplate {
    TopologyTemplate(
      name + "+edges", setting, lengths, beta: beta, points, count: count, hasEdges: true)
  }
}
