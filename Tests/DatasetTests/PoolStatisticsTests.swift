import Dataset
import TestSupport
import Testing

/// Expected values are those of scipy 1.17.1 and numpy.
///
///     ref = np.array([-5.000, -4.990, -4.950, -4.950, -4.880, -4.790, -4.600, -4.310])
///     mod = np.array([-5.310, -5.320, -5.250, -5.275, -5.275, -5.020, -4.950, -4.420])
///     stats.pearsonr(ref, mod)[0]; stats.spearmanr(ref, mod)[0]; stats.kendalltau(ref, mod)[0]
///     dr = ref - ref[0]; dm = mod - mod[0]; raw = mod - ref; off = raw[dr < 0.2].mean()
///     rms = lambda x: np.sqrt(np.mean(np.square(x)))
///
/// and for the structures m of a window, first the ground state left out, `rms((dm - dr)[m])`, then with all
/// `rms((raw - off)[m])` and `rms(raw[m])`.
@Suite("A potential judged by a pool")
struct PoolStatisticsTests {
  private static let reference = [-5.000, -4.990, -4.950, -4.950, -4.880, -4.790, -4.600, -4.310]
  private static let model = [-5.310, -5.320, -5.250, -5.275, -5.275, -5.020, -4.950, -4.420]

  private func statistics(
    _ model: [Double] = model, _ reference: [Double] = reference, _ formulas: [String]? = nil
  ) -> PoolStatistics {
    PoolStatistics(
      model: model, reference: reference, formulas: formulas ?? model.map { _ in "TiO2" })
  }

  private func isClose(_ a: Double?, _ b: Double) -> Bool {
    a?.isClose(to: b, relative: 1e-11, absolute: 1e-12) ?? false
  }

  /// Whether everything but the energies themselves agrees.
  private func agree(_ a: PoolStatistics, _ b: PoolStatistics) -> Bool {
    func errors(_ s: PoolStatistics) -> [Double?] {
      ([s.low, s.all] + s.windows.map(\.errors)).flatMap { [$0.fromGroundState, $0.fromMean] }
    }
    let pairs = zip(
      errors(a) + [a.ranking.pearson, a.ranking.spearman, a.ranking.kendall],
      errors(b) + [b.ranking.pearson, b.ranking.spearman, b.ranking.kendall])
    return a.windows.map(\.errors.count) == b.windows.map(\.errors.count)
      && pairs.allSatisfy { one, other in
        other.map { isClose(one, $0) } ?? (one == nil)
      }
  }

  @Test("Coefficients and errors are those of scipy and numpy, tied energies among them")
  func numbers() {
    let s = statistics()
    #expect(isClose(s.ranking.pearson, 0.9790838215823249))
    #expect(isClose(s.ranking.spearman, 0.9216867469879517))
    #expect(isClose(s.ranking.kendall, 0.8148148148148148))
    func check(_ errors: PoolStatistics.Errors, _ count: Int, _ values: [Double]) -> Bool {
      errors.count == count && isClose(errors.fromGroundState, values[0])
        && isClose(errors.fromMean, values[1]) && isClose(errors.absolute, values[2])
    }
    #expect(check(s.low, 5, [0.04458138625031802, 0.03325657829663203, 0.3336615051215828]))
    #expect(check(s.all, 8, [0.08940278039779938, 0.09051381110084808, 0.30498975392625904]))
    #expect(
      s.windows.map { Int(($0.lowerBound * 10).rounded()) } == [0, 1, 2, 4, 6],
      "those without a structure are left out")
    let expected: [(Int, [Double])] = [
      (4, [0.015545631755148361, 0.01975474626513859, 0.31647472252930403]),
      (1, [0.085, 0.063, 0.395]), (1, [0.08, 0.102, 0.23]), (1, [0.04, 0.018, 0.35]),
      (1, [0.2, 0.222, 0.11]),
    ]
    for (window, values) in zip(s.windows, expected) {
      #expect(check(window.errors, values.0, values.1), "\(window)")
    }
  }

  @Test("The lowest of either method come with their places by the other")
  func lowest() throws {
    let s = statistics()
    let group = try #require(s.groups.first)
    #expect(s.groups.count == 1 && group.name == "TiO2" && group.groundState == 0)
    // Of equal energies the one that is lower by the other method comes first.
    #expect(group.lowestByReference == [0, 1, 3, 2, 4])
    #expect(group.lowestByModel == [1, 0, 3, 4, 2])
    #expect(group.lowestByReference.map { s.ranking.modelPlaces[$0] } == [2, 1, 3, 5, 3])
    #expect(group.lowestByModel.map { s.ranking.referencePlaces[$0] } == [2, 1, 3, 5, 3])
    #expect(s.modelDifferences[0] == 0 && s.modelDifferences[1] < 0)
  }

  @Test("A constant added to all energies of a method changes nothing but the errors of energies")
  func shifts() {
    let s = statistics()
    let shifted = statistics(Self.model.map { $0 + 3.7 }, Self.reference.map { $0 - 11.25 })
    #expect(agree(shifted, s))
    // Root mean square of errors that all moved by 14.95: √(σ² + (mean + 14.95)²).
    let raw = zip(Self.model, Self.reference).map { $0 - $1 + 14.95 }
    let expected = (raw.map { $0 * $0 }.reduce(0, +) / 8).squareRoot()
    #expect(isClose(shifted.all.absolute, expected))
  }

  @Test("The order of the pool changes nothing", arguments: [3, 5, 7])
  func permutation(step: Int) {
    let order = (0..<8).map { ($0 * step + 2) % 8 }
    let s = statistics()
    let other = statistics(order.map { Self.model[$0] }, order.map { Self.reference[$0] })
    #expect(agree(other, s))
    #expect(other.groups[0].lowestByReference.map { order[$0] } == s.groups[0].lowestByReference)
    #expect(other.groups[0].lowestByModel.map { order[$0] } == s.groups[0].lowestByModel)
  }

  @Test("A potential that is right but for a constant of each composition has no errors")
  func compositions() throws {
    let formulas = ["TiO2", "Ti", "TiO2", "Ti", "TiO2", "Ti2O3", "Ti"]
    let reference = [-9.0, -6.1, -8.9, -6.0, -8.5, -8.0, -5.2]
    let offsets = ["TiO2": 0.4, "Ti": -1.3, "Ti2O3": 2.0]
    let s = statistics(
      zip(reference, formulas).map { $0 + (offsets[$1] ?? 0) }, reference, formulas)
    #expect(isClose(s.ranking.pearson, 1) && isClose(s.ranking.spearman, 1))
    #expect(abs(try #require(s.all.fromGroundState)) < 1e-14)
    #expect(abs(try #require(s.all.fromMean)) < 1e-14)
    #expect(try #require(s.all.absolute) > 0.4)
    #expect(s.groups.map(\.name) == ["Ti", "Ti2O3", "TiO2"])
    #expect(s.groups.map(\.groundState) == [1, 5, 0])
    // Ti2O3 is alone: a ground state without an error of its own.
    let alone = s.groups[1].errors
    #expect(alone.count == 1 && alone.fromGroundState == nil && alone.fromMean == nil)
    #expect(isClose(alone.absolute, 2))
    #expect(s.groups[1].pearson == nil)
  }

  @Test("One structure has nothing to be compared with")
  func single() {
    let s = statistics([-1.5], [-2])
    #expect(s.ranking.pearson == nil && s.low.fromGroundState == nil && s.low.fromMean == nil)
    #expect(s.low.count == 1 && isClose(s.low.absolute, 0.5))
    #expect(s.groups[0].lowestByModel == [0])
  }
}
