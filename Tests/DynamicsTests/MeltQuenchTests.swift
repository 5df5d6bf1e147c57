import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Melt and quench")
struct MeltQuenchTests {
  /// Atoms of copper with the forces of a Lennard-Jones solid that melts at some 3000 K.
  private func solid() throws -> LennardJonesPotential {
    let cu = try ClassicalModels.element("Cu")
    return try LennardJonesPotential(
      .init(
        truncation: .forceShift,
        pairs: [.init(cu, cu, depth: 0.4, diameter: 2.3, cutoff: 5.75)]))
  }

  /// Shorter than the paper's.
  private func settings(seed: UInt64) -> MeltQuenchSettings {
    var settings = MeltQuenchSettings(seed: seed)
    settings.timeStep = 2
    (settings.superheatTime, settings.liquidTime, settings.annealTime) = (2000, 5000, 3000)
    settings.meltingTime = 6000
    settings.ballisticTime = 600
    settings.longestVolumeTime = 30_000
    settings.quenchRate = 0.4
    return settings
  }

  private func disorder(_ atoms: Int, seed: UInt64) throws -> Structure {
    try DisorderedStructure.make(
      Composition(formula: "Cu\(atoms)"), volumePerAtom: 17, seed: seed)
  }

  @Test("Phases follow each other, frames are sampled, the liquid has no pressure")
  func phases() throws {
    let settings = settings(seed: 1)
    var run = MeltQuench(
      MeltQuenchState(try disorder(48, seed: 1), settings: settings), with: try solid(),
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
    #expect(outcome == .finished)
    #expect(
      phases == [.calming, .superheat, .melting, .volume, .liquid, .quench, .anneal])
    let temperature = try #require(run.state.meltingTemperature)
    // The real solid melts at 0.69 ε/k = 3200 K; small liquids without walls freeze far below.
    #expect((1700...3200).contains(temperature), "\(temperature) K")
    let expected = (5000 + (temperature - 300) / 0.4 + 3000) / settings.sampleInterval
    #expect(abs(frames - Int(expected)) <= 3, "\(frames) of \(expected) frames")
    let gigapascals =
      pressure / Double(liquidSteps)
      * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    // 5 ps of 48 atoms: the pressure has a standard deviation of 2.3 GPa and forgets within 0.2 ps.
    #expect(abs(gigapascals) < 1.5, "\(gigapascals) GPa")
    #expect(run.state.dynamics.temperature < 800)
    // The glass is denser than the liquid, and as dense as the solid but for a few percent.
    #expect((11.5...13.5).contains(run.state.dynamics.structure.volumePerAtom))
  }

  @Test(
    "A liquid that freezes while it is sampled sets out again, and is sampled to the end as a liquid"
  )
  func freezing() throws {
    var settings = settings(seed: 1)
    settings.liquidTime = 30_000
    var restarts = 0
    for seed in 1...6 as ClosedRange<UInt64> where restarts == 0 {
      var run = MeltQuench(
        MeltQuenchState(try disorder(32, seed: seed), settings: settings), with: try solid(),
        settings: settings)
      var (steps, seen) = (0, 0)
      var (first, last): (Structure?, Structure?)
      var energies: [Double] = []
      while run.state.phase.rawValue <= MeltQuenchPhase.liquid.rawValue {
        let outcome = run.advance(by: 1000) { step in
          if step.isRestart {
            // It is sampled again, or where it freezes every time a warmer one finds its volume first.
            #expect(step.phase == .liquid || step.phase == .volume)
            seen += 1
            steps = 0
            energies = []
          }
          guard step.phase == .liquid else { return true }
          steps += 1
          if steps == 1 { first = step.dynamics.state.structure }
          energies.append(step.dynamics.evaluation.energy / 32)
          last = step.dynamics.state.structure
          return true
        }
        #expect(outcome == .finished)
      }
      restarts += seen
      #expect(steps == 15_000)
      // A crystal's atoms stay within some 0.5 Å of their sites.
      let (start, end) = (try #require(first), try #require(last))
      let square = zip(start.positions, end.positions).reduce(0) {
        $0 + ($1.0 - $1.1).squaredLength
      }
      #expect(square / 32 > 9, "seed \(seed): \(square / 32) Å²")
      // Nor has a part of the cell frozen, which would cost about 2 k T for each of its atoms.
      let temperature = try #require(run.state.meltingTemperature)
      let loss = mean(energies[2500..<5000]) - mean(energies.suffix(2500))
      #expect(
        loss < 0.6 * PhysicalConstants.boltzmann * temperature, "seed \(seed): \(loss) eV/atom")
    }
    #expect(restarts > 0)
  }

