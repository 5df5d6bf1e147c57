import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Vibrations at the zone center")
struct ZoneCenterHessianTests {
  private func relaxedRutile() throws -> (Structure, any InteratomicPotential) {
    let potential = try ClassicalModels.titaniumDioxide(smoothing: 1, cutoff: 8)
    let result = Relaxation.run(
      try Prototypes.rutile(), with: potential,
      settings: RelaxationSettings(
        stages: [.gigapascals(force: 1e-4, stress: 0.05, evaluations: 400)]))
    try #require(result.hasConverged)
    return (result.structure, potential)
  }

  @Test("Energies along the modes of a relaxed crystal rise as their eigenvalues say")
  func curvature() throws {
    let (structure, potential) = try relaxedRutile()
    let hessian = try ZoneCenterHessian(of: structure, with: potential)
    #expect(hessian.evaluations == 36)
    let modes = try hessian.softestModes(100)
    #expect(modes.count == 15)
    #expect(modes.allSatisfy { $0.eigenvalue > 0 })
    #expect(zip(modes, modes.dropFirst()).allSatisfy { $0.eigenvalue <= $1.eigenvalue })
    let rest = try potential.evaluation(of: structure).energy
    for mode in modes {
      func energy(_ amount: Double) throws -> Double {
        try potential.evaluation(
          of: structure.replacing(
            positions: zip(structure.positions, mode.displacements).map { $0 + amount * $1 })
        ).energy
      }
      // The largest displacement is 0.02 Å.
      let largest = mode.displacements.map(\.length).max() ?? 1
      let h = 0.02 / largest
      let second = (try energy(h) + energy(-h) - 2 * rest) / (h * h)
      #expect(second.isClose(to: mode.eigenvalue, relative: 0.02, absolute: 1e-4))
      // No mode moves the center of mass.
      let momentum = zip(structure.species, mode.displacements).reduce(Vector3.zero) {
        $0 + $1.0.mass * $1.1
      }
      #expect(momentum.length < 1e-8)
    }
  }

  @Test("Modes are orthonormal when weighted with the masses")
  func orthonormal() throws {
    let (structure, potential) = try relaxedRutile()
    let modes = try ZoneCenterHessian(of: structure, with: potential).softestModes(15)
    for (i, a) in modes.enumerated() {
      for (j, b) in modes.enumerated() {
        let product = structure.species.indices.reduce(0.0) {
          $0 + structure.species[$1].mass * a.displacements[$1].dot(b.displacements[$1])
        }
        #expect(product.isClose(to: i == j ? 1 : 0, relative: 1e-9, absolute: 1e-9))
      }
    }
  }

  @Test("A saddle has a negative eigenvalue, along which the energy falls")
  func saddle() throws {
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    let potential = try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: 6, smoothing: 1, charges: [],
        pairs: [.init(ti, o, amplitude: 500, decayLength: 0.3, dispersion: 60, wall: 0)]))
    // Neighbors far beyond the pair's minimum: each atom sits on a maximum of its energy.
    let loose = try Prototypes.caesiumChloride("Ti", "O", a: 4.6)
    let modes = try ZoneCenterHessian(of: loose, with: potential).softestModes(3)
    #expect(modes.count == 3 && modes[0].eigenvalue < 0)
    let rest = try potential.evaluation(of: loose).energy
    let moved = loose.replacing(
      positions: zip(loose.positions, modes[0].displacements).map { $0 + 0.5 * $1 })
    #expect(try potential.evaluation(of: moved).energy < rest)
  }

  @Test("One atom has no vibrations, and what cannot be evaluated is an error")
  func limits() throws {
    let potential = try ClassicalModels.titaniumDioxide(cutoff: 8)
    let silicon = try ClassicalModels.element("Si")
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(4, 4, 4))), species: [silicon], positions: [.zero])
    #expect(throws: PotentialError.self) {
      try ZoneCenterHessian(of: structure, with: potential)
    }
    let pairs = try BuckinghamPotential(
      BuckinghamPotential.Parameters(
        cutoff: 6, smoothing: 1, charges: [],
        pairs: [
          .init(silicon, silicon, amplitude: 1000, decayLength: 0.3, dispersion: 0, wall: 0)
        ]))
    #expect(try ZoneCenterHessian(of: structure, with: pairs).softestModes(3).isEmpty)
  }
}
