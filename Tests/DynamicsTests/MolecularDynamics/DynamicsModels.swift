import Crystal
import Dynamics
import NumericalCore
import Potential
import ReferenceEngines
import TestSupport
import Testing

/// What the tests of molecular dynamics move.
enum DynamicsModels {
  /// Argon with continuous forces.
  static func argon() throws -> LennardJonesPotential {
    let ar = try ClassicalModels.element("Ar")
    return try LennardJonesPotential(
      LennardJonesPotential.Parameters(
        truncation: .forceShift,
        pairs: [.init(ar, ar, depth: 0.0104, diameter: 3.4, cutoff: 7)]))
  }

  /// Face-centered cubic argon of 4 n³ atoms.
  static func argonCrystal(_ n: Int, a: Double = 5.4) throws -> Structure {
    let ar = try ClassicalModels.element("Ar")
    let cell = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(a, a, a))), species: [ar, ar, ar, ar],
      fractionalPositions: [
        .zero, Vector3(0.5, 0.5, 0), Vector3(0.5, 0, 0.5), Vector3(0, 0.5, 0.5),
      ])
    return cell.supercell(n, n, n)
  }

  /// Silicon of 8 n³ atoms.
  static func siliconCrystal(_ n: Int, a: Double = 5.431) throws -> Structure {
    try Prototypes.zincBlende("Si", "Si", a: a).supercell(n, n, n)
  }

  /// A moment tensor potential for TiO2 that was trained in a search.
  static func titaniumDioxide() throws -> any InteratomicPotential {
    try MomentTensorPotential(path: Fixtures.url("tio2-level12.mtp").path)
  }

  /// An ensemble of each kind at a temperature.
  static func ensembles(_ temperature: Double) -> [Ensemble] {
    let ramp = TemperatureRamp.constant(temperature)
    return [
      .microcanonical, .langevin(ramp, relaxationTime: 100), .noseHoover(ramp, period: 100),
      .isobaric(IsobaricSettings(temperature: ramp, cell: .flexible)),
      .isobaric(IsobaricSettings(temperature: ramp, cell: .isotropic)),
    ]
  }
}
