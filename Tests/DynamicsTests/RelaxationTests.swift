import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Relaxation")
struct RelaxationTests {
  private func start(seed: UInt64 = 4) throws -> Structure {
    try TestStructures.rattled(
      TestStructures.strained(Prototypes.rutile(), by: 0.04, seed: seed), by: 0.1, seed: seed)
  }

  /// Pairs A exp(−r/ρ) − C/r⁶ + W/r¹² without charges.
  private func argon(dispersion: Double, wall: Double) throws -> BuckinghamPotential {
    let ar = try ClassicalModels.element("Ar")
    return try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: 9, smoothing: 2, charges: [],
        pairs: [.init(ar, ar, amplitude: 0, decayLength: 1, dispersion: dispersion, wall: wall)]))
  }

  private func argonCrystal(_ periodicity: Periodicity = .full, a: Double = 5.6) throws -> Structure
  {
    let ar = try ClassicalModels.element("Ar")
    let cubic = try Lattice(Matrix3(diagonal: Vector3(a, a, a)))
    let ideal = try Structure(
      lattice: cubic, periodicity: periodicity, species: [ar, ar, ar, ar],
      fractionalPositions: [
        .zero, Vector3(0.5, 0.5, 0), Vector3(0.5, 0, 0.5), Vector3(0, 0.5, 0.5),
      ])
    return TestStructures.rattled(ideal, by: 0.1, seed: 5)
  }

  @Test("The same call gives the same bits")
  func determinism() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    let first = Relaxation.run(try start(), with: potential)
    _ = Relaxation.run(try start(seed: 9), with: potential)
    #expect(Relaxation.run(try start(), with: potential) == first)
    #expect(first.hasConverged)
  }

  @Test("A relaxation that is left off and taken up again ends with the same bits")
  func pauses() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    let settings = RelaxationSettings(stages: [.coarse, .tight])
    for seed in UInt64(1)...4 {
      let whole = Relaxation.run(try start(seed: seed), with: potential, settings: settings)
      var relaxation = PausableRelaxation(
        try start(seed: seed), with: potential, settings: settings)
      #expect(relaxation.evaluation == nil && relaxation.enthalpyPerAtom == .infinity)
      relaxation.advance(to: 0)
      #expect(relaxation.evaluations == 1)
      #expect(relaxation.structure == (try start(seed: seed)))
      var (pauses, last) = (0, relaxation.enthalpyPerAtom)
      while relaxation.outcome == nil {
        pauses += 1
        relaxation.advance(to: pauses)
        #expect(relaxation.enthalpyPerAtom <= last)
        last = relaxation.enthalpyPerAtom
      }
      #expect(pauses > 3)
      #expect(relaxation.finish() == whole, "seed \(seed)")
    }
  }

  @Test("Tolerances hold at the end, under pressure and without")
  func tolerances() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    for gigapascals in [-2.0, 0, 20] {
      let pressure = gigapascals / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      let settings = RelaxationSettings(stages: [.coarse, .tight], pressure: pressure)
      let result = Relaxation.run(try start(), with: potential, settings: settings)
      let evaluation = try #require(result.evaluation)
      #expect(result.hasConverged)
      #expect(evaluation.largestForce() <= 0.02)
      let excess = evaluation.stress + pressure * Matrix3.identity
      #expect(excess.largestMagnitude <= RelaxationSettings.Stage.tight.stress)
      let expected = evaluation.energy + pressure * result.structure.volume
      #expect(result.enthalpy.isClose(to: expected, .roundoff))
    }
  }

  @Test("A fixed cell stays, a cluster has no cell, a slab strains in its plane only")
  func partialCells() throws {
    let potential = try argon(dispersion: 60, wall: 100_000)
    var settings = RelaxationSettings(
      stages: [.gigapascals(force: 0.001, stress: 0.01, evaluations: 400)])
    let slab = try argonCrystal(Periodicity(true, true, false))
    let relaxedSlab = Relaxation.run(slab, with: potential, settings: settings)
    #expect(relaxedSlab.hasConverged)
    let (before, after) = (slab.lattice.vectors, relaxedSlab.structure.lattice.vectors)
    #expect(after.c.isClose(to: before.c, .roundoff))
    #expect(!after.a.isClose(to: before.a, .crossCode))
    #expect(abs(after.a.z) < 1e-12)

    let cluster = try argonCrystal(.none)
    let relaxedCluster = Relaxation.run(cluster, with: potential, settings: settings)
    #expect(relaxedCluster.hasConverged)
    #expect(relaxedCluster.structure.lattice == cluster.lattice)
    // Four atoms form a tetrahedron: six bonds of depth C²/4W, smoothing does not reach them.
    let tetrahedron = -6 * 60.0 * 60 / (4 * 100_000)
    #expect(relaxedCluster.enthalpy.isClose(to: tetrahedron, relative: 1e-4, absolute: 0))

    settings.hasFixedCell = true
    let crystal = try argonCrystal()
    let fixed = Relaxation.run(crystal, with: potential, settings: settings)
    #expect(fixed.hasConverged)
    #expect(fixed.structure.lattice.vectors.isClose(to: crystal.lattice.vectors, .roundoff))
  }

  @Test("The monitor sees every accepted structure and stops the relaxation by its grade")
  func monitor() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    var seen: [Structure] = []
    let result = Relaxation.run(try start(), with: potential) { step in
      #expect(step.index == seen.count)
      seen.append(step.structure)
      return step.index == 5 ? .stop(grade: 12.5) : .continue
    }
    #expect(result.outcome == .stoppedByGrade(12.5))
    #expect(seen.count == 6)
    #expect(result.structure == seen[5])
    #expect(result.lastPassed == seen[4])
    let atOnce = Relaxation.run(try start(), with: potential) { _ in .stop(grade: 3) }
    #expect(atOnce.lastPassed == nil && atOnce.evaluations == 1)
  }

  @Test("The enthalpy never rises by more than an abrupt cutoff explains")
  func descent() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    var energies: [Double] = []
    _ = Relaxation.run(try start(), with: potential) { step in
      energies.append(step.evaluation.energy)
      return .continue
    }
    #expect(energies.count > 5)
    // Pairs at 15 Å carry 3e-6 eV; some hundred may cross together.
    for (before, after) in zip(energies, energies.dropFirst()) { #expect(after < before + 1e-3) }
  }

  @Test("Step limit, unknown element, collapse, explosion and distances are outcomes")
  func outcomes() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    var settings = RelaxationSettings(stages: [.init(force: 1e-9, stress: 1e-9, evaluations: 7)])
    let limited = Relaxation.run(try start(), with: potential, settings: settings)
    #expect(limited.outcome == .stepLimit)
    #expect(limited.evaluations <= 8)

    let foreign = Relaxation.run(try argonCrystal(), with: potential)
    guard case .failed = foreign.outcome else {
      Issue.record("\(foreign.outcome)")
      return
    }
    #expect(foreign.evaluation == nil && foreign.enthalpy == .infinity)

    let repulsive = Relaxation.run(
      try argonCrystal(a: 4), with: try argon(dispersion: 0, wall: 1e7))
    #expect(repulsive.outcome == .exploded || repulsive.hasConverged)
    #expect(repulsive.structure.volume > 3 * 64)

    let attractive = Relaxation.run(
      try argonCrystal(a: 4), with: try argon(dispersion: 1000, wall: 0))
    #expect(!attractive.hasConverged)
    switch attractive.outcome {
    case .collapsed, .failed: break
    default: Issue.record("\(attractive.outcome)")
    }

    let ar = try ClassicalModels.element("Ar")
    settings = RelaxationSettings(
      minimumDistances: MinimumDistances(elements: [ar], pairs: [(ar, ar, 2)]))
    let close = Relaxation.run(
      try argonCrystal(a: 4), with: try argon(dispersion: 1000, wall: 0), settings: settings)
    #expect(close.outcome == .distanceViolated(ar, ar))
    #expect(settings.minimumDistances?.firstViolation(in: close.structure) == nil)
    settings.minimumDistances = MinimumDistances(elements: [ar], pairs: [(ar, ar, 4)])
    let atStart = Relaxation.run(
      try argonCrystal(a: 4), with: try argon(dispersion: 1000, wall: 0), settings: settings)
    #expect(atStart.outcome == .distanceViolated(ar, ar) && atStart.evaluations == 0)
  }

  @Test("Results come back from their bytes")
  func bytes() throws {
    let result = Relaxation.run(try start(), with: try ClassicalModels.titaniumDioxide())
    #expect(try RelaxationResult(canonicalBytes: result.canonicalBytes) == result)
    let ti = try ClassicalModels.element("Ti")
    let outcomes: [RelaxationOutcome] = [
      .converged, .stepLimit, .collapsed(reason: "a"), .exploded, .distanceViolated(ti, ti),
      .stoppedByGrade(4), .failed(reason: "b"),
    ]
    for outcome in outcomes {
      #expect(try RelaxationOutcome(canonicalBytes: outcome.canonicalBytes) == outcome)
    }
    #expect(throws: ByteCodingError.self) { try RelaxationOutcome(canonicalBytes: [9]) }
  }
}
