import Dataset
import TestSupport
import Testing

@Suite("Two methods compared")
struct RankingStatisticsTests {
  @Test("Correlations, errors and places are those computed by hand")
  func numbers() throws {
    let s = RankingStatistics(
      model: [-1.000, -0.990, -0.970, -0.950], reference: [-2.000, -1.995, -1.960, -1.965])
    func isEqual(_ a: Double?, _ b: Double) throws -> Bool {
      try #require(a).isClose(to: b, relative: 1e-9, absolute: 0)
    }
    // Deviations from the means 0.0225 and 0.02 eV: −22.5, −12.5, 7.5, 27.5 and −20, −15, 20, 15 meV.
    #expect(try isEqual(s.pearson, 1200 / (1475 * 1250.0).squareRoot()))
    // Ranks 1, 2, 3, 4 and 1, 2, 4, 3: 1 − 6·2/(4·15), and 5 − 1 of 6 pairs.
    #expect(try isEqual(s.spearman, 0.8))
    #expect(try isEqual(s.kendall, 4.0 / 6))
    #expect(s.pairs == 6 && s.discordantPairs == 1)
    // Model minus reference: 1.000, 1.005, 0.990, 1.015 eV.
    #expect(try isEqual(s.meanOffset, 1.0025))
    #expect(try isEqual(s.rootMeanSquareError, (81.25e-6).squareRoot()))
    #expect(try isEqual(s.meanAbsoluteError, 7.5e-3))
    #expect(s.modelPlaces == [1, 2, 3, 4] && s.referencePlaces == [1, 2, 4, 3])
    for (found, expected) in zip(
      s.modelDifferences + s.referenceDifferences, [0, 0.01, 0.03, 0.05, 0, 0.005, 0.04, 0.035])
    {
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test(
    "Candidates that a method does not tell apart share a place and are no pair in another order")
  func ties() throws {
    // 0.05 meV per atom is less than relaxations leave.
    let s = RankingStatistics(model: [-5, -4.99995, -4.99], reference: [-7.00, -7.01, -6.98])
    #expect(s.modelPlaces == [1, 1, 3] && s.referencePlaces == [2, 1, 3])
    #expect(s.discordantPairs == 0 && s.pairs == 3)
    // Ranks 1.5, 1.5, 3 and 2, 1, 3.
    #expect(abs(try #require(s.spearman) - 1.5 / 3.0.squareRoot()) < 1e-12)
    // Two pairs in one order, none in the other, one tied by the model.
    #expect(abs(try #require(s.kendall) - 2 / 6.0.squareRoot()) < 1e-12)
    let flat = RankingStatistics(model: [-5, -5, -5], reference: [-7, -7.1, -7.3])
    #expect(flat.pearson == nil && flat.spearman == nil && flat.kendall == nil)
    #expect(flat.modelPlaces == [1, 1, 1] && flat.referencePlaces == [3, 2, 1])
    #expect(flat.rootMeanSquareError != nil && flat.discordantPairs == 0)
  }

  @Test("With two candidates there is an order but no correlation, with one not even an error")
  func few() {
    let two = RankingStatistics(model: [-1.0, -0.9], reference: [-1.9, -2.1])
    #expect(two.pearson == nil && two.spearman == nil && two.kendall == nil)
    #expect(two.pairs == 1 && two.discordantPairs == 1)
    // 0.9 and 1.2 eV.
    #expect(two.rootMeanSquareError?.isClose(to: 0.15, relative: 1e-9, absolute: 0) ?? false)
    #expect(two.meanOffset?.isClose(to: 1.05, relative: 1e-9, absolute: 0) ?? false)
    let one = RankingStatistics(model: [-1], reference: [-2])
    #expect(one.pearson == nil && one.rootMeanSquareError == nil && one.meanAbsoluteError == nil)
    #expect(one.meanOffset == 1 && one.pairs == 0 && one.modelPlaces == [1])
    let none = RankingStatistics(model: [], reference: [])
    #expect(none.meanOffset == nil && none.pearson == nil && none.pairs == 0)
  }

  @Test("Only candidates of one group are compared")
  func groups() throws {
    let one = RankingStatistics(
      model: [-1.000, -0.990, -0.970, -0.950], reference: [-2.000, -1.995, -1.960, -1.965])
    // The same differences in a second group with other offsets, and a candidate alone.
    let s = RankingStatistics(
      model: [-1.000, -0.990, -0.970, -0.950, -4.000, -3.990, -3.970, -3.950, 7],
      reference: [-2.000, -1.995, -1.960, -1.965, -9.000, -8.995, -8.960, -8.965, 1],
      groups: [3, 3, 3, 3, 1, 1, 1, 1, 2])
    #expect(abs(try #require(s.pearson) - #require(one.pearson)) < 1e-12)
    #expect(abs(try #require(s.kendall) - #require(one.kendall)) < 1e-12)
    #expect(
      abs(try #require(s.rootMeanSquareError) - #require(one.rootMeanSquareError)) < 1e-12)
    #expect(s.pairs == 12 && s.discordantPairs == 2)
    #expect(s.referencePlaces == [1, 2, 4, 3, 1, 2, 4, 3, 1])
    #expect(s.modelDifferences[8] == 0 && s.referenceDifferences[8] == 0)
  }
}
