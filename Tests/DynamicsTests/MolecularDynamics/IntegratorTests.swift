import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Molecular dynamics")
struct IntegratorTests {
  /// The states of a run at every step, and what is conserved.
  private struct Trace {
    var state: DynamicalState
    var outcome = DynamicsOutcome.finished
    var conserved: [Double] = []
    var temperatures: [Double] = []

    init(
      _ start: DynamicalState, _ potential: any InteratomicPotential,
      _ settings: MolecularDynamicsSettings, steps: Int
    ) {
      var dynamics = MolecularDynamics(start, with: potential, settings: settings)
      var (conserved, temperatures): ([Double], [Double]) = ([], [])
      outcome = dynamics.advance(by: steps) {
        conserved.append($0.conservedEnergy)
        temperatures.append($0.state.temperature)
        return true
      }
      state = dynamics.state
      self.conserved = conserved
      self.temperatures = temperatures
    }
  }

  /// The slope of a straight line through equally spaced values.
  private func slope(_ values: [Double]) -> Double {
    let middle = Double(values.count - 1) / 2
    let mean = values.reduce(0, +) / Double(values.count)
    var (above, below) = (0.0, 0.0)
    for (k, value) in values.enumerated() {
      above += (Double(k) - middle) * (value - mean)
      below += (Double(k) - middle) * (Double(k) - middle)
    }
    return above / below
  }

  @Test("Energy drifts by less than 10⁻⁵ eV per atom and ps at steps of 1 fs")
  func drift() throws {
    let rutile = try Prototypes.rutile().supercell(2, 2, 2)
    let models: [(any InteratomicPotential, Int)] = [
      (try DynamicsModels.titaniumDioxide(), 10_000),
      (try ClassicalModels.titaniumDioxide(smoothing: 2, cutoff: 9), 4000),
    ]
    for (potential, steps) in models {
      let start = DynamicalState(rutile, temperature: 600, seed: 3)
      let trace = Trace(
        start, potential, .init(timeStep: 1, ensemble: .microcanonical), steps: steps)
      #expect(trace.outcome == .finished)
      let drift = slope(trace.conserved) * 1000 / Double(rutile.atomCount)
      #expect(abs(drift) < 1e-5, "\(drift) eV/atom/ps")
      // Half of what was put in became potential energy: the atoms did move.
      let mean = trace.temperatures.suffix(1000).reduce(0, +) / 1000
      #expect(mean > 150 && mean < 450, "\(mean) K")
    }
  }

  @Test("What is conserved deviates with the square of the time step", arguments: [0, 2, 3, 4])
  func order(kind: Int) throws {
    let ensemble = DynamicsModels.ensembles(60)[kind]
    let start = DynamicalState(try DynamicsModels.argonCrystal(2), temperature: 60, seed: 2)
    let potential = try DynamicsModels.argon()
    func deviation(_ timeStep: Double) -> Double {
      let trace = Trace(
        start, potential, .init(timeStep: timeStep, ensemble: ensemble),
        steps: Int(2000 / timeStep))
      let mean = trace.conserved.reduce(0, +) / Double(trace.conserved.count)
      let square = trace.conserved.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (square / Double(trace.conserved.count)).squareRoot()
    }
    let ratio = deviation(8) / deviation(4)
    #expect(ratio > 3.4 && ratio < 4.6, "\(ratio)")
  }

  @Test("With noise and friction the energy and the heat together stay")
  func heat() throws {
    let start = DynamicalState(try DynamicsModels.argonCrystal(2), temperature: 10, seed: 2)
    let trace = Trace(
      start, try DynamicsModels.argon(),
      .init(timeStep: 2, ensemble: DynamicsModels.ensembles(60)[1]), steps: 2000)
    let range = try #require(trace.conserved.max()) - (try #require(trace.conserved.min()))
    #expect(range < 1e-3 * Double(start.structure.atomCount), "\(range) eV")
    // It took up heat: 3 k T for each atom, by equipartition.
    let expected = Double(start.degreesOfFreedom) * PhysicalConstants.boltzmann * 50
    #expect((-trace.state.heatLost).isClose(to: expected, relative: 0.3, absolute: 0))
  }

