import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Melt and quench")
struct MeltQuenchTests {
  /// Times that suit argon, whose atoms are slow and melt when cold.
  private func settings(seed: UInt64) -> MeltQuenchSettings {
    var settings = MeltQuenchSettings(seed: seed)
    settings.timeStep = 5
    settings.relaxationTime = 300
    settings.superheat = 130
    settings.meltingTime = 40_000
    settings.ballisticTime = 4000
    settings.longestVolumeTime = 200_000
    settings.quenchRate = 0.01
    settings.glassTemperature = 20
    settings.annealTemperature = 30
    settings.pressureTolerance =
      0.03 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    return settings
  }

  private func disorder(_ atoms: Int, seed: UInt64) throws -> Structure {
    let ar = try ClassicalModels.element("Ar")
    return try TestStructures.randomCrystal(
      [ChemicalElement](repeating: ar, count: atoms), volumePerAtom: 42, minimumDistance: 2.6,
      seed: seed)
  }

  @Test("Phases follow each other; the temperature found is the same within a step for five seeds")
  func phases() throws {
    let potential = try DynamicsModels.argon()
    var temperatures: [Double] = []
    for seed in UInt64(1)...5 {
      let settings = settings(seed: seed)
      var run = MeltQuench(
        MeltQuenchState(try disorder(108, seed: seed), settings: settings), with: potential,
        settings: settings)
      var phases: [MeltQuenchPhase] = []
      var frames = 0
      var (pressure, liquidSteps) = (0.0, 0)
      let outcome = run.advance(by: .max) { step in
        if phases.last != step.phase { phases.append(step.phase) }
        if step.isSampled { frames += 1 }
        if step.phase == .liquid {
          pressure += step.dynamics.state.pressureTensor(step.dynamics.evaluation).trace / 3
          liquidSteps += 1
        }
        return true
      }
      #expect(outcome == .finished, "seed \(seed): \(outcome)")
      let ends: [MeltQuenchPhase] = [.liquid, .quench, .anneal]
      #expect(phases.prefix(3) == [.superheat, .melting, .volume], "seed \(seed)")
      #expect(Array(phases.suffix(3)) == ends && phases.filter(ends.contains) == ends)
      print(
        "T", seed, run.state.tests, run.state.meltingTemperature ?? 0,
        run.state.dynamics.structure.volumePerAtom)
      let temperature = try #require(run.state.meltingTemperature)
      temperatures.append(temperature)
      let expected = Int(
        (20_000 + (temperature - 20) / 0.01 + 15_000) / settings.sampleInterval)
      #expect(abs(frames - expected) <= 3, "\(frames) of \(expected) frames")
      let gigapascals =
        pressure / Double(liquidSteps)
        * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      // Argon is soft: 0.1 GPa would be a tenth of its volume.
      #expect(abs(gigapascals) < 0.02, "seed \(seed): \(gigapascals) GPa")
      #expect(run.state.dynamics.temperature < 60)
    }
    let ratio = try #require(temperatures.max()) / (try #require(temperatures.min()))
    #expect(ratio < 1.12, "\(temperatures)")
  }

  @Test("A state goes on with the same bits, read from bytes in another run")
  func restart() throws {
    let potential = try DynamicsModels.argon()
    var settings = settings(seed: 3)
    (settings.superheatTime, settings.liquidTime, settings.annealTime) = (2500, 5000, 5000)
    let start = MeltQuenchState(try disorder(32, seed: 3), settings: settings)
    var whole = MeltQuench(start, with: potential, settings: settings)
    #expect(whole.advance(by: .max) == .finished)
    var state = start
    var parts = 0
    while state.phase != .finished {
      var run = MeltQuench(state, with: potential, settings: settings)
      let left = 1000 - state.dynamics.step % 1000
      try #require(run.advance(by: left) == .finished)
      var encoder = ByteEncoder()
      encoder.encode(run.state)
      var decoder = ByteDecoder(encoder.bytes)
      state = try decoder.decode(MeltQuenchState.self)
      #expect(decoder.isAtEnd)
      try #require(state == run.state)
      parts += 1
    }
    #expect(parts > 10)
    #expect(state == whole.state)
  }

  @Test("A crystal that does not melt is heated further, and after that refused")
  func cold() throws {
    var settings = settings(seed: 2)
    settings.superheat = 20
    settings.meltingTime = 6000
    settings.ballisticTime = 1000
    let crystal = try DynamicsModels.argonCrystal(2, a: 5.3)
    var run = MeltQuench(
      MeltQuenchState(crystal, settings: settings), with: try DynamicsModels.argon(),
      settings: settings)
    guard case .failed(let reason) = run.advance(by: .max) else {
      Issue.record("argon flowed at 20 K")
      return
    }
    #expect(reason.contains("superheat"))
    #expect(run.state.tests.count == 6)
    #expect(run.state.tests.map(\.temperature).sorted() == run.state.tests.map(\.temperature))
  }
}
