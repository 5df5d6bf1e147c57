import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Analysis of trajectories")
struct AnalysisTests {
  private func trajectory(steps: Int) throws -> DynamicsTrajectory {
    let start = DynamicalState(try DynamicsModels.argonCrystal(1), temperature: 80, seed: 3)
    var dynamics = MolecularDynamics(
      start, with: try DynamicsModels.argon(),
      settings: .init(timeStep: 5, ensemble: .microcanonical))
    var trajectory = DynamicsTrajectory(species: start.structure.species, interval: 5)
    let outcome = dynamics.advance(by: steps) {
      trajectory.append($0.state)
      return true
    }
    #expect(outcome == .finished)
    return trajectory
  }

  @Test("Correlations by Fourier transforms are those that the definition gives")
  func definitions() throws {
    for steps in [1, 2, 7, 50] {
      let trajectory = try trajectory(steps: steps)
      let atoms = trajectory.species.indices
      let displacements = trajectory.meanSquareDisplacement()
      let correlation = trajectory.velocityAutocorrelation()
      #expect(displacements.count == steps && correlation.count == steps)
      for distance in 0..<steps {
        var (square, product) = (0.0, 0.0)
        for time in 0..<(steps - distance) {
          for i in atoms {
            let (r, v) = (trajectory.positions, trajectory.velocities)
            square += (r[time + distance][i] - r[time][i]).squaredLength
            product += v[time + distance][i].dot(v[time][i])
          }
        }
        let count = Double((steps - distance) * atoms.count)
        // Positions are some Å, so that squares of 10⁻³ Å² lose digits.
        #expect(
          displacements[distance].isClose(to: square / count, relative: 1e-9, absolute: 1e-12))
        #expect(correlation[distance].isClose(to: product / count, relative: 1e-9, absolute: 1e-15))
      }
    }
  }

  @Test("Free flight has the mean-square displacement v² t²")
  func flight() throws {
    let ar = try ClassicalModels.element("Ar")
    let cell = try Lattice(Matrix3(diagonal: Vector3(20, 20, 20)))
    let velocity = Vector3(0.01, -0.02, 0.005)
    var trajectory = DynamicsTrajectory(species: [ar, ar], interval: 2)
    for step in 0..<40 {
      let move = Double(step) * 2 * velocity
      trajectory.append(
        DynamicalState(
          try Structure(
            lattice: cell, species: [ar, ar],
            positions: [move, Vector3(5, 5, 5) - move]),
          velocities: [velocity, -1 * velocity]))
    }
    let expected = { (k: Int) in velocity.squaredLength * 4 * Double(k * k) }
    for (k, square) in trajectory.meanSquareDisplacement().enumerated() {
      #expect(square.isClose(to: expected(k), relative: 1e-9, absolute: 1e-12))
    }
    for (k, square) in trajectory.squareDisplacementFromStart().enumerated() {
      #expect(square.isClose(to: expected(k), .roundoff))
    }
  }

  @Test("A dimer vibrates at the frequency of its spring, with all three vibrations of an atom")
  func spectrum() throws {
    let potential = try DynamicsModels.argon()
    let ar = try ClassicalModels.element("Ar")
    let cell = try Lattice(Matrix3(diagonal: Vector3(30, 30, 30)))
    func dimer(_ length: Double) throws -> Structure {
      try Structure(
        lattice: cell, periodicity: .none, species: [ar, ar],
        positions: [.zero, Vector3(length, 0, 0)])
    }
    func force(_ length: Double) throws -> Double {
      try potential.evaluation(of: dimer(length)).forces[0].x
    }
    var (short, long) = (3.5, 4.2)
    while long - short > 1e-10 {
      let middle = (short + long) / 2
      if try force(middle) < 0 { short = middle } else { long = middle }
    }
    let spring = try (force(short + 1e-4) - force(short - 1e-4)) / 2e-4
    let mass = ar.mass * PhysicalConstants.electronvoltsPerDynamicalUnit / 2
    let expected = 1000 * (spring / mass).squareRoot() / (2 * .pi)
    var dynamics = MolecularDynamics(
      DynamicalState(
        try dimer(short), velocities: [Vector3(2e-5, 0, 0), Vector3(-2e-5, 0, 0)]),
      with: potential, settings: .init(timeStep: 5, ensemble: .microcanonical))
    var trajectory = DynamicsTrajectory(species: [ar, ar], interval: 20)
    let outcome = dynamics.advance(by: 40_000) {
      if $0.state.step.isMultiple(of: 4) { trajectory.append($0.state) }
      return true
    }
    #expect(outcome == .finished)
    let spectrum = try #require(trajectory.vibrationalDensityOfStates(longest: 4000))
    #expect(abs(spectrum.peakFrequency - expected) <= spectrum.spacing, "\(expected) THz")
    let ends = (spectrum.values[0] + spectrum.values[spectrum.values.count - 1]) / 2
    let integral = (spectrum.values.reduce(0, +) - ends) * spectrum.spacing
    #expect(integral.isClose(to: 3, relative: 1e-9, absolute: 0))
  }

  @Test("Nothing is said of trajectories too short for it")
  func short() throws {
    let ar = try ClassicalModels.element("Ar")
    let empty = DynamicsTrajectory(species: [ar, ar], interval: 1)
    #expect(empty.meanSquareDisplacement().isEmpty)
    #expect(empty.velocityAutocorrelation().isEmpty)
    #expect(empty.squareDisplacementFromStart().isEmpty)
    #expect(empty.vibrationalDensityOfStates(longest: 10) == nil)
    let titanium = try ClassicalModels.element("Ti")
    #expect(try trajectory(steps: 5).meanSquareDisplacement(of: titanium).isEmpty)
  }

  @Test("A crystal's radial distribution has its shells, in whatever cell")
  func shells() throws {
    // No shell lies at the border of two intervals.
    let rockSalt = try Prototypes.rockSalt("Mg", "O", a: 4.2)
    let (mg, o) = (try ClassicalModels.element("Mg"), try ClassicalModels.element("O"))
    var small = RadialDistribution(elements: [o, mg], cutoff: 8, bins: 157)
    small.add(rockSalt)
    var large = RadialDistribution(elements: [mg, o], cutoff: 8, bins: 157)
    large.add(TestStructures.rattled(rockSalt.supercell(2, 3, 2), by: 0, seed: 1))
    for pair in [(mg, o), (mg, mg), (o, o)] {
      for (a, b) in zip(small.values(pair.0, pair.1), large.values(pair.0, pair.1)) {
        #expect(a.isClose(to: b, relative: 1e-9, absolute: 1e-9))
      }
    }
    #expect(small.values(mg, o) == small.values(o, mg))
    #expect(small.coordination(of: mg, by: o, within: 2.5).isClose(to: 6, .roundoff))
    #expect(small.coordination(of: mg, by: mg, within: 3.2).isClose(to: 12, .roundoff))
    #expect(small.coordination(of: mg, by: o, within: 4).isClose(to: 14, .roundoff))
    let peak = try #require(small.firstPeak(mg, o))
    #expect(abs(peak.distance - 2.1) < small.width)
    #expect(peak.hollow > 2.15 && peak.hollow < 3.6)
  }

  @Test("A gas has g = 1 everywhere, and structures are averaged")
  func gas() throws {
    let ar = try ClassicalModels.element("Ar")
    let cell = try Lattice(
      Matrix3(rows: Vector3(9, 0, 0), Vector3(4, 8, 0), Vector3(-2, 3, 7)))
    var random = RandomStream(seed: 4, purpose: .test)
    var distribution = RadialDistribution(elements: [ar], cutoff: 6, bins: 12)
    for _ in 0..<200 {
      distribution.add(
        try Structure(
          lattice: cell, species: [ChemicalElement](repeating: ar, count: 30),
          fractionalPositions: (0..<30).map { _ in random.fractionalPoint() }))
    }
    #expect(distribution.count == 200)
    // Of an atom's neighbors its own images lie at fixed distances, all others anywhere.
    for (bin, g) in distribution.values(ar, ar).enumerated() where bin > 0 {
      #expect(abs(g - 29.0 / 30) < 0.06, "\(distribution.distance(bin)) Å: \(g)")
    }
  }
}
