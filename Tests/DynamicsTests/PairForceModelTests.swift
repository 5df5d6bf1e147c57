import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("What a relaxation learns about bonds")
struct PairForceModelTests {
  @Test("The Cholesky factor solves systems of every size", arguments: [1, 3, 7, 8, 9, 45, 100])
  func cholesky(order: Int) {
    var random = RandomStream(seed: 3, purpose: .test, slot: UInt64(order))
    let a = (0..<order * order).map { _ in random.uniform(-1, 1) }
    // AᵀA + 1 is positive definite.
    func element(_ i: Int, _ j: Int) -> Double {
      (0..<order).reduce(i == j ? 1 : 0) { $0 + a[$1 * order + i] * a[$1 * order + j] }
    }
    var factor = CholeskyFactor(order: order)
    for _ in 0..<2 {
      factor.factorize { matrix, stride in
        for i in 0..<order { for j in 0...i { matrix[i * stride + j] = element(i, j) } }
      }
    }
    let expected = (0..<order).map { _ in random.uniform(-1, 1) }
    var solved = (0..<order).map { i in
      (0..<order).reduce(0) { $0 + element(i, $1) * expected[$1] }
    }
    factor.solve(&solved)
    for (a, b) in zip(solved, expected) {
      #expect(a.isClose(to: b, relative: 1e-9, absolute: 1e-9))
    }
  }

  @Test("Six structures teach the stiffness of the bonds of rutile")
  func stiffness() throws {
    // The short part of the Ti–O pair of Matsui and Akaogi without its neighbors: an exact pair energy.
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    let (amplitude, decay) = (16957.5, 0.194)
    let potential = try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: 6, smoothing: 1, charges: [],
        pairs: [.init(ti, o, amplitude: amplitude, decayLength: decay, dispersion: 0, wall: 0)]))
    let rutile = try Prototypes.rutile()
    var model = PairForceModel(rutile, hasStrain: true)
    for seed in 0..<6 {
      let structure = try TestStructures.rattled(
        TestStructures.strained(rutile, by: 0.03, seed: UInt64(seed)), by: 0.08,
        seed: UInt64(seed))
      model.learn(
        structure, try potential.evaluation(of: structure),
        NeighborList(structure, cutoff: model.cutoff))
    }
    let oxygen = try #require(rutile.species.firstIndex(of: o))
    let titanium = try #require(rutile.species.firstIndex(of: ti))
    let r = 1.95
    let force = -amplitude / decay * exp(-r / decay)
    let learnt = model.stiffness(titanium, oxygen, r)
    // Six structures, the older ones half forgotten, and the pull of the springs leave some 15 %, which
    // a preconditioner does not notice.
    #expect(learnt.across.isClose(to: force / r, relative: 0.25, absolute: 0))
    #expect(learnt.along.isClose(to: -force / decay, relative: 0.25, absolute: 0))
    // Pairs without a force stay far softer than the bond.
    #expect(abs(model.stiffness(oxygen, oxygen, 2.8).along) < 0.1 * learnt.along)
  }
}
