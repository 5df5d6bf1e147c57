import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Ensembles")
struct EnsembleTests {
  @Test(
    "The kinetic energy has the distribution of its temperature", arguments: [1, 2, 3, 4])
  func kineticEnergies(kind: Int) throws {
    let temperature = 40.0
    let ensemble = DynamicsModels.ensembles(temperature)[kind]
    // A moving cell needs a crystal that stays one; a fixed one may hold what it likes.
    let crystal = try DynamicsModels.argonCrystal(kind > 2 ? 2 : 1)
    let start = DynamicalState(crystal, temperature: temperature, seed: 3)
    var dynamics = MolecularDynamics(
      start, with: try DynamicsModels.argon(),
      settings: .init(timeStep: 4, ensemble: ensemble, seed: 4))
    #expect(dynamics.advance(by: 4000) == .finished)
    var values: [Double] = []
    let shape = Double(start.degreesOfFreedom) / 2
    for _ in 0..<(kind > 2 ? 400 : 1000) {
      // 1.6 ps apart, longer than what the thermostats remember.
      #expect(dynamics.advance(by: 400) == .finished)
      let ratio = dynamics.state.kineticEnergy / (PhysicalConstants.boltzmann * temperature)
      values.append(GoodnessOfFit.gammaDistribution(ratio, shape: shape))
    }
    let probability = GoodnessOfFit.uniformProbability(values, bins: 10)
    #expect(probability > 1e-3, "\(probability)")
  }

  @Test("The test of distributions can tell temperatures 15 % apart")
  func power() {
    for (factor, isRight) in [(1.0, true), (0.85, false), (1.15, false)] {
      var random = RandomStream(seed: 1, purpose: .test)
      let values = (0..<1000).map { _ in
        var energy = 0.0
        for _ in 0..<9 {
          let x = random.normal()
          energy += x * x / 2
        }
        return GoodnessOfFit.gammaDistribution(factor * energy, shape: 4.5)
      }
      let probability = GoodnessOfFit.uniformProbability(values, bins: 10)
      #expect((probability > 1e-3) == isRight, "\(factor): \(probability)")
    }
  }

  @Test("A cold crystal has half a kT of potential energy for each vibration", arguments: [1, 2])
  func equipartition(kind: Int) throws {
    let (temperature, potential) = (5.0, try DynamicsModels.argon())
    let crystal = try DynamicsModels.argonCrystal(2)
    let rest = try potential.evaluation(of: crystal).energy
    var dynamics = MolecularDynamics(
      DynamicalState(crystal, temperature: temperature, seed: 3), with: potential,
      settings: .init(
        timeStep: 5, ensemble: DynamicsModels.ensembles(temperature)[kind], seed: 4))
    #expect(dynamics.advance(by: 5000) == .finished)
    var sum = 0.0
    let steps = 30_000
    let outcome = dynamics.advance(by: steps) {
      sum += $0.evaluation.energy - rest
      return true
    }
    #expect(outcome == .finished)
    let expected =
      Double(dynamics.state.degreesOfFreedom) * PhysicalConstants.boltzmann * temperature / 2
    #expect(
      (sum / Double(steps)).isClose(to: expected, relative: 0.04, absolute: 0),
      "\(sum / Double(steps) / expected)")
  }

  @Test("Under pressure a crystal has the lattice constants that its potential gives at rest")
  func latticeConstants() throws {
    let potential = try ClassicalModels.stillingerWeberSilicon()
    for gigapascals in [0.0, 8] {
      let pressure = gigapascals / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      let rest = Relaxation.run(
        try DynamicsModels.siliconCrystal(1), with: potential,
        settings: RelaxationSettings(
          stages: [.gigapascals(force: 1e-4, stress: 0.01, evaluations: 400)], pressure: pressure))
      let expected = rest.structure.lattice.lengths.x
      let strained = try TestStructures.strained(
        try DynamicsModels.siliconCrystal(2), by: 0.03, seed: 5)
      let settings = IsobaricSettings(
        temperature: .constant(50), pressure: pressure, cell: .flexible, cellPeriod: 500)
      var dynamics = MolecularDynamics(
        DynamicalState(strained, temperature: 100, seed: 1), with: potential,
        settings: .init(timeStep: 2, ensemble: .isobaric(settings)))
      #expect(dynamics.advance(by: 5000) == .finished)
      var (vectors, inner) = (Matrix3.zero, Matrix3.zero)
      let steps = 10_000
      let outcome = dynamics.advance(by: steps) {
        vectors += (1 / Double(steps)) * $0.state.structure.lattice.vectors
        inner += (1 / Double(steps)) * $0.state.pressureTensor($0.evaluation)
        return true
      }
      #expect(outcome == .finished)
      let mean = try Lattice(vectors)
      // 50 K widen silicon by less than 2·10⁻⁴.
      for axis in 0..<3 {
        #expect((mean.lengths[axis] / 2).isClose(to: expected, relative: 5e-4, absolute: 0))
        #expect(abs(mean.angles[axis] - .pi / 2) < 1e-3)
      }
      // The virial theorem, tensor by tensor.
      let excess = inner - pressure * Matrix3.identity
      let largest =
        excess.largestMagnitude * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      #expect(largest < 0.1, "\(largest) GPa")
    }
  }

  @Test("Volumes fluctuate as the compressibility says")
  func fluctuations() throws {
    let (temperature, potential) = (40.0, try DynamicsModels.argon())
    let settings = IsobaricSettings(
      temperature: .constant(temperature), cell: .isotropic, thermostatPeriod: 200,
      cellPeriod: 600)
    var dynamics = MolecularDynamics(
      DynamicalState(try DynamicsModels.argonCrystal(2), temperature: temperature, seed: 1),
      with: potential, settings: .init(timeStep: 6, ensemble: .isobaric(settings)))
    #expect(dynamics.advance(by: 10_000) == .finished)
    var (sum, squares) = (0.0, 0.0)
    let steps = 80_000
    let outcome = dynamics.advance(by: steps) {
      sum += $0.state.structure.volume
      squares += $0.state.structure.volume * $0.state.structure.volume
      return true
    }
    #expect(outcome == .finished)
    let mean = sum / Double(steps)
    let variance = squares / Double(steps) - mean * mean
    // −V ∂P/∂V from two volumes around the mean, at the same temperature.
    func pressure(_ volume: Double) throws -> Double {
      let crystal = try DynamicsModels.argonCrystal(2)
      let scaled = crystal.replacing(lattice: try crystal.lattice.scaled(toVolume: volume))
      var fixed = MolecularDynamics(
        DynamicalState(scaled, temperature: temperature, seed: 2), with: potential,
        settings: .init(
          timeStep: 6, ensemble: .langevin(.constant(temperature), relaxationTime: 300), seed: 6))
      _ = fixed.advance(by: 2000)
      var sum = 0.0
      _ = fixed.advance(by: 20_000) {
        sum += $0.state.pressureTensor($0.evaluation).trace / 3
        return true
      }
      return sum / 20_000
    }
    let modulus =
      try -(pressure(1.02 * mean) - pressure(0.98 * mean)) / 0.04
    let expected = PhysicalConstants.boltzmann * temperature * mean / modulus
    #expect(
      variance.isClose(to: expected, relative: 0.15, absolute: 0), "\(variance), \(expected)")
  }
}
