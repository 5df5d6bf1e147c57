import Evolution
import NumericalCore
import Testing

@Suite("Antiseeds")
struct AntiseedTests {
  @Test("A search trapped in a wide funnel escapes three times faster with antiseeds")
  func escape() throws {
    let landscape = try DoubleFunnel()
    let budget = 4000
    let seeds = 0..<20 as Range<UInt64>
    func candidates(_ height: Double) -> [Int] {
      seeds.map {
        landscape.candidatesToEscape(
          height: height, width: AntiseedRecords.defaultWidth, seed: $0, budget: budget)
      }
    }
    // The default height is lower: funnels like these are not what the benchmarks are made of.
    let (with, without) = (candidates(0.1), candidates(0))
    // Censored times only make the ratio smaller.
    let ratio = Double(without.sorted()[10]) / Double(with.sorted()[10])
    #expect(ratio >= 3, "with \(with.sorted()), without \(without.sorted())")
    // Where both were alike, 17 of 20 would come once in 800 times (binomial distribution).
    let faster = zip(with, without).count { $0 < $1 }
    #expect(faster >= 17, "\(faster) of 20 seeds")
  }
}

@Suite("Niches and ratios")
struct NicheTests {
  @Test("A niche has one member at most, the fittest")
  func niches() throws {
    var settings = try PopulationTests.settings(8)
    settings.antiseedHeight = 0
    settings.nicheRadius = 0.05
    var population = Population(settings: settings)
    var entered = 0
    for id in 0..<60 {
      let enthalpy = -1 - 0.013 * Double((7 * id) % 60)
      let insertion = population.insert(
        try PopulationTests.individual(id, basin: id, enthalpy: enthalpy))
      if case .added = insertion { entered += 1 }
      let members = population.members()
      for (place, a) in members.enumerated() {
        for b in members.prefix(place) {
          #expect(a.fingerprint.distance(to: b.fingerprint) >= 0.05, "after \(id)")
        }
      }
    }
    #expect(entered > 1)
    // The best of all is in, whatever niche it is in.
    let best = try #require(population.best(1).first)
    #expect(population.members().first?.id == best.representative.id)
  }

  @Test("The ratios find the one operator that leads downhill")
  func convergence() throws {
    for seed in 0..<8 as Range<UInt64> {
      var settings = try PopulationTests.settings(12)
      settings.antiseedHeight = 0
      let space = settings.space
      settings.operators = VariationKind.operators.map { space.obstacle(to: $0) == nil ? 1 : 0 }
      var population = Population(settings: settings)
      var random = RandomStream(seed: seed, purpose: .test)
      for id in 0..<240 {
        let order = population.orderNext(random: &random)
        let parent = population.members().first { $0.id == order.parents.first?.id }
        // Soft mutations go a little down from their parent, all others come out anywhere above.
        var enthalpy = random.uniform(0, 4)
        if order.kind == .softMutation, let parent {
          enthalpy = parent.enthalpyPerAtom - random.uniform(0, 0.1)
        }
        _ = population.insert(
          try PopulationTests.individual(id, basin: id, enthalpy: enthalpy, kind: order.kind))
      }
      let ratios = population.operators
      #expect(ratios.ratio(of: .softMutation) > 0.3, "seed \(seed): \(ratios.ratios)")
      for kind in VariationKind.operators where kind != .softMutation {
        #expect(ratios.ratio(of: kind) < ratios.ratio(of: .softMutation) / 2, "seed \(seed)")
      }
      #expect(ratios.records.reduce(0) { $0 + $1.children } == 240 - 12)
    }
  }
}
