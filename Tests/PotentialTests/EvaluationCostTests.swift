import Crystal
import Potential
import Testing

@Suite("Operations of an evaluation")
struct EvaluationCostTests {
  @Test(
    "The sphere relation leaves the published numbers of sums",
    arguments: [(16, 130, 84), (20, 295, 165)])
  func sums(level: Int, basic: Int, summed: Int) throws {
    let basis = try MomentTensorBasis(level: level)
    #expect(basis.basicMoments.count == basic)
    #expect(basis.summedMoments.count == summed)
  }

  @Test("A basis of one moment and its square is counted by hand")
  func byHand() throws {
    // Level 4: M₀ and M₀²: one sum, one monomial, one term whose value nothing needs.
    let potential = try MomentTensorPotential(
      basis: MomentTensorBasis(level: 4),
      radialBasis: RadialBasis(size: 8, minimumDistance: 1, cutoff: 5), elements: [.unnamed(0)])
    let cost = potential.evaluationCost(neighborsPerAtom: 10)
    #expect(cost.radial == 10 * (20 + 56 + 32))
    #expect(cost.moments == 10 * 3)
    #expect(cost.graphForward == 0)
    #expect(cost.graphBackward == 2)
    #expect(cost.gradient == 10 * (4 + 6 + 30))
    #expect(cost.total == 1080 + 30 + 2 + 400)
  }
}
