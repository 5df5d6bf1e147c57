import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

/// The graphs of products compute what the contractions say.
@Suite("Enumerated bases")
struct EnumerationTests {
  private static let radial = (minimum: 1.6, cutoff: 4.5)

  /// An atom with five neighbors at distances and in directions without any symmetry.
  private static func cluster() throws -> Structure {
    let positions = [
      Vector3(0, 0, 0), Vector3(1.9, 0.3, -0.4), Vector3(-0.7, 2.1, 0.5), Vector3(0.2, -0.9, 2.4),
      Vector3(-1.5, -1.2, -1.1), Vector3(1.1, -1.7, -2.3),
    ]
    return try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(20, 20, 20))), periodicity: .none,
      species: positions.map { _ in .unnamed(0) }, positions: positions)
  }

  /// The sum over all neighbors j₁ … j_k of Π f_μ(r_j) Π (u_i · u_j)ⁿ, by the definition of a
  /// contraction, and the sum of the magnitudes of its terms.
  private static func value(
    _ contraction: MomentContraction, _ neighbors: [Vector3]
  ) -> (sum: Double, magnitude: Double) {
    let functions = neighbors.map { r in
      let xi = (2 * r.length - radial.minimum - radial.cutoff) / (radial.cutoff - radial.minimum)
      let taper = (r.length - radial.cutoff) * (r.length - radial.cutoff)
      return (0...6).map { taper * cos(Double($0) * acos(xi)) }
    }
    let cosines = neighbors.map { a in
      neighbors.map { b in (0...10).map { pow(a.dot(b) / (a.length * b.length), Double($0)) } }
    }
    let count = contraction.count
    var chosen = [Int](repeating: 0, count: count)
    var (sum, magnitude) = (0.0, 0.0)
    while true {
      var term = 1.0
      for i in 0..<count {
        term *= functions[chosen[i]][contraction.radial[i]]
        for j in i + 1..<max(count, i + 1) {
          term *= cosines[chosen[i]][chosen[j]][contraction.contracted(i, j)]
        }
      }
      sum += term
      magnitude += abs(term)
      guard let place = chosen.firstIndex(where: { $0 + 1 < neighbors.count }) else { break }
      for lower in 0..<place { chosen[lower] = 0 }
      chosen[place] += 1
    }
    return (sum, magnitude)
  }

  @Test(
    "Every basis function is its contraction, summed over neighbors",
    arguments: [2, 6, 10, 14, 16, 18, 20, 22, 24, 26, 28])
  func values(level: Int) throws {
    let basis = try MomentTensorBasis(level: level)
    let potential = try MomentTensorPotential(
      basis: basis,
      radialBasis: RadialBasis(
        size: basis.radialFunctionCount, minimumDistance: Self.radial.minimum,
        cutoff: Self.radial.cutoff), elements: [.unnamed(0)])
    let cluster = try Self.cluster()
    let found = try potential.basisValues(of: cluster)
    let contractions = MomentContraction.all(level: level)
    #expect(contractions.count == basis.scalarCount)
    let neighbors = Array(cluster.positions.dropFirst())
    for (scalar, contraction) in contractions.enumerated() {
      let expected = Self.value(contraction, neighbors)
      // Roundings of terms that cancel are relative to the terms.
      let difference = abs(found[0, scalar] - expected.sum)
      #expect(
        difference <= 1e-12 * expected.magnitude, "\(contraction.radial) \(contraction.edges)")
    }
  }

  @Test("Graphs have no moment that nothing needs", arguments: [8, 16, 20, 24])
  func noWaste(level: Int) throws {
    let basis = try MomentTensorBasis(level: level)
    var isNeeded = [Bool](repeating: false, count: basis.momentCount)
    for moment in basis.scalarMoments { isNeeded[moment] = true }
    for product in basis.products {
      isNeeded[product.first] = true
      isNeeded[product.second] = true
    }
    #expect(isNeeded[basis.basicMoments.count...].allSatisfy { $0 })
    #expect(Set(basis.scalarMoments).count == basis.scalarCount)
    #expect(basis.products.allSatisfy { $0.multiplicity > 0 })
  }

  @Test("A basis is the same whenever it is enumerated", arguments: [16, 22])
  func reproducible(level: Int) throws {
    let contractions = MomentContraction.all(level: level)
    #expect(
      ProductGraphBuilder.graph(of: contractions) == ProductGraphBuilder.graph(of: contractions))
  }
}