  private func mean(_ numbers: ArraySlice<Double>) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  @Test(
    "Pressed with its bulk modulus a melt freezes denser than the glass"
  )
  func pressing() throws {
    var settings = settings(seed: 3)
    settings.pressing = 1
    var run = MeltQuench(
      MeltQuenchState(try disorder(32, seed: 3), settings: settings), with: try solid(),
      settings: settings)
    var glass = 0.0
    var (pressure, temperatures, steps) = (0.0, [Double](), 0)
    var frames = 0
    let outcome = run.advance(by: .max) { step in
      let state = step.dynamics.state
      switch step.phase {
      case .anneal: glass = state.structure.volume
      case .press:
        pressure += state.pressureTensor(step.dynamics.evaluation).trace / 3
        temperatures.append(state.temperature)
        steps += 1
        if step.isSampled { frames += 1 }
      default: break
      }
      return true
    }
    #expect(outcome == .finished)
    let modulus = try #require(run.state.bulkModulus)
    // That of the solid at rest, 75 ε/σ³ = 2.5 eV/Å³ or 395 GPa, falls to a tenth in the liquid.
    #expect((0.03...0.6).contains(modulus), "\(modulus) eV/Å³")
    #expect(abs(pressure / Double(steps) - modulus) < 0.1 * modulus, "\(pressure / Double(steps))")
    let count = Int((4000.0 - 300) / 0.4 / 2)
    // The superheat is held for 2 ps before, and not sampled.
    #expect(steps == 1000 + count && frames == count / 10, "\(steps) \(frames)")
    let cold = temperatures.suffix(500).reduce(0, +) / 500
    #expect(cold < 700 && temperatures[..<500].reduce(0, +) / 500 > 3000, "\(cold) K")
    #expect(run.state.dynamics.structure.volume < 0.95 * glass)
  }

  @Test("A melt that boils is held, and tested at that volume")
  func boiling() throws {
    var settings = settings(seed: 2)
    settings.superheat = 8000
    settings.coolingFactor = 0.6
    var run = MeltQuench(
      MeltQuenchState(try disorder(32, seed: 2), settings: settings), with: try solid(),
      settings: settings)
    var largest = 0.0
    var smallest = Double.infinity
    _ = run.advance(by: .max) { step in
      let volume = step.dynamics.state.structure.volumePerAtom
      if step.phase == .melting { largest = max(largest, volume) }
      if step.phase == .anneal { smallest = min(smallest, volume) }
      return step.phase.rawValue <= MeltQuenchPhase.volume.rawValue
    }
    #expect(run.state.tests.first?.temperature == 8000)
    #expect(run.state.tests.first?.isLiquid == true)
    // One and a half times the glass, which has about 12 Å³ per atom.
    #expect((16...20).contains(largest), "\(largest) Å³")
  }

  @Test("A state goes on with the same bits, read from bytes in another run")
  func restart() throws {
    let potential = try solid()
    var settings = settings(seed: 3)
    settings.pressing = 0.5
    let start = MeltQuenchState(try disorder(24, seed: 3), settings: settings)
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
    let crystal = try DynamicsModels.argonCrystal(2, a: 5.3)
    var run = MeltQuench(
      MeltQuenchState(crystal, settings: settings), with: try DynamicsModels.argon(),
      settings: settings)
    guard case .failed(let reason) = run.advance(by: .max) else {
      Issue.record("argon flowed at 20 K")
      return
    }
    #expect(reason.contains("superheat"))
    // Two of each temperature agree.
    #expect(run.state.tests.count == 12)
    #expect(run.state.tests.map(\.temperature).sorted() == run.state.tests.map(\.temperature))
  }
}