  @Test("Turned round, atoms go back to where they came from")
  func reversal() throws {
    let potential = try DynamicsModels.argon()
    let settings = MolecularDynamicsSettings(timeStep: 4, ensemble: .microcanonical)
    let start = DynamicalState(try DynamicsModels.argonCrystal(2), temperature: 60, seed: 2)
    let there = Trace(start, potential, settings, steps: 300).state
    let turned = DynamicalState(there.structure, velocities: there.velocities.map { -1 * $0 })
    let back = Trace(turned, potential, settings, steps: 300).state
    for (a, b) in zip(back.structure.positions, start.structure.positions) {
      #expect((a - b).length < 1e-8)
    }
    #expect(
      zip(there.structure.positions, start.structure.positions).contains { ($0 - $1).length > 0.1 })
  }

  @Test("ASE's velocity Verlet ends at the same positions")
  func crossCode() throws {
    let start = DynamicalState(try DynamicsModels.argonCrystal(2), temperature: 80, seed: 7)
    let end = Trace(
      start, try DynamicsModels.argon(), .init(timeStep: 5, ensemble: .microcanonical), steps: 200)
    func text(_ vectors: [Vector3]) -> String {
      vectors.map { "[\($0.x),\($0.y),\($0.z)]" }.joined(separator: ",")
    }
    let script = """
      import json, numpy as np
      from ase import Atoms, units
      from ase.calculators.calculator import Calculator, all_changes
      from ase.neighborlist import neighbor_list
      from ase.md.verlet import VelocityVerlet
      class ForceShifted(Calculator):
          implemented_properties = ['energy', 'forces']
          def calculate(self, atoms, properties, changes):
              Calculator.calculate(self, atoms, properties, changes)
              e, s, rc = 0.0104, 3.4, 7.0
              du = lambda r: 4*e*(-12*(s/r)**12 + 6*(s/r)**6)/r
              i, d, D = neighbor_list('idD', atoms, rc)
              f = np.zeros((len(atoms), 3))
              np.add.at(f, i, ((du(d) - du(rc))/d)[:, None]*D)
              self.results = {'energy': 0.0, 'forces': f}
      atoms = Atoms('Ar\(start.structure.atomCount)', pbc=True, cell=[\(start.structure.lattice.lengths.x)]*3,
                    positions=[\(text(start.structure.positions))])
      atoms.set_masses([\(start.structure.species[0].mass)]*len(atoms))
      atoms.set_velocities(np.array([\(text(start.velocities))])/units.fs)
      atoms.calc = ForceShifted()
      VelocityVerlet(atoms, timestep=5*units.fs).run(200)
      print(json.dumps(atoms.get_positions().tolist()))
      """
    let positions = try JSONDecoder().decode(
      [[Double]].self, from: Data(try PythonASE.run(script).utf8))
    for (ours, theirs) in zip(end.state.structure.positions, positions) {
      // ASE's units are those of CODATA 2014, whose digits differ from the eighth on; 1 ps of motion
      // turns that into less than 10⁻⁵ Å.
      #expect((ours - Vector3(theirs[0], theirs[1], theirs[2])).length < 1e-5)
    }
  }

  @Test("A state goes on with the same bits, read from bytes in another run", arguments: 0..<5)
  func restart(kind: Int) throws {
    let ensemble = DynamicsModels.ensembles(900)[kind]
    let potential = try DynamicsModels.titaniumDioxide()
    var settings = MolecularDynamicsSettings(timeStep: 1.5, ensemble: ensemble, seed: 5)
    settings.renewalInterval = 50
    let start = DynamicalState(
      try Prototypes.rutile().supercell(2, 2, 2), temperature: 900, seed: 1)
    var whole = MolecularDynamics(start, with: potential, settings: settings)
    #expect(whole.advance(by: 170) == .finished)
    // Left off and taken up anywhere.
    var paused = MolecularDynamics(start, with: potential, settings: settings)
    for steps in [13, 37, 1, 119] { #expect(paused.advance(by: steps) == .finished) }
    #expect(paused.state == whole.state)
    // Written at a renewal and read.
    var first = MolecularDynamics(start, with: potential, settings: settings)
    #expect(first.advance(by: 100) == .finished)
    var encoder = ByteEncoder()
    encoder.encode(first.state)
    var decoder = ByteDecoder(encoder.bytes)
    var second = MolecularDynamics(
      try decoder.decode(DynamicalState.self), with: potential, settings: settings)
    #expect(decoder.isAtEnd)
    #expect(second.advance(by: 70) == .finished)
    #expect(second.state == whole.state)
    #expect(whole.state.structure != start.structure)
  }

  @Test("A truncated or contradictory state is refused")
  func decoding() throws {
    let state = DynamicalState(try DynamicsModels.argonCrystal(1), temperature: 10, seed: 1)
    var encoder = ByteEncoder()
    encoder.encode(state)
    for length in stride(from: 0, to: encoder.bytes.count, by: 7) {
      var decoder = ByteDecoder(Array(encoder.bytes.prefix(length)))
      #expect(throws: ByteCodingError.self) { try decoder.decode(DynamicalState.self) }
    }
  }

  @Test("Atoms that are thrown apart end the run with the last whole step")
  func explosion() throws {
    let close = try DynamicsModels.argonCrystal(1, a: 2.2)
    let start = DynamicalState(
      TestStructures.rattled(close, by: 0.2, seed: 1), temperature: 10, seed: 1)
    var dynamics = MolecularDynamics(
      start, with: try DynamicsModels.argon(),
      settings: .init(timeStep: 5, ensemble: .microcanonical))
    guard case .exploded(let reason) = dynamics.advance(by: 1000) else {
      Issue.record("it did not explode")
      return
    }
    #expect(reason.contains("atom") && reason.contains("step"))
    #expect(dynamics.state.step < 1000)
    #expect(dynamics.state.structure.positions.allSatisfy { $0.isFinite })
  }

  @Test("What the potential refuses is a failure, and the monitor may stop")
  func failure() throws {
    let start = DynamicalState(try DynamicsModels.argonCrystal(1), temperature: 10, seed: 1)
    var wrong = MolecularDynamics(
      start, with: try DynamicsModels.titaniumDioxide(),
      settings: .init(timeStep: 1, ensemble: .microcanonical))
    guard case .failed(let reason) = wrong.advance(by: 3) else {
      Issue.record("an unknown element was moved")
      return
    }
    #expect(reason.contains("Ar"))
    #expect(wrong.state == start)
    var right = MolecularDynamics(
      start, with: try DynamicsModels.argon(),
      settings: .init(timeStep: 1, ensemble: .microcanonical))
    #expect(right.advance(by: 10) { $0.state.step < 4 } == .stopped)
    #expect(right.state.step == 4)
    #expect(right.advance(by: 3) == .finished)
    #expect(right.state.step == 7)
  }

  @Test("A quench ends at its temperature")
  func quench() throws {
    let ramp = TemperatureRamp(from: 120, to: 20, beginning: 0, over: 4000)
    #expect(ramp.temperature(at: -5) == 120)
    #expect(ramp.temperature(at: 2000) == 70)
    #expect(ramp.temperature(at: 9000) == 20)
    let start = DynamicalState(try DynamicsModels.argonCrystal(2), temperature: 120, seed: 1)
    let trace = Trace(
      start, try DynamicsModels.argon(),
      .init(timeStep: 4, ensemble: .langevin(ramp, relaxationTime: 100)), steps: 6000)
    let mean = trace.temperatures.suffix(1500).reduce(0, +) / 1500
    #expect(mean > 17 && mean < 23, "\(mean) K")
  }

  @Test("Velocities have no total momentum and the temperature that was asked for")
  func velocities() throws {
    let rutile = try Prototypes.rutile().supercell(3, 3, 3)
    let state = DynamicalState(rutile, temperature: 500, seed: 9)
    #expect(state.temperature.isClose(to: 500, .roundoff))
    var momentum = Vector3.zero
    for (element, v) in zip(rutile.species, state.velocities) { momentum += element.mass * v }
    #expect(momentum.length < 1e-12)
    #expect(DynamicalState(rutile, temperature: 500, seed: 9) == state)
    #expect(DynamicalState(rutile, temperature: 500, seed: 10) != state)
    // Each element has its share.
    for symbol in ["Ti", "O"] {
      let element = try ClassicalModels.element(symbol)
      let atoms = rutile.species.indices.filter { rutile.species[$0] == element }
      let energy = atoms.reduce(0) { $0 + element.mass * state.velocities[$1].squaredLength / 2 }
      let temperature =
        2 * energy * PhysicalConstants.electronvoltsPerDynamicalUnit
        / (3 * Double(atoms.count) * PhysicalConstants.boltzmann)
      #expect(temperature > 400 && temperature < 600, "\(symbol): \(temperature) K")
    }
  }
}
